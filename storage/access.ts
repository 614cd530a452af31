// What opening a document asks of the rows: is the login still good, and which role has its user in the channel's group.
// One look-up for both, because a thousand clients that come back at once ask it a thousand times.
import { type Kysely, sql } from 'kysely'
import type { Role } from '../shared/access.ts'
import { prepared } from './prepared.ts'
import type { Database } from './schema.ts'

export interface ChannelAccess {
  readonly type: string
  readonly role: Role
}

/** Subqueries, because SQLite takes six times as long for the same as a join. */
const select = prepared<
  [userId: string, familyId: string, now: number, channelId: string],
  { type: string; role: Role | null; family_id: string | null }
>((db) =>
  db
    .selectFrom('channel')
    .select((eb) => [
      'channel.type',
      eb
        .selectFrom('membership')
        .select('membership.role')
        .whereRef('membership.group_id', '=', 'channel.group_id')
        .where('membership.user_id', '=', '')
        // Roles are written by `groups.ts` only, so what comes back is one.
        .$castTo<{ role: Role }>()
        .as('role'),
      eb
        .selectFrom('session')
        .select('session.family_id')
        .where('session.family_id', '=', '')
        .where('session.replaced_at', 'is', null)
        .where('session.expires_at', '>', 0)
        .limit(sql.lit(1))
        .as('family_id'),
    ])
    .where('channel.id', '=', ''),
)

/** Null when the login has ended, or the user is no member of the channel's group, or there is no such channel. */
export const findChannelAccess = async (
  db: Kysely<Database>,
  who: { readonly userId: string; readonly sessionId: string; readonly now: number },
  channelId: string,
): Promise<ChannelAccess | null> => {
  const [row] = await select(db, who.userId, who.sessionId, who.now, channelId)
  return row?.role && row.family_id !== null ? { type: row.type, role: row.role } : null
}
