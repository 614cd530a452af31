// What is done to the members of a group: taken in, given another role, removed; and leaving by oneself.
import { mayManage, type Role } from '../../shared/access.ts'
import { AppError } from '../../shared/errors.ts'
import type { Created } from '../../storage/groups.ts'
import { deleteInvitesBy } from '../../storage/invites.ts'
import { deleteMember, findMember, type MemberRow, updateMember } from '../../storage/members.ts'
import { lockUser } from '../../storage/users.ts'
import { admit, isIn } from './admission.ts'
import {
  announce,
  forbidden,
  type GroupDeps,
  type InGroup,
  isAble,
  lockStanding,
  memberUnknown,
  mustBeAble,
  type Standing,
  type Trx,
} from './standing.ts'

export interface OnMember extends InGroup {
  /** Whom it is done to. */
  readonly userId: string
}

const mustMember = async (trx: Trx, groupId: string, userId: string): Promise<MemberRow> => {
  const member = await findMember(trx, groupId, userId)
  if (!member) throw memberUnknown()
  return member
}

export const mustManage = (role: Role, other: Role): void => {
  if (!mayManage(role, other)) throw forbidden(`a ${role} has no say over a ${other}`)
}

export const addMember = async (
  deps: GroupDeps,
  { groupId, actor, userId, role }: OnMember & { readonly role: Role },
): Promise<Created<MemberRow>> => {
  const added = await deps.storage.db.transaction().execute(async (trx) => {
    const isKnown = await lockUser(trx, userId)
    const { group, self } = await lockStanding(trx, { groupId, actor })
    mustBeAble(self, 'manage')
    mustManage(self.role, role)
    if (!isKnown) throw memberUnknown()
    if (await isIn(trx, groupId, userId)) return { row: await mustMember(trx, groupId, userId), created: false }
    await admit(trx, group, { userId, role, now: deps.now() })
    const row = await mustMember(trx, groupId, userId)
    const details = { group: groupId, role }
    await deps.audit.add(trx, { actor, action: 'member.added', target: userId, details })
    return { row, created: true }
  })
  if (added.created) await announce(deps, { groupId, users: [userId], rights: [userId] })
  return added
}

export interface MemberChange {
  readonly role?: Role | undefined
  readonly canInvite?: boolean | undefined
  readonly canKick?: boolean | undefined
}

/** The owner makes somebody else the owner, and stays as an admin: there is one at every moment. */
const handOver = async (trx: Trx, { group, self }: Standing, userId: string): Promise<void> => {
  mustBeAble(self, 'own')
  if (self.user_id === userId) throw forbidden('the owner can only hand over to somebody else')
  await updateMember(trx, group.id, self.user_id, { role: 'admin' })
  await updateMember(trx, group.id, userId, { role: 'owner' })
  await deleteInvitesBy(trx, group.id, self.user_id)
}

const bit = (value: boolean): number => (value ? 1 : 0)

export const changeMember = async (
  deps: GroupDeps,
  { groupId, actor, userId }: OnMember,
  { role, canInvite, canKick }: MemberChange,
): Promise<MemberRow> => {
  const { row, rights } = await deps.storage.db.transaction().execute(async (trx) => {
    const standing = await lockStanding(trx, { groupId, actor })
    const { self } = standing
    mustBeAble(self, 'manage')
    const member = await mustMember(trx, groupId, userId)
    const isHandOver = role === 'owner'
    if (isHandOver) await handOver(trx, standing, userId)
    else {
      mustManage(self.role, member.role)
      if (role !== undefined) mustManage(self.role, role)
      if (role !== undefined && role !== member.role) {
        await updateMember(trx, groupId, userId, { role })
        await deleteInvitesBy(trx, groupId, userId)
      }
    }
    if (canInvite !== undefined) await updateMember(trx, groupId, userId, { can_invite: bit(canInvite) })
    if (canKick !== undefined) await updateMember(trx, groupId, userId, { can_kick: bit(canKick) })
    const changed = await mustMember(trx, groupId, userId)
    const columns = ['role', 'can_invite', 'can_kick'] as const
    if (columns.every((name) => member[name] === changed[name])) return { row: changed, rights: [] }
    const { role: to, can_invite, can_kick } = changed
    const details = { group: groupId, from: member.role, to, canInvite: can_invite === 1, canKick: can_kick === 1 }
    await deps.audit.add(trx, { actor, action: 'member.role-changed', target: userId, details })
    return { row: changed, rights: isHandOver ? [actor, userId] : [userId] }
  })
  if (rights.length > 0) await announce(deps, { groupId, users: rights, rights })
  return row
}

/** Takes a membership away, with the invites that it was the right to make. */
const remove = async (trx: Trx, groupId: string, userId: string): Promise<void> => {
  await deleteMember(trx, groupId, userId)
  await deleteInvitesBy(trx, groupId, userId)
}

/** Throws `group/last-owner`: a group is never without its owner. */
export const leaveGroup = async (deps: GroupDeps, { groupId, actor }: InGroup): Promise<void> => {
  await deps.storage.db.transaction().execute(async (trx) => {
    const { self } = await lockStanding(trx, { groupId, actor })
    if (self.role === 'owner')
      throw new AppError('group/last-owner', 'make another member the owner first, or delete the group')
    await remove(trx, groupId, actor)
    await deps.audit.add(trx, { actor, action: 'member.left', target: actor, details: { group: groupId } })
  })
  await announce(deps, { groupId, users: [actor], rights: [actor] })
}

/** Removes another member; oneself there is leaving. */
export const kickMember = async (deps: GroupDeps, { groupId, actor, userId }: OnMember): Promise<void> => {
  if (userId === actor) return leaveGroup(deps, { groupId, actor })
  await deps.storage.db.transaction().execute(async (trx) => {
    const { self } = await lockStanding(trx, { groupId, actor })
    if (!isAble(self, 'kick')) throw forbidden('only admins, and members who were given the right, remove others')
    const member = await mustMember(trx, groupId, userId)
    mustManage(self.role, member.role)
    await remove(trx, groupId, userId)
    await deps.audit.add(trx, { actor, action: 'member.kicked', target: userId, details: { group: groupId } })
  })
  await announce(deps, { groupId, users: [userId], rights: [userId] })
}
