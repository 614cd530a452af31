// Rows of channels. A deleted one stays as a row that nobody finds; its id is never free again.
import type { Insertable, Kysely, Selectable, Updateable } from 'kysely'
import type { Role } from '../shared/access.ts'
import { ACTIVE } from './access.ts'
import type { ChannelTable, Database } from './schema.ts'

export type ChannelRow = Selectable<ChannelTable>

/** A channel as a member of its group sees it. */
export interface ChannelOfMember extends ChannelRow {
  readonly role: Role
  /** The group's: `group` or `direct`. */
  readonly kind: string
}

/** In the order in which they were made. */
export const listChannels = (db: Kysely<Database>, groupId: string): Promise<ChannelRow[]> =>
  db
    .selectFrom('channel')
    .selectAll()
    .where('group_id', '=', groupId)
    .where('deleted_at', 'is', null)
    .orderBy('created_at')
    .orderBy('id')
    .execute()

/** Null when there is none or the user is not a member of its group. */
export const findChannel = async (
  db: Kysely<Database>,
  id: string,
  userId: string,
): Promise<ChannelOfMember | null> => {
  const row = await db
    .selectFrom('channel')
    .innerJoin('membership', 'membership.group_id', 'channel.group_id')
    .innerJoin('group', 'group.id', 'channel.group_id')
    .selectAll('channel')
    .select(['membership.role', 'group.kind'])
    .where('channel.id', '=', id)
    .where('channel.deleted_at', 'is', null)
    .where('membership.user_id', '=', userId)
    .where('membership.status', '=', ACTIVE)
    .$castTo<ChannelOfMember>()
    .executeTakeFirst()
  return row ?? null
}

/** Also a deleted one. */
export const findAnyChannel = async (db: Kysely<Database>, id: string): Promise<ChannelRow | null> =>
  (await db.selectFrom('channel').selectAll().where('id', '=', id).executeTakeFirst()) ?? null

export const countChannels = async (db: Kysely<Database>, groupId: string): Promise<number> => {
  const { rows } = await db
    .selectFrom('channel')
    .select((eb) => eb.fn.countAll<number>().as('rows'))
    .where('group_id', '=', groupId)
    .where('deleted_at', 'is', null)
    .executeTakeFirstOrThrow()
  return rows
}

/** Null when the id is taken. */
export const insertChannel = async (
  trx: Kysely<Database>,
  channel: Insertable<ChannelTable>,
): Promise<ChannelRow | null> =>
  (await trx
    .insertInto('channel')
    .values(channel)
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst()) ?? null

/** Its version grows by one. */
export const updateChannel = (trx: Kysely<Database>, id: string, set: Updateable<ChannelTable>): Promise<ChannelRow> =>
  trx
    .updateTable('channel')
    .set(set)
    .set((eb) => ({ version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()

/** The links to documents of these channels. */
export const listShareIds = async (db: Kysely<Database>, channelIds: readonly string[]): Promise<string[]> => {
  if (channelIds.length === 0) return []
  const rows = await db.selectFrom('share').select('id').where('channel_id', 'in', channelIds).execute()
  return rows.map(({ id }) => id)
}

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
