// A log to tamper with, and what a test needs to do it.
import assert from 'node:assert/strict'
import type { Kysely } from 'kysely'
import { type Audit, createAudit } from '../../server/audit.ts'
import { type AuditHead, listAudit, readAuditHead } from '../../storage/audit.ts'
import { openStorage, type Storage, type StorageLocation } from '../../storage/open.ts'
import type { Database } from '../../storage/schema.ts'

export const AUDIT_KEY = new Uint8Array(32).fill(7)
export const TAMPERINGS = 100

export const add = ({ db }: Storage, audit: Audit, entry: Parameters<Audit['add']>[1]): Promise<void> =>
  db.transaction().execute((trx) => audit.add(trx, entry))

/** What a database, or JSON, might not keep as it is. */
const HOSTILE = ['', 'a\0b', '\ud800', '"]},[', 'é', 'e\u0301', ' x ', '1', '\u2028']

export const openChain = async (location: StorageLocation, entries: number) => {
  const storage = await openStorage(location)
  let time = 1_000
  const audit = createAudit({ key: AUDIT_KEY, now: () => ++time })
  for (let index = 0; index < entries; index++) {
    const odd = HOSTILE[index % HOSTILE.length] as string
    const actor = index % 3 === 0 ? null : `user-${odd}${index % 2}`
    await add(storage, audit, { actor, action: 'member.joined', target: odd, details: { odd, index } })
  }
  return { storage, audit, [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose]() }
}

export const mustHead = async (db: Kysely<Database>): Promise<AuditHead> => {
  const head = await readAuditHead(db)
  assert.ok(head)
  return head
}

export const setHead = (trx: Kysely<Database>, head: Partial<AuditHead>) =>
  trx.updateTable('audit_head').set(head).where('id', '=', 1).execute()

/** Makes the head say that the log ends there. */
export const endAt = async (trx: Kysely<Database>, seq: number): Promise<void> => {
  const row = (await listAudit(trx, seq - 1, 1))[0]
  await setHead(trx, { seq, hash: seq === 0 ? '' : (row?.hash ?? '') })
}
