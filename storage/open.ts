// Opens the database that the settings name, brings its tables up to date, and hands out the executor that every store
// is built from.
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type CompiledQuery, Kysely, type QueryResult } from 'kysely'
import { migrate } from './migrations/migrate.ts'
import { openPostgres, POSTGRES_COLUMN_TYPES } from './dialects/postgres.ts'
import { openSqlite, SQLITE_COLUMN_TYPES } from './dialects/sqlite.ts'
import type { Database } from './schema.ts'

export interface Storage extends AsyncDisposable {
  readonly db: Kysely<Database>
  /** Runs the queries in one transaction, in one go: the path of the journal, where round trips count. */
  readonly atomically: (queries: readonly CompiledQuery[]) => Promise<QueryResult<unknown>[]>
}

export type StorageLocation =
  | { readonly sqlite: string; readonly synchronous?: 'FULL' | 'NORMAL' }
  | { readonly postgres: string }

export const openStorage = async (location: StorageLocation): Promise<Storage> => {
  const sqlite = 'sqlite' in location
  if (sqlite) await mkdir(dirname(location.sqlite), { recursive: true })
  const { dialect, atomically } = sqlite
    ? await openSqlite(location.sqlite, location.synchronous)
    : openPostgres(location.postgres)
  const db = new Kysely<Database>({ dialect })
  try {
    await migrate(db, sqlite ? SQLITE_COLUMN_TYPES : POSTGRES_COLUMN_TYPES)
  } catch (error) {
    await db.destroy()
    throw error
  }
  return { db, atomically, [Symbol.asyncDispose]: () => db.destroy() }
}
