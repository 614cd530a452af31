// Who must stay out of a group. A ban takes a membership away and beats every code, invite and admin until it is lifted;
// lifting it makes nobody a member again.
import type { Created } from '../../storage/groups.ts'
import { deleteInviteOf, deleteInvitesBy } from '../../storage/invites.ts'
import {
  BANNED,
  deleteMember,
  findMember,
  findMembership,
  insertMember,
  type MemberRow,
} from '../../storage/members.ts'
import { lockUser } from '../../storage/users.ts'
import { type OnMember, mustManage } from './members.ts'
import { announce, forbidden, type GroupDeps, lockStanding, memberUnknown, mustBeAble } from './standing.ts'

/** Also of somebody who is no member. */
export const banUser = async (deps: GroupDeps, { groupId, actor, userId }: OnMember): Promise<Created<MemberRow>> => {
  const banned = await deps.storage.db.transaction().execute(async (trx) => {
    const isKnown = await lockUser(trx, userId)
    const { self } = await lockStanding(trx, { groupId, actor })
    mustBeAble(self, 'moderate')
    if (userId === actor) throw forbidden('nobody bans themselves')
    if (!isKnown) throw memberUnknown()
    const already = await findMember(trx, groupId, userId, BANNED)
    if (already) return { row: already, created: false }
    const member = await findMembership(trx, groupId, userId)
    mustManage(self.role, member?.role ?? 'guest')
    await deleteMember(trx, groupId, userId)
    await deleteInvitesBy(trx, groupId, userId)
    await deleteInviteOf(trx, groupId, userId)
    // Since when the ban is, stands where members have since when they are.
    const since = deps.now()
    await insertMember(trx, { group_id: groupId, user_id: userId, role: 'guest', joined_at: since, status: BANNED })
    const row = await findMember(trx, groupId, userId, BANNED)
    if (!row) throw new Error('a ban that was just made is missing')
    await deps.audit.add(trx, { actor, action: 'member.banned', target: userId, details: { group: groupId } })
    return { row, created: true }
  })
  if (banned.created) await announce(deps, { groupId, users: [userId], rights: [userId] })
  return banned
}

export const liftBan = async (deps: GroupDeps, { groupId, actor, userId }: OnMember): Promise<void> => {
  await deps.storage.db.transaction().execute(async (trx) => {
    const { self } = await lockStanding(trx, { groupId, actor })
    mustBeAble(self, 'moderate')
    const banned = await findMember(trx, groupId, userId, BANNED)
    if (!banned) throw memberUnknown()
    await deleteMember(trx, groupId, userId)
    await deps.audit.add(trx, { actor, action: 'member.unbanned', target: userId, details: { group: groupId } })
  })
}
