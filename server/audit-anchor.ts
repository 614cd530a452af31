// The anchor of the audit log: a file that says which end the chain has had. Without it, who can write to the database
// could cut off the newest entries unseen, because what is left of a chain is a chain.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import { type AuditHead, findAuditHash, readAuditHead } from '../storage/audit.ts'
import type { Database } from '../storage/schema.ts'
import type { Logger } from './log.ts'
import { repeatEvery } from './repeat.ts'
import { isCode, syncFolder } from './secret.ts'

const FILE = 'audit.anchor'
const EVERY_MS = 1_000

const LINE = /^(\d{1,16}) ([0-9a-f]{64}) ([0-9a-f]{64})\n$/

const macOf = (key: Uint8Array, { seq, hash }: AuditHead): Buffer =>
  createHmac('sha256', key).update(`anchor ${seq} ${hash}`).digest()

/** Null when there is none; throws when it was not written by `writeAnchor` with this key. */
export const readAnchor = async (dataDir: string, key: Uint8Array): Promise<AuditHead | null> => {
  const path = join(dataDir, FILE)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null
    throw error
  }
  const [, seq, hash = '', mac = ''] = LINE.exec(text) ?? []
  const anchor = { seq: Number(seq), hash }
  if (seq === undefined || !timingSafeEqual(Buffer.from(mac, 'hex'), macOf(key, anchor)))
    throw new Error(`${path} was changed, or written under another key`)
  return anchor
}

/** Whole or not at all, and there after a power cut. */
export const writeAnchor = async (dataDir: string, key: Uint8Array, anchor: AuditHead): Promise<void> => {
  const path = join(dataDir, FILE)
  const draft = `${path}.new`
  const file = await open(draft, 'w', 0o600)
  try {
    await file.writeFile(`${anchor.seq} ${anchor.hash} ${macOf(key, anchor).toString('hex')}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
  await syncFolder(dataDir)
}

export interface AnchorDeps {
  readonly db: Kysely<Database>
  readonly key: Uint8Array
  readonly dataDir: string
  readonly log: Logger
}

/**
 * Keeps the anchor at the end of the chain: at most a second behind, and level with it when disposed. An anchor that the
 * chain does not lead on from is left as it is, for it shows what was cut off.
 */
export const keepAnchor = ({ db, key, dataDir, log }: AnchorDeps): AsyncDisposable => {
  let anchor: AuditHead | null | undefined
  let isTroubled = false
  const complain = (event: string, fields: object): void => {
    if (!isTroubled) log.error(event, { ...fields })
    isTroubled = true
  }

  const keep = async (): Promise<void> => {
    try {
      anchor ??= await readAnchor(dataDir, key)
      const head = await readAuditHead(db)
      if (!head || head.seq === (anchor?.seq ?? 0)) return
      if (anchor && (await findAuditHash(db, anchor.seq)) !== anchor.hash) {
        complain('audit.cut-off', { anchored: anchor.seq, found: head.seq })
        return
      }
      await writeAnchor(dataDir, key, head)
      anchor = head
      isTroubled = false
    } catch (error) {
      complain('audit.not-anchored', { error })
    }
  }

  const kept = repeatEvery(EVERY_MS, keep)
  return {
    [Symbol.asyncDispose]: async () => {
      await kept[Symbol.asyncDispose]()
      await keep()
    },
  }
}
