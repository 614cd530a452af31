// Invites: somebody who may invite asks a person into the group, who accepts or declines. An invite holds no longer than the
// right to make it, and gives no role above that of whoever made it.
import type { Role } from '../../shared/access.ts'
import { AppError } from '../../shared/errors.ts'
import { INVITE_MS, INVITES_PER_GROUP_MAX } from '../../shared/limits.ts'
import { type Created, findGroup, type GroupOfMember, lockGroup } from '../../storage/groups.ts'
import {
  countInvites,
  deleteExpiredInvites,
  deleteInvite,
  findInvite,
  findInviteOf,
  insertInvite,
  type InviteWithGroup,
} from '../../storage/invites.ts'
import { lockUser } from '../../storage/users.ts'
import { admit, isIn, mustLockSelf } from './admission.ts'
import { mustManage, type OnMember } from './members.ts'
import {
  announce,
  forbidden,
  type GroupDeps,
  type InGroup,
  isAble,
  lockStanding,
  mayInvite,
  memberUnknown,
  noSuchGroup,
  type Trx,
} from './standing.ts'

const noSuchInvite = (): AppError => new AppError('access/not-found', 'no such invite')

const taken = (): AppError => new AppError('id/taken', 'this id is in use')

const insert = async (
  trx: Trx,
  deps: GroupDeps,
  { groupId, actor, userId, id, role }: OnMember & { readonly id: string; readonly role: Role },
): Promise<InviteWithGroup> => {
  const now = deps.now()
  await deleteExpiredInvites(trx, groupId, now)
  const max = INVITES_PER_GROUP_MAX
  if ((await countInvites(trx, groupId)) >= max)
    throw new AppError('invite/too-many', `at most ${max} invites that nobody has answered`, { max })
  const invite = { id, group_id: groupId, user_id: userId, role, invited_by: actor }
  // The group is locked and has no invite for this person, so only the id can be in use.
  if (!(await insertInvite(trx, { ...invite, created_at: now, expires_at: now + INVITE_MS }))) throw taken()
  const row = await findInvite(trx, id, now)
  if (!row) throw new Error('an invite that was just made is missing')
  return row
}

/** Who was asked already stays asked as they were. */
export const invite = (
  deps: GroupDeps,
  wanted: OnMember & { readonly id: string; readonly role: Role },
): Promise<Created<InviteWithGroup>> =>
  deps.storage.db.transaction().execute(async (trx) => {
    const { groupId, actor, userId, role } = wanted
    const isKnown = await lockUser(trx, userId)
    const { group, self } = await lockStanding(trx, { groupId, actor })
    if (!mayInvite(group, self)) throw forbidden('only members who may invite ask others in')
    mustManage(self.role, role)
    if (!isKnown) throw memberUnknown()
    if (await isIn(trx, groupId, userId)) throw new AppError('group/already-member', 'they are a member already')
    const known = await findInviteOf(trx, groupId, userId, deps.now())
    if (known) return { row: known, created: false }
    const row = await insert(trx, deps, wanted)
    const details = { group: groupId, user: userId, role }
    await deps.audit.add(trx, { actor, action: 'invite.created', target: row.id, details })
    return { row, created: true }
  })

const end = async (trx: Trx, deps: GroupDeps, row: InviteWithGroup, actor: string, by: string): Promise<void> => {
  await deleteInvite(trx, row.id)
  const details = { group: row.group_id, user: row.user_id, by }
  await deps.audit.add(trx, { actor, action: 'invite.ended', target: row.id, details })
}

/** By whoever made it, or an admin. */
export const takeBackInvite = (deps: GroupDeps, { groupId, actor }: InGroup, inviteId: string): Promise<void> =>
  deps.storage.db.transaction().execute(async (trx) => {
    const { group, self } = await lockStanding(trx, { groupId, actor })
    if (!mayInvite(group, self)) throw forbidden('only members who may invite see invites')
    const row = await findInvite(trx, inviteId, deps.now())
    if (row?.group_id !== groupId) throw noSuchInvite()
    if (row.invited_by !== actor && !isAble(self, 'manage')) throw forbidden('only admins end the invites of others')
    await end(trx, deps, row, actor, 'group')
  })

/** The invite, for the person who was asked. */
const mustOwn = async (
  trx: Trx,
  deps: GroupDeps,
  { inviteId, actor }: { readonly inviteId: string; readonly actor: string },
): Promise<InviteWithGroup> => {
  const row = await findInvite(trx, inviteId, deps.now())
  if (row?.user_id !== actor) throw noSuchInvite()
  return row
}

export const acceptInvite = async (
  deps: GroupDeps,
  asked: { readonly inviteId: string; readonly actor: string },
): Promise<GroupOfMember> => {
  const { actor } = asked
  const joined = await deps.storage.db.transaction().execute(async (trx) => {
    await mustLockSelf(trx, actor)
    const { group_id: groupId } = await mustOwn(trx, deps, asked)
    const group = await lockGroup(trx, groupId)
    // Once more, now that nobody can take it back.
    const { role } = await mustOwn(trx, deps, asked)
    if (!group) throw noSuchInvite()
    // Whoever becomes a member in another way has no invite any more.
    await isIn(trx, groupId, actor)
    await admit(trx, group, { userId: actor, role, now: deps.now() })
    const member = await findGroup(trx, groupId, actor)
    if (!member) throw noSuchGroup()
    const details = { group: groupId, by: 'invite' }
    await deps.audit.add(trx, { actor, action: 'member.joined', target: actor, details })
    return member
  })
  await announce(deps, { groupId: joined.id, users: [actor] })
  return joined
}

export const declineInvite = (
  deps: GroupDeps,
  asked: { readonly inviteId: string; readonly actor: string },
): Promise<void> =>
  deps.storage.db.transaction().execute(async (trx) => {
    const seen = await mustOwn(trx, deps, asked)
    await lockGroup(trx, seen.group_id)
    await end(trx, deps, await mustOwn(trx, deps, asked), asked.actor, 'user')
  })
