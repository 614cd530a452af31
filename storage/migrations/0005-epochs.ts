// The state in which a document's previous epoch ended: what a client of that epoch is sent, once, before it changes over.
import type { Kysely } from 'kysely'
import type { ColumnTypes } from '../dialects/column-types.ts'

export const up = async (db: Kysely<unknown>, types: ColumnTypes): Promise<void> => {
  await db.schema
    .createTable('previous_epoch')
    .addColumn('document_id', types.integer, (c) => c.primaryKey().references('document.id'))
    .addColumn('data', types.bytes, (c) => c.notNull())
    .execute()
}
