// Rows of people: accounts by id, user name or e-mail, and who finds whom. What is unique is decided by the database, not
// by asking first.
import type { Insertable, Kysely, Selectable, Updateable } from 'kysely'
import { readPrivacy } from '../shared/privacy.ts'
import { ACTIVE } from './access.ts'
import type { Database, UserTable } from './schema.ts'
import { searchTerms } from './search-terms.ts'

export type UserRow = Selectable<UserTable>

/** Makes somebody be found by what the row says now. */
const indexUser = async (db: Kysely<Database>, user: UserRow): Promise<void> => {
  const audience = readPrivacy(user.privacy).profile
  await db.deleteFrom('user_search').where('user_id', '=', user.id).execute()
  const rows = searchTerms(user).map((term) => ({ user_id: user.id, term, audience }))
  await db.insertInto('user_search').values(rows).execute()
}

/** Null when the id, the user name or the e-mail is taken. */
export const insertUser = async (db: Kysely<Database>, user: Insertable<UserTable>): Promise<UserRow | null> => {
  const inserted = await db
    .insertInto('user')
    .values(user)
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst()
  if (!inserted) return null
  await indexUser(db, inserted)
  return inserted
}

/** Null when there is no such user. */
export const updateUser = async (
  trx: Kysely<Database>,
  id: string,
  changes: Pick<Updateable<UserTable>, 'name' | 'about' | 'avatar' | 'timezone' | 'privacy'>,
): Promise<UserRow | null> => {
  const updated = await trx.updateTable('user').set(changes).where('id', '=', id).returningAll().executeTakeFirst()
  if (!updated) return null
  if (changes.name !== undefined || changes.privacy !== undefined) await indexUser(trx, updated)
  return updated
}

export const markActive = async (trx: Kysely<Database>, id: string, now: number): Promise<void> => {
  await trx.updateTable('user').set({ last_active_at: now }).where('id', '=', id).execute()
}

/** The row after it; null when there is no such user. */
export const markLogin = async (trx: Kysely<Database>, id: string, now: number): Promise<UserRow | null> => {
  const times = { last_login_at: now, last_active_at: now }
  return (await trx.updateTable('user').set(times).where('id', '=', id).returningAll().executeTakeFirst()) ?? null
}

/** False when the hash is not `from` any more. Locks the user, as `lockUser` does. */
export const replacePasswordHash = async (
  trx: Kysely<Database>,
  { id, from, to }: { readonly id: string; readonly from: string; readonly to: string },
): Promise<boolean> => {
  const { numUpdatedRows } = await trx
    .updateTable('user')
    .set({ password_hash: to })
    .where('id', '=', id)
    .where('password_hash', '=', from)
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

const users = (db: Kysely<Database>) => db.selectFrom('user').selectAll()

export const findUserById = async (db: Kysely<Database>, id: string): Promise<UserRow | null> =>
  (await users(db).where('id', '=', id).executeTakeFirst()) ?? null

export const findUserByUsername = async (db: Kysely<Database>, username: string): Promise<UserRow | null> =>
  (await users(db).where('username', '=', username).executeTakeFirst()) ?? null

export const findUserByEmail = async (db: Kysely<Database>, email: string): Promise<UserRow | null> =>
  (await users(db).where('email', '=', email).executeTakeFirst()) ?? null

export type FoundUser = Pick<UserRow, 'id' | 'username' | 'name' | 'about' | 'avatar'>

/** The people whom `viewer` may find: everybody who is public, friends in a group of both, and themselves. */
const visibleTerms = (db: Kysely<Database>, viewer: string) =>
  db.selectFrom('user_search').where((eb) =>
    eb.or([
      eb('user_search.user_id', '=', viewer),
      eb('user_search.audience', '=', 'public'),
      eb.and([
        eb('user_search.audience', '=', 'friends'),
        eb.exists(
          eb
            .selectFrom('membership as mine')
            .innerJoin('membership as theirs', 'theirs.group_id', 'mine.group_id')
            .innerJoin('group', 'group.id', 'mine.group_id')
            .select('mine.group_id')
            .where('mine.user_id', '=', viewer)
            .where('mine.status', '=', ACTIVE)
            // Whoever writes to somebody directly is no friend of theirs by that.
            .where('group.kind', '=', 'group')
            .where('theirs.status', '=', ACTIVE)
            .whereRef('theirs.user_id', '=', 'user_search.user_id'),
        ),
      ]),
    ]),
  )

const found = (db: Kysely<Database>) => db.selectFrom('user').select(['id', 'username', 'name', 'about', 'avatar'])

/** Sorts behind everything that begins with the text before it. */
const LAST_CHARACTER = '\u{10FFFF}'

/** Those of whom a term begins with `folded` (`foldName`), in the order of their user names. */
export const searchUsers = (
  db: Kysely<Database>,
  { viewer, folded, limit }: { readonly viewer: string; readonly folded: string; readonly limit: number },
): Promise<FoundUser[]> =>
  found(db)
    .where(
      'id',
      'in',
      visibleTerms(db, viewer)
        .select('user_search.user_id')
        .where('user_search.term', '>=', folded)
        .where('user_search.term', '<', folded + LAST_CHARACTER),
    )
    .orderBy('username')
    .limit(limit)
    .execute()

/** Null for who is not there, and for who is not to be found by `viewer`. */
export const findVisibleUser = async (db: Kysely<Database>, viewer: string, id: string): Promise<FoundUser | null> => {
  const visible = visibleTerms(db, viewer).select('user_search.user_id').where('user_search.user_id', '=', id)
  return (await found(db).where('id', 'in', visible).executeTakeFirst()) ?? null
}

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
