// Rows of groups, memberships and channels. Limits that people race for (members, groups, channels) are counted in the
// transaction that adds one, after a row lock, so that they hold on both databases.
import type { Insertable, Kysely, Selectable } from 'kysely'
import type { Role } from '../shared/access.ts'
import { AppError } from '../shared/errors.ts'
import { CHANNELS_PER_GROUP_MAX, GROUPS_PER_USER_MAX } from '../shared/limits.ts'
import type { ChannelTable, Database, GroupTable } from './schema.ts'
import { lockUser } from './users.ts'

type GroupRow = Selectable<GroupTable>
export type ChannelRow = Selectable<ChannelTable>

/** A group as one of its members sees it. */
export interface GroupOfMember extends GroupRow {
  readonly role: Role
  readonly joined_at: number
}

/** What was asked for, and whether it is new or was there already. */
export interface Created<Row> {
  readonly row: Row
  readonly created: boolean
}

const groupsOfMember = (db: Kysely<Database>, userId: string) =>
  db
    .selectFrom('group')
    .innerJoin('membership', 'membership.group_id', 'group.id')
    .select([
      'group.id',
      'group.name',
      'group.description',
      'group.timezone',
      'group.check_in_frequency',
      'group.access_code',
      'group.members_max',
      'group.created_by',
      'group.created_at',
      'membership.role',
      'membership.joined_at',
    ])
    .where('membership.user_id', '=', userId)

/** Roles are written by this file only, so what comes back is one. */
const withRole = <Row extends { role: string }>(row: Row) => row as Row & { role: Role }

export const listGroups = async (db: Kysely<Database>, userId: string): Promise<GroupOfMember[]> => {
  const rows = await groupsOfMember(db, userId).orderBy('membership.joined_at').orderBy('group.id').execute()
  return rows.map(withRole)
}

export const findGroup = async (db: Kysely<Database>, id: string, userId: string): Promise<GroupOfMember | null> => {
  const row = await groupsOfMember(db, userId).where('group.id', '=', id).executeTakeFirst()
  return row ? withRole(row) : null
}

/** Locks the user, always before a group, so that two transactions never wait for each other. */
const mustLockUser = async (trx: Kysely<Database>, userId: string): Promise<void> => {
  if (!(await lockUser(trx, userId))) throw new AppError('auth/token-invalid', 'this account is gone')
}

const checkGroupsOfUser = async (trx: Kysely<Database>, userId: string): Promise<void> => {
  const { rows } = await trx
    .selectFrom('membership')
    .select((eb) => eb.fn.countAll<number>().as('rows'))
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  if (rows < GROUPS_PER_USER_MAX) return
  throw new AppError('group/too-many', `at most ${GROUPS_PER_USER_MAX} groups`, { max: GROUPS_PER_USER_MAX })
}

const checkMembersOfGroup = async (trx: Kysely<Database>, groupId: string, max: number): Promise<void> => {
  const { rows } = await trx
    .selectFrom('membership')
    .select((eb) => eb.fn.countAll<number>().as('rows'))
    .where('group_id', '=', groupId)
    .executeTakeFirstOrThrow()
  if (rows >= max) throw new AppError('group/full', `this group has all its ${max} members`, { max })
}

const checkChannelsOfGroup = async (trx: Kysely<Database>, groupId: string): Promise<void> => {
  const { rows } = await trx
    .selectFrom('channel')
    .select((eb) => eb.fn.countAll<number>().as('rows'))
    .where('group_id', '=', groupId)
    .executeTakeFirstOrThrow()
  if (rows < CHANNELS_PER_GROUP_MAX) return
  const max = CHANNELS_PER_GROUP_MAX
  throw new AppError('channel/too-many', `at most ${max} channels in a group`, { max })
}

/** As `lockUser`, for a group: an update that changes nothing. Null when there is no such group. */
const lockGroup = async (trx: Kysely<Database>, id: string): Promise<{ members_max: number } | null> =>
  (await trx
    .updateTable('group')
    .set((eb) => ({ created_at: eb.ref('created_at') }))
    .where('id', '=', id)
    .returning('members_max')
    .executeTakeFirst()) ?? null

const addMember = async (
  trx: Kysely<Database>,
  member: { group_id: string; user_id: string; role: Role; joined_at: number },
): Promise<void> => {
  await trx.insertInto('membership').values(member).execute()
}

/** The creator's own group again; anybody else's id is taken, without saying whose. */
const repeatOfGroup = async (trx: Kysely<Database>, id: string, userId: string): Promise<GroupOfMember | null> => {
  const known = await trx.selectFrom('group').select('created_by').where('id', '=', id).executeTakeFirst()
  if (!known) return null
  const group = known.created_by === userId ? await findGroup(trx, id, userId) : null
  if (!group) throw new AppError('id/taken', 'this id is in use')
  return group
}

/** Tries of an access code that happens to be in use; with 50 random bits the second never comes. */
const CODE_TRIES = 3

