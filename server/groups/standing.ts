// What a command on a group begins and ends with: lock the group and see what whoever asks may do there; after the
// commit, tell the rest of the server. A group that one is no active member of is as unknown as one that never was.
import type { Kysely } from 'kysely'
import { type Action, can, type Given } from '../../shared/access.ts'
import { AppError } from '../../shared/errors.ts'
import { ACTIVE } from '../../storage/access.ts'
import { type GroupRow, lockGroup } from '../../storage/groups.ts'
import { findMembership, type MembershipRow } from '../../storage/members.ts'
import type { Storage } from '../../storage/open.ts'
import type { Database } from '../../storage/schema.ts'
import type { Audit } from '../audit.ts'
import type { Changes } from '../changes.ts'
import type { Sealing } from '../sealing.ts'

export interface GroupDeps {
  readonly storage: Pick<Storage, 'db'>
  readonly audit: Audit
  readonly changes: Changes
  readonly sealing: Sealing
  readonly now: () => number
  readonly newId: () => string
}

/** Who does something to which group. */
export interface InGroup {
  readonly groupId: string
  readonly actor: string
}

export interface Standing {
  readonly group: GroupRow
  readonly self: MembershipRow
}

/** The transaction that a command is. */
export type Trx = Kysely<Database>

export const noSuchGroup = (): AppError => new AppError('access/not-found', 'no such group')

/** Locks the group; throws `access/not-found` for who is no member of it. */
export const lockStanding = async (trx: Trx, { groupId, actor }: InGroup): Promise<Standing> => {
  const group = await lockGroup(trx, groupId)
  if (group?.kind !== 'group' || group.deleted_at !== null) throw noSuchGroup()
  const self = await findMembership(trx, groupId, actor)
  if (self?.status !== ACTIVE) throw noSuchGroup()
  return { group, self }
}

export const givenOf = (row: Pick<MembershipRow, 'can_invite' | 'can_kick'>): Given => ({
  canInvite: row.can_invite === 1,
  canKick: row.can_kick === 1,
})

type Member = Pick<MembershipRow, 'role' | 'can_invite' | 'can_kick'>

export const isAble = (member: Member, action: Action): boolean => can(member.role, action, givenOf(member))

/** By the role, by a right given to the member, or where the group lets all its members invite. */
export const mayInvite = (group: Pick<GroupRow, 'allow_member_invite'>, member: Member): boolean =>
  isAble(member, 'invite') || (group.allow_member_invite === 1 && can(member.role, 'write'))

const NEEDED: Readonly<Record<Action, string>> = {
  read: 'only members',
  write: 'only members who may write',
  invite: 'only members who may invite',
  moderate: 'only moderators and above',
  kick: 'only members who may remove others',
  manage: 'only admins of the group',
  own: 'only the owner',
}

export const forbidden = (what: string): AppError => new AppError('access/forbidden', what)

export const mustBeAble = (member: Member, action: Action): void => {
  if (!isAble(member, action)) throw forbidden(`${NEEDED[action]} may do that`)
}

export const memberUnknown = (): AppError => new AppError('group/member-unknown', 'there is no such person here')

/** What is not so any more after a commit. */
export interface Announcement {
  readonly groupId: string
  /** Whose list of groups is another. */
  readonly users?: Iterable<string>
  /** Who may have lost or gained rights. */
  readonly rights?: readonly string[]
}

export const announce = async (
  { changes }: Pick<GroupDeps, 'changes'>,
  { groupId, users = [], rights = [] }: Announcement,
): Promise<void> => {
  changes.group(groupId)
  for (const userId of users) changes.user(userId)
  if (rights.length > 0) await changes.rights(rights)
}
