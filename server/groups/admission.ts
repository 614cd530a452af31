// The one way into a group, whatever brought somebody there: a code, an invite or an admin. The user is locked, then the
// group, so that what is counted here stays so until the commit.
import type { Role } from '../../shared/access.ts'
import { AppError } from '../../shared/errors.ts'
import { GROUPS_PER_USER_MAX } from '../../shared/limits.ts'
import { ACTIVE } from '../../storage/access.ts'
import type { GroupRow } from '../../storage/groups.ts'
import { deleteInviteOf } from '../../storage/invites.ts'
import { BANNED, countGroupsOf, countMembers, findMembership, insertMember } from '../../storage/members.ts'
import { lockUser } from '../../storage/users.ts'
import type { Trx } from './standing.ts'

/** Locks whoever asks, always before a group. */
export const mustLockSelf = async (trx: Trx, userId: string): Promise<void> => {
  if (!(await lockUser(trx, userId))) throw new AppError('auth/token-invalid', 'this account is gone')
}

export const checkGroupsOf = async (trx: Trx, userId: string): Promise<void> => {
  const max = GROUPS_PER_USER_MAX
  if ((await countGroupsOf(trx, userId)) >= max) throw new AppError('group/too-many', `at most ${max} groups`, { max })
}

/** Whether the user is in already; throws `group/banned`. */
export const isIn = async (trx: Trx, groupId: string, userId: string): Promise<boolean> => {
  const known = await findMembership(trx, groupId, userId)
  if (known?.status === BANNED) throw new AppError('group/banned', 'banned from this group')
  return known?.status === ACTIVE
}

/** Adds who `isIn` said is not in; throws `group/too-many` or `group/full`. Their invite has done its work. */
export const admit = async (
  trx: Trx,
  group: GroupRow,
  member: { readonly userId: string; readonly role: Role; readonly now: number },
): Promise<void> => {
  const { userId, role, now } = member
  await checkGroupsOf(trx, userId)
  const max = group.members_max
  const members = await countMembers(trx, group.id)
  if (members >= max) throw new AppError('group/full', `this group has all its ${max} members`, { max })
  await insertMember(trx, { group_id: group.id, user_id: userId, role, joined_at: now })
  await deleteInviteOf(trx, group.id, userId)
}
