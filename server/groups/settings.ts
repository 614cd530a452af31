// What changes a group as a whole: its settings, its end, and its return within thirty days.
import { AppError } from '../../shared/errors.ts'
import { GROUPS_PER_USER_MAX, RESTORE_MS_MAX } from '../../shared/limits.ts'
import { ACTIVE } from '../../storage/access.ts'
import { listChannels, listShareIds } from '../../storage/channels.ts'
import { findGroup, type GroupOfMember, type GroupRow, lockGroup, updateGroup } from '../../storage/groups.ts'
import { deleteInvitesOfGroup } from '../../storage/invites.ts'
import {
  countGroupsOf,
  countMembers,
  deleteMember,
  ENDED,
  endMembers,
  findMembership,
  listMemberIds,
  updateMember,
} from '../../storage/members.ts'
import { lockUser } from '../../storage/users.ts'
import { shareClaims } from '../share-links.ts'
import { checkGroupsOf } from './admission.ts'
import { announce, type GroupDeps, type InGroup, lockStanding, mustBeAble, noSuchGroup, type Trx } from './standing.ts'

export interface GroupChange {
  readonly name?: string | undefined
  readonly description?: string | undefined
  readonly timezone?: string | undefined
  readonly checkInFrequency?: string | undefined
  readonly maxMembers?: number | undefined
  readonly allowMemberInvite?: boolean | undefined
  /** The version that it is a change of; without it the last change wins. */
  readonly version?: number | undefined
}

const columnsOf = (group: GroupRow, change: GroupChange) => ({
  name: change.name ?? group.name,
  description: change.description ?? group.description,
  timezone: change.timezone ?? group.timezone,
  check_in_frequency: change.checkInFrequency ?? group.check_in_frequency,
  members_max: change.maxMembers ?? group.members_max,
  allow_member_invite: change.allowMemberInvite === undefined ? group.allow_member_invite : +change.allowMemberInvite,
})

const mustGroupOf = async (trx: Trx, groupId: string, userId: string): Promise<GroupOfMember> => {
  const group = await findGroup(trx, groupId, userId)
  if (!group) throw noSuchGroup()
  return group
}

export const changeGroup = async (
  deps: GroupDeps,
  { groupId, actor }: InGroup,
  change: GroupChange,
): Promise<GroupOfMember> => {
  const { group, fields, memberIds } = await deps.storage.db.transaction().execute(async (trx) => {
    const { group: before, self } = await lockStanding(trx, { groupId, actor })
    mustBeAble(self, 'manage')
    const { version } = before
    if (change.version !== undefined && change.version !== version)
      throw new AppError('version/stale', 'somebody else changed it meanwhile', { version })
    const members = await countMembers(trx, groupId)
    if (change.maxMembers !== undefined && change.maxMembers < members)
      throw new AppError('group/full', `this group has ${members} members already`, { members })
    const columns = columnsOf(before, change)
    const changed = Object.entries(columns).filter(([name, value]) => before[name as keyof GroupRow] !== value)
    const names = changed.map(([name]) => name)
    if (names.length === 0) return { group: await mustGroupOf(trx, groupId, actor), fields: names, memberIds: [] }
    await updateGroup(trx, groupId, { ...columns, version: version + 1 })
    const after = await mustGroupOf(trx, groupId, actor)
    const ids = await listMemberIds(trx, groupId)
    await deps.audit.add(trx, { actor, action: 'group.updated', target: groupId, details: { fields: names } })
    return { group: after, fields: names, memberIds: ids }
  })
  if (fields.length === 0) return group
  // Check-ins are judged by what sockets were told of the group when they opened theirs.
  const isAboutPeriods = fields.includes('timezone') || fields.includes('check_in_frequency')
  await announce(deps, {
    groupId,
    users: fields.includes('name') ? memberIds : [],
    rights: isAboutPeriods ? memberIds : [],
  })
  return group
}

/** `confirm`, where it is given, must be the group's name. */
export const deleteGroup = async (
  deps: GroupDeps,
  { groupId, actor }: InGroup,
  confirm: string | undefined,
): Promise<void> => {
  const { memberIds, visitors } = await deps.storage.db.transaction().execute(async (trx) => {
    const { group, self } = await lockStanding(trx, { groupId, actor })
    mustBeAble(self, 'own')
    if (confirm !== undefined && confirm !== group.name)
      throw new AppError('group/confirm', 'that is not the name of the group')
    const ids = await listMemberIds(trx, groupId)
    const channels = await listChannels(trx, groupId)
    const shareIds = await listShareIds(
      trx,
      channels.map(({ id }) => id),
    )
    await updateGroup(trx, groupId, { deleted_at: deps.now() })
    await endMembers(trx, groupId)
    await deleteInvitesOfGroup(trx, groupId)
    await deps.audit.add(trx, { actor, action: 'group.deleted', target: groupId })
    return { memberIds: ids, visitors: shareIds.map((shareId) => shareClaims(shareId).userId) }
  })
  await announce(deps, { groupId, users: memberIds, rights: [...memberIds, ...visitors] })
}

/** Brings those back who were in it. Who is in as many groups as one can be meanwhile stays out, but for the owner. */
const reviveMembers = async (trx: Trx, groupId: string, userIds: readonly string[]): Promise<string[]> => {
  const back: string[] = []
  for (const userId of userIds) {
    if ((await countGroupsOf(trx, userId)) < GROUPS_PER_USER_MAX) {
      await updateMember(trx, groupId, userId, { status: ACTIVE })
      back.push(userId)
    } else await deleteMember(trx, groupId, userId)
  }
  return back
}

/** By its owner, while it can still be had back. */
export const restoreGroup = async (deps: GroupDeps, { groupId, actor }: InGroup): Promise<GroupOfMember> => {
  const owned = await findMembership(deps.storage.db, groupId, actor)
  // Looked up before anything is locked: others must not be able to hold a group up.
  if (owned?.role !== 'owner') throw noSuchGroup()
  const { group, back } = await deps.storage.db.transaction().execute(async (trx) => {
    const userIds = await listMemberIds(trx, groupId, ENDED)
    for (const userId of userIds) await lockUser(trx, userId)
    const locked = await lockGroup(trx, groupId)
    const self = await findMembership(trx, groupId, actor)
    if (!locked || !self || self.role !== 'owner') throw noSuchGroup()
    // A repeat of what was done.
    if (locked.deleted_at === null) return { group: await mustGroupOf(trx, groupId, actor), back: [] }
    if (locked.deleted_at + RESTORE_MS_MAX < deps.now()) throw noSuchGroup()
    if (!userIds.includes(actor)) throw noSuchGroup()
    await checkGroupsOf(trx, actor)
    await updateGroup(trx, groupId, { deleted_at: null })
    const revived = await reviveMembers(trx, groupId, userIds)
    const restored = await mustGroupOf(trx, groupId, actor)
    await deps.audit.add(trx, { actor, action: 'group.restored', target: groupId })
    return { group: restored, back: revived }
  })
  if (back.length > 0) await announce(deps, { groupId, users: back, rights: back })
  return group
}
