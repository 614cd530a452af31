// Profiles, and who finds whom: by whole beginnings of names, and only people who want to be found by the one who asks.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kysely } from 'kysely'
import { Migrator } from 'kysely/migration'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { openPostgres, POSTGRES_COLUMN_TYPES } from '../../storage/dialects/postgres.ts'
import { openSqlite, SQLITE_COLUMN_TYPES } from '../../storage/dialects/sqlite.ts'
import * as initial from '../../storage/migrations/0001-initial.ts'
import * as segments from '../../storage/migrations/0002-chat-segments.ts'
import * as versions from '../../storage/migrations/0003-document-versions.ts'
import type { StorageLocation } from '../../storage/open.ts'
import type { Database } from '../../storage/schema.ts'
import { eventually } from '../helpers/eventually.ts'
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts'
import { openTestApp, type TestApp } from './test-app.ts'

const START_MS_MAX = 300_000

type Somebody = Awaited<ReturnType<TestApp['person']>>

const put = (app: TestApp, { token }: { readonly token: string }, body: object) =>
  app.must<Record<string, unknown>>(200, 'PUT', '/auth/me', { token, body })

const search = async (app: TestApp, { token }: { readonly token: string }, q: string): Promise<string[]> => {
  const found = await app.must<{ username: string }[]>(200, 'GET', `/users?${new URLSearchParams({ q })}`, { token })
  return found.map(({ username }) => username)
}

/** Puts people into one group, whatever their roles. */
const befriend = async (app: TestApp, people: readonly { readonly id: string }[], status = 'active'): Promise<void> => {
  const id = app.source.newId()
  const { db } = app.storage
  const text = { name: 'x', description: '', timezone: 'UTC', check_in_frequency: 'weekly', access_code: `none:${id}` }
  await db
    .insertInto('group')
    .values({ ...text, id, members_max: 20, created_by: null, created_at: 0 })
    .execute()
  for (const { id: user_id } of people) {
    await db.insertInto('membership').values({ group_id: id, user_id, role: 'member', joined_at: 0, status }).execute()
  }
}

describe('profiles', () => {
  test('[AC26] one changes what one says of oneself, field by field, and the rest stays', async () => {
    await using app = await openTestApp()
    const ada = await app.person('ada')
    const changes = [
      { name: 'Ada Lovelace' },
      { about: 'Counts.\nA lot.' },
      { timezone: 'Europe/London' },
      { privacy: { profile: 'public' } },
      { privacy: { scores: 'private' } },
      { avatar: null },
      {},
    ]
    for (const change of changes) await put(app, ada, change)
    const me = await app.must<Record<string, unknown>>(200, 'GET', '/auth/me', { token: ada.token })
    assert.deepEqual(me, {
      id: ada.id,
      username: 'ada',
      email: null,
      name: 'Ada Lovelace',
      about: 'Counts.\nA lot.',
      avatar: null,
      timezone: 'Europe/London',
      privacy: { profile: 'public', scores: 'private' },
      createdAt: app.clock.time,
      lastLoginAt: null,
      lastActiveAt: null,
    })
    assert.deepEqual(await put(app, ada, { name: ' Ada ' }), { ...me, name: 'Ada' })
    await app.refused(401, 'auth/required', 'PUT', '/auth/me', { body: { name: 'x' } })
  })

  test('[AC27] a profile that breaks a rule is refused with the names of the fields, and nothing is changed', async () => {
    await using app = await openTestApp()
    const { token } = await app.person('ada')
    const before = await app.must(200, 'GET', '/auth/me', { token })
    const cases: [object, string][] = [
      [{ name: '' }, 'name'],
      [{ name: 'x'.repeat(101) }, 'name'],
      [{ about: 'x'.repeat(501) }, 'about'],
      [{ about: 'a\u0000b' }, 'about'],
      [{ timezone: 'Mars/Base' }, 'timezone'],
      [{ timezone: '+01:00' }, 'timezone'],
      [{ privacy: { profile: 'everybody' } }, 'privacy.profile'],
      [{ privacy: { phone: 'public' } }, 'privacy.phone'],
      [{ avatar: 'media-00000001' }, 'avatar'],
      [{ email: 'ada@example.org' }, 'email'],
      [{ username: 'countess' }, 'username'],
    ]
    for (const [body, field] of cases) {
      const both = { about: 'not stored', ...body }
      const { details } = await app.refused(422, 'input/invalid', 'PUT', '/auth/me', { token, body: both })
      assert.deepEqual(
        details?.issues?.map((issue) => issue.field),
        [field],
      )
    }
    assert.deepEqual(await app.must(200, 'GET', '/auth/me', { token }), before)
  })

  test('[AC28] a changed profile is soon in `me` of its owner and in the roster of their groups', async () => {
    await using app = await openTestApp()
    const ada = await app.person('ada')
    const { id } = await app.must<{ id: string }>(201, 'POST', '/groups', { token: ada.token, body: { name: 'Club' } })
    await put(app, ada, { name: 'Countess' })
    const readAll = (path: string) =>
      app.sync.withDocument(path, (doc) => JSON.stringify([...doc.share.keys()].map((root) => doc.getMap(root))))
    for (const path of [`me/${ada.id}`, `group/${id}`]) {
      await eventually(
        () => readAll(path),
        (text) => text.includes('"Countess"'),
        { what: `the new name in ${path}` },
      )
    }
  })

  test('[AC29] when one last logged in and was last active is known', async () => {
    await using app = await openTestApp()
    const start = app.clock.time
    await app.register('ada')
    app.clock.time = start + 1_000
    const { accessToken: token, refreshToken } = await app.login('ada')
    app.clock.time = start + 2_000
    await app.must(200, 'POST', '/auth/refresh', { body: { refreshToken } })
    const me = await app.must<{ lastLoginAt: number; lastActiveAt: number }>(200, 'GET', '/auth/me', { token })
    assert.deepEqual([me.lastLoginAt - start, me.lastActiveAt - start], [1_000, 2_000])
  })
})

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
}, START_MS_MAX)
afterAll(() => postgres?.[Symbol.asyncDispose]())

