// What many people do at the same moment, on both databases: limits and uniqueness hold because the database decides.
import assert from 'node:assert/strict'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts'
import { openTestApp, PASSWORD, type TestApp } from './test-app.ts'

const START_MS_MAX = 300_000
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

interface RacedGroup {
  readonly id: string
  readonly accessCode: string
}

/** One of the three ways into a group, made ready: by the code, by an admin, by an invite. */
const entranceOf = async (
  app: TestApp,
  index: number,
  { id, accessCode, owner }: RacedGroup & { readonly owner: { readonly token: string } },
  { id: userId, token }: { readonly id: string; readonly token: string },
): Promise<() => ReturnType<TestApp['ask']>> => {
  const asking = { token: owner.token, body: { userId } }
  if (index % 3 === 0) return () => app.ask('POST', '/groups/join', { token, body: { accessCode } })
  if (index % 3 === 1) return () => app.ask('POST', `/groups/${id}/members`, asking)
  const invite = await app.must<{ id: string }>(201, 'POST', `/groups/${id}/invites`, asking)
  return () => app.ask('POST', `/invites/${invite.id}/accept`, { token })
}

const RACERS = 200

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
}, START_MS_MAX)
afterAll(() => postgres?.[Symbol.asyncDispose]())

const databases = [
  { name: 'SQLite', open: () => openTestApp() },
  { name: 'Postgres', open: async () => openTestApp({ location: { postgres: await postgres.createDatabase() } }) },
]

describe.each(databases)(`races on $name (seed ${seed})`, ({ name, open }) => {
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
    const tries = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        if (index % 4 === 3) return () => create(alice.token)
        const { id, accessCode } = (await create(bob.token)).body.data as RacedGroup
        return entranceOf(app, index, { id, accessCode, owner: bob }, alice)
      }),
    )
    const counts = tally(await Promise.all(shuffled(tries).map((run) => run())))
    assert.equal(counts['group/too-many'], 30)
    assert.equal((await app.must<unknown[]>(200, 'GET', '/groups', { token: alice.token })).length, 100)
  })

  test('[GR27] of two hundred who enter at once by code, admin and invite, one gets each place that is left', async () => {
    await using app = await open()
    const [owner, ...racers] = await people(app, RACERS + 1)
    assert.ok(owner)
    const asOwner = (body: object) => ({ token: owner.token, body })
    const figures: string[] = []
    for (const places of [1, 1, 7]) {
      const group = await app.must<RacedGroup>(201, 'POST', '/groups', asOwner({ name: 'Friends' }))
      const path = `/groups/${group.id}`
      await app.must(200, 'PUT', path, asOwner({ maxMembers: Math.max(places + 1, 2) }))
      const entrances = await Promise.all(
        racers.map((person, index) => entranceOf(app, index, { ...group, owner }, person)),
      )
      const counts = tally(await Promise.all(shuffled(entrances).map((run) => run())))
      const won = (counts['200'] ?? 0) + (counts['201'] ?? 0)
      assert.deepEqual([won, counts['group/full']], [places, RACERS - places], JSON.stringify(counts))
      const members: unknown[] = await app.must(200, 'GET', `${path}/members`, { token: owner.token })
      assert.equal(members.length, places + 1)
      figures.push(`${RACERS} for ${places}: ${won} in`)
    }
    const group = await app.must<RacedGroup>(201, 'POST', '/groups', asOwner({ name: 'Friends' }))
    await app.must(200, 'PUT', `/groups/${group.id}`, asOwner({ maxMembers: 500 }))
    const code = await app.must<RacedGroup>(201, 'POST', `/groups/${group.id}/code`, asOwner({ maxUses: 5 }))
    const body = { accessCode: code.accessCode }
    const joins = shuffled(racers).map(({ token }) => app.ask('POST', '/groups/join', { token, body }))
    assert.deepEqual(tally(await Promise.all(joins)), { '200': 5, 'group/code-unknown': RACERS - 5 })
    figures.push(`${RACERS} with a code for 5: 5 in`)
    process.stdout.write(`races on ${name}: ${figures.join('; ')} (SEED=${seed})\n`)
  })

  test('[GR31] whatever is done to a group at once, it has one owner, no banned member, and every answer is a known one', async () => {
    await using app = await open()
    const everybody = await people(app, 12)
    const [alice] = everybody
    assert.ok(alice)
    const random = createRandom(seed)
    const asking = { token: alice.token, body: { name: 'Friends' } }
    const group = await app.must<RacedGroup>(201, 'POST', '/groups', asking)
    const path = `/groups/${group.id}`
    for (const { id: userId } of everybody.slice(1, 8))
      await app.must(201, 'POST', `${path}/members`, { token: alice.token, body: { userId, role: 'admin' } })
    const act = () => {
      const [by, on] = [everybody[random.int(0, 11)], everybody[random.int(0, 11)]]
      assert.ok(by && on)
      const { token } = by
      const user = { token, body: { userId: on.id } }
      const role = ['owner', 'admin', 'moderator', 'member', 'guest'][random.int(0, 4)]
      const acts = [
        () => app.ask('POST', '/groups/join', { token, body: { accessCode: group.accessCode } }),
        () => app.ask('POST', `${path}/members`, user),
        () => app.ask('PUT', `${path}/members/${on.id}`, { token, body: { role } }),
        () => app.ask('DELETE', `${path}/members/${on.id}`, { token }),
        () => app.ask('POST', `${path}/bans`, user),
        () => app.ask('DELETE', `${path}/bans/${on.id}`, { token }),
        () => app.ask('POST', `${path}/invites`, user),
        () => app.ask('PUT', path, { token, body: { name: `name ${random.int(0, 9)}` } }),
        () => app.ask('POST', `${path}/channels`, { token, body: { type: 'DOC', name: 'x' } }),
        () => app.ask('POST', '/direct', user),
        () => app.ask('DELETE', path, { token }),
        () => app.ask('POST', `${path}/restore`, { token }),
      ]
      return (acts[random.int(0, acts.length - 1)] as (typeof acts)[number])()
    }
    let done = 0
    for (let round = 0; round < 12; round += 1) {
      const answers = await Promise.all(Array.from({ length: 40 }, act))
      for (const { status, text } of answers) assert.ok(status < 500, text)
      done += answers.filter(({ status }) => status < 300).length
      const { db } = app.storage
      const { deleted_at } = await db
        .selectFrom('group')
        .selectAll()
        .where('id', '=', group.id)
        .executeTakeFirstOrThrow()
      const rows = await db.selectFrom('membership').selectAll().where('group_id', '=', group.id).execute()
      assert.equal(rows.filter(({ role }) => role === 'owner').length, 1)
      const expected = new Set(deleted_at === null ? ['active', 'banned'] : ['ended', 'banned'])
      for (const { status } of rows) assert.ok(expected.has(status), status)
    }
    assert.ok(done > 50, `only ${done} did anything`)
    process.stdout.write(`storm on ${name}: 480 commands, ${done} done, no failure (SEED=${seed})\n`)
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
        () => app.storage.db.transaction().execute((trx) => app.sessions.endAll(trx, alice.id)),
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
