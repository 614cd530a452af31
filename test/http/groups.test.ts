// Groups and channels over HTTP: who may create, see and join what, and what everybody else is told.
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

/** Gives a member another role, which no route does yet. */
const setRole = async (app: TestApp, userId: string, role: string): Promise<void> => {
  await app.storage.db.updateTable('membership').set({ role }).where('user_id', '=', userId).execute()
}

describe('groups', () => {
  test('[GR1] whoever creates a group is its owner and sees its access code', async () => {
    await using app = await openTestApp()
    const alice = await app.person('alice')
    const body = { name: ' Friends ', description: 'Two\nlines', timezone: 'Europe/Berlin', checkInFrequency: 'daily' }
    const group = await app.must<Group>(201, 'POST', '/groups', { token: alice.token, body })
    const { id, accessCode, ...shown } = group
    assert.match(accessCode, /^[0-9A-HJKMNP-TV-Z]{10}$/)
    assert.deepEqual(shown, {
      ...body,
      name: 'Friends',
      role: 'owner',
      maxMembers: 20,
      createdBy: alice.id,
      createdAt: app.clock.time,
      joinedAt: app.clock.time,
    })
    assert.deepEqual(await app.must(200, 'GET', `/groups/${id}`, { token: alice.token }), group)
    assert.deepEqual(await app.must(200, 'GET', '/groups', { token: alice.token }), [group])
  })

  test('[GR2] a group that breaks a rule is refused with the names of the fields', async () => {
    await using app = await openTestApp()
    const { token } = await app.person('alice')
    const cases: [object, string[]][] = [
      [{}, ['name']],
      [{ name: '  ' }, ['name']],
      [{ name: 'x'.repeat(101) }, ['name']],
      [{ name: 'a\u0000b' }, ['name']],
      [{ name: 'a\ud800b' }, ['name']],
      [{ name: 'x', description: 'x'.repeat(2_001) }, ['description']],
      [{ name: 'x', timezone: 'Mars/Olympus' }, ['timezone']],
      [{ name: 'x', checkInFrequency: 'hourly' }, ['checkInFrequency']],
      [{ name: 'x', id: 'short' }, ['id']],
      [{ name: 'x', accessCode: 'AAAAAAAAAA' }, ['accessCode']],
    ]
    for (const [body, fields] of cases) {
      const error = await app.refused(422, 'input/invalid', 'POST', '/groups', { token, body })
      assert.deepEqual(
        error.details?.issues?.map(({ field }) => field),
        fields,
      )
    }
    await app.refused(401, 'auth/required', 'POST', '/groups', { body: { name: 'x' } })
    await app.refused(401, 'auth/required', 'GET', '/groups')
    await app.refused(401, 'auth/required', 'GET', `/groups/${ID}`)
    await app.refused(401, 'auth/required', 'POST', '/groups/join', { body: { accessCode: 'x' } })
  })

  test('[GR3] to everybody else a group is as unknown as one that does not exist', async () => {
    await using app = await openTestApp()
    const alice = await app.person('alice')
    const { token } = await app.person('mallory')
    const group = await createGroup(app, alice.token)
    const tries = [group.id, ID, 'x'].map((id) =>
      app.refused(404, 'access/not-found', 'GET', `/groups/${id}`, { token }),
    )
    const [forbidden, ...unknown] = await Promise.all(tries)
    for (const answer of unknown) assert.deepEqual(answer, forbidden)
    assert.deepEqual(await app.must(200, 'GET', '/groups', { token }), [])
  })

  test('[GR4] a code lets one in however it is typed, and whoever is in stays what they are', async () => {
    await using app = await openTestApp()
    const [alice, bob] = [await app.person('alice'), await app.person('bob')]
    const { id, accessCode } = await createGroup(app, alice.token)
    const join = (token: string, code: string) =>
      app.must<Group>(200, 'POST', '/groups/join', { token, body: { accessCode: code } })
    const typed = ` ${accessCode.slice(0, 5).toLowerCase()}-${accessCode.slice(5).replaceAll('0', 'o').replaceAll('1', 'l')}`
    const joined = await join(bob.token, typed)
    assert.deepEqual([joined.id, joined.role, joined.accessCode], [id, 'member', accessCode])
    assert.equal((await join(bob.token, accessCode)).role, 'member')
    assert.equal((await join(alice.token, accessCode)).role, 'owner')
    assert.deepEqual(await app.must(200, 'GET', `/groups/${id}`, { token: bob.token }), joined)
  })

  test('[GR5] a code that no group has is unknown, whatever it looks like', async () => {
    await using app = await openTestApp()
    const { token } = await app.person('alice')
    for (const accessCode of ['AAAAAAAAAA', '', 'U', 'a\u0000b', '%']) {
      await app.refused(404, 'group/code-unknown', 'POST', '/groups/join', { token, body: { accessCode } })
    }
    await app.refused(422, 'input/invalid', 'POST', '/groups/join', { token, body: { accessCode: 'A'.repeat(41) } })
  })

  test('[GR6] creating the same group again answers 200 with it; an id that is somebody else’s is taken', async () => {
    await using app = await openTestApp()
    const [alice, bob] = [await app.person('alice'), await app.person('bob')]
    const group = await createGroup(app, alice.token, { id: ID })
    const body = { id: ID, name: 'Friends' }
    assert.deepEqual(await app.must(200, 'POST', '/groups', { token: alice.token, body }), group)
    await app.refused(409, 'id/taken', 'POST', '/groups', { token: bob.token, body })
    const join = { token: bob.token, body: { accessCode: group.accessCode } }
    await app.must(200, 'POST', '/groups/join', join)
    await app.refused(409, 'id/taken', 'POST', '/groups', { token: bob.token, body })
  })

  test('[GR7] one belongs to at most a hundred groups, created or joined', async () => {
    await using app = await openTestApp()
    const [alice, bob] = [await app.person('alice'), await app.person('bob')]
    const { accessCode } = await createGroup(app, bob.token)
    await Promise.all(Array.from({ length: 100 }, () => createGroup(app, alice.token)))
    await app.refused(409, 'group/too-many', 'POST', '/groups', { token: alice.token, body: { name: 'x' } })
    await app.refused(409, 'group/too-many', 'POST', '/groups/join', { token: alice.token, body: { accessCode } })
  })
})

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
})
