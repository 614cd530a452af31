// Members and bans over HTTP: who takes in, changes, removes and bans whom, and what is left of it afterwards.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { mayManage, type Role, ROLES } from '../../shared/access.ts'
import { openTeam, type Person } from './team.ts'

interface Member {
  readonly userId: string
  readonly username: string
  readonly name: string
  readonly role: Role
  readonly canInvite: boolean
  readonly canKick: boolean
}

type Team = Awaited<ReturnType<typeof openTeam>>

const pathOf = (team: Team, ...parts: string[]): string => ['', 'groups', team.group.id, ...parts].join('/')
const rosterOf = (team: Team): Promise<Member[]> =>
  team.app.must(200, 'GET', pathOf(team, 'members'), { token: team.alice.token })
const rolesOf = async (team: Team): Promise<Record<string, Role>> =>
  Object.fromEntries((await rosterOf(team)).map(({ username, role }) => [username, role]))
const isMember = async (team: Team, { id }: Person): Promise<boolean> =>
  (await rosterOf(team)).some(({ userId }) => userId === id)

describe('members', () => {
  test('[GR17] whoever leaves is a member no more, and to them the group is unknown; the owner hands over first', async () => {
    await using team = await openTeam()
    const { app, alice } = team
    const bob = await team.join('bob', 'admin')
    await app.refused(409, 'group/last-owner', 'POST', pathOf(team, 'leave'), { token: alice.token })
    await app.refused(409, 'group/last-owner', 'DELETE', pathOf(team, 'members', alice.id), { token: alice.token })
    await app.must(204, 'POST', pathOf(team, 'leave'), { token: bob.token })
    await app.refused(404, 'access/not-found', 'GET', pathOf(team), { token: bob.token })
    await app.refused(404, 'access/not-found', 'POST', pathOf(team, 'leave'), { token: bob.token })
    assert.deepEqual(await rolesOf(team), { alice: 'owner' })
    const carol = await team.join('carol', 'guest')
    await app.must(204, 'DELETE', pathOf(team, 'members', carol.id), { token: carol.token })
    assert.deepEqual(await rolesOf(team), { alice: 'owner' })
  })

  test('[GR18] members see each other with role and rights; a private profile is there under its user name alone', async () => {
    await using team = await openTeam()
    const { app } = team
    const bob = await team.join('bob', 'guest')
    const set = { name: 'Robert', avatar: 'media-000000001' }
    await app.storage.db.updateTable('user').set(set).where('id', '=', bob.id).execute()
    const shown = async () => (await rosterOf(team)).find(({ userId }) => userId === bob.id)
    const row = { userId: bob.id, username: 'bob', role: 'guest', canInvite: false, canKick: false }
    assert.deepEqual(await shown(), { ...row, ...set, joinedAt: app.clock.time })
    const privacy = JSON.stringify({ profile: 'private' })
    await app.storage.db.updateTable('user').set({ privacy }).where('id', '=', bob.id).execute()
    assert.deepEqual(await shown(), { ...row, name: 'bob', avatar: null, joinedAt: app.clock.time })
    await app.must(200, 'GET', pathOf(team, 'members'), { token: bob.token })
    const { token } = await app.person('mallory')
    await app.refused(404, 'access/not-found', 'GET', pathOf(team, 'members'), { token })
    await app.refused(401, 'auth/required', 'GET', pathOf(team, 'members'))
  })

  test('[GR19] admins take people in, in roles they have a say over; who is in already stays what they are', async () => {
    await using team = await openTeam()
    const { app, alice } = team
    const admin = await team.join('admin', 'admin')
    const add = (person: Person, userId: string, role?: string) =>
      app.ask('POST', pathOf(team, 'members'), { token: person.token, body: { userId, ...(role && { role }) } })
    for (const by of [admin, alice]) {
      for (const role of ROLES) {
        const person = await app.person(`${role}_${by === alice ? 'o' : 'a'}`)
        const answer = await add(by, person.id, role)
        const may = mayManage(by === alice ? 'owner' : 'admin', role)
        assert.equal(answer.status, may ? 201 : 403, `${by.id} adds a ${role}`)
        if (may) assert.equal(answer.body.data.role, role)
      }
    }
    const dave = await app.person('dave')
    assert.equal((await add(alice, dave.id)).body.data.role, 'member')
    const again = await add(alice, dave.id, 'admin')
    assert.deepEqual([again.status, again.body.data.role], [200, 'member'])
    assert.equal((await add(alice, 'nobody-00000000')).body.error.code, 'group/member-unknown')
    assert.equal((await add(dave, (await app.person('eve')).id)).body.error.code, 'access/forbidden')
    await app.must(200, 'GET', pathOf(team), { token: dave.token })
  })

  test('[GR20] a role is changed by admins who have a say over the old one and the new one', async () => {
    await using team = await openTeam()
    const { app, alice } = team
    const people = { owner: alice, admin: await team.join('admin', 'admin') }
    const target = await team.join('target')
    const setRole = (role: string) =>
      app.storage.db.updateTable('membership').set({ role }).where('user_id', '=', target.id).execute()
    let cells = 0
    for (const by of ['owner', 'admin'] as const) {
      for (const from of ROLES.filter((role) => role !== 'owner')) {
        for (const role of ROLES.filter((one) => one !== 'owner')) {
          await setRole(from)
          const { token } = people[by]
          const { status } = await app.ask('PUT', pathOf(team, 'members', target.id), { token, body: { role } })
          assert.equal(status, mayManage(by, from) && mayManage(by, role) ? 200 : 403, `${by}: ${from} to ${role}`)
          cells += 1
        }
      }
    }
    assert.equal(cells, 32)
    for (const by of ['moderator', 'member', 'guest']) {
      await setRole('guest')
      const { token } = await team.join(by, by)
      const asking = { token, body: { role: 'guest' } }
      await app.refused(403, 'access/forbidden', 'PUT', pathOf(team, 'members', target.id), asking)
    }
    const asking = { token: alice.token, body: { canInvite: true, canKick: true } }
    const given = await app.must<Member>(200, 'PUT', pathOf(team, 'members', target.id), asking)
    assert.deepEqual([given.role, given.canInvite, given.canKick], ['guest', true, true])
    const stranger = await app.person('stranger')
    await app.refused(404, 'group/member-unknown', 'PUT', pathOf(team, 'members', stranger.id), asking)
    // Nobody raises or lowers themselves.
    for (const { id, token } of Object.values(people))
      await app.refused(403, 'access/forbidden', 'PUT', pathOf(team, 'members', id), {
        token,
        body: { role: 'member' },
      })
  })

  test('[GR21] the owner alone hands over, and is an admin from then on: there is one owner at every moment', async () => {
    await using team = await openTeam()
    const { app, alice } = team
    const [bob, carol] = [await team.join('bob', 'admin'), await team.join('carol')]
    const hand = (from: Person, to: Person) =>
      app.ask('PUT', pathOf(team, 'members', to.id), { token: from.token, body: { role: 'owner' } })
    assert.equal((await hand(bob, carol)).status, 403)
    assert.equal((await hand(bob, bob)).status, 403)
    assert.equal((await hand(alice, alice)).status, 403)
    assert.equal((await hand(alice, carol)).body.data.role, 'owner')
    assert.deepEqual(await rolesOf(team), { alice: 'admin', bob: 'admin', carol: 'owner' })
    assert.equal((await hand(alice, alice)).status, 403)
    // Two at once: whoever comes second is the owner no more.
    const answers = await Promise.all([hand(carol, alice), hand(carol, bob)])
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200, 403]))
    assert.equal(Object.values(await rolesOf(team)).filter((role) => role === 'owner').length, 1)
  })

  test('[GR22] admins, and members who were given the right, remove whom they have a say over', async () => {
    await using team = await openTeam()
    const { app, alice } = team
    for (const by of ROLES) {
      for (const given of [false, true]) {
        const remover = by === 'owner' ? alice : await team.join(`${by}_${given ? 1 : 0}`, by)
        if (given) {
          const set = { can_kick: 1 }
          await app.storage.db.updateTable('membership').set(set).where('user_id', '=', remover.id).execute()
        }
        for (const role of ROLES.filter((one) => one !== 'owner')) {
          const target = await team.join(`${role}_by_${by}_${given ? 1 : 0}`.slice(0, 20), role)
          const { status } = await app.ask('DELETE', pathOf(team, 'members', target.id), { token: remover.token })
          const isAble = by === 'owner' || by === 'admin' || (given && by !== 'guest')
          assert.equal(status, isAble && mayManage(by, role) ? 204 : 403, `${by} ${given} removes a ${role}`)
          assert.equal(await isMember(team, target), status !== 204)
          await app.storage.db.deleteFrom('membership').where('user_id', '=', target.id).execute()
        }
        await app.refused(
          by === 'owner' ? 409 : 403,
          by === 'owner' ? 'group/last-owner' : 'access/forbidden',
          'DELETE',
          pathOf(team, 'members', alice.id),
          { token: remover.token },
        )
      }
    }
    const stranger = await app.person('stranger')
    for (const id of [stranger.id, 'x'])
      await app.refused(404, 'group/member-unknown', 'DELETE', pathOf(team, 'members', id), { token: alice.token })
  })
})