let folder: string
let files = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'syncline-users-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Each on a database of its own, which nobody has opened yet. */
const databases = [
  { name: 'SQLite', create: async () => ({ sqlite: join(folder, `${++files}.sqlite`) }) },
  { name: 'Postgres', create: async () => ({ postgres: await postgres.createDatabase() }) },
]

/** A database as the release before people could be found has left it. */
const fillOld = async (location: StorageLocation, username: string, name: string): Promise<void> => {
  const isSqlite = 'sqlite' in location
  const { dialect } = isSqlite ? await openSqlite(location.sqlite) : openPostgres(location.postgres)
  const types = isSqlite ? SQLITE_COLUMN_TYPES : POSTGRES_COLUMN_TYPES
  const db = new Kysely<Database>({ dialect })
  const steps = { '0001-initial': initial, '0002-chat-segments': segments, '0003-document-versions': versions }
  const migrations = Object.fromEntries(
    Object.entries(steps).map(([step, { up }]) => [step, { up: (inner: Kysely<unknown>) => up(inner, types) }]),
  )
  const { error } = await new Migrator({ db, provider: { getMigrations: async () => migrations } }).migrateToLatest()
  assert.equal(error, undefined)
  const user = { id: 'user-0000000099', username, name, email: null, password_hash: 'none', created_at: 0 }
  await db.insertInto('user').values(user).execute()
  await db.destroy()
}

