// What answers carry besides their content: encodings, tags, and no cookies.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { describe, test } from 'vitest'
import { startOwnServer } from '../compat/servers.ts'
import { listEndpoints } from './endpoints.ts'
import { openTestApp, PASSWORD, type TestApp } from './test-app.ts'

const BASE = 'http://localhost'

const fetchFrom = async ({ app }: TestApp, path: string, init: RequestInit = {}) => {
  const response = await app.request(BASE + path, init)
  const bytes = Buffer.from(await response.arrayBuffer())
  return { status: response.status, headers: response.headers, bytes }
}

/** Somebody with groups enough that their list is worth compressing. */
const openCrowded = async () => {
  const app = await openTestApp()
  const { token } = await app.person('alice')
  for (let index = 0; index < 10; index++)
    await app.must(201, 'POST', '/groups', { token, body: { name: `group ${index}` } })
  return { app, token, authorization: `Bearer ${token}`, [Symbol.asyncDispose]: () => app[Symbol.asyncDispose]() }
}

describe('compression', () => {
  test('[HP26] long reads are compressed for who takes it, and hold the same', async () => {
    await using crowd = await openCrowded()
    const { app, authorization } = crowd
    const read = (encoding?: string, path = '/api/v1/groups') =>
      fetchFrom(app, path, {
        headers: { authorization, ...(encoding !== undefined && { 'accept-encoding': encoding }) },
      })
    const plain = await read()
    assert.equal(plain.headers.get('content-encoding'), null)
    assert.ok(plain.bytes.length > 1_024)
    assert.equal(plain.headers.get('content-length'), String(plain.bytes.length))
    assert.match(plain.headers.get('vary') ?? '', /Accept-Encoding/)
    const zipped = await read('gzip, br')
    assert.equal(zipped.headers.get('content-encoding'), 'gzip')
    assert.equal(zipped.headers.get('content-length'), String(zipped.bytes.length))
    assert.ok(zipped.bytes.length < plain.bytes.length / 2)
    const dataOf = (bytes: Buffer): unknown => (JSON.parse(bytes.toString()) as { data: unknown }).data
    assert.deepEqual(dataOf(gunzipSync(zipped.bytes)), dataOf(plain.bytes))
    for (const encoding of ['br', 'gzip;q=0', 'identity', '']) {
      assert.equal((await read(encoding)).headers.get('content-encoding'), null, encoding)
    }
    const short = await read('gzip', '/api/v1/channels/no-such-channel')
    assert.deepEqual([short.status, short.headers.get('content-encoding')], [404, null])
    await crowd.app.must(200, 'GET', '/invites', { token: crowd.token, headers: { 'accept-encoding': 'gzip' } })
  })

  test('[HP26] short answers, writes and everything about logins are sent as they are', async () => {
    await using crowd = await openCrowded()
    const { app, authorization } = crowd
    const headers = { authorization, 'accept-encoding': 'gzip', 'content-type': 'application/json' }
    const body = JSON.stringify({ name: 'x', description: 'a'.repeat(1_990) })
    const created = await fetchFrom(app, '/api/v1/groups', { method: 'POST', headers, body })
    assert.deepEqual([created.status, created.headers.get('content-encoding')], [201, null])
    assert.ok(created.bytes.length > 1_024)
    const device = { deviceId: null, userAgent: 'x'.repeat(150) }
    const { userId } = await app.access.visitorOf(authorization)
    for (let login = 0; login < 10; login++)
      await app.storage.db.transaction().execute((trx) => app.sessions.start(trx, userId, device))
    const sessions = await fetchFrom(app, '/api/v1/auth/sessions', { headers })
    assert.ok(sessions.bytes.length > 1_024)
    assert.equal(sessions.headers.get('content-encoding'), null)
    const few = await fetchFrom(app, '/api/v1/direct', { headers })
    assert.deepEqual([few.status, few.headers.get('content-encoding')], [200, null])
  })
})

