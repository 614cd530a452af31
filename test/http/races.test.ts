// What many people do at the same moment, on both databases: limits and uniqueness hold because the database decides.
import assert from 'node:assert/strict'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts'
import { openTestApp, PASSWORD, type TestApp } from './test-app.ts'

const START_MS_MAX = 60_000
const seed = chooseSeed()

/** How often each outcome came: `201`, or the error's code. */
const tally = (answers: readonly { status: number; body: { error?: { code: string } } | undefined }[]) => {
  const counts: Record<string, number> = {}
  for (const { status, body } of answers) {
    const outcome = body?.error?.code ?? String(status)
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  return counts
}

const shuffled = <Item>(items: readonly Item[], random = createRandom(seed)): Item[] =>
  items
    .map((item) => ({ item, at: random.int(0, 2 ** 30) }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item)

const people = (app: TestApp, count: number) =>
  Promise.all(Array.from({ length: count }, (_, index) => app.person(`person_${index}`)))

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
}, START_MS_MAX)
afterAll(() => postgres?.[Symbol.asyncDispose]())

const databases = [
  { name: 'SQLite', open: () => openTestApp() },
  { name: 'Postgres', open: async () => openTestApp({ location: { postgres: await postgres.createDatabase() } }) },
]

describe.each(databases)(`races on $name (seed ${seed})`, ({ open }) => {
  test('[AC16] of fifty who register one name at once, one gets it', async () => {
    await using app = await open()
    const register = (index: number) =>
      app.ask('POST', '/auth/register', {
        body: { username: index % 2 ? 'alice' : 'ALICE', password: PASSWORD, email: `a${index}@example.org` },
      })
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => register(index)))
    assert.deepEqual(tally(answers), { '201': 1, 'auth/name-taken': 49 })
  })

  test('[GR8] however many join at once, a group never has more than its twenty members', async () => {
    await using app = await open()
    const [owner, ...others] = await people(app, 30)
    assert.ok(owner)
    const { id, accessCode } = await app.must<{ id: string; accessCode: string }>(201, 'POST', '/groups', {
      token: owner.token,
      body: { name: 'Friends' },
    })
    // Each joins twice, so that some are members already when they ask again.
    const joining = shuffled([...others, ...others])
    const answers = await Promise.all(
      joining.map(({ token }) => app.ask('POST', '/groups/join', { token, body: { accessCode } })),
    )
    assert.deepEqual(tally(answers), { '200': 2 * 19, 'group/full': 2 * 10 })
    const rows = await app.storage.db.selectFrom('membership').select('user_id').where('group_id', '=', id).execute()
    assert.equal(rows.length, 20)
  })

  test('[GR9] however many groups one person joins and creates at once, they are never more than a hundred', async () => {
    await using app = await open()
    const [alice, bob] = await people(app, 2)
    assert.ok(alice && bob)
    const create = (token: string) => app.ask('POST', '/groups', { token, body: { name: 'x' } })
    await Promise.all(Array.from({ length: 90 }, () => create(alice.token)))
    const theirs = await Promise.all(Array.from({ length: 10 }, () => create(bob.token)))
    const joins = theirs.map(({ body }) => ({ accessCode: body.data.accessCode as string }))
    const tries = shuffled([
      ...joins.map((body) => () => app.ask('POST', '/groups/join', { token: alice.token, body })),
      ...Array.from({ length: 10 }, () => () => create(alice.token)),
    ])
    const counts = tally(await Promise.all(tries.map((run) => run())))
    assert.equal(counts['group/too-many'], 10)
    assert.equal((await app.must<unknown[]>(200, 'GET', '/groups', { token: alice.token })).length, 100)
  })

  test('[GR10] one id given by many at once makes one group, one channel, one account', async () => {
    await using app = await open()
    const everybody = await people(app, 8)
    const id = '0190c0de-0000-7000-8000-000000000001'
    const groups = await Promise.all(
      everybody.map(({ token }) => app.ask('POST', '/groups', { token, body: { id, name: 'x' } })),
    )
    assert.deepEqual(tally(groups), { '201': 1, 'id/taken': 7 })
    const owner = everybody[groups.findIndex(({ status }) => status === 201)]
    const channel = { id, type: 'DOC', name: 'x' }
    const asking = { token: owner?.token ?? '', body: channel }
    const channels = await Promise.all(
      Array.from({ length: 8 }, () => app.ask('POST', `/groups/${id}/channels`, asking)),
    )
    assert.deepEqual(tally(channels), { '200': 7, '201': 1 })
    const body = { id, username: 'alice', password: PASSWORD }
    const accounts = await Promise.all(Array.from({ length: 4 }, () => app.ask('POST', '/auth/register', { body })))
    assert.deepEqual(tally(accounts), { '200': 3, '201': 1 })
  })

  test('[SE14] one token refreshed many times at once has one successor', async () => {
    await using app = await open()
    const { refreshToken } = await app.person('alice')
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => app.ask('POST', '/auth/refresh', { body: { refreshToken } })),
    )
    assert.deepEqual(tally(answers), { '200': 10 })
    const tokens = new Set(answers.map(({ body }) => body.data.refreshToken as string))
    assert.equal(tokens.size, 1)
    const live = await app.storage.db.selectFrom('session').select('id_hash').where('replaced_at', 'is', null).execute()
    assert.equal(live.length, 1)
  })

  test('[SE15] a refresh that races a log-out or a theft leaves no living session', async () => {
    await using app = await open()
    for (let round = 0; round < 8; round += 1) {
      const alice = await app.person(`round_${round}`)
      const first = { body: { refreshToken: alice.refreshToken } }
      const second = await app.must<{ refreshToken: string }>(200, 'POST', '/auth/refresh', first)
      app.clock.time += 11_000
      const body = { refreshToken: second.refreshToken }
      const endings = [
        () => app.ask('POST', '/auth/logout', { body }),
        () => app.ask('POST', '/auth/refresh', first),
        () => app.sessions.endAll(alice.id),
      ]
      const ending = endings[round % endings.length] as () => Promise<unknown>
      const random = createRandom(seed + round)
      await Promise.all(
        shuffled([ending, () => app.ask('POST', '/auth/refresh', { body })], random).map((run) => run()),
      )
      assert.equal(await app.sessions.isLive(alice.sessionId), false)
      await app.refused(401, 'auth/token-invalid', 'GET', '/auth/me', { token: alice.token })
    }
  })
})

test('[HP11] while Postgres is down the answer is 503, and afterwards all is well', async () => {
  await using app = await openTestApp({ location: { postgres: await postgres.createDatabase() } })
  const { token } = await app.person('alice')
  await postgres.stopImmediately()
  try {
    await app.refused(503, 'storage/unavailable', 'GET', '/groups', { token })
    await app.refused(503, 'storage/unavailable', 'POST', '/groups', { token, body: { name: 'x' } })
    assert.equal((await app.ask('GET', '/health/database')).status, 503)
  } finally {
    await postgres.start()
  }
  await app.must(200, 'GET', '/groups', { token })
})
