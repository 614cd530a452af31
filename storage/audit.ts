// Rows of the audit log: a chain that only grows. Knows the order, not the hashes: making those is the caller's.
import type { Kysely, Selectable } from 'kysely'
import type { AuditLogTable, Database } from './schema.ts'

export type AuditRow = Selectable<AuditLogTable>

/** The number and the hash of the newest entry; 0 and '' before the first. */
export interface AuditHead {
  readonly seq: number
  readonly hash: string
}

const HEAD = 1

/** Undefined when somebody took it away. */
export const readAuditHead = (db: Kysely<Database>): Promise<AuditHead | undefined> =>
  db.selectFrom('audit_head').select(['seq', 'hash']).where('id', '=', HEAD).executeTakeFirst()

/** Undefined when there is no such entry. */
export const findAuditHash = async (db: Kysely<Database>, seq: number): Promise<string | undefined> =>
  (await db.selectFrom('audit_log').select('hash').where('seq', '=', seq).executeTakeFirst())?.hash

/**
 * Adds the entry that `make` returns for the end of the chain as it is now. Takes the end first and keeps it until the
 * transaction ends, so it must be the last that a transaction does.
 */
export const appendAudit = async (trx: Kysely<Database>, make: (head: AuditHead) => AuditRow): Promise<void> => {
  const head = await trx
    .updateTable('audit_head')
    .set((eb) => ({ seq: eb('seq', '+', 1) }))
    .where('id', '=', HEAD)
    .returning(['seq', 'hash'])
    .executeTakeFirstOrThrow()
  const row = make({ seq: head.seq - 1, hash: head.hash })
  await trx.insertInto('audit_log').values(row).execute()
  await trx.updateTable('audit_head').set({ hash: row.hash }).where('id', '=', HEAD).execute()
}

/** Entries after `seq`, oldest first. */
export const listAudit = (db: Kysely<Database>, seq: number, limit: number): Promise<AuditRow[]> =>
  db.selectFrom('audit_log').selectAll().where('seq', '>', seq).orderBy('seq').limit(limit).execute()

export interface AuditPage {
  readonly head: AuditHead
  readonly rows: readonly AuditRow[]
}

/** The same, and the head as it was at that very moment. Null when there is no head. */
export const readAuditPage = async (db: Kysely<Database>, seq: number, limit: number): Promise<AuditPage | null> => {
  const found = await db
    .selectFrom('audit_head as head')
    .leftJoin('audit_log as log', (join) => join.on('log.seq', '>', seq))
    .select(['head.seq as head_seq', 'head.hash as head_hash'])
    .select(['log.seq', 'log.at', 'log.actor', 'log.action', 'log.target', 'log.details', 'log.hash'])
    .where('head.id', '=', HEAD)
    .orderBy('log.seq')
    .limit(limit)
    .execute()
  const [first] = found
  if (!first) return null
  const head = { seq: first.head_seq, hash: first.head_hash }
  // Without an entry the join gives one row of nulls.
  return { head, rows: first.seq === null ? [] : (found as AuditRow[]) }
}
