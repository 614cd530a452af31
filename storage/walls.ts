// What the projection of walls asks of the rows: a group with its members and since when they are.
import type { Kysely } from 'kysely'
import type { Database } from './schema.ts'

export interface WallGroupRow {
  readonly id: string
  /** IANA name. */
  readonly timezone: string
  readonly createdAt: number
  readonly members: readonly { readonly userId: string; readonly joinedAt: number }[]
}

/** Null when there is no such group. */
export const findWallGroup = async (db: Kysely<Database>, groupId: string): Promise<WallGroupRow | null> => {
  const group = await db
    .selectFrom('group')
    .select(['timezone', 'created_at'])
    .where('id', '=', groupId)
    .executeTakeFirst()
  if (!group) return null
  const members = await db
    .selectFrom('membership')
    .select(['user_id', 'joined_at'])
    .where('group_id', '=', groupId)
    .orderBy('user_id')
    .execute()
  return {
    id: groupId,
    timezone: group.timezone,
    createdAt: group.created_at,
    members: members.map(({ user_id: userId, joined_at: joinedAt }) => ({ userId, joinedAt })),
  }
}
