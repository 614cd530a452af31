// Rows of failed logins, by a hash of the name that was tried. Counting takes the row first and keeps it until the
// transaction ends, so of many tries at once each is counted.
import type { Kysely, Selectable } from 'kysely'
import type { Database, LoginFailureTable } from './schema.ts'

export type LoginFailureRow = Selectable<LoginFailureTable>

/** The row as it is, made when there is none; others who want it wait for the end of the transaction. */
export const lockLoginFailure = (trx: Kysely<Database>, nameHash: string, now: number): Promise<LoginFailureRow> =>
  trx
    .insertInto('login_failure')
    .values({ name_hash: nameHash, failures: 0, last_at: now, locked_until: 0 })
    .onConflict((conflict) =>
      conflict.column('name_hash').doUpdateSet((eb) => ({ failures: eb.ref('login_failure.failures') })),
    )
    .returningAll()
    .executeTakeFirstOrThrow()

export const updateLoginFailure = async (
  trx: Kysely<Database>,
  { name_hash, ...row }: LoginFailureRow,
): Promise<void> => {
  await trx.updateTable('login_failure').set(row).where('name_hash', '=', name_hash).execute()
}

export const deleteLoginFailure = async (trx: Kysely<Database>, nameHash: string): Promise<void> => {
  await trx.deleteFrom('login_failure').where('name_hash', '=', nameHash).execute()
}

/** Forgets names that nobody has tried since `before`. */
export const deleteOldLoginFailures = async (db: Kysely<Database>, before: number): Promise<void> => {
  await db.deleteFrom('login_failure').where('last_at', '<', before).execute()
}
