// How often one may ask: each limit of the table is provoked, says when to come back, and touches nobody else.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { describeApi } from '../../server/http/openapi.ts'
import { LIMITED_ROUTES, RATE_LIMITS, type RateLimits } from '../../server/http/rate-limits.ts'
import { eventually } from '../helpers/eventually.ts'
import { type Asking, openTestApp, type TestApp } from './test-app.ts'

/** Asks as somebody at this address would. */
const askFrom = async ({ app }: TestApp, address: string, path: string) => {
  const request = new Request(`http://localhost/api/v1${path}`, {
    method: 'POST',
    // Refused by the validator, which comes after the limits.
    body: '{}',
    headers: { 'x-forwarded-for': '198.51.100.7', forwarded: 'for=198.51.100.7' },
  })
  const response = await app.request(request, undefined, { incoming: { socket: { remoteAddress: address } } })
  return response.status
}

const limited = (name: keyof RateLimits, requests: number, seconds = 60) =>
  openTestApp({ limits: { [name]: { requests, seconds } } })

/** The answer must say when to come back, in both of its places. */
const expectRefusal = (answer: Awaited<ReturnType<TestApp['ask']>>, secondsMax: number): void => {
  assert.deepEqual([answer.status, answer.body?.error?.code], [429, 'rate/too-many'], answer.text)
  const { retryAfterMs } = answer.body.error.details as { retryAfterMs: number }
  assert.ok(retryAfterMs > 0 && retryAfterMs <= secondsMax * 1_000, String(retryAfterMs))
  assert.equal(answer.headers.get('retry-after'), String(Math.ceil(retryAfterMs / 1_000)))
}

const mustRefuse = async (app: TestApp, method: string, path: string, asking: Asking, secondsMax: number) =>
  expectRefusal(await app.ask(method, path, asking), secondsMax)

describe('limits per user', () => {
  test('[HP16] who asks too often is told when to come back; others are not touched, and it passes', async () => {
    await using app = await limited('user', 5, 1)
    const [alice, bob] = [await app.person('alice'), await app.person('bob')]
    // A window may end in the middle of the first five, or right after the first refusal.
    const refusal = await eventually(
      () => app.ask('GET', '/groups', alice),
      ({ status }) => status === 429,
    )
    expectRefusal(refusal, 1)
    await app.must(200, 'GET', '/groups', bob)
    await app.refused(401, 'auth/required', 'GET', '/groups')
    await eventually(
      async () => (await app.ask('GET', '/groups', alice)).status,
      (status) => status === 200,
    )
  })

  test('[HP16] messages count together, by whatever route they are sent', async () => {
    const routes = LIMITED_ROUTES.filter(({ limit }) => limit === 'messages')
    assert.equal(routes.length, 4)
    await using app = await limited('messages', routes.length)
    const { token } = await app.person('alice')
    const { id } = await app.must<{ id: string }>(201, 'POST', '/groups', { token, body: { name: 'x' } })
    const channel = { token, body: { type: 'CHAT', name: 'x' } }
    const chat = await app.must<{ id: string }>(201, 'POST', `/groups/${id}/channels`, channel)
    const pathOf = (path: string): string => path.replace(/:id|:channel/, chat.id).replace(':part', '0')
    for (const { path } of routes) {
      const { status } = await app.ask('POST', pathOf(path), { token, body: { body: 'hello' } })
      assert.ok(status < 300, `${path}: ${status}`)
    }
    for (const { path } of routes) await mustRefuse(app, 'POST', pathOf(path), { token, body: { body: 'x' } }, 60)
    await app.must(200, 'GET', `/messages/channels/${chat.id}`, { token })
  })

  test('[HP17] codes that let nobody in are counted, those that do are not', async () => {
    await using app = await limited('joinMisses', 3)
    const [alice, bob] = [await app.person('alice'), await app.person('bob')]
    const { token } = alice
    const group = await app.must<{ accessCode: string }>(201, 'POST', '/groups', { token, body: { name: 'x' } })
    const join = (accessCode: string): Asking => ({ token: bob.token, body: { accessCode } })
    for (let time = 0; time < 10; time++) await app.must(200, 'POST', '/groups/join', join(group.accessCode))
    for (let time = 0; time < 3; time++)
      await app.refused(404, 'group/code-unknown', 'POST', '/groups/join', join('AAAAAAAAAA'))
    await mustRefuse(app, 'POST', '/groups/join', join(group.accessCode), 60)
    await app.must(200, 'POST', '/groups/join', { token, body: { accessCode: group.accessCode } })
  })

  test('[HP16] a refusal is not kept for repeats with the same key', async () => {
    await using app = await limited('messages', 0, 1)
    const { token } = await app.person('alice')
    const asking = { token, body: { body: 'x' }, headers: { 'idempotency-key': 'k' } }
    await mustRefuse(app, 'POST', '/chats/nothing-there/messages', asking, 1)
    assert.deepEqual(await app.storage.db.selectFrom('idempotency').selectAll().execute(), [])
  })
})

describe('limits per address', () => {
  test('[HP18] logins from one network are counted, whatever headers say; those from this machine are not', async () => {
    await using app = await limited('login', 2)
    const networks = [
      ['203.0.113.7', '203.0.113.7', '203.0.113.7'],
      ['2001:db8:1:2::1', '2001:db8:1:2:ffff::', '2001:db8:1:2:3:4:5:6'],
      ['2001:db8::1', '2001:db8:0:0:1::', '2001:db8:0:0:0:1:2:3'],
      ['::ffff:203.0.113.9', '::ffff:203.0.113.9', '::ffff:203.0.113.9'],
    ]
    for (const addresses of networks) {
      const statuses = []
      for (const address of addresses) statuses.push(await askFrom(app, address, '/auth/login'))
      assert.deepEqual(statuses, [422, 422, 429], addresses[0])
    }
    assert.equal(await askFrom(app, '203.0.113.8', '/auth/login'), 422)
    assert.equal(await askFrom(app, '2001:db8:1:3::1', '/auth/login'), 422)
    for (const address of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'])
      for (let time = 0; time < 4; time++) assert.notEqual(await askFrom(app, address, '/auth/login'), 429)
  })

  test.each(['register', 'refresh'] as const)('[HP18] %s has a limit of its own', async (name) => {
    await using app = await limited(name, 1)
    assert.equal(await askFrom(app, '203.0.113.7', `/auth/${name}`), 422)
    assert.equal(await askFrom(app, '203.0.113.7', `/auth/${name}`), 429)
    assert.equal(await askFrom(app, '203.0.113.7', '/auth/login'), 422)
  })
})

describe('the table', () => {
  test('[HP19] every limit is one of requests in seconds, and every limited route exists', () => {
    for (const { requests, seconds } of Object.values(RATE_LIMITS)) assert.ok(requests > 0 && seconds > 0)
    const paths = new Set(Object.keys(describeApi().paths).map((path) => path.replaceAll(/\{\w+\}/g, '*')))
    const unknown = LIMITED_ROUTES.filter(({ path }) => !paths.has(`/api/v1${path.replaceAll(/:\w+/g, '*')}`))
    assert.deepEqual(unknown, [])
  })
})
