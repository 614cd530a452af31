// Invites over HTTP: who may ask whom in, as what, and when an invite holds no more.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { mayManage, type Role, ROLES } from '../../shared/access.ts'
import { openTeam, type Person } from './team.ts'

interface Invite {
  readonly id: string
  readonly groupId: string
  readonly groupName: string
  readonly userId: string
  readonly role: Role
  readonly invitedBy: string
  readonly expiresAt: number
}

const THIRTY_DAYS = 30 * 24 * 3_600_000

type Team = Awaited<ReturnType<typeof openTeam>>

const pathOf = (team: Team, ...parts: string[]): string => ['', 'groups', team.group.id, ...parts].join('/')
const ask = (team: Team, by: Person, userId: string, role = 'member') =>
  team.app.ask('POST', pathOf(team, 'invites'), { token: by.token, body: { userId, role } })
const mustAsk = async (team: Team, by: Person, userId: string, role = 'member'): Promise<Invite> => {
  const answer = await ask(team, by, userId, role)
  assert.equal(answer.status, 201, answer.text)
  return answer.body.data as Invite
}
const mine = (team: Team, { token }: Person): Promise<Invite[]> => team.app.must(200, 'GET', '/invites', { token })
const answerTo = (team: Team, { token }: Person, { id }: Invite, what: 'accept' | 'decline') =>
  team.app.ask('POST', `/invites/${id}/${what}`, { token })

