// Rows of socket tickets: each opens one socket, once; only its hash is here.
import type { Insertable, Kysely, Selectable } from 'kysely'
import type { Database, TicketTable } from './schema.ts'

export const insertTicket = async (db: Kysely<Database>, row: Insertable<TicketTable>): Promise<void> => {
  await db.insertInto('ticket').values(row).execute()
}

/** Takes the ticket out of the table: of many who ask at once one gets it. Null when it is unknown, used or over. */
export const takeTicket = async (
  db: Kysely<Database>,
  idHash: string,
  now: number,
): Promise<Selectable<TicketTable> | null> => {
  const row = await db.deleteFrom('ticket').where('id_hash', '=', idHash).returningAll().executeTakeFirst()
  return row && row.expires_at > now ? row : null
}

export const deleteExpiredTickets = async (db: Kysely<Database>, now: number): Promise<void> => {
  await db.deleteFrom('ticket').where('expires_at', '<=', now).execute()
}
