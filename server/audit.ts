// The audit log: who did what to whom, as a chain. Each entry's hash is an HMAC over the entry and the hash before it,
// with a key outside the database, so nobody who has only the database can change, cut or reorder it unseen.
import { createHmac } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Json } from '../shared/json.ts'
import { appendAudit, type AuditHead, type AuditRow, readAuditPage } from '../storage/audit.ts'
import type { Database } from '../storage/schema.ts'

export interface AuditEntry {
  /** A user id; null for what nobody logged in did, or the server itself. */
  readonly actor: string | null
  /** `area.what`, such as `member.kicked`. */
  readonly action: string
  /** The id of what it was done to. */
  readonly target?: string | null
  readonly details?: Readonly<Record<string, Json>>
}

export interface Audit {
  /** Adds an entry in the transaction of what it tells, as the last that the transaction does. */
  readonly add: (trx: Kysely<Database>, entry: AuditEntry) => Promise<void>
}

/** What an entry's hash must be. Fields in a fixed order, so that there is one text for each entry. */
export const hashOf = (key: Uint8Array, row: Omit<AuditRow, 'hash'>, before: string): string =>
  createHmac('sha256', key)
    .update(JSON.stringify([before, row.seq, row.at, row.actor, row.action, row.target, row.details]))
    .digest('hex')

/** What no database keeps as it is would look like a change later on. */
const toStorable = (text: string | null): string | null => text?.toWellFormed().replaceAll('\0', '') ?? null

export const createAudit = ({ key, now }: { readonly key: Uint8Array; readonly now: () => number }): Audit => ({
  add: (trx, { actor, action, target = null, details = {} }) =>
    appendAudit(trx, ({ seq, hash: before }: AuditHead) => {
      const names = { actor: toStorable(actor), action, target: toStorable(target) }
      const row = { seq: seq + 1, at: now(), ...names, details: JSON.stringify(details) }
      return { ...row, hash: hashOf(key, row, before) }
    }),
})

export interface AuditFinding {
  /** Good ones, from the first on. */
  readonly entries: number
  /** The first that is not what was written, or not there. */
  readonly broken: { readonly seq: number; readonly why: string } | null
}

const PAGE_LENGTH = 1_000

/** What is wrong with the entry that comes after `last`; null when nothing is. */
const findFault = (key: Uint8Array, row: AuditRow, last: AuditHead, anchor: AuditHead | null): string | null => {
  if (row.seq !== last.seq + 1) return row.seq > last.seq ? 'it is missing' : 'an entry was put in before it'
  if (row.hash !== hashOf(key, row, last.hash)) return 'it, or what came before it, is not what was written'
  if (row.seq === anchor?.seq && row.hash !== anchor.hash) return 'it is another than the anchor says'
  return null
}

/**
 * Reads the whole chain, while others may add to it. `anchor` is an end that the chain is known to have had; it must have
 * been read before.
 */
export const verifyAudit = async (
  db: Kysely<Database>,
  key: Uint8Array,
  anchor: AuditHead | null,
): Promise<AuditFinding> => {
  let last: AuditHead = { seq: 0, hash: '' }
  const broken = (why: string): AuditFinding => ({ entries: last.seq, broken: { seq: last.seq + 1, why } })
  for (;;) {
    // Before the first entry there must be nothing either.
    const page = await readAuditPage(db, last.seq || Number.MIN_SAFE_INTEGER, PAGE_LENGTH)
    if (!page) return broken('the log has no head')
    for (const row of page.rows) {
      const fault = findFault(key, row, last, anchor)
      if (fault !== null) return broken(fault)
      last = { seq: row.seq, hash: row.hash }
    }
    if (page.rows.length === PAGE_LENGTH) continue
    const { head } = page
    if (head.seq > last.seq) return broken('it is missing, though the head of the log knows it')
    if (head.seq !== last.seq || head.hash !== last.hash)
      return broken('the head of the log is not the entry before it')
    if (anchor && anchor.seq > last.seq) return broken(`it is missing, though the anchor knows ${anchor.seq}`)
    return { entries: last.seq, broken: null }
  }
}
