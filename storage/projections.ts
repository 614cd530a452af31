// What the projections `group/{id}` and `me/{id}` ask of the rows.
import type { Kysely, Selectable } from 'kysely'
import type { Role } from '../shared/access.ts'
import { ACTIVE } from './access.ts'
import type { ChannelTable, Database, GroupTable, UserTable } from './schema.ts'

type MemberRow = Pick<Selectable<UserTable>, 'username' | 'name' | 'avatar' | 'privacy'> & {
  readonly user_id: string
  readonly role: Role
  readonly can_invite: number
  readonly can_kick: number
  readonly joined_at: number
}

export interface GroupRows {
  readonly group: Selectable<GroupTable>
  readonly members: readonly MemberRow[]
  readonly channels: readonly Selectable<ChannelTable>[]
}

/** Null when there is no such group. A deleted one has no members any more. */
export const findGroupRows = async (db: Kysely<Database>, groupId: string): Promise<GroupRows | null> => {
  const group = await db.selectFrom('group').selectAll().where('id', '=', groupId).executeTakeFirst()
  if (!group) return null
  const members = await db
    .selectFrom('membership')
    .innerJoin('user', 'user.id', 'membership.user_id')
    .select(['membership.user_id', 'membership.role', 'membership.can_invite', 'membership.can_kick'])
    .select(['membership.joined_at', 'user.username', 'user.name', 'user.avatar', 'user.privacy'])
    .where('membership.group_id', '=', groupId)
    .where('membership.status', '=', ACTIVE)
    .$castTo<MemberRow>()
    .execute()
  const channels = await db
    .selectFrom('channel')
    .selectAll()
    .where('group_id', '=', groupId)
    .where('deleted_at', 'is', null)
    .execute()
  return { group, members, channels }
}

export interface UserRows {
  readonly user: Selectable<UserTable>
  readonly groups: readonly (Pick<Selectable<GroupTable>, 'id' | 'name' | 'avatar' | 'kind'> & {
    readonly role: Role
    readonly joined_at: number
  })[]
}

/** Null when there is no such user. */
export const findUserRows = async (db: Kysely<Database>, userId: string): Promise<UserRows | null> => {
  const user = await db.selectFrom('user').selectAll().where('id', '=', userId).executeTakeFirst()
  if (!user) return null
  const groups = await db
    .selectFrom('membership')
    .innerJoin('group', 'group.id', 'membership.group_id')
    .select(['group.id', 'group.name', 'group.avatar', 'group.kind', 'membership.role', 'membership.joined_at'])
    .where('membership.user_id', '=', userId)
    .where('membership.status', '=', ACTIVE)
    .$castTo<UserRows['groups'][number]>()
    .execute()
  return { user, groups }
}

/** The groups a user is an active member of: whose projections show them. */
export const findGroupIdsOf = async (db: Kysely<Database>, userId: string): Promise<string[]> => {
  const rows = await db
    .selectFrom('membership')
    .select('group_id')
    .where('user_id', '=', userId)
    .where('status', '=', ACTIVE)
    .execute()
  return rows.map(({ group_id }) => group_id)
}

/** The group a channel belongs to. */
export const findGroupIdOfChannel = async (db: Kysely<Database>, channelId: string): Promise<string | null> =>
  (await db.selectFrom('channel').select('group_id').where('id', '=', channelId).executeTakeFirst())?.group_id ?? null
