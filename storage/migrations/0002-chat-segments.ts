// How many segments the chat of a channel has. The rows are the truth; every opening of a chat asks them.
import type { Kysely } from 'kysely'
import type { ColumnTypes } from '../dialects/column-types.ts'

export const up = async (db: Kysely<unknown>, types: ColumnTypes): Promise<void> => {
  await db.schema
    .alterTable('channel')
    .addColumn('segments', types.integer, (c) => c.notNull().defaultTo(1))
    .execute()
}
