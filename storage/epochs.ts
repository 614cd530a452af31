// Epochs of a document: its history is dropped, what it holds goes on under another client id (`shared/epoch.ts`). The
// client ids of the old epoch stay claimed, by nobody: that is how a client that still has its structs is known.
import type { Storage } from './open.ts'

/** The owner of a client id of an older epoch: nobody writes with it again. */
export const NOBODY = ''

/** Rows that one statement inserts: SQLite and Postgres limit its parameters. */
const ROWS_PER_STATEMENT = 500

export interface NewEpoch {
  readonly document: string
  /** What was there when the new state was made: the epoch, and the number of the newest entry. */
  readonly epoch: number
  readonly head: number
  /** The whole state of the old epoch, and the new one that takes its place. */
  readonly closing: Uint8Array
  readonly state: Uint8Array
  /** All that wrote in the old epoch; the server's own too. */
  readonly clientIds: readonly number[]
}

/** The database was lost while a new epoch was written: it may be there or not. */
export class EpochUnknown extends Error {}

const write = ({ db }: Storage, next: NewEpoch): Promise<boolean> =>
  db.transaction().execute(async (trx) => {
    const document = await trx
      .updateTable('document')
      .set({ epoch: next.epoch + 1 })
      .where('name', '=', next.document)
      .where('epoch', '=', next.epoch)
      .where('head', '=', next.head)
      .returning('id')
      .executeTakeFirst()
    if (!document) return false
    const { id } = document
    await trx
      .insertInto('document_snapshot')
      .values({ document_id: id, up_to: next.head, data: next.state })
      .onConflict((conflict) =>
        conflict
          .column('document_id')
          .doUpdateSet({ up_to: (eb) => eb.ref('excluded.up_to'), data: (eb) => eb.ref('excluded.data') }),
      )
      .execute()
    await trx.deleteFrom('document_update').where('document_id', '=', id).execute()
    await trx
      .insertInto('previous_epoch')
      .values({ document_id: id, data: next.closing })
      .onConflict((conflict) => conflict.column('document_id').doUpdateSet({ data: (eb) => eb.ref('excluded.data') }))
      .execute()
    await trx.updateTable('client_claim').set({ user_id: NOBODY }).where('document_id', '=', id).execute()
    for (let at = 0; at < next.clientIds.length; at += ROWS_PER_STATEMENT) {
      const rows = next.clientIds.slice(at, at + ROWS_PER_STATEMENT)
      await trx
        .insertInto('client_claim')
        .values(rows.map((clientId) => ({ document_id: id, client_id: clientId, user_id: NOBODY })))
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    }
    return true
  })

/** The number of a document's epoch, for sure: writing it waits for a transaction whose connection is gone already. */
const settledEpoch = async ({ db }: Storage, document: string): Promise<number | undefined> => {
  const row = await db
    .updateTable('document')
    .set({ epoch: (eb) => eb.ref('epoch') })
    .where('name', '=', document)
    .returning('epoch')
    .executeTakeFirst()
  return row?.epoch
}

/**
 * Puts a new epoch in the place of snapshot and entries, in one transaction. Does nothing and returns false when the
 * document was written to, or got another epoch, meanwhile. Rejects when it failed and nothing has changed, and with
 * `EpochUnknown` when nobody can say.
 */
export const startEpoch = async (storage: Storage, next: NewEpoch): Promise<boolean> => {
  try {
    return await write(storage, next)
  } catch (error) {
    // A commit whose answer got lost has happened, or not.
    const epoch = await settledEpoch(storage, next.document).catch(() => {
      throw new EpochUnknown(`a new epoch of ${next.document} may have begun`, { cause: error })
    })
    if (epoch === next.epoch + 1) return true
    throw error
  }
}

/** The number of a document's epoch, 0 for the first, and the state in which the one before it ended. */
export const loadEpoch = async (
  { db }: Storage,
  document: string,
): Promise<{ readonly epoch: number; readonly closing: Uint8Array | null }> => {
  const row = await db
    .selectFrom('document')
    .leftJoin('previous_epoch', 'previous_epoch.document_id', 'document.id')
    .select(['document.epoch', 'previous_epoch.data'])
    .where('document.name', '=', document)
    .executeTakeFirst()
  return { epoch: row?.epoch ?? 0, closing: row?.data ?? null }
}
