// Brings the tables to the newest version, each step once. Kysely keeps the record of what ran.
import type { Kysely } from 'kysely'
import { Migrator } from 'kysely/migration'
import type { ColumnTypes } from '../dialects/column-types.ts'
import * as initial from './0001-initial.ts'
import * as chatSegments from './0002-chat-segments.ts'
import * as documentVersions from './0003-document-versions.ts'
import * as rights from './0004-rights.ts'
import * as epochs from './0005-epochs.ts'

const MIGRATIONS = {
  '0001-initial': initial,
  '0002-chat-segments': chatSegments,
  '0003-document-versions': documentVersions,
  '0004-rights': rights,
  '0005-epochs': epochs,
}

export const migrate = async <Tables>(db: Kysely<Tables>, types: ColumnTypes): Promise<void> => {
  const migrations = Object.fromEntries(
    Object.entries(MIGRATIONS).map(([name, { up }]) => [name, { up: (inner: Kysely<unknown>) => up(inner, types) }]),
  )
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
  const { error } = await migrator.migrateToLatest()
  if (error) throw error
}