describe('bans', () => {
  test('[GR23] a ban takes the membership away and beats code, invite and admin, until it is lifted', async () => {
    await using team = await openTeam()
    const { app, alice, group } = team
    const [moderator, bob] = [await team.join('moderator', 'moderator'), await team.join('bob')]
    const stranger = await app.person('stranger')
    const channel = await team.channel('DOC')
    await app.must(200, 'GET', `/documents/document/${channel}`, { token: bob.token })
    await app.must(201, 'POST', pathOf(team, 'invites'), { token: alice.token, body: { userId: stranger.id } })
    for (const { id } of [bob, stranger]) {
      const asking = { token: moderator.token, body: { userId: id } }
      await app.must(201, 'POST', pathOf(team, 'bans'), asking)
      await app.must(200, 'POST', pathOf(team, 'bans'), asking)
    }
    await app.refused(404, 'access/not-found', 'GET', `/documents/document/${channel}`, { token: bob.token })
    assert.deepEqual(await app.must(200, 'GET', '/invites', { token: stranger.token }), [])
    for (const { id, token } of [bob, stranger]) {
      await app.refused(403, 'group/banned', 'POST', '/groups/join', { token, body: { accessCode: group.accessCode } })
      for (const way of ['members', 'invites'])
        await app.refused(403, 'group/banned', 'POST', pathOf(team, way), { token: alice.token, body: { userId: id } })
      await app.refused(404, 'access/not-found', 'GET', pathOf(team), { token })
    }
    const bans = await app.must<object[]>(200, 'GET', pathOf(team, 'bans'), { token: moderator.token })
    const bannedAt = app.clock.time
    assert.deepEqual(bans, [
      { userId: bob.id, username: 'bob', bannedAt },
      { userId: stranger.id, username: 'stranger', bannedAt },
    ])
    await app.must(204, 'DELETE', pathOf(team, 'bans', bob.id), { token: moderator.token })
    await app.refused(404, 'group/member-unknown', 'DELETE', pathOf(team, 'bans', bob.id), { token: moderator.token })
    assert.equal(await isMember(team, bob), false)
    await app.must(200, 'POST', '/groups/join', { token: bob.token, body: { accessCode: group.accessCode } })
  })

  test('[GR29] moderators and above ban whom they have a say over, and nobody themselves', async () => {
    await using team = await openTeam()
    const { app, alice } = team
    const ban = (person: Person, userId: string) =>
      app.ask('POST', pathOf(team, 'bans'), { token: person.token, body: { userId } })
    for (const by of ROLES) {
      const banner = by === 'owner' ? alice : await team.join(`by_${by}`, by)
      for (const role of ROLES.filter((one) => one !== 'owner')) {
        const target = await team.join(`${role}_of_${by}`.slice(0, 20), role)
        const isAble = by === 'owner' || by === 'admin' || by === 'moderator'
        const { status } = await ban(banner, target.id)
        assert.equal(status, isAble && mayManage(by, role) ? 201 : 403, `${by} bans a ${role}`)
        await app.storage.db.deleteFrom('membership').where('user_id', '=', target.id).execute()
      }
      assert.equal((await ban(banner, banner.id)).status, 403)
      const { status } = await app.ask('GET', pathOf(team, 'bans'), { token: banner.token })
      assert.equal(status, by === 'member' || by === 'guest' ? 403 : 200)
    }
    assert.equal((await ban(alice, 'nobody-00000000')).body.error.code, 'group/member-unknown')
  })
})