describe('invites', () => {
  test('[GR24] who may invite asks others in, in roles they have a say over', async () => {
    await using team = await openTeam()
    const { app, alice } = team
    let cells = 0
    for (const isOpen of [false, true]) {
      const body = { allowMemberInvite: isOpen }
      await app.must(200, 'PUT', pathOf(team), { token: alice.token, body })
      for (const by of ROLES) {
        for (const given of [false, true]) {
          const inviter = by === 'owner' ? alice : await team.join(`${by}_${cells}`, by)
          const set = { can_invite: given ? 1 : 0 }
          await app.storage.db.updateTable('membership').set(set).where('user_id', '=', inviter.id).execute()
          const isAble = by === 'owner' || by === 'admin' || (by !== 'guest' && (given || isOpen))
          for (const role of ROLES) {
            const person = await app.person(`p_${++cells}`)
            const { status } = await ask(team, inviter, person.id, role)
            assert.equal(
              status,
              isAble && mayManage(by, role) ? 201 : 403,
              `${by} ${given} ${isOpen} invites a ${role}`,
            )
          }
          const { status } = await app.ask('GET', pathOf(team, 'invites'), { token: inviter.token })
          assert.equal(status, isAble ? 200 : 403)
          if (by !== 'owner') await app.storage.db.deleteFrom('membership').where('user_id', '=', inviter.id).execute()
        }
      }
    }
    assert.equal(cells, 100)
    assert.equal((await ask(team, alice, 'nobody-00000000')).body.error.code, 'group/member-unknown')
    assert.equal((await ask(team, alice, alice.id)).body.error.code, 'group/already-member')
    const stranger = await app.person('stranger')
    assert.equal((await ask(team, stranger, stranger.id)).body.error.code, 'access/not-found')
  })

  test('[GR25] an invite is there for the person who was asked alone, once, and for thirty days', async () => {
    await using team = await openTeam()
    const { app, alice, group } = team
    const [bob, carol, mallory] = [await app.person('bob'), await app.person('carol'), await app.person('mallory')]
    const invite = await mustAsk(team, alice, bob.id, 'moderator')
    const expiresAt = app.clock.time + THIRTY_DAYS
    assert.deepEqual(invite, {
      id: invite.id,
      groupId: group.id,
      groupName: 'Friends',
      userId: bob.id,
      role: 'moderator',
      invitedBy: alice.id,
      createdAt: app.clock.time,
      expiresAt,
    })
    // Asked again, whatever as: the same invite.
    const again = await ask(team, alice, bob.id, 'guest')
    assert.deepEqual([again.status, again.body.data], [200, invite])
    assert.deepEqual(await mine(team, bob), [invite])
    assert.deepEqual(await app.must(200, 'GET', pathOf(team, 'invites'), { token: alice.token }), [invite])
    for (const what of ['accept', 'decline'] as const)
      assert.equal((await answerTo(team, mallory, invite, what)).body.error.code, 'access/not-found')
    assert.equal((await answerTo(team, bob, invite, 'accept')).body.data.role, 'moderator')
    assert.equal((await answerTo(team, bob, invite, 'accept')).status, 404)
    assert.deepEqual(await mine(team, bob), [])
    const declined = await mustAsk(team, alice, carol.id)
    assert.equal((await answerTo(team, carol, declined, 'decline')).status, 204)
    assert.equal((await answerTo(team, carol, declined, 'accept')).status, 404)
    const late = await mustAsk(team, alice, carol.id)
    app.clock.time = late.expiresAt
    const alices = (await app.accessTokens.sign({ userId: alice.id, sessionId: alice.sessionId })).accessToken
    const carols = (await app.accessTokens.sign({ userId: carol.id, sessionId: carol.sessionId })).accessToken
    await app.storage.db
      .updateTable('session')
      .set({ expires_at: late.expiresAt * 2 })
      .execute()
    assert.equal((await answerTo(team, { ...carol, token: carols }, late, 'accept')).status, 404)
    assert.deepEqual(await mine(team, { ...carol, token: carols }), [])
    // One past its end is in nobody's way.
    await mustAsk(team, { ...alice, token: alices }, carol.id)
  })

  test('[GR26] an invite ends with the right to make it, and whoever made it or an admin takes it back', async () => {
    await using team = await openTeam()
    const { app, alice } = team
    const guest = await app.person('guest')
    const put = (person: Person, body: object) =>
      app.must(200, 'PUT', pathOf(team, 'members', person.id), { token: alice.token, body })
    const losing: [name: string, lose: (inviter: Person) => Promise<unknown>][] = [
      ['lowered', (inviter) => put(inviter, { role: 'guest' })],
      ['left', ({ token }) => app.must(204, 'POST', pathOf(team, 'leave'), { token })],
      ['removed', ({ id }) => app.must(204, 'DELETE', pathOf(team, 'members', id), { token: alice.token })],
      ['banned', ({ id }) => app.must(201, 'POST', pathOf(team, 'bans'), { token: alice.token, body: { userId: id } })],
    ]
    for (const [name, lose] of losing) {
      const inviter = await team.join(name, 'admin')
      await mustAsk(team, inviter, guest.id)
      await lose(inviter)
      assert.deepEqual(await mine(team, guest), [], name)
    }
    const [admin, member, other] = [
      await team.join('admin', 'admin'),
      await team.join('member'),
      await team.join('other'),
    ]
    for (const person of [member, other]) await put(person, { canInvite: true })
    const take = (by: Person, { id }: Invite) => app.ask('DELETE', pathOf(team, 'invites', id), { token: by.token })
    for (const by of [member, admin, alice]) {
      const invite = await mustAsk(team, member, guest.id)
      assert.equal((await take(other, invite)).status, 403)
      assert.equal((await take(by, invite)).status, 204)
      assert.equal((await take(by, invite)).status, 404)
      assert.deepEqual(await mine(team, guest), [])
    }
    // A group's members end no invite of another group.
    const theirs = await app.must<{ id: string }>(201, 'POST', '/groups', { token: other.token, body: { name: 'x' } })
    const invite = await mustAsk(team, alice, guest.id)
    const path = `/groups/${theirs.id}/invites/${invite.id}`
    await app.refused(404, 'access/not-found', 'DELETE', path, { token: other.token })
    // Who comes in by another way has no invite any more.
    await team.app.must(200, 'POST', '/groups/join', {
      token: guest.token,
      body: { accessCode: team.group.accessCode },
    })
    assert.deepEqual(await mine(team, guest), [])
  })

  test('[GR30] a group has at most five hundred invites that nobody has answered', async () => {
    await using team = await openTeam()
    const { app, alice, group } = team
    const ids = Array.from({ length: 499 }, (_, index) => `asked-${String(index).padStart(6, '0')}`)
    const about = { password_hash: 'none', created_at: 0, email: null, name: 'x' }
    await app.storage.db
      .insertInto('user')
      .values(ids.map((id) => ({ ...about, id, username: id })))
      .execute()
    const rows = ids.map((user_id) => ({
      id: `invite-${user_id}`,
      group_id: group.id,
      user_id,
      role: 'member',
      invited_by: null,
      created_at: 0,
      expires_at: app.clock.time + 1,
    }))
    await app.storage.db.insertInto('invite').values(rows).execute()
    await mustAsk(team, alice, (await app.person('bob')).id)
    const { id } = await app.person('carol')
    assert.equal((await ask(team, alice, id)).body.error.code, 'invite/too-many')
    // Those past their end count no more.
    app.clock.time += 1
    await mustAsk(team, alice, id)
  })
})
