// Rows of people: accounts by id, user name or e-mail. What is unique is decided by the database, not by asking first.
import type { Kysely, Selectable } from 'kysely'
import type { Database, UserTable } from './schema.ts'

export type UserRow = Selectable<UserTable>

/** Null when the id, the user name or the e-mail is taken. */
export const insertUser = async (db: Kysely<Database>, user: UserRow): Promise<UserRow | null> => {
  const inserted = await db
    .insertInto('user')
    .values(user)
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()
  return inserted ? user : null
}

const users = (db: Kysely<Database>) =>
  db.selectFrom('user').select(['id', 'username', 'email', 'name', 'password_hash', 'created_at'])

export const findUserById = async (db: Kysely<Database>, id: string): Promise<UserRow | null> =>
  (await users(db).where('id', '=', id).executeTakeFirst()) ?? null

export const findUserByUsername = async (db: Kysely<Database>, username: string): Promise<UserRow | null> =>
  (await users(db).where('username', '=', username).executeTakeFirst()) ?? null

export const findUserByEmail = async (db: Kysely<Database>, email: string): Promise<UserRow | null> =>
  (await users(db).where('email', '=', email).executeTakeFirst()) ?? null

/**
 * Makes other transactions that lock the same user wait until this one ends; false when there is no such user. An
 * update that changes nothing locks on both databases, and unlike `for update` it leaves foreign keys to be checked.
 */
export const lockUser = async (trx: Kysely<Database>, id: string): Promise<boolean> => {
  const locked = await trx
    .updateTable('user')
    .set((eb) => ({ created_at: eb.ref('created_at') }))
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst()
  return locked !== undefined
}
