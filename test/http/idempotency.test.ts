// Repeats of a POST with an `Idempotency-Key`, on both databases: run once, answered alike, mixed up with nothing.
import assert from 'node:assert/strict'
import type { KyselyPlugin } from 'kysely'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { keepAnswer } from '../../storage/idempotency.ts'
import type { Storage } from '../../storage/open.ts'
import { IDEMPOTENCY_MS, IDEMPOTENCY_RUNNING_MS_MAX } from '../../shared/limits.ts'
import { sweepKeptAnswers } from '../../server/http/idempotency.ts'
import { createLogger } from '../../server/log.ts'
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts'
import { type Asking, openTestApp, PASSWORD, type TestApp, type TestAppOptions } from './test-app.ts'

const START_MS_MAX = 300_000

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
}, START_MS_MAX)
afterAll(() => postgres?.[Symbol.asyncDispose]())

const databases = [
  { name: 'SQLite', locate: async (): Promise<TestAppOptions> => ({}) },
  { name: 'Postgres', locate: async () => ({ location: { postgres: await postgres.createDatabase() } }) },
]

const keyed = (key: string, asking: Asking = {}): Asking => ({ ...asking, headers: { 'idempotency-key': key } })

const countGroups = async ({ storage }: TestApp): Promise<number> =>
  (await storage.db.selectFrom('group').select('id').execute()).length

/** A database whose queries on groups do what `onGroups` does first. */
const meddling =
  (meddler: { onGroups: () => Promise<void> }) =>
  (storage: Storage): Storage => {
    const seen = new WeakSet<object>()
    const plugin: KyselyPlugin = {
      transformQuery: ({ node, queryId }) => {
        if (JSON.stringify(node).includes('"name":"group"')) seen.add(queryId)
        return node
      },
      transformResult: async ({ result, queryId }) => {
        if (seen.has(queryId)) await meddler.onGroups()
        return result
      },
    }
    return { ...storage, db: storage.db.withPlugin(plugin) }
  }

