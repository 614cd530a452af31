// The life of a group over HTTP: its code, its settings, its end and its return.
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

/** Gives a member another role without asking anybody. */
const setRole = async (app: TestApp, userId: string, role: string): Promise<void> => {
  await app.storage.db.updateTable('membership').set({ role }).where('user_id', '=', userId).execute()
}

describe('the life of a group', () => {
  test('[GR11] the database shows no access code, and the API shows it to those who may invite', async () => {
    await using app = await openTestApp()
    const [alice, bob] = [await app.person('alice'), await app.person('bob')]
    const { id, accessCode } = await createGroup(app, alice.token)
    const rows = JSON.stringify(await app.storage.db.selectFrom('group').selectAll().execute())
    for (const form of [accessCode, accessCode.toLowerCase(), Buffer.from(accessCode).toString('base64url')])
      assert.equal(rows.includes(form), false)
    assert.ok(rows.includes(id))
    await app.must(200, 'POST', '/groups/join', { token: bob.token, body: { accessCode } })
    const shownTo = async ({ token }: { token: string }): Promise<string | null> =>
      (await app.must<Group>(200, 'GET', `/groups/${id}`, { token })).accessCode
    const set = (row: object) =>
      app.storage.db.updateTable('membership').set(row).where('user_id', '=', bob.id).execute()
    for (const [row, isShown] of [
      [{ role: 'moderator' }, false],
      [{ role: 'admin' }, true],
      [{ role: 'member' }, false],
      [{ can_invite: 1 }, true],
      [{ role: 'guest' }, false],
    ] as const) {
      await set(row)
      assert.equal(await shownTo(bob), isShown ? accessCode : null, JSON.stringify(row))
    }
    await app.must(200, 'PUT', `/groups/${id}`, { token: alice.token, body: { allowMemberInvite: true } })
    assert.equal(await shownTo(bob), null)
    await set({ role: 'member', can_invite: 0 })
    assert.equal(await shownTo(bob), accessCode)
  })

  test('[GR12] a code that was changed, taken back, used up or is past its end is unknown; members use nothing up', async () => {
    await using app = await openTestApp()
    const alice = await app.person('alice')
    const { id, accessCode } = await createGroup(app, alice.token)
    let people = 0
    const join = async (code: string | null, person?: { token: string }): Promise<string> => {
      const { token } = person ?? (await app.person(`person_${++people}`))
      const answer = await app.ask('POST', '/groups/join', { token, body: { accessCode: code } })
      return answer.body.error?.code ?? 'joined'
    }
    const change = async (body: object): Promise<Group> =>
      app.must(201, 'POST', `/groups/${id}/code`, { token: alice.token, body })
    const unlimited = await change({})
    assert.notEqual(unlimited.accessCode, accessCode)
    assert.equal(await join(accessCode), 'group/code-unknown')
    assert.equal(await join(unlimited.accessCode), 'joined')
    const few = await change({ maxUses: 2, expiresIn: 60_000 })
    const bob = await app.person('bob')
    for (const person of [bob, bob, alice]) assert.equal(await join(few.accessCode, person), 'joined')
    const shown = async () => app.must<Record<string, unknown>>(200, 'GET', `/groups/${id}`, { token: alice.token })
    assert.deepEqual((await shown())['codeUsesLeft'], 1)
    assert.equal(await join(few.accessCode), 'joined')
    assert.equal(await join(few.accessCode), 'group/code-unknown')
    // The answer to the last one in may have been lost.
    assert.equal(await join(few.accessCode, bob), 'joined')
    assert.deepEqual((await shown())['accessCode'], null)
    const short = await change({ expiresIn: 60_000 })
    app.clock.time += 59_999
    assert.equal(await join(short.accessCode), 'joined')
    app.clock.time += 1
    assert.equal(await join(short.accessCode), 'group/code-unknown')
    const last = await change({})
    await app.must(204, 'DELETE', `/groups/${id}/code`, { token: alice.token })
    assert.equal(await join(last.accessCode), 'group/code-unknown')
    assert.deepEqual((await shown())['accessCode'], null)
    for (const body of [{ maxUses: 0 }, { maxUses: 10_001 }, { expiresIn: 0 }, { code: 'AAAAAAAAAA' }])
      await app.refused(422, 'input/invalid', 'POST', `/groups/${id}/code`, { token: alice.token, body })
    await setRole(app, bob.id, 'moderator')
    await app.refused(403, 'access/forbidden', 'POST', `/groups/${id}/code`, { token: bob.token, body: {} })
    await app.refused(403, 'access/forbidden', 'DELETE', `/groups/${id}/code`, { token: bob.token })
  })

  test('[GR13] admins change the settings, each change the version; a change of an older version is refused', async () => {
    await using app = await openTestApp()
    const [alice, bob] = [await app.person('alice'), await app.person('bob')]
    const group = await createGroup(app, alice.token)
    await app.must(200, 'POST', '/groups/join', { token: bob.token, body: { accessCode: group.accessCode } })
    const path = `/groups/${group.id}`
    const body = {
      name: 'Enemies',
      description: 'x',
      timezone: 'Asia/Tokyo',
      checkInFrequency: 'daily',
      maxMembers: 7,
      allowMemberInvite: true,
    }
    const changed = await app.must(200, 'PUT', path, { token: alice.token, body: { ...body, version: 1 } })
    assert.deepEqual(changed, { ...group, ...body, version: 2 })
    assert.deepEqual(await app.must(200, 'GET', path, { token: alice.token }), changed)
    const stale = await app.refused(409, 'version/stale', 'PUT', path, {
      token: alice.token,
      body: { name: 'x', version: 1 },
    })
    assert.deepEqual(stale.details, { version: 2 })
    // What changes nothing is no change.
    for (const same of [body, {}, { version: 2 }])
      assert.deepEqual(await app.must(200, 'PUT', path, { token: alice.token, body: same }), changed)
    // Of many at once who know one version, one is first.
    const racing = Array.from({ length: 8 }, (_, index) =>
      app.ask('PUT', path, { token: alice.token, body: { name: `name ${index}`, version: 2 } }),
    )
    const statuses = (await Promise.all(racing)).map(({ status }) => status)
    assert.deepEqual(statuses.filter((status) => status === 200).length, 1)
    for (const role of ['moderator', 'member', 'guest']) {
      await setRole(app, bob.id, role)
      await app.refused(403, 'access/forbidden', 'PUT', path, { token: bob.token, body })
    }
    await setRole(app, bob.id, 'admin')
    await app.must(200, 'PUT', path, { token: bob.token, body })
    for (const wrong of [{ name: '' }, { timezone: 'x' }, { maxMembers: '7' }, { role: 'owner' }, { id: ID }])
      await app.refused(422, 'input/invalid', 'PUT', path, { token: alice.token, body: wrong })
  })

  test('[GR14] a group takes from two to five hundred members, and never fewer than it has', async () => {
    await using app = await openTestApp()
    const { token } = await app.person('alice')
    const { id, accessCode } = await createGroup(app, token)
    const put = (maxMembers: number) => app.ask('PUT', `/groups/${id}`, { token, body: { maxMembers } })
    for (const [maxMembers, status] of [
      [1, 422],
      [501, 422],
      [2.5, 422],
      [500, 200],
      [2, 200],
    ] as const)
      assert.equal((await put(maxMembers)).status, status)
    for (const [name, code] of [
      ['bob', undefined],
      ['carol', 'group/full'],
    ] as const) {
      const { token: joining } = await app.person(name)
      const answer = await app.ask('POST', '/groups/join', { token: joining, body: { accessCode } })
      assert.equal(answer.body.error?.code, code)
    }
    await put(3)
    const dave = await app.person('dave')
    await app.must(200, 'POST', '/groups/join', { token: dave.token, body: { accessCode } })
    assert.equal((await put(2)).body.error.code, 'group/full')
  })

  test('[GR15] its owner alone deletes a group; from then on nobody is in it, and its code and invites open nothing', async () => {
    await using app = await openTestApp()
    const [alice, bob, carol] = [await app.person('alice'), await app.person('bob'), await app.person('carol')]
    const { id, accessCode } = await createGroup(app, alice.token)
    const path = `/groups/${id}`
    const channel = await app.must<Channel>(201, 'POST', `${path}/channels`, {
      token: alice.token,
      body: { type: 'DOC', name: 'x' },
    })
    const sharing = { token: alice.token, body: { role: 'member' } }
    const share = await app.must<{ token: string }>(201, 'POST', `/documents/${channel.documentName}/shares`, sharing)
    await app.must(200, 'POST', '/groups/join', { token: bob.token, body: { accessCode } })
    const invite = await app.must<Group>(201, 'POST', `${path}/invites`, {
      token: alice.token,
      body: { userId: carol.id },
    })
    await setRole(app, bob.id, 'admin')
    await app.refused(403, 'access/forbidden', 'DELETE', path, { token: bob.token })
    await app.refused(409, 'group/confirm', 'DELETE', `${path}?confirm=friends`, { token: alice.token })
    await app.must(204, 'DELETE', `${path}?confirm=Friends`, { token: alice.token })
    for (const { token } of [alice, bob]) {
      await app.refused(404, 'access/not-found', 'GET', path, { token })
      await app.refused(404, 'access/not-found', 'DELETE', path, { token })
      await app.refused(404, 'access/not-found', 'GET', `/documents/${channel.documentName}`, { token })
      assert.deepEqual(await app.must(200, 'GET', '/groups', { token }), [])
    }
    await app.refused(401, 'auth/token-invalid', 'GET', `/documents/${channel.documentName}`, { token: share.token })
    await app.refused(404, 'group/code-unknown', 'POST', '/groups/join', { token: carol.token, body: { accessCode } })
    await app.refused(404, 'access/not-found', 'POST', `/invites/${invite.id}/accept`, { token: carol.token })
    await app.refused(409, 'id/taken', 'POST', '/groups', { token: alice.token, body: { id, name: 'Friends' } })
  })

  test('[GR16] its owner restores a deleted group for thirty days, with who was in it and has room for it', async () => {
    await using app = await openTestApp()
    const [alice, bob, carol, banned] = [
      await app.person('alice'),
      await app.person('bob'),
      await app.person('carol'),
      await app.person('banned'),
    ]
    const { id, accessCode } = await createGroup(app, alice.token)
    for (const { token } of [bob, carol]) await app.must(200, 'POST', '/groups/join', { token, body: { accessCode } })
    await app.must(201, 'POST', `/groups/${id}/bans`, { token: alice.token, body: { userId: banned.id } })
    const remove = () => app.must(204, 'DELETE', `/groups/${id}`, { token: alice.token })
    const restore = ({ token }: { token: string }) => app.ask('POST', `/groups/${id}/restore`, { token })
    await remove()
    for (const person of [bob, banned]) assert.equal((await restore(person)).body.error.code, 'access/not-found')
    for (let index = 0; index < 100; index += 1) await createGroup(app, carol.token)
    const { deleted_at: deletedAt } = await app.storage.db
      .selectFrom('group')
      .select('deleted_at')
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    assert.equal(deletedAt, app.clock.time)
    const restored = (await restore(alice)).body.data
    assert.deepEqual([restored.id, restored.role, restored.accessCode], [id, 'owner', accessCode])
    assert.deepEqual((await restore(alice)).status, 200)
    const members = await app.must<{ username: string }[]>(200, 'GET', `/groups/${id}/members`, { token: bob.token })
    assert.deepEqual(members.map(({ username }) => username).toSorted(), ['alice', 'bob'])
    await app.refused(403, 'group/banned', 'POST', '/groups/join', { token: banned.token, body: { accessCode } })
    await remove()
    // As if it had happened that long ago.
    const age = async (ms: number) =>
      app.storage.db
        .updateTable('group')
        .set({ deleted_at: app.clock.time - ms })
        .where('id', '=', id)
        .execute()
    const thirtyDays = 30 * 24 * 3_600_000
    await age(thirtyDays + 1)
    assert.equal((await restore(alice)).body.error.code, 'access/not-found')
    await age(thirtyDays)
    assert.equal((await restore(alice)).status, 200)
  })

  test('[GR28] what is done to a group, its members, invites and channels is in the audit log', async () => {
    await using app = await openTestApp()
    const [alice, bob] = [await app.person('alice'), await app.person('bob')]
    const { token } = alice
    const { id } = await createGroup(app, token)
    const path = `/groups/${id}`
    const user = { userId: bob.id }
    await app.must(200, 'PUT', path, { token, body: { name: 'x' } })
    const { accessCode } = await app.must<Group>(201, 'POST', `${path}/code`, { token, body: {} })
    await app.must(200, 'POST', '/groups/join', { token: bob.token, body: { accessCode } })
    await app.must(204, 'POST', `${path}/leave`, { token: bob.token })
    await app.must(201, 'POST', `${path}/members`, { token, body: user })
    await app.must(200, 'PUT', `${path}/members/${bob.id}`, { token, body: { role: 'guest' } })
    await app.must(204, 'DELETE', `${path}/members/${bob.id}`, { token })
    const invite = await app.must<Group>(201, 'POST', `${path}/invites`, { token, body: user })
    await app.must(204, 'POST', `/invites/${invite.id}/decline`, { token: bob.token })
    await app.must(201, 'POST', `${path}/bans`, { token, body: user })
    await app.must(204, 'DELETE', `${path}/bans/${bob.id}`, { token })
    const channel = await app.must<Channel>(201, 'POST', `${path}/channels`, {
      token,
      body: { type: 'DOC', name: 'x' },
    })
    await app.must(200, 'PUT', `/channels/${channel.id}`, { token, body: { name: 'y' } })
    await app.must(204, 'DELETE', `/channels/${channel.id}`, { token })
    await app.must(204, 'DELETE', path, { token })
    await app.must(200, 'POST', `${path}/restore`, { token })
    const rows = await app.storage.db
      .selectFrom('audit_log')
      .select(['actor', 'action', 'target'])
      .orderBy('seq')
      .execute()
    assert.deepEqual(
      rows.map(({ actor, action, target }) => [actor === alice.id ? 'alice' : 'bob', action, target]),
      [
        ['alice', 'group.created', id],
        ['alice', 'group.updated', id],
        ['alice', 'group.code-changed', id],
        ['bob', 'member.joined', bob.id],
        ['bob', 'member.left', bob.id],
        ['alice', 'member.added', bob.id],
        ['alice', 'member.role-changed', bob.id],
        ['alice', 'member.kicked', bob.id],
        ['alice', 'invite.created', invite.id],
        ['bob', 'invite.ended', invite.id],
        ['alice', 'member.banned', bob.id],
        ['alice', 'member.unbanned', bob.id],
        ['alice', 'channel.created', channel.id],
        ['alice', 'channel.updated', channel.id],
        ['alice', 'channel.deleted', channel.id],
        ['alice', 'group.deleted', id],
        ['alice', 'group.restored', id],
      ],
    )
  })
})
