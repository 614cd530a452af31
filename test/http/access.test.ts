// Who may open which document: the door that the sockets ask.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { ERRORS, AppError } from '../../shared/errors.ts'
import { openNextSegment } from '../../storage/channels.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { openTestApp, type TestApp } from './test-app.ts'

const CHANNEL = 'channel-0000000001'
const TASKS = 'channel-0000000002'
const BOARD = 'channel-0000000003'
const CHAT = 'channel-0000000004'
const GROUP = 'group-0000000001'

const prepare = async (app: TestApp) => {
  const alice = await app.person('alice')
  const mallory = await app.person('mallory')
  const group = { id: GROUP, name: 'Friends' }
  await app.must(201, 'POST', '/groups', { token: alice.token, body: group })
  await app.must(201, 'POST', '/groups', { token: mallory.token, body: { name: 'Others' } })
  const rows = [
    { id: CHANNEL, type: 'DOC' },
    { id: TASKS, type: 'TODO' },
    { id: BOARD, type: 'KANBAN' },
    { id: CHAT, type: 'CHAT' },
  ].map(({ id, type }) => ({ id, type, group_id: GROUP, name: 'x', created_by: alice.id, created_at: 0 }))
  await app.storage.db.insertInto('channel').values(rows).execute()
  return { alice, mallory }
}

