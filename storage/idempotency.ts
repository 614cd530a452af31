// Rows of answers that are kept for repeats. Knows who may take a key and when, not what is in an answer.
import type { Kysely, Selectable } from 'kysely'
import type { Database, IdempotencyTable } from './schema.ts'

export type KeptAnswer = Pick<Selectable<IdempotencyTable>, 'request_hash' | 'status' | 'answer_sealed'>

export interface Claim {
  readonly keyHash: string
  readonly requestHash: string
  readonly now: number
  /** A row without an answer from before then belongs to a request that was cut off, and may be taken. */
  readonly runningSince: number
  /** The same for every row from before then. */
  readonly keptSince: number
}

/** Null when the key is now the caller's; else what it is taken by. Of many at once, one gets it. */
export const claimKey = async (
  db: Kysely<Database>,
  { keyHash, requestHash, now, runningSince, keptSince }: Claim,
): Promise<KeptAnswer | null> => {
  const empty = { request_hash: requestHash, status: null, answer_sealed: null, created_at: now }
  const taken = await db
    .insertInto('idempotency')
    .values({ key_hash: keyHash, ...empty })
    .onConflict((conflict) =>
      conflict
        .column('key_hash')
        .doUpdateSet(empty)
        .where((eb) =>
          eb.or([
            eb('idempotency.created_at', '<', keptSince),
            eb.and([eb('idempotency.status', 'is', null), eb('idempotency.created_at', '<', runningSince)]),
          ]),
        ),
    )
    .returning('key_hash')
    .executeTakeFirst()
  if (taken) return null
  const row = await db
    .selectFrom('idempotency')
    .select(['request_hash', 'status', 'answer_sealed'])
    .where('key_hash', '=', keyHash)
    .executeTakeFirst()
  // Given up by another request between the two statements: as good as running, the caller comes again.
  return row ?? { request_hash: requestHash, status: null, answer_sealed: null }
}

/** Nothing happens when somebody else has taken the key since. */
export const keepAnswer = async (
  db: Kysely<Database>,
  { keyHash, now }: Pick<Claim, 'keyHash' | 'now'>,
  answer: { readonly status: number; readonly answer_sealed: string },
): Promise<void> => {
  await db
    .updateTable('idempotency')
    .set(answer)
    .where('key_hash', '=', keyHash)
    .where('created_at', '=', now)
    .where('status', 'is', null)
    .execute()
}

/** The same: only while it is still the caller's. */
export const giveUpKey = async (
  db: Kysely<Database>,
  { keyHash, now }: Pick<Claim, 'keyHash' | 'now'>,
): Promise<void> => {
  await db
    .deleteFrom('idempotency')
    .where('key_hash', '=', keyHash)
    .where('created_at', '=', now)
    .where('status', 'is', null)
    .execute()
}

export const sweepAnswers = async (db: Kysely<Database>, keptSince: number): Promise<void> => {
  await db.deleteFrom('idempotency').where('created_at', '<', keptSince).execute()
}
