// The update journal of documents: append in numbered entries, load, replace by a snapshot, and own client ids.
// An entry is what one document wrote in one commit. Knows bytes, not Yjs: merging is the caller's.
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { CompiledQuery, type Kysely, sql } from 'kysely'
import type { Storage } from './open.ts'
import { prepared } from './prepared.ts'
import type { Database } from './schema.ts'

/** Whose a client id of a document is. */
export interface Claim {
  readonly clientId: number
  readonly userId: string
}

export interface AppendEntry {
  readonly document: string
  readonly updates: readonly Uint8Array[]
  /** Client ids that `updates` use first, each once. */
  readonly claims?: readonly Claim[]
}

export interface StoredDocument {
  /** The merged state up to entry `upTo`; null before the first snapshot (`upTo` is 0 then). */
  readonly snapshot: Uint8Array | null
  readonly upTo: number
  /** The updates after the snapshot, oldest first. */
  readonly updates: readonly Uint8Array[]
  /** The newest entry's number; entries are numbered from 1 without gaps. */
  readonly head: number
  /** How many entries, and how many bytes, came after the snapshot. */
  readonly tailEntries: number
  readonly tailBytes: number
}

const encodeEntry = (updates: readonly Uint8Array[]): Uint8Array => {
  const encoder = encoding.createEncoder()
  for (const update of updates) encoding.writeVarUint8Array(encoder, update)
  return encoding.toUint8Array(encoder)
}

const decodeEntry = (data: Uint8Array): Uint8Array[] => {
  const decoder = decoding.createDecoder(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  const updates: Uint8Array[] = []
  while (decoding.hasContent(decoder)) updates.push(decoding.readVarUint8Array(decoder))
  return updates
}

/** Sorted, so that two nodes that write the same documents take their row locks in the same order. */
const byDocument = (a: { document: string }, b: { document: string }): number =>
  a.document < b.document ? -1 : Number(a.document > b.document)

/** The document's row id, as a subquery. */
const idOf = (db: Kysely<Database>, name: string) => db.selectFrom('document').select('id').where('name', '=', name)

/**
 * Compiling and preparing a statement costs more than running it, so writes of many rows are cut into pieces of a few
 * sizes, and each size is compiled once. SQLite takes three times as long for a row of a statement with hundreds of them;
 * Postgres counts round trips.
 */
const PIECE_SIZES = [16, 4, 1] as const

/** Statements for pieces, as SQL; `parametersOf` a piece goes with each. */
type PieceStatements<Row> = readonly {
  readonly sql: string
  readonly parametersOf: (piece: readonly Row[]) => unknown[]
}[]

/** Makes a function that turns rows into statements, compiled by `compile` for each size of a piece. */
const inPieces = <Row>(compile: (db: Storage['db'], size: number) => PieceStatements<Row>) => {
  const compiled = new WeakMap<Storage['db'], Map<number, PieceStatements<Row>>>()
  const statementsOf = (db: Storage['db'], size: number): PieceStatements<Row> => {
    let bySize = compiled.get(db)
    if (!bySize) compiled.set(db, (bySize = new Map()))
    let statements = bySize.get(size)
    if (!statements) bySize.set(size, (statements = compile(db, size)))
    return statements
  }
  return (db: Storage['db'], rows: readonly Row[]): CompiledQuery[] => {
    const queries: CompiledQuery[] = []
    for (let at = 0; at < rows.length;) {
      const size = PIECE_SIZES.find((candidate) => candidate <= rows.length - at) as number
      const piece = rows.slice(at, at + size)
      for (const { sql: text, parametersOf } of statementsOf(db, size)) {
        queries.push(CompiledQuery.raw(text, parametersOf(piece)))
      }
      at += size
    }
    return queries
  }
}

const blanks = (size: number): string[] => Array.from({ length: size }, () => '')

const appendPieces = inPieces<AppendEntry>((db, size) => [
  {
    sql: db
      .insertInto('document')
      .values(blanks(size).map((name) => ({ name, head: sql.lit(1) })))
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ head: sql<number>`document.head + 1` }))
      .compile().sql,
    parametersOf: (piece) => piece.map(({ document }) => document),
  },
  {
    sql: db
      .insertInto('document_update')
      .values(
        blanks(size).map((name) => ({
          document_id: idOf(db, name),
          seq: db.selectFrom('document').select('head').where('name', '=', name),
          data: new Uint8Array(0),
        })),
      )
      .compile().sql,
    parametersOf: (piece) => piece.flatMap(({ document, updates }) => [document, document, encodeEntry(updates)]),
  },
])