describe.each(databases)('finding people on $name', ({ create }) => {
  const open = async () => openTestApp({ location: await create() })

  test('[AC30] people of a database that is older than the search are found by who shares a group with them', async () => {
    const location = await create()
    await fillOld(location, 'old_ada', 'Ada Lovelace')
    await using app = await openTestApp({ location })
    const viewer = await app.person('viewer')
    assert.deepEqual(await search(app, viewer, 'lovelace'), [])
    await befriend(app, [viewer, { id: 'user-0000000099' }])
    assert.deepEqual(await search(app, viewer, 'lovelace'), ['old_ada'])
    assert.deepEqual(await search(app, viewer, 'old_'), ['old_ada'])
  })

  test('[AC30] people are found by the beginning of the user name or of any word of the name, in any spelling', async () => {
    await using app = await open()
    const ada = await app.person('ada_l')
    const zoe = await app.person('zoe')
    const jean = await app.person('runner')
    await put(app, ada, { name: 'Ada King, Countess of Lovelace', privacy: { profile: 'public' } })
    await put(app, zoe, { name: 'Zoë Ångström', privacy: { profile: 'public' } })
    await put(app, jean, { name: 'Jean-Luc', privacy: { profile: 'public' } })
    const cases: [string, string[]][] = [
      ['ada', ['ada_l']],
      ['ADA_L', ['ada_l']],
      ['lovel', ['ada_l']],
      ['king, count', ['ada_l']],
      ['  Countess   of ', ['ada_l']],
      ['Ｌovelace', ['ada_l']],
      ['ovelace', []],
      ['king of', []],
      ['zoë', ['zoe']],
      ['ZOË å', ['zoe']],
      ['ångstr', ['zoe']],
      ['luc', ['runner']],
      ['run', ['runner']],
      ['ada%', []],
      ['a_a', []],
      ['___', []],
    ]
    for (const [q, usernames] of cases) assert.deepEqual(await search(app, jean, q), usernames, q)
    await put(app, ada, { name: 'Augusta' })
    assert.deepEqual([await search(app, jean, 'lovel'), await search(app, jean, 'augu')], [[], ['ada_l']])
  })

  test('[AC31] a search needs three characters and a login, and finds at most twenty people', async () => {
    await using app = await open()
    const people = await Promise.all(Array.from({ length: 25 }, (_, index) => app.person(`many_${index + 10}`)))
    for (const person of people) await put(app, person, { privacy: { profile: 'public' } })
    const { token } = people[0] as Somebody
    const expected = Array.from({ length: 20 }, (_, index) => `many_${index + 10}`)
    assert.deepEqual(await search(app, { token }, 'many'), expected)
    for (const query of ['', '?q=', '?q=ma', '?q=%20ma%20', `?q=${'m'.repeat(101)}`, '?q=m%00any', '?q=many&all=1']) {
      await app.refused(422, 'input/invalid', 'GET', `/users${query}`, { token })
    }
    await app.refused(401, 'auth/required', 'GET', '/users?q=many')
    await app.refused(401, 'auth/required', 'GET', `/users/${people[1]?.id}`)
  })

  test('[AC32] private people are found by nobody else, others by who shares a group with them, public ones by all', async () => {
    await using app = await open()
    const names = ['viewer', 'some_public', 'some_friend', 'some_other', 'some_private', 'some_ex', 'some_banned']
    const people = new Map<string, Somebody>()
    for (const name of names) people.set(name, await app.person(name))
    const of = (name: string): Somebody => people.get(name) as Somebody
    await put(app, of('some_public'), { privacy: { profile: 'public' } })
    await put(app, of('some_private'), { privacy: { profile: 'private' } })
    await befriend(app, [of('viewer'), of('some_friend'), of('some_private')])
    await befriend(app, [of('viewer'), of('some_ex')], 'ended')
    await befriend(app, [of('some_banned')])
    await app.storage.db
      .insertInto('membership')
      .columns(['group_id', 'user_id', 'role', 'joined_at', 'status'])
      .expression((eb) =>
        eb
          .selectFrom('membership')
          .select(['group_id', eb.val(of('viewer').id).as('user_id'), 'role', 'joined_at', eb.val('banned').as('s')])
          .where('user_id', '=', of('some_banned').id),
      )
      .execute()
    assert.deepEqual(await search(app, of('viewer'), 'some'), ['some_friend', 'some_public'])
    for (const name of names) {
      const isFound = ['viewer', 'some_friend', 'some_public'].includes(name)
      const path = `/users/${of(name).id}`
      const { status, body } = await app.ask('GET', path, { token: of('viewer').token })
      assert.equal(status, isFound ? 200 : 404, name)
      if (isFound) assert.deepEqual(Object.keys(body.data), ['id', 'username', 'name', 'about', 'avatar'])
      else assert.deepEqual(body.error, { code: 'access/not-found', message: 'no such user' })
      assert.deepEqual(await search(app, of(name), name), [name])
      await app.must(200, 'GET', path, { token: of(name).token })
    }
    const { token } = of('viewer')
    for (const id of ['nobody-at-all', 'x'])
      await app.refused(404, 'access/not-found', 'GET', `/users/${id}`, { token })

    await put(app, of('some_public'), { privacy: { profile: 'private' } })
    await put(app, of('some_private'), { privacy: { profile: 'friends' } })
    assert.deepEqual(await search(app, of('viewer'), 'some'), ['some_friend', 'some_private'])
  })
})