describe('what changes with a release only', () => {
  test.each(['/openapi.json', '/docs', '/docs/openapi-explorer.min.js'])(
    '[HP27] %s is not sent again to who has it',
    async (path) => {
      await using app = await openTestApp()
      const first = await fetchFrom(app, path)
      assert.equal(first.status, 200)
      const etag = first.headers.get('etag') ?? ''
      assert.match(etag, /^W\/"[\w-]{22}"$/)
      assert.equal(first.headers.get('cache-control'), 'no-cache')
      for (const known of [etag, etag.slice(2), `"x", ${etag}`, '*']) {
        const again = await fetchFrom(app, path, { headers: { 'if-none-match': known } })
        assert.deepEqual([again.status, again.bytes.length, again.headers.get('etag')], [304, 0, etag], known)
      }
      for (const other of ['"x"', 'W/"x"', '', etag.slice(0, -2), ',']) {
        assert.equal((await fetchFrom(app, path, { headers: { 'if-none-match': other } })).status, 200, other)
      }
      const zipped = await fetchFrom(app, path, { headers: { 'accept-encoding': 'deflate, gzip;q=0.5' } })
      assert.equal(zipped.headers.get('content-encoding'), 'gzip')
      assert.ok(gunzipSync(zipped.bytes).equals(first.bytes))
      const refused = await fetchFrom(app, path, { headers: { 'accept-encoding': 'gzip;q=0' } })
      assert.equal(refused.headers.get('content-encoding'), null)
      assert.equal((await fetchFrom(app, path, { method: 'HEAD' })).bytes.length, 0)
    },
  )

  test('[HP27] private answers have no tag', async () => {
    await using crowd = await openCrowded()
    const { app, token } = crowd
    const { status, headers } = await app.ask('GET', '/groups', { token, headers: { 'if-none-match': '*' } })
    assert.deepEqual([status, headers.get('etag'), headers.get('cache-control')], [200, null, 'no-store'])
  })
})

describe('cookies', () => {
  const isOurs = (name: string): boolean => /cookie/i.test(name)

  test('[HP28] no answer sets one, whatever is asked', async () => {
    await using app = await openTestApp()
    const { token } = await app.person('alice')
    const endpoints = listEndpoints()
    for (const { method, path } of endpoints) {
      for (const headers of [{}, { authorization: `Bearer ${token}` }]) {
        const init = { method, headers, ...(method !== 'GET' && { body: '{}' }) }
        const answer = await fetchFrom(app, path.replaceAll(/\{\w+\}/g, 'some-id-of-nothing'), init)
        assert.ok(![...answer.headers.keys()].some(isOurs), `${method} ${path}`)
      }
    }
    const login = await app.register('bob_bobson')
    assert.ok(login.accessToken)
    const { headers } = await app.ask('POST', '/auth/login', { body: { identifier: 'bob_bobson', password: PASSWORD } })
    assert.ok(![...headers.keys()].some(isOurs))
    assert.ok(endpoints.length > 100)
  })

  test('[HP28] a cookie logs nobody in, whatever it holds', async () => {
    await using app = await openTestApp()
    const { token, refreshToken, sessionId } = await app.person('alice')
    const values = [token, `Bearer ${token}`, refreshToken, sessionId]
    const names = ['token', 'accessToken', 'access_token', 'authorization', 'session', 'auth_session', '__Host-session']
    for (const value of values) {
      const cookie = names.map((name) => `${name}=${encodeURIComponent(value)}`).join('; ')
      await app.refused(401, 'auth/required', 'GET', '/groups', { headers: { cookie } })
      await app.refused(401, 'auth/required', 'POST', '/groups', { headers: { cookie }, body: { name: 'x' } })
    }
  })
})

describe('methods and headers', () => {
  test('[HP29] HEAD answers as GET without a body, OPTIONS without doing anything', async () => {
    await using crowd = await openCrowded()
    const { app, authorization } = crowd
    const head = await fetchFrom(app, '/api/v1/groups', { method: 'HEAD', headers: { authorization } })
    const get = await fetchFrom(app, '/api/v1/groups', { headers: { authorization } })
    assert.deepEqual([head.status, head.bytes.length], [200, 0])
    assert.equal(head.headers.get('content-type'), get.headers.get('content-type'))
    assert.equal(head.headers.get('cache-control'), 'no-store')
    assert.equal((await fetchFrom(app, '/api/v1/groups', { method: 'HEAD' })).status, 401)
    for (const path of ['/api/v1/groups', '/api/v1/nothing'])
      assert.equal((await fetchFrom(app, path, { method: 'OPTIONS', headers: { authorization } })).status, 204)
    assert.equal((await fetchFrom(app, '/api/v1/groups', { method: 'PATCH', headers: { authorization } })).status, 404)
  })

  test('[HP29] a head that is too long is refused, and the server goes on', async () => {
    await using server = await startOwnServer()
    const statusOf = (length: number): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const asked = request(`${server.url}/health`, { headers: { 'x-long': 'a'.repeat(length) } }, (answer) => {
          answer.resume()
          resolve(answer.statusCode)
        })
        asked.on('error', reject)
        asked.end()
      })
    assert.equal(await statusOf(8_000), 200)
    assert.equal(await statusOf(20_000), 431)
    assert.equal(await statusOf(0), 200)
  })
})
