// Versions of documents: the full state as it was when somebody named it, or every ten minutes of work.
import type { Kysely } from 'kysely'
import type { ColumnTypes } from '../dialects/column-types.ts'

export const up = async (db: Kysely<unknown>, types: ColumnTypes): Promise<void> => {
  await db.schema
    .createTable('document_version')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('document_id', types.integer, (c) => c.notNull().references('document.id'))
    .addColumn('label', 'text')
    .addColumn('created_by', 'text', (c) => c.references('user.id').onDelete('set null'))
    .addColumn('created_at', types.integer, (c) => c.notNull())
    .addColumn('is_automatic', types.integer, (c) => c.notNull())
    .addColumn('state', types.bytes, (c) => c.notNull())
    .execute()
  await db.schema
    .createIndex('document_version_order')
    .on('document_version')
    .columns(['document_id', 'created_at', 'id'])
    .execute()
}