interface DocumentClaim extends Claim {
  readonly document: string
}

/**
 * Claims client ids. An id that is another user's violates `not null`, on purpose: the transaction fails as a whole. It
 * happens only when two nodes give one id away at once.
 */
const claimPieces = inPieces<DocumentClaim>((db, size) => [
  {
    sql: db
      .insertInto('client_claim')
      .values(blanks(size).map((name) => ({ document_id: idOf(db, name), client_id: 0, user_id: '' })))
      .onConflict((conflict) =>
        conflict.columns(['document_id', 'client_id']).doUpdateSet({
          user_id: sql<string>`case when client_claim.user_id = excluded.user_id then excluded.user_id end`,
        }),
      )
      .compile().sql,
    parametersOf: (piece) => piece.flatMap(({ document, clientId, userId }) => [document, clientId, userId]),
  },
])

/**
 * Appends one entry to each named document (each name once), in one synced transaction. Numbers are taken and become
 * visible in order. When it resolves, the entries and their claims survive a power cut; when it rejects, nothing was
 * written: also when a claimed client id belongs to another user.
 */
export const appendUpdates = async (storage: Storage, entries: readonly AppendEntry[]): Promise<void> => {
  const sorted = entries.toSorted(byDocument)
  const claims = sorted.flatMap(({ document, claims: own = [] }) => own.map((claim) => ({ document, ...claim })))
  await storage.atomically([...appendPieces(storage.db, sorted), ...claimPieces(storage.db, claims)])
}

const selectStored = prepared<[name: string, name: string], { is_update: number; seq: number; data: Uint8Array }>(
  (db) =>
    db
      .selectFrom('document_snapshot')
      .select([sql<number>`0`.as('is_update'), 'up_to as seq', 'data'])
      .where('document_id', '=', idOf(db, ''))
      .unionAll(
        db
          .selectFrom('document_update')
          .select([sql<number>`1`.as('is_update'), 'seq', 'data'])
          .where('document_id', '=', idOf(db, '')),
      )
      .orderBy('is_update')
      .orderBy('seq'),
)

/** Everything stored of a document, as one consistent read. */
export const loadDocument = async ({ db }: Storage, document: string): Promise<StoredDocument> => {
  const rows = await selectStored(db, document, document)
  const snapshot = rows[0]?.is_update === 0 ? rows[0] : undefined
  const tail = snapshot ? rows.slice(1) : rows
  const upTo = snapshot?.seq ?? 0
  return {
    snapshot: snapshot?.data ?? null,
    upTo,
    updates: tail.flatMap(({ data }) => decodeEntry(data)),
    head: tail.at(-1)?.seq ?? upTo,
    tailEntries: tail.length,
    tailBytes: tail.reduce((sum, { data }) => sum + data.byteLength, 0),
  }
}

/**
 * Replaces the entries up to `upTo` by their merged state. Does nothing and returns false when another snapshot was
 * written since `oldUpTo` was read.
 */
export const replaceBySnapshot = ({ db }: Storage, document: string, oldUpTo: number, upTo: number, data: Uint8Array) =>
  db.transaction().execute(async (trx): Promise<boolean> => {
    const { id } = await trx.selectFrom('document').select('id').where('name', '=', document).executeTakeFirstOrThrow()
    const written =
      oldUpTo === 0
        ? await trx
            .insertInto('document_snapshot')
            .values({ document_id: id, up_to: upTo, data })
            .onConflict((conflict) => conflict.column('document_id').doNothing())
            .executeTakeFirst()
            .then((result) => result.numInsertedOrUpdatedRows)
        : await trx
            .updateTable('document_snapshot')
            .set({ up_to: upTo, data })
            .where('document_id', '=', id)
            .where('up_to', '=', oldUpTo)
            // What stands there may be a new epoch, made of the same entries.
            .where('up_to', '<', upTo)
            .executeTakeFirst()
            .then((result) => result.numUpdatedRows)
    if (!written) return false
    await trx.deleteFrom('document_update').where('document_id', '=', id).where('seq', '<=', upTo).execute()
    return true
  })

const selectClaims = prepared<[name: string], { client_id: number; user_id: string }>((db) =>
  db.selectFrom('client_claim').select(['client_id', 'user_id']).where('document_id', '=', idOf(db, '')),
)

/** The owner of every claimed client id of a document. */
export const loadClaims = async ({ db }: Storage, document: string): Promise<Map<number, string>> => {
  const rows = await selectClaims(db, document)
  return new Map(rows.map(({ client_id, user_id }) => [client_id, user_id]))
}
