// Channels over HTTP: who may create, see, rename and delete which, and what everybody else is told.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { openTestApp, type TestApp } from './test-app.ts'

interface Group {
  readonly id: string
  readonly name: string
  readonly role: string
  readonly accessCode: string
}
interface Channel {
  readonly id: string
  readonly documentName: string
}

const ID = '0190c0de-0000-7000-8000-000000000001'

const createGroup = (app: TestApp, token: string, more: object = {}): Promise<Group> =>
  app.must(201, 'POST', '/groups', { token, body: { name: 'Friends', ...more } })
const createChannel = (app: TestApp, token: string, groupId: string, more: object = {}): Promise<Channel> =>
  app.must(201, 'POST', `/groups/${groupId}/channels`, { token, body: { type: 'DOC', name: 'Notes', ...more } })

/** Gives a member another role without asking anybody. */
const setRole = async (app: TestApp, userId: string, role: string): Promise<void> => {
  await app.storage.db.updateTable('membership').set({ role }).where('user_id', '=', userId).execute()
}

describe('channels', () => {
  test('[CH1] an owner or admin creates a DOC channel, which names the document to open', async () => {
    await using app = await openTestApp()
    const alice = await app.person('alice')
    const group = await createGroup(app, alice.token)
    const channel = await createChannel(app, alice.token, group.id, { id: ID })
    assert.deepEqual(channel, {
      id: ID,
      groupId: group.id,
      type: 'DOC',
      name: 'Notes',
      documentName: `document/${ID}`,
      segments: 1,
      version: 1,
      createdAt: app.clock.time,
    })
    assert.deepEqual(await app.must(200, 'GET', `/channels/${ID}`, { token: alice.token }), channel)
    assert.deepEqual(await app.must(200, 'GET', `/groups/${group.id}/channels`, { token: alice.token }), [channel])
    await setRole(app, alice.id, 'admin')
    await createChannel(app, alice.token, group.id)
  })

  test('[CH2] members below admin see channels but create none', async () => {
    await using app = await openTestApp()
    const [alice, bob] = [await app.person('alice'), await app.person('bob')]
    const group = await createGroup(app, alice.token)
    const channel = await createChannel(app, alice.token, group.id)
    await app.must(200, 'POST', '/groups/join', { token: bob.token, body: { accessCode: group.accessCode } })
    for (const role of ['member', 'moderator', 'guest']) {
      await setRole(app, bob.id, role)
      const asking = { token: bob.token, body: { type: 'DOC', name: 'x' } }
      await app.refused(403, 'access/forbidden', 'POST', `/groups/${group.id}/channels`, asking)
      assert.deepEqual(await app.must(200, 'GET', `/channels/${channel.id}`, { token: bob.token }), channel)
    }
  })

  test('[CH3] to everybody else channels do not exist', async () => {
    await using app = await openTestApp()
    const [alice, mallory] = [await app.person('alice'), await app.person('mallory')]
    const group = await createGroup(app, alice.token)
    const channel = await createChannel(app, alice.token, group.id)
    await createGroup(app, mallory.token)
    const { token } = mallory
    const body = { type: 'DOC', name: 'x' }
    for (const id of [channel.id, ID, 'x']) {
      await app.refused(404, 'access/not-found', 'GET', `/channels/${id}`, { token })
    }
    for (const id of [group.id, ID, 'x']) {
      await app.refused(404, 'access/not-found', 'GET', `/groups/${id}/channels`, { token })
      await app.refused(404, 'access/not-found', 'POST', `/groups/${id}/channels`, { token, body })
    }
    await app.refused(401, 'auth/required', 'GET', `/channels/${channel.id}`)
    await app.refused(401, 'auth/required', 'GET', `/groups/${group.id}/channels`)
    await app.refused(401, 'auth/required', 'POST', `/groups/${group.id}/channels`, { body })
  })

  test('[CH4] channels have one of five types, and name the document of each; another type is refused', async () => {
    await using app = await openTestApp()
    const { token } = await app.person('alice')
    const { id } = await createGroup(app, token)
    const refuse = async (body: object) =>
      (await app.refused(422, 'input/invalid', 'POST', `/groups/${id}/channels`, { token, body })).message
    const names = { CHAT: 'chat/?/0', VOICE: null, TODO: 'tasks/?', DOC: 'document/?', KANBAN: 'board/?' }
    for (const [type, expected] of Object.entries(names)) {
      const asking = { token, body: { type, name: 'x' } }
      const channel = await app.must<Channel>(201, 'POST', `/groups/${id}/channels`, asking)
      assert.equal(channel.documentName, expected && expected.replace('?', channel.id), type)
    }
    assert.match(await refuse({ type: 'WIKI', name: 'x' }), /^type: /)
    assert.match(await refuse({ type: 'DOC' }), /^name: /)
    assert.match(await refuse({ type: 'DOC', name: 'x', documentName: 'document/x' }), /^documentName: unknown field/)
  })

  test('[CH5] creating the same channel again answers 200 with it; an id in use elsewhere is taken', async () => {
    await using app = await openTestApp()
    const [alice, bob] = [await app.person('alice'), await app.person('bob')]
    const [mine, other] = [await createGroup(app, alice.token), await createGroup(app, alice.token)]
    const theirs = await createGroup(app, bob.token)
    const channel = await createChannel(app, alice.token, mine.id, { id: ID })
    const body = { id: ID, type: 'DOC', name: 'Notes' }
    const again = await app.must(200, 'POST', `/groups/${mine.id}/channels`, { token: alice.token, body })
    assert.deepEqual(again, channel)
    await app.refused(409, 'id/taken', 'POST', `/groups/${other.id}/channels`, { token: alice.token, body })
    await app.refused(409, 'id/taken', 'POST', `/groups/${theirs.id}/channels`, { token: bob.token, body })
  })

  test('[CH6] a group has at most five hundred channels', async () => {
    await using app = await openTestApp()
    const { token } = await app.person('alice')
    const { id: group_id } = await createGroup(app, token)
    const rows = Array.from({ length: 499 }, (_, index) => ({
      id: `channel-${String(index).padStart(5, '0')}`,
      group_id,
      type: 'DOC',
      name: 'x',
      created_by: null,
      created_at: 0,
    }))
    await app.storage.db.insertInto('channel').values(rows).execute()
    await createChannel(app, token, group_id)
    const body = { type: 'DOC', name: 'x' }
    await app.refused(409, 'channel/too-many', 'POST', `/groups/${group_id}/channels`, { token, body })
    assert.equal((await app.must<unknown[]>(200, 'GET', `/groups/${group_id}/channels`, { token })).length, 500)
  })

  test('[CH7] admins rename a channel, each change its version; its type stays, and a stale change is refused', async () => {
    await using app = await openTestApp()
    const [alice, bob] = [await app.person('alice'), await app.person('bob')]
    const group = await createGroup(app, alice.token)
    const channel = await createChannel(app, alice.token, group.id)
    await app.must(200, 'POST', '/groups/join', { token: bob.token, body: { accessCode: group.accessCode } })
    const path = `/channels/${channel.id}`
    const put = (body: object, { token } = alice) => app.ask('PUT', path, { token, body })
    assert.deepEqual((await put({ name: 'Minutes', version: 1 })).body.data, {
      ...channel,
      name: 'Minutes',
      version: 2,
    })
    const stale = (await put({ name: 'x', version: 1 })).body.error
    assert.deepEqual([stale.code, stale.details.version], ['version/stale', 2])
    assert.equal((await put({ name: 'Notes' })).body.data.version, 3)
    assert.equal((await put({ name: 'Notes' })).body.data.version, 3)
    assert.equal((await put({})).body.data.version, 3)
    assert.equal((await put({ type: 'CHAT' })).body.error.code, 'input/invalid')
    for (const role of ['moderator', 'member', 'guest']) {
      await setRole(app, bob.id, role)
      assert.equal((await put({ name: 'x' }, bob)).body.error.code, 'access/forbidden')
      await app.refused(403, 'access/forbidden', 'DELETE', path, { token: bob.token })
    }
    await setRole(app, bob.id, 'admin')
    assert.equal((await put({ name: 'x' }, bob)).status, 200)
    const mallory = await app.person('mallory')
    assert.equal((await put({ name: 'x' }, mallory)).body.error.code, 'access/not-found')
    await app.refused(404, 'access/not-found', 'DELETE', path, { token: mallory.token })
  })

  test('[CH8] of a deleted channel nobody opens the documents; it is not counted, and its id is never free again', async () => {
    await using app = await openTestApp()
    const { token } = await app.person('alice')
    const group = await createGroup(app, token)
    const [kept, gone] = [
      await createChannel(app, token, group.id),
      await createChannel(app, token, group.id, { id: ID }),
    ]
    const shares = `/documents/document/${gone.id}/shares`
    const share = await app.must<{ token: string }>(201, 'POST', shares, { token, body: { role: 'member' } })
    const reading = `/documents/document/${gone.id}`
    for (const by of [token, share.token]) await app.must(200, 'GET', reading, { token: by })
    await app.must(204, 'DELETE', `/channels/${gone.id}`, { token })
    await app.refused(404, 'access/not-found', 'GET', reading, { token })
    await app.refused(401, 'auth/token-invalid', 'GET', reading, { token: share.token })
    await app.refused(404, 'access/not-found', 'GET', `/channels/${gone.id}`, { token })
    await app.refused(404, 'access/not-found', 'PUT', `/channels/${gone.id}`, { token, body: { name: 'x' } })
    await app.refused(404, 'access/not-found', 'DELETE', `/channels/${gone.id}`, { token })
    assert.deepEqual(await app.must(200, 'GET', `/groups/${group.id}/channels`, { token }), [kept])
    const again = { token, body: { id: ID, type: 'DOC', name: 'Notes' } }
    await app.refused(409, 'id/taken', 'POST', `/groups/${group.id}/channels`, again)
    const deleted = { group_id: group.id, type: 'DOC', name: 'x', created_by: null, created_at: 0, deleted_at: 1 }
    const rows = Array.from({ length: 500 }, (_, index) => ({
      ...deleted,
      id: `channel-${String(index).padStart(5, '0')}`,
    }))
    await app.storage.db.insertInto('channel').values(rows).execute()
    await createChannel(app, token, group.id)
  })
})
