// Writes on sockets that were refused, told to the audit log: once in a while for each person and document, because a
// client that keeps trying would fill it.
import type { Kysely } from 'kysely'
import type { Database } from '../storage/schema.ts'
import type { Audit } from './audit.ts'
import type { Logger } from './log.ts'

const EVERY_MS = 60_000
/** What is remembered, and what waits for the database; more than that is not told. */
const REMEMBERED_MAX = 10_000
const WAITING_MAX = 100

export interface Refusal {
  readonly userId: string
  readonly document: string
  readonly code: string
}

export interface Refusals extends AsyncDisposable {
  readonly tell: (refusal: Refusal) => void
}

export interface RefusalsDeps {
  readonly db: Kysely<Database>
  readonly audit: Audit
  readonly log: Logger
  readonly now: () => number
}

export const createRefusals = ({ db, audit, log, now }: RefusalsDeps): Refusals => {
  /** When each was told, oldest first. */
  const told = new Map<string, number>()
  const waiting = new Set<Promise<void>>()

  const forget = (): void => {
    for (const [key, at] of told) {
      if (at > now() - EVERY_MS && told.size < REMEMBERED_MAX) return
      told.delete(key)
    }
  }

  const write = async ({ userId, document, code }: Refusal): Promise<void> => {
    try {
      await db
        .transaction()
        .execute((trx) =>
          audit.add(trx, { actor: userId, action: 'write.refused', target: document, details: { code } }),
        )
    } catch (error) {
      log.warn('audit.refusal-not-told', { error })
    }
  }

  return {
    tell: (refusal) => {
      forget()
      const key = `${refusal.userId} ${refusal.document}`
      if (told.has(key) || waiting.size >= WAITING_MAX) return
      told.set(key, now())
      const written = write(refusal).finally(() => waiting.delete(written))
      waiting.add(written)
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(waiting)
    },
  }
}
