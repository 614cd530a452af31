// Who may open which document: the door that the sockets ask.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { ERRORS, AppError } from '../../shared/errors.ts'
import { openTestApp, type TestApp } from './test-app.ts'

const CHANNEL = 'channel-0000000001'
const TASKS = 'channel-0000000002'
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
      assert.deepEqual(grant, { userId, sessionId, role, readOnly: role === 'guest' })
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

  test('[DO4] a database that cannot be asked is not a denial', async () => {
    await using app = await openTestApp()
    const { alice } = await prepare(app)
    await app.storage.db.schema.dropTable('membership').execute()
    const { code } = await refusal(app.access.openDocument(alice.token, `document/${CHANNEL}`))
    assert.equal(code, 'storage/unavailable')
    assert.equal(ERRORS['storage/unavailable'].retry, true)
  })
})
