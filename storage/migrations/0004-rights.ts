// Profiles, roles and their limits, invites, share links, tickets, and what guards logins and repeats; the audit log.
import { type Kysely, sql } from 'kysely'
import type { ColumnTypes } from '../dialects/column-types.ts'
import { searchTerms } from '../search-terms.ts'

const profiles = async (db: Kysely<unknown>, types: ColumnTypes): Promise<void> => {
  const user = db.schema.alterTable('user')
  await user.addColumn('about', 'text', (c) => c.notNull().defaultTo('')).execute()
  await user.addColumn('avatar', 'text').execute()
  await user.addColumn('timezone', 'text', (c) => c.notNull().defaultTo('UTC')).execute()
  await user.addColumn('privacy', 'text', (c) => c.notNull().defaultTo('{}')).execute()
  await user.addColumn('last_login_at', types.integer).execute()
  await user.addColumn('last_active_at', types.integer).execute()

  await db.schema
    .createTable('user_search')
    .addColumn('user_id', 'text', (c) => c.notNull().references('user.id').onDelete('cascade'))
    .addColumn('term', types.sorted, (c) => c.notNull())
    .addColumn('audience', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('user_search_pk', ['user_id', 'term'])
    .execute()
  await db.schema.createIndex('user_search_term').on('user_search').column('term').execute()
  const { rows } = await sql<{ id: string; username: string; name: string }>`
    select id, username, name from "user"`.execute(db)
  for (const { id, ...names } of rows) {
    for (const term of searchTerms(names)) {
      await sql`insert into user_search (user_id, term, audience) values (${id}, ${term}, 'friends')`.execute(db)
    }
  }

  const session = db.schema.alterTable('session')
  await session.addColumn('ip', 'text').execute()
  await session.addColumn('device_name', 'text').execute()
}

const groups = async (db: Kysely<unknown>, types: ColumnTypes): Promise<void> => {
  const group = db.schema.alterTable('group')
  // Codes were stored as they are; who made one then makes a new one. The column holds a hash from here on.
  await sql`update "group" set access_code = 'none:' || id`.execute(db)
  await group.addColumn('code_sealed', 'text', (c) => c.notNull().defaultTo('')).execute()
  await group.addColumn('code_expires_at', types.integer).execute()
  await group.addColumn('code_uses_left', types.integer).execute()
  await group.addColumn('kind', 'text', (c) => c.notNull().defaultTo('group')).execute()
  await group.addColumn('avatar', 'text').execute()
  await group.addColumn('allow_member_invite', types.integer, (c) => c.notNull().defaultTo(0)).execute()
  await group.addColumn('version', types.integer, (c) => c.notNull().defaultTo(1)).execute()
  await group.addColumn('deleted_at', types.integer).execute()

  const membership = db.schema.alterTable('membership')
  await membership.addColumn('status', 'text', (c) => c.notNull().defaultTo('active')).execute()
  await membership.addColumn('can_invite', types.integer, (c) => c.notNull().defaultTo(0)).execute()
  await membership.addColumn('can_kick', types.integer, (c) => c.notNull().defaultTo(0)).execute()

  const channel = db.schema.alterTable('channel')
  await channel.addColumn('version', types.integer, (c) => c.notNull().defaultTo(1)).execute()
  await channel.addColumn('deleted_at', types.integer).execute()

  await db.schema
    .createTable('invite')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('group_id', 'text', (c) => c.notNull().references('group.id').onDelete('cascade'))
    .addColumn('user_id', 'text', (c) => c.notNull().references('user.id').onDelete('cascade'))
    .addColumn('role', 'text', (c) => c.notNull())
    .addColumn('invited_by', 'text', (c) => c.references('user.id').onDelete('set null'))
    .addColumn('created_at', types.integer, (c) => c.notNull())
    .addColumn('expires_at', types.integer, (c) => c.notNull())
    .addUniqueConstraint('invite_once', ['group_id', 'user_id'])
    .execute()
  await db.schema.createIndex('invite_user').on('invite').column('user_id').execute()

  await db.schema
    .createTable('share')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('secret_hash', 'text', (c) => c.notNull().unique())
    .addColumn('channel_id', 'text', (c) => c.notNull().references('channel.id').onDelete('cascade'))
    .addColumn('document', 'text', (c) => c.notNull())
    .addColumn('role', 'text', (c) => c.notNull())
    .addColumn('created_by', 'text', (c) => c.references('user.id').onDelete('set null'))
    .addColumn('created_at', types.integer, (c) => c.notNull())
    .addColumn('expires_at', types.integer)
    .execute()
  await db.schema.createIndex('share_channel').on('share').column('channel_id').execute()
}

const guards = async (db: Kysely<unknown>, types: ColumnTypes): Promise<void> => {
  await db.schema
    .createTable('ticket')
    .addColumn('id_hash', 'text', (c) => c.primaryKey())
    .addColumn('family_id', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.notNull().references('user.id').onDelete('cascade'))
    .addColumn('expires_at', types.integer, (c) => c.notNull())
    .execute()
  await db.schema.createIndex('ticket_end').on('ticket').column('expires_at').execute()

  await db.schema
    .createTable('login_failure')
    .addColumn('name_hash', 'text', (c) => c.primaryKey())
    .addColumn('failures', types.integer, (c) => c.notNull())
    .addColumn('last_at', types.integer, (c) => c.notNull())
    .addColumn('locked_until', types.integer, (c) => c.notNull())
    .execute()
  await db.schema.createIndex('login_failure_age').on('login_failure').column('last_at').execute()

  await db.schema
    .createTable('idempotency')
    .addColumn('key_hash', 'text', (c) => c.primaryKey())
    .addColumn('request_hash', 'text', (c) => c.notNull())
    .addColumn('status', types.integer)
    .addColumn('answer_sealed', 'text')
    .addColumn('created_at', types.integer, (c) => c.notNull())
    .execute()
  await db.schema.createIndex('idempotency_age').on('idempotency').column('created_at').execute()

  await db.schema
    .createTable('audit_log')
    .addColumn('seq', types.integer, (c) => c.primaryKey())
    .addColumn('at', types.integer, (c) => c.notNull())
    .addColumn('actor', 'text')
    .addColumn('action', 'text', (c) => c.notNull())
    .addColumn('target', 'text')
    .addColumn('details', 'text', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .execute()
  await db.schema
    .createTable('audit_head')
    .addColumn('id', types.integer, (c) => c.primaryKey())
    .addColumn('seq', types.integer, (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .execute()
  await sql`insert into audit_head (id, seq, hash) values (1, 0, '')`.execute(db)
}

export const up = async (db: Kysely<unknown>, types: ColumnTypes): Promise<void> => {
  await profiles(db, types)
  await groups(db, types)
  await guards(db, types)
}
