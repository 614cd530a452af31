// Accounts, groups, channels, and the update journal.
import type { Kysely } from 'kysely'
import type { ColumnTypes } from '../dialects/column-types.ts'

export const up = async (db: Kysely<unknown>, types: ColumnTypes): Promise<void> => {
  await db.schema
    .createTable('user')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('username', 'text', (c) => c.notNull().unique())
    .addColumn('email', 'text', (c) => c.unique())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('password_hash', 'text', (c) => c.notNull())
    .addColumn('created_at', types.integer, (c) => c.notNull())
    .execute()

  await db.schema
    .createTable('session')
    .addColumn('id_hash', 'text', (c) => c.primaryKey())
    .addColumn('family_id', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.notNull().references('user.id').onDelete('cascade'))
    .addColumn('device_id', 'text')
    .addColumn('user_agent', 'text')
    .addColumn('login_at', types.integer, (c) => c.notNull())
    .addColumn('created_at', types.integer, (c) => c.notNull())
    .addColumn('expires_at', types.integer, (c) => c.notNull())
    .addColumn('replaced_at', types.integer)
    .execute()
  await db.schema.createIndex('session_family').on('session').column('family_id').execute()
  await db.schema.createIndex('session_user').on('session').column('user_id').execute()

  await db.schema
    .createTable('group')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('description', 'text', (c) => c.notNull())
    .addColumn('timezone', 'text', (c) => c.notNull())
    .addColumn('check_in_frequency', 'text', (c) => c.notNull())
    .addColumn('access_code', 'text', (c) => c.notNull().unique())
    .addColumn('members_max', types.integer, (c) => c.notNull())
    .addColumn('created_by', 'text', (c) => c.references('user.id').onDelete('set null'))
    .addColumn('created_at', types.integer, (c) => c.notNull())
    .execute()

  await db.schema
    .createTable('membership')
    .addColumn('group_id', 'text', (c) => c.notNull().references('group.id').onDelete('cascade'))
    .addColumn('user_id', 'text', (c) => c.notNull().references('user.id').onDelete('cascade'))
    .addColumn('role', 'text', (c) => c.notNull())
    .addColumn('joined_at', types.integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('membership_pk', ['group_id', 'user_id'])
    .execute()
  await db.schema.createIndex('membership_user').on('membership').column('user_id').execute()

  await db.schema
    .createTable('channel')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('group_id', 'text', (c) => c.notNull().references('group.id').onDelete('cascade'))
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('created_by', 'text', (c) => c.references('user.id').onDelete('set null'))
    .addColumn('created_at', types.integer, (c) => c.notNull())
    .execute()
  await db.schema.createIndex('channel_group').on('channel').column('group_id').execute()

  await db.schema
    .createTable('document')
    .addColumn('id', types.serial, (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull().unique())
    .addColumn('head', types.integer, (c) => c.notNull())
    .addColumn('epoch', types.integer, (c) => c.notNull().defaultTo(0))
    .execute()

  // No foreign key: the append takes the id from the document's row in the same statement, and a check per row costs.
  await db.schema
    .createTable('document_update')
    .addColumn('document_id', types.integer, (c) => c.notNull())
    .addColumn('seq', types.integer, (c) => c.notNull())
    .addColumn('data', types.bytes, (c) => c.notNull())
    .addPrimaryKeyConstraint('document_update_pk', ['document_id', 'seq'])
    .execute()

  await db.schema
    .createTable('document_snapshot')
    .addColumn('document_id', types.integer, (c) => c.primaryKey().references('document.id'))
    .addColumn('up_to', types.integer, (c) => c.notNull())
    .addColumn('data', types.bytes, (c) => c.notNull())
    .execute()

  await db.schema
    .createTable('client_claim')
    .addColumn('document_id', types.integer, (c) => c.notNull().references('document.id'))
    .addColumn('client_id', types.integer, (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('client_claim_pk', ['document_id', 'client_id'])
    .execute()
}
