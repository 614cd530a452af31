// What the projection of walls asks of the rows: a group with its members, since when they are, and whether they show
// their scores.
import type { Kysely } from 'kysely'
import { readPrivacy } from '../shared/privacy.ts'
import { ACTIVE } from './access.ts'
import type { Database } from './schema.ts'

export interface WallMemberRow {
  readonly userId: string
  readonly joinedAt: number
  readonly sharesScores: boolean
}

export interface WallGroupRow {
  readonly id: string
  /** IANA name. */
  readonly timezone: string
  readonly createdAt: number
  readonly members: readonly WallMemberRow[]
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
    .innerJoin('user', 'user.id', 'membership.user_id')
    .select(['membership.user_id', 'membership.joined_at', 'user.privacy'])
    .where('membership.group_id', '=', groupId)
    .where('membership.status', '=', ACTIVE)
    // Guests only read.
    .where('membership.role', '!=', 'guest')
    .orderBy('membership.user_id')
    .execute()
  return {
    id: groupId,
    timezone: group.timezone,
    createdAt: group.created_at,
    members: members.map(({ user_id: userId, joined_at: joinedAt, privacy }) => ({
      userId,
      joinedAt,
      sharesScores: readPrivacy(privacy).scores === 'group',
    })),
  }
}
