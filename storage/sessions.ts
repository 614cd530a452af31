// Rows of sessions: one per refresh token, known by its hash. A family is one login; its newest row is the one that is
// not replaced. Whoever changes a family in a transaction locks the user first (`lockUser`).
import type { Insertable, Kysely, Selectable } from 'kysely'
import type { Database, SessionTable } from './schema.ts'

export type SessionRow = Selectable<SessionTable>

const COLUMNS = [
  'id_hash',
  'family_id',
  'user_id',
  'device_id',
  'user_agent',
  'login_at',
  'created_at',
  'expires_at',
  'replaced_at',
  'ip',
  'device_name',
] as const

export const insertSession = async (db: Kysely<Database>, row: Insertable<SessionTable>): Promise<void> => {
  await db.insertInto('session').values(row).execute()
}

export const findSession = async (db: Kysely<Database>, idHash: string): Promise<SessionRow | null> =>
  (await db.selectFrom('session').select(COLUMNS).where('id_hash', '=', idHash).executeTakeFirst()) ?? null

/** The newest row of a login that is still good. */
export const findLiveFamily = async (
  db: Kysely<Database>,
  userId: string,
  familyId: string,
  now: number,
): Promise<SessionRow | null> => {
  const row = await db
    .selectFrom('session')
    .select(COLUMNS)
    .where('family_id', '=', familyId)
    .where('user_id', '=', userId)
    .where('replaced_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return row ?? null
}

/** Its successor has what is kept of the login's address. */
export const markReplaced = async (db: Kysely<Database>, idHash: string, now: number): Promise<void> => {
  await db.updateTable('session').set({ replaced_at: now, ip: null }).where('id_hash', '=', idHash).execute()
}

/** The newest row of each login that is still good, newest login first. */
export const listLiveSessions = (db: Kysely<Database>, userId: string, now: number): Promise<SessionRow[]> =>
  db
    .selectFrom('session')
    .select(COLUMNS)
    .where('user_id', '=', userId)
    .where('replaced_at', 'is', null)
    .where('expires_at', '>', now)
    .orderBy('login_at', 'desc')
    .orderBy('family_id')
    .execute()

export const isFamilyLive = async (db: Kysely<Database>, familyId: string, now: number): Promise<boolean> => {
  const live = await db
    .selectFrom('session')
    .select('family_id')
    .where('family_id', '=', familyId)
    .where('replaced_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return live !== undefined
}

export const deleteSession = async (db: Kysely<Database>, idHash: string): Promise<void> => {
  await db.deleteFrom('session').where('id_hash', '=', idHash).execute()
}

/** False when the user has no such family. */
export const deleteFamily = async (db: Kysely<Database>, userId: string, familyId: string): Promise<boolean> => {
  const { numDeletedRows } = await db
    .deleteFrom('session')
    .where('family_id', '=', familyId)
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  return numDeletedRows > 0n
}

export const deleteSessionsOfUser = async (db: Kysely<Database>, userId: string): Promise<void> => {
  await db.deleteFrom('session').where('user_id', '=', userId).execute()
}

export const listUsersWithExpiredSessions = async (db: Kysely<Database>, now: number): Promise<string[]> => {
  const rows = await db.selectFrom('session').select('user_id').distinct().where('expires_at', '<=', now).execute()
  return rows.map(({ user_id }) => user_id)
}

export const deleteExpiredSessions = async (db: Kysely<Database>, now: number, userId?: string): Promise<void> => {
  let query = db.deleteFrom('session').where('expires_at', '<=', now)
  if (userId !== undefined) query = query.where('user_id', '=', userId)
  await query.execute()
}