export const createGroup = (
  db: Kysely<Database>,
  input: Omit<GroupRow, 'access_code' | 'created_by'> & { readonly created_by: string },
  newAccessCode: () => string,
): Promise<Created<GroupOfMember>> =>
  db.transaction().execute(async (trx) => {
    const { id, created_by: userId, created_at: joined_at } = input
    await mustLockUser(trx, userId)
    const repeated = await repeatOfGroup(trx, id, userId)
    if (repeated) return { row: repeated, created: false }
    await checkGroupsOfUser(trx, userId)
    for (let attempt = 0; attempt < CODE_TRIES; attempt += 1) {
      const row: GroupRow = { ...input, access_code: newAccessCode() }
      const inserted = await trx
        .insertInto('group')
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .returning('id')
        .executeTakeFirst()
      if (inserted) {
        await addMember(trx, { group_id: id, user_id: userId, role: 'owner', joined_at })
        return { row: { ...row, role: 'owner', joined_at }, created: true }
      }
      // Somebody else may have taken the id since we looked; then this throws.
      await repeatOfGroup(trx, id, userId)
    }
    throw new Error('no free access code')
  })

/** Makes the user a member; a member already keeps role and place. */
export const joinGroup = (
  db: Kysely<Database>,
  join: { readonly accessCode: string; readonly userId: string; readonly now: number },
): Promise<GroupOfMember> =>
  db.transaction().execute(async (trx) => {
    const { accessCode, userId, now } = join
    await mustLockUser(trx, userId)
    const found = await trx.selectFrom('group').select('id').where('access_code', '=', accessCode).executeTakeFirst()
    const locked = found && (await lockGroup(trx, found.id))
    if (!locked) throw new AppError('group/code-unknown', 'no group has this code')
    const already = await findGroup(trx, found.id, userId)
    if (already) return already
    await checkGroupsOfUser(trx, userId)
    await checkMembersOfGroup(trx, found.id, locked.members_max)
    await addMember(trx, { group_id: found.id, user_id: userId, role: 'member', joined_at: now })
    const joined = await findGroup(trx, found.id, userId)
    if (!joined) throw new Error('a member that was just added is missing')
    return joined
  })

const CHANNEL_COLUMNS = [
  'channel.id',
  'channel.group_id',
  'channel.type',
  'channel.name',
  'channel.created_by',
  'channel.created_at',
  'channel.segments',
] as const

export const listChannels = (db: Kysely<Database>, groupId: string): Promise<ChannelRow[]> =>
  db
    .selectFrom('channel')
    .select(CHANNEL_COLUMNS)
    .where('group_id', '=', groupId)
    .orderBy('created_at')
    .orderBy('id')
    .execute()

/** A channel with the user's role in its group; null when there is none or the user is not a member. */
export const findChannel = async (
  db: Kysely<Database>,
  id: string,
  userId: string,
): Promise<(ChannelRow & { readonly role: Role }) | null> => {
  const row = await db
    .selectFrom('channel')
    .innerJoin('membership', 'membership.group_id', 'channel.group_id')
    .select([...CHANNEL_COLUMNS, 'membership.role'])
    .where('channel.id', '=', id)
    .where('membership.user_id', '=', userId)
    .executeTakeFirst()
  return row ? withRole(row) : null
}

/** Adds a channel to a group that exists. */
export const createChannel = (
  db: Kysely<Database>,
  channel: Omit<Insertable<ChannelTable>, 'segments'> & { readonly created_by: string },
): Promise<Created<ChannelRow>> =>
  db.transaction().execute(async (trx) => {
    const { id, group_id, created_by } = channel
    if (!(await lockGroup(trx, group_id))) throw new AppError('access/not-found', 'no such group')
    const find = () => trx.selectFrom('channel').select(CHANNEL_COLUMNS).where('id', '=', id).executeTakeFirst()
    const isRepeat = (known: ChannelRow): boolean => known.group_id === group_id && known.created_by === created_by
    const known = await find()
    if (known && isRepeat(known)) return { row: known, created: false }
    if (known) throw new AppError('id/taken', 'this id is in use')
    await checkChannelsOfGroup(trx, group_id)
    const inserted = await trx
      .insertInto('channel')
      .values(channel)
      .onConflict((conflict) => conflict.doNothing())
      .returning(CHANNEL_COLUMNS)
      .executeTakeFirst()
    // Taken since we looked, so in another group: this one is locked.
    if (!inserted) throw new AppError('id/taken', 'this id is in use')
    return { row: inserted, created: true }
  })

/**
 * Opens segment `sealed + 1` of a channel's chat, unless it is there: after it `sealed` takes no new messages. Resolves to
 * whether this call opened it.
 */
export const openNextSegment = async (db: Kysely<Database>, channelId: string, sealed: number): Promise<boolean> => {
  const { numUpdatedRows } = await db
    .updateTable('channel')
    .set({ segments: sealed + 2 })
    .where('id', '=', channelId)
    .where('segments', '=', sealed + 1)
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}
