// What holds for every route: the envelope, the headers, and how each kind of trouble is answered and logged.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { BODY_BYTES_MAX } from '../../shared/limits.ts'
import type { Storage } from '../../storage/open.ts'
import { openTestApp } from './test-app.ts'

interface Trouble {
  next: Error | undefined
}

/** A database whose every query throws what `trouble` says. */
const failing =
  (trouble: Trouble) =>
  (storage: Storage): Storage => ({
    ...storage,
    db: storage.db.withPlugin({
      transformQuery: ({ node }) => {
        if (trouble.next) throw trouble.next
        return node
      },
      transformResult: async ({ result }) => result,
    }),
  })

const coded = (message: string, code: string): Error => Object.assign(new Error(message), { code })

describe('envelope', () => {
  test('[HP1] every success and every error has the same shape, with the request’s id', async () => {
    await using app = await openTestApp()
    const { token } = await app.person('alice')
    const headers = { 'x-request-id': 'my-request-1' }
    const good = await app.ask('GET', '/groups', { token, headers })
    const timestamp = new Date(app.clock.time).toISOString()
    const meta = { timestamp, requestId: 'my-request-1', version: 'v1' }
    assert.deepEqual(good.body, { success: true, data: [], meta })
    const bad = await app.ask('GET', '/groups', { headers })
    assert.deepEqual(bad.body, { success: false, error: { code: 'auth/required', message: 'log in first' }, meta })
    assert.equal(bad.headers.get('www-authenticate'), 'Bearer')
    assert.equal(bad.headers.get('x-request-id'), 'my-request-1')
    for (const odd of ['a b', 'x'.repeat(65), '"}']) {
      const answer = await app.ask('GET', '/groups', { headers: { 'x-request-id': odd } })
      assert.match(answer.body.meta.requestId, /^id-/)
    }
  })

  test('[HP2] a body that is not JSON, not an object or has unknown fields is refused', async () => {
    await using app = await openTestApp()
    const { token } = await app.person('alice')
    for (const body of ['', '{', 'name=x', '{"name":"x"} x', undefined]) {
      await app.refused(400, 'input/not-json', 'POST', '/groups', { token, body })
    }
    for (const body of ['null', '[]', '"x"', '7', '[{"name":"x"}]']) {
      await app.refused(422, 'input/invalid', 'POST', '/groups', { token, body })
    }
    const error = await app.refused(422, 'input/invalid', 'POST', '/groups', {
      token,
      body: '{"name":"x","__proto__":{"a":1},"constructor":1}',
    })
    assert.deepEqual(
      error.details?.issues?.map(({ field }) => field),
      ['__proto__', 'constructor'],
    )
    for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/html', 'x', '']) {
      const asking = { token, body: { name: 'x' }, headers: { 'content-type': type } }
      await app.refused(400, 'input/not-json', 'POST', '/groups', asking)
    }
    for (const type of ['application/json', 'APPLICATION/JSON; charset=utf-8', 'application/merge-patch+json'])
      await app.must(201, 'POST', '/groups', { token, body: { name: 'x' }, headers: { 'content-type': type } })
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`field${index}`, 1]))
    const { details } = await app.refused(422, 'input/invalid', 'POST', '/groups', { token, body: many })
    assert.equal(details?.issues?.length, 20)
  })

  test('[HP3] a body above the limit is refused, whether its length is announced or not', async () => {
    await using app = await openTestApp()
    const { token } = await app.person('alice')
    const body = JSON.stringify({ name: 'x'.repeat(BODY_BYTES_MAX) })
    const headers = { 'content-length': String(body.length) }
    await app.refused(413, 'input/too-large', 'POST', '/groups', { token, body, headers })
    await app.refused(413, 'input/too-large', 'POST', '/groups', { token, body })
    const deep = '['.repeat(BODY_BYTES_MAX - 10)
    await app.refused(400, 'input/not-json', 'POST', '/groups', { token, body: deep })
  })

  test('[HP4] an unknown route or method is answered 404 in the same shape', async () => {
    await using app = await openTestApp()
    const routes = [
      ['GET', '/nothing'],
      ['GET', '/auth/register'],
      ['DELETE', '/groups'],
      ['GET', '/groups/a/b/c'],
      ['GET', '/%zz'],
    ] as const
    for (const [method, path] of routes) await app.refused(404, 'http/no-route', method, path)
    assert.equal((await app.app.request('/nowhere')).status, 404)
  })
})