const refusal = async (opening: Promise<unknown>): Promise<{ code: string; message: string; details: unknown }> => {
  const error: unknown = await opening.then(
    () => assert.fail('it was opened'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof AppError)
  return { code: error.code, message: error.message, details: error.details }
}

describe('opening a document', () => {
  test('[DO1] members open the document of a DOC channel; guests may not write', async () => {
    await using app = await openTestApp()
    const { alice } = await prepare(app)
    const { id: userId, sessionId, token } = alice
    for (const role of ['owner', 'admin', 'moderator', 'member', 'guest']) {
      await app.storage.db.updateTable('membership').set({ role }).where('user_id', '=', userId).execute()
      const grant = await app.access.openDocument(token, `document/${CHANNEL}`)
      const facts = { members: new Set(), isSealed: false, groups: new Map() }
      const readOnly = role === 'guest'
      const name = `document/${CHANNEL}`
      assert.deepEqual(grant, { userId, sessionId, deviceId: sessionId, role, readOnly, name, facts })
    }
  })

  test('[DO2] the text of a record opens in a channel of any type, a whole document in a DOC channel only', async () => {
    await using app = await openTestApp()
    const { token } = (await prepare(app)).alice
    for (const channel of [CHANNEL, TASKS]) await app.access.openDocument(token, `document/${channel}/record-0001`)
    assert.equal((await refusal(app.access.openDocument(token, `document/${TASKS}`))).code, 'permission-denied')
  })

  test('[DO3] everything that may not be opened is denied alike: unknown, forbidden, badly named, not logged in', async () => {
    await using app = await openTestApp()
    const { alice, mallory } = await prepare(app)
    const name = `document/${CHANNEL}`
    const over = await app.person('carol')
    await app.must(204, 'POST', '/auth/logout', { body: { refreshToken: over.refreshToken } })
    const tries: [string, string][] = [
      [mallory.token, name],
      [mallory.token, `document/${CHANNEL}/record-0001`],
      [alice.token, 'document/channel-0000000009'],
      [alice.token, `tasks/${CHANNEL}`],
      [alice.token, `tasks/${TASKS}/record-0001`],
      [alice.token, `document/${CHANNEL}/1`],
      [alice.token, `chat/${CHAT}`],
      [alice.token, `chat/${CHAT}/3`],
      [alice.token, `chat/${CHAT}/00`],
      [alice.token, `chat/${CHAT}/+1`],
      [alice.token, `chat/${TASKS}/0`],
      [alice.token, `marks/${CHAT}/0`],
      [alice.token, `checkins/${mallory.id}`],
      [alice.token, `checkins/${alice.id}/0`],
      [alice.token, `wall/${GROUP}`],
      [alice.token, `wall/${GROUP}/26`],
      [alice.token, `wall/${CHANNEL}/2026`],
      [mallory.token, `wall/${GROUP}/2026`],
      [mallory.token, `chat/${CHAT}/0`],
      [over.token, `wall/${GROUP}/2026`],
      [over.token, `checkins/${over.id}`],
      [alice.token, `toString/${CHANNEL}`],
      [alice.token, `constructor/${CHANNEL}`],
      [alice.token, `document/${GROUP}`],
      [alice.token, `document/${CHANNEL}/`],
      [alice.token, `document/${CHANNEL}/a/b`],
      [alice.token, ` ${name}`],
      [alice.token, `${name}\n`],
      [alice.token, `document/${CHANNEL}\u0000`],
      [alice.token, ''],
      [over.token, name],
      [alice.refreshToken, name],
      [alice.sessionId, name],
      ['', name],
      [`${alice.token}x`, name],
    ]
    const denied = await refusal(app.access.openDocument(mallory.token, name))
    assert.equal(denied.code, 'permission-denied')
    for (const [token, text] of tries) {
      assert.deepEqual(await refusal(app.access.openDocument(token, text)), denied, text)
    }
    app.clock.time += 16 * 60_000
    assert.deepEqual(await refusal(app.access.openDocument(alice.token, name)), denied)
  })

  const checkKinds = async (app: TestApp): Promise<void> => {
    const { alice } = await prepare(app)
    await app.storage.db.updateTable('channel').set({ segments: 3 }).where('id', '=', CHAT).execute()
    const open = async (name: string) => {
      const { readOnly, role, facts } = await app.access.openDocument(alice.token, name)
      return [role, readOnly, [...facts.members], facts.isSealed, [...facts.groups.keys()]]
    }
    assert.deepEqual(await open(`tasks/${TASKS}`), ['owner', false, [alice.id], false, []])
    assert.deepEqual(await open(`board/${BOARD}`), ['owner', false, [alice.id], false, []])
    assert.deepEqual(await open(`chat/${CHAT}/1`), ['owner', false, [], true, []])
    assert.deepEqual(await open(`chat/${CHAT}/2`), ['owner', false, [], false, []])
    assert.deepEqual(await open(`marks/${CHAT}`), ['owner', false, [], false, []])
    assert.deepEqual(await open(`checkins/${alice.id}`), ['owner', false, [], false, [GROUP]])
    assert.deepEqual(await open(`wall/${GROUP}/2026`), ['owner', true, [], false, []])
    const { groups } = (await app.access.openDocument(alice.token, `checkins/${alice.id}`)).facts
    assert.deepEqual(groups.get(GROUP), {
      timezone: 'UTC',
      frequency: 'weekly',
      createdAt: app.clock.time,
      joinedAt: app.clock.time,
    })
    assert.equal(await openNextSegment(app.storage.db, CHAT, 1), false)
    assert.equal(await openNextSegment(app.storage.db, CHAT, 2), true)
    assert.equal(await openNextSegment(app.storage.db, CHAT, 2), false)
    assert.deepEqual(await open(`chat/${CHAT}/2`), ['owner', false, [], true, []])
  }

  test('[DO5] each kind opens where it belongs, and brings what its rules ask', async () => {
    await using app = await openTestApp()
    await checkKinds(app)
  })

  test('[DO5] the same on Postgres', async () => {
    await using postgres = await startPostgres()
    await using app = await openTestApp({ location: { postgres: await postgres.createDatabase() } })
    await checkKinds(app)
  })

  test('[DO6] over HTTP a chat is its newest segment, and what may not be opened is unknown', async () => {
    await using app = await openTestApp()
    const { alice, mallory } = await prepare(app)
    const claims = { userId: alice.id, sessionId: alice.sessionId }
    await app.storage.db.updateTable('channel').set({ segments: 3 }).where('id', '=', CHAT).execute()
    assert.equal((await app.access.openFor(claims, `chat/${CHAT}`)).name, `chat/${CHAT}/2`)
    assert.equal((await app.access.openFor(claims, `chat/${CHAT}/0`)).facts.isSealed, true)
    const other = { userId: mallory.id, sessionId: mallory.sessionId }
    for (const [who, name] of [
      [claims, `chat/${CHAT}/3`],
      [claims, `chat/${TASKS}`],
      [claims, `checkins/${mallory.id}`],
      [claims, 'nonsense'],
      [{ ...claims, sessionId: 'no-such-login' }, `chat/${CHAT}`],
      [{ ...claims, sessionId: 'no-such-login' }, `wall/${GROUP}/2026`],
      [{ ...claims, sessionId: 'no-such-login' }, `checkins/${alice.id}`],
      [other, `chat/${CHAT}`],
    ] as const) {
      assert.equal((await refusal(app.access.openFor(who, name))).code, 'access/not-found', name)
    }
  })

  test('[DO4] a database that cannot be asked is not a denial', async () => {
    await using app = await openTestApp()
    const { alice } = await prepare(app)
    await app.storage.db.schema.dropTable('membership').execute()
    const { code } = await refusal(app.access.openDocument(alice.token, `document/${CHANNEL}`))
    assert.equal(code, 'storage/unavailable')
    assert.equal(ERRORS['storage/unavailable'].retry, true)
  })
})
