// What opening a document asks of the rows: is the login still good, and what is its user to the channel, the group or the
// user that the document belongs to. One look-up each, because a thousand clients that come back at once ask it a
// thousand times.
import { type Kysely, sql } from 'kysely'
import type { Role } from '../shared/access.ts'
import type { GroupFacts } from '../shared/rules.ts'
import { prepared } from './prepared.ts'
import type { Database } from './schema.ts'

/** A login, and the time it is now. */
export interface Login {
  readonly userId: string
  readonly sessionId: string
  readonly now: number
}

export interface ChannelAccess {
  readonly type: string
  readonly groupId: string
  readonly role: Role
  /** How many segments the channel's chat has. */
  readonly segments: number
}

/** Banned people keep their row, and so do the members of a deleted group; only this status gives rights. */
export const ACTIVE = 'active'

/** The login's family, as a subquery, where it is still good. */
const liveFamily = (db: Kysely<Database>) =>
  db
    .selectFrom('session')
    .select('session.family_id')
    .where('session.family_id', '=', '')
    .where('session.replaced_at', 'is', null)
    .where('session.expires_at', '>', 0)
    .limit(sql.lit(1))

/** Subqueries, because SQLite takes six times as long for the same as a join. */
const selectChannel = prepared<
  [userId: string, familyId: string, now: number, channelId: string],
  { type: string; group_id: string; segments: number; role: Role | null; family_id: string | null }
>((db) =>
  db
    .selectFrom('channel')
    .select((eb) => [
      'channel.type',
      'channel.group_id',
      'channel.segments',
      eb
        .selectFrom('membership')
        .select('membership.role')
        .whereRef('membership.group_id', '=', 'channel.group_id')
        .where('membership.user_id', '=', '')
        .where('membership.status', '=', sql.lit(ACTIVE))
        // Roles are written by `groups.ts` only, so what comes back is one.
        .$castTo<{ role: Role }>()
        .as('role'),
      liveFamily(db).as('family_id'),
    ])
    .where('channel.id', '=', '')
    .where('channel.deleted_at', 'is', null),
)

/** Null when the login has ended, or the user is no member of the channel's group, or there is no such channel. */
export const findChannelAccess = async (
  db: Kysely<Database>,
  { userId, sessionId, now }: Login,
  channelId: string,
): Promise<ChannelAccess | null> => {
  const [row] = await selectChannel(db, userId, sessionId, now, channelId)
  if (!row?.role || row.family_id === null) return null
  return { type: row.type, groupId: row.group_id, role: row.role, segments: row.segments }
}

const selectMembership = prepared<
  [familyId: string, now: number, userId: string, groupId: string],
  { role: Role; family_id: string | null }
>((db) =>
  db
    .selectFrom('membership')
    .select(['membership.role', liveFamily(db).as('family_id')])
    .where('membership.user_id', '=', '')
    .where('membership.group_id', '=', '')
    .where('membership.status', '=', sql.lit(ACTIVE))
    .$castTo<{ role: Role; family_id: string | null }>(),
)

/** The user's role in the group; null when the login has ended or there is no such membership. */
export const findGroupRole = async (
  db: Kysely<Database>,
  { userId, sessionId, now }: Login,
  groupId: string,
): Promise<Role | null> => {
  const [row] = await selectMembership(db, sessionId, now, userId, groupId)
  return row && row.family_id !== null ? row.role : null
}

const selectMembers = prepared<[groupId: string], { user_id: string }>((db) =>
  db.selectFrom('membership').select('user_id').where('group_id', '=', '').where('status', '=', sql.lit(ACTIVE)),
)

/** The user ids of a group. */
export const findMembers = async (db: Kysely<Database>, groupId: string): Promise<ReadonlySet<string>> => {
  const rows = await selectMembers(db, groupId)
  return new Set(rows.map(({ user_id }) => user_id))
}

/** The groups a user belongs to, by id, with what rules of check-ins need to know of each. */
export const findGroupFacts = async (
  db: Kysely<Database>,
  userId: string,
): Promise<ReadonlyMap<string, GroupFacts>> => {
  const rows = await db
    .selectFrom('membership')
    .innerJoin('group', 'group.id', 'membership.group_id')
    .select(['group.id', 'group.timezone', 'group.check_in_frequency', 'group.created_at', 'membership.joined_at'])
    .where('membership.user_id', '=', userId)
    .where('membership.status', '=', ACTIVE)
    // A guest only reads, the group's wall too; and two who talk directly are no group.
    .where('membership.role', '!=', 'guest')
    .where('group.kind', '=', 'group')
    // Frequencies are checked before they are stored.
    .$castTo<{
      id: string
      timezone: string
      check_in_frequency: GroupFacts['frequency']
      created_at: number
      joined_at: number
    }>()
    .execute()
  return new Map(
    rows.map(({ id, timezone, check_in_frequency: frequency, created_at: createdAt, joined_at: joinedAt }) => [
      id,
      { timezone, frequency, createdAt, joinedAt },
    ]),
  )
}