describe('headers', () => {
  test('[HP5] answers of the API are not stored, not sniffed and not framed', async () => {
    await using app = await openTestApp()
    for (const path of ['/groups', '/nothing']) {
      const { headers } = await app.ask('GET', path)
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
      assert.equal(headers.get('x-frame-options'), 'DENY')
      assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/)
      assert.equal(headers.get('strict-transport-security'), null)
    }
  })

  test('[HP30] browsers are told to come by TLS only where people do', async () => {
    for (const [publicUrl, expected] of [
      ['https://notes.example', 'max-age=15552000'],
      ['http://notes.example', null],
    ] as const) {
      await using app = await openTestApp({ publicUrl })
      for (const path of ['/api/v1/groups', '/health', '/docs', '/nothing'])
        assert.equal((await app.app.request(path)).headers.get('strict-transport-security'), expected, path)
    }
  })

  test('[HP6] an allowed origin, spelled exactly, may read answers; no other may', async () => {
    await using app = await openTestApp({ allowedOrigins: ['https://app.example'] })
    const preflight = (origin: string) =>
      app.ask('OPTIONS', '/groups', { headers: { origin, 'access-control-request-method': 'POST' } })
    const allowed = await preflight('https://app.example')
    assert.equal(allowed.status, 204)
    assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://app.example')
    assert.match(allowed.headers.get('access-control-allow-headers') ?? '', /Authorization/)
    assert.equal(allowed.headers.get('access-control-allow-credentials'), null)
    const answer = await app.ask('GET', '/groups', { headers: { origin: 'https://app.example' } })
    assert.equal(answer.headers.get('access-control-allow-origin'), 'https://app.example')
    assert.match(answer.headers.get('vary') ?? '', /Origin/)
    for (const origin of ['https://app.example.evil', 'http://app.example', 'null', '*', 'https://APP.example']) {
      assert.equal((await preflight(origin)).headers.get('access-control-allow-origin'), null)
      const other = await app.ask('GET', '/groups', { headers: { origin } })
      assert.equal(other.headers.get('access-control-allow-origin'), null)
    }
  })
})

describe('trouble', () => {
  test('[HP7] a database that cannot answer is 503 and worth a retry', async () => {
    const trouble: Trouble = { next: undefined }
    await using app = await openTestApp({ wrap: failing(trouble) })
    const { token } = await app.person('alice')
    const failures = [
      coded('disk full', 'SQLITE_FULL'),
      coded('the writer thread has stopped', 'SQLITE_MISUSE'),
      coded('terminating connection', '57P01'),
      coded('connect', 'ECONNREFUSED'),
      new Error('Connection terminated unexpectedly'),
      new AggregateError([coded('connect', 'ECONNREFUSED')]),
    ]
    for (const failure of failures) {
      trouble.next = failure
      await app.refused(503, 'storage/unavailable', 'GET', '/groups', { token })
    }
    trouble.next = undefined
    await app.must(200, 'GET', '/groups', { token })
  })

  test('[HP8] a mistake of ours is 500, says nothing of its cause, and is logged once with the request’s id', async () => {
    const trouble: Trouble = { next: undefined }
    await using app = await openTestApp({ wrap: failing(trouble) })
    const { token } = await app.person('alice')
    for (const mistake of [coded('no such column: secretcolumn', 'SQLITE_ERROR'), new TypeError('secretcolumn')]) {
      trouble.next = mistake
      app.logLines.length = 0
      const answer = await app.ask('GET', '/groups', { token, headers: { 'x-request-id': 'request-1' } })
      assert.deepEqual([answer.status, answer.body.error.code], [500, 'internal'])
      assert.ok(!answer.text.includes('secretcolumn'))
      const lines = app.logLines.filter((line) => line.includes('secretcolumn')).map((line) => JSON.parse(line))
      assert.deepEqual(
        lines.map(({ level, event, requestId }) => [level, event, requestId]),
        [['error', 'http.failed', 'request-1']],
      )
    }
  })

  test('[HP9] each request is one log line, without its query', async () => {
    await using app = await openTestApp()
    await app.ask('GET', '/groups?token=hunter2')
    const lines = app.logLines.map((line) => JSON.parse(line))
    assert.deepEqual(
      lines.map(({ event, method, path, status }) => [event, method, path, status]),
      [['http.request', 'GET', '/api/v1/groups', 401]],
    )
  })
})

describe('health', () => {
  test('[HP10] health is public and bare: up or down', async () => {
    const trouble: Trouble = { next: undefined }
    await using app = await openTestApp({ wrap: failing(trouble) })
    const health = async (path: string) => {
      const { status, text } = await app.ask('GET', path)
      return [status, text]
    }
    assert.deepEqual(await health('/health'), [200, '{"status":"up"}'])
    assert.deepEqual(await health('/health/database'), [200, '{"status":"up"}'])
    trouble.next = coded('connect', 'ECONNREFUSED')
    assert.deepEqual(await health('/health/database'), [503, '{"status":"down"}'])
    assert.deepEqual(await health('/health'), [200, '{"status":"up"}'])
  })
})