describe.each(databases)('repeats on $name', ({ locate }) => {
  test('[HP12] a repeat is answered as the first was, byte for byte, and does nothing', async () => {
    await using app = await openTestApp(await locate())
    const { token, id, sessionId } = await app.person('alice')
    const asking = keyed('key-1', { token, body: { name: 'Friends' } })
    const first = await app.ask('POST', '/groups', asking)
    assert.equal(first.status, 201)
    assert.equal(first.headers.get('idempotency-replayed'), null)
    app.clock.time += IDEMPOTENCY_MS - 1
    const { accessToken } = await app.accessTokens.sign({ userId: id, sessionId })
    for (let repeat = 0; repeat < 3; repeat++) {
      const again = await app.ask('POST', '/groups', { ...asking, token: accessToken })
      assert.deepEqual([again.status, again.text], [201, first.text])
      assert.equal(again.headers.get('idempotency-replayed'), 'true')
      assert.match(again.headers.get('content-type') ?? '', /^application\/json/)
      assert.equal(again.headers.get('cache-control'), 'no-store')
    }
    assert.equal(await countGroups(app), 1)
    app.clock.time += 2
    await app.must(201, 'POST', '/groups', { ...asking, token: accessToken })
    assert.equal(await countGroups(app), 2)
  })

  test('[HP12] refusals and answers without a body are repeated too, and routes without a login', async () => {
    await using app = await openTestApp(await locate())
    const body = { username: 'alice', password: PASSWORD }
    const registered = await app.ask('POST', '/auth/register', keyed('r', { body }))
    const hashes = app.passwords.count
    const again = await app.ask('POST', '/auth/register', keyed('r', { body }))
    assert.deepEqual([again.status, again.text], [201, registered.text])
    assert.equal(app.passwords.count, hashes)
    const { accessToken: token, refreshToken } = registered.body.data
    const wrong = await app.ask('POST', '/groups', keyed('w', { token, body: { name: '' } }))
    assert.equal(wrong.status, 422)
    assert.equal((await app.ask('POST', '/groups', keyed('w', { token, body: { name: '' } }))).text, wrong.text)
    for (const replayed of [null, 'true']) {
      const out = await app.ask('POST', '/auth/logout', keyed('o', { body: { refreshToken } }))
      assert.deepEqual([out.status, out.text, out.headers.get('idempotency-replayed')], [204, '', replayed])
    }
  })

  test('[HP13] another request under the key is refused; other people’s keys, GETs and no key do not meet it', async () => {
    await using app = await openTestApp(await locate())
    const [alice, bob] = [await app.person('alice'), await app.person('bob')]
    await app.must(201, 'POST', '/groups', keyed('k', { token: alice.token, body: { name: 'One' } }))
    const others: [string, unknown][] = [
      ['/groups', { name: 'Two' }],
      ['/groups?x=1', { name: 'One' }],
      ['/groups/join', { name: 'One' }],
    ]
    for (const [path, body] of others)
      await app.refused(422, 'idempotency/mismatch', 'POST', path, keyed('k', { token: alice.token, body }))
    await app.must(200, 'GET', '/groups', keyed('k', { token: alice.token }))
    await app.must(201, 'POST', '/groups', keyed('k', { token: bob.token, body: { name: 'One' } }))
    await app.refused(401, 'auth/required', 'POST', '/groups', keyed('k', { body: { name: 'One' } }))
    for (const key of ['', 'a b', 'ä', 'x'.repeat(256), 'tab\there'])
      await app.refused(
        422,
        'input/invalid',
        'POST',
        '/groups',
        keyed(key, { token: alice.token, body: { name: 'x' } }),
      )
    const long = keyed('x'.repeat(255), { token: alice.token, body: { name: 'x' } })
    await app.must(201, 'POST', '/groups', long)
    await app.refused(413, 'input/too-large', 'POST', '/groups', keyed('big', { body: 'x'.repeat(2 ** 21) }))
  })

  test('[HP13] of fifty at once one runs, and the others are told so or get its answer', async () => {
    await using app = await openTestApp(await locate())
    const { token } = await app.person('alice')
    const asking = keyed('k', { token, body: { name: 'One' } })
    const answers = await Promise.all(Array.from({ length: 50 }, () => app.ask('POST', '/groups', asking)))
    assert.equal(await countGroups(app), 1)
    const made = answers.find(({ headers, status }) => status === 201 && !headers.get('idempotency-replayed'))
    for (const { status, text, body } of answers) {
      if (status === 201) assert.equal(text, made?.text)
      else assert.deepEqual([status, body.error.code], [409, 'idempotency/running'])
    }
  })

  test('[HP13] while the first is running a repeat is told so, and another request is refused', async () => {
    const gate = Promise.withResolvers<void>()
    const reached = Promise.withResolvers<void>()
    const onGroups = (): Promise<void> => {
      reached.resolve()
      return gate.promise
    }
    await using app = await openTestApp({ ...(await locate()), wrap: meddling({ onGroups }) })
    const { token } = await app.person('alice')
    const asking = keyed('k', { token, body: { type: 'DOC', name: 'x' } })
    // Looks its group up outside of a transaction, so it holds up nobody while it waits.
    const path = '/groups/no-group-at-all/channels'
    const first = app.ask('POST', path, asking)
    await reached.promise
    await app.refused(409, 'idempotency/running', 'POST', path, asking)
    await app.refused(422, 'idempotency/mismatch', 'POST', '/groups', asking)
    gate.resolve()
    const { text } = await first
    assert.equal((await app.ask('POST', path, asking)).text, text)
  })

  test('[HP14] a failure of ours is not kept: a repeat runs', async () => {
    const meddler = { onGroups: (): Promise<void> => Promise.reject(new TypeError('broken')) }
    await using app = await openTestApp({ ...(await locate()), wrap: meddling(meddler) })
    const { token } = await app.person('alice')
    const asking = keyed('k', { token, body: { name: 'One' } })
    await app.refused(500, 'internal', 'POST', '/groups', asking)
    await app.refused(500, 'internal', 'POST', '/groups', asking)
    meddler.onGroups = async () => {}
    await app.must(201, 'POST', '/groups', asking)
    assert.equal(await countGroups(app), 1)
  })

  test('[HP14] a request that was cut off is running for a minute and then runs again; its own end changes nothing', async () => {
    await using app = await openTestApp(await locate())
    const { token } = await app.person('alice')
    const asking = keyed('k', { token, body: { name: 'One' } })
    await app.must(201, 'POST', '/groups', asking)
    const { db } = app.storage
    await db.updateTable('idempotency').set({ status: null, answer_sealed: null }).execute()
    const cutOff = await db.selectFrom('idempotency').selectAll().executeTakeFirstOrThrow()
    app.clock.time += IDEMPOTENCY_RUNNING_MS_MAX
    await app.refused(409, 'idempotency/running', 'POST', '/groups', asking)
    app.clock.time += 1
    const second = await app.ask('POST', '/groups', asking)
    assert.equal(second.status, 201)
    const late = (): Promise<void> =>
      keepAnswer(db, { keyHash: cutOff.key_hash, now: cutOff.created_at }, { status: 200, answer_sealed: 'late' })
    await late()
    assert.equal((await app.ask('POST', '/groups', asking)).text, second.text)
    await db.updateTable('idempotency').set({ status: null }).execute()
    await late()
    await app.refused(409, 'idempotency/running', 'POST', '/groups', asking)
    assert.equal(await countGroups(app), 2)
  })

  test('[HP15] rows show no token, no key and no hash of a body; old ones go', async () => {
    await using app = await openTestApp(await locate())
    const body = { username: 'alice', password: PASSWORD }
    const { accessToken, refreshToken } = await app.must<{ accessToken: string; refreshToken: string }>(
      201,
      'POST',
      '/auth/register',
      keyed('the-key', { body }),
    )
    const { db } = app.storage
    const rows = await db.selectFrom('idempotency').selectAll().execute()
    assert.equal(rows.length, 1)
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', Buffer.from(JSON.stringify(body))))
    const text = JSON.stringify(rows)
    const secrets = [accessToken, refreshToken, PASSWORD, 'the-key', 'alice', Buffer.from(digest).toString('hex')]
    for (const secret of secrets) assert.ok(!text.includes(secret))
    const log = createLogger({ level: 'error' })
    const sweep = async (): Promise<number> => {
      await sweepKeptAnswers({ storage: app.storage, log, now: () => app.clock.time })[Symbol.asyncDispose]()
      return (await db.selectFrom('idempotency').select('key_hash').execute()).length
    }
    app.clock.time += IDEMPOTENCY_MS
    assert.equal(await sweep(), 1)
    app.clock.time += 1
    assert.equal(await sweep(), 0)
  })
})
