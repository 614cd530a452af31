// Rows of document versions. How many there may be is counted after the document's row was locked, so that it holds
// however many are made at once, on both databases.
import type { Kysely, Selectable } from 'kysely'
import { AppError } from '../shared/errors.ts'
import { AUTOMATIC_VERSIONS_MAX, NAMED_VERSIONS_MAX } from '../shared/limits.ts'
import type { Created } from './groups.ts'
import type { Database, DocumentVersionTable } from './schema.ts'

type Row = Selectable<DocumentVersionTable>

/** A version without its state. */
export type VersionRow = Omit<Row, 'document_id' | 'state' | 'is_automatic'> & { readonly is_automatic: boolean }

const COLUMNS = ['id', 'label', 'created_by', 'created_at', 'is_automatic'] as const

const toVersion = <Found extends { is_automatic: number }>(row: Found) => ({
  ...row,
  is_automatic: row.is_automatic === 1,
})

const idOf = (db: Kysely<Database>, name: string) => db.selectFrom('document').select('id').where('name', '=', name)

/** The row of a document, made where nobody has written to it yet, and locked until the transaction ends. */
const lockDocument = async (trx: Kysely<Database>, name: string): Promise<number> => {
  const { id } = await trx
    .insertInto('document')
    .values({ name, head: 0 })
    .onConflict((conflict) => conflict.column('name').doUpdateSet((eb) => ({ epoch: eb.ref('document.epoch') })))
    .returning('id')
    .executeTakeFirstOrThrow()
  return id
}

const ofSort = (trx: Kysely<Database>, documentId: number, isAutomatic: boolean) =>
  trx
    .selectFrom('document_version')
    .where('document_id', '=', documentId)
    .where('is_automatic', '=', Number(isAutomatic))

const checkNamed = async (trx: Kysely<Database>, documentId: number): Promise<void> => {
  const { rows } = await ofSort(trx, documentId, false)
    .select((eb) => eb.fn.countAll<number>().as('rows'))
    .executeTakeFirstOrThrow()
  if (rows < NAMED_VERSIONS_MAX) return
  const max = NAMED_VERSIONS_MAX
  throw new AppError('version/too-many', `at most ${max} named versions of a document`, { max })
}

/** Deletes the oldest automatic versions above the limit. */
const pruneAutomatic = async (trx: Kysely<Database>, documentId: number): Promise<void> => {
  const newest = ofSort(trx, documentId, true)
    .select('id')
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(AUTOMATIC_VERSIONS_MAX)
  await trx
    .deleteFrom('document_version')
    .where('document_id', '=', documentId)
    .where('is_automatic', '=', 1)
    .where('id', 'not in', newest)
    .execute()
}

/**
 * Keeps a version; of automatic ones the newest AUTOMATIC_VERSIONS_MAX stay. A repeat with the same id by the same person
 * gives the version that is there. Throws `version/too-many` or `id/taken`.
 */
export const insertVersion = (
  db: Kysely<Database>,
  document: string,
  version: VersionRow & { readonly state: Uint8Array },
): Promise<Created<VersionRow>> =>
  db.transaction().execute(async (trx) => {
    const documentId = await lockDocument(trx, document)
    const { state, ...row } = version
    const known = await trx
      .selectFrom('document_version')
      .select(COLUMNS)
      .where('document_id', '=', documentId)
      .where('id', '=', version.id)
      .where('is_automatic', '=', 0)
      .executeTakeFirst()
    if (known && known.created_by === row.created_by) return { row: toVersion(known), created: false }
    if (!row.is_automatic) await checkNamed(trx, documentId)
    const inserted = await trx
      .insertInto('document_version')
      .values({ ...row, document_id: documentId, state, is_automatic: Number(row.is_automatic) })
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst()
    if (!inserted) throw new AppError('id/taken', 'this id is in use')
    if (row.is_automatic) await pruneAutomatic(trx, documentId)
    return { row, created: true }
  })

/** Versions of a document, newest first: at most `limit`, those older than `before` where it is given. */
export const listVersions = async (
  db: Kysely<Database>,
  document: string,
  limit: number,
  before?: Pick<VersionRow, 'id' | 'created_at'>,
): Promise<VersionRow[]> => {
  let query = db.selectFrom('document_version').select(COLUMNS).where('document_id', '=', idOf(db, document))
  if (before) {
    query = query.where((eb) =>
      eb.or([
        eb('created_at', '<', before.created_at),
        eb.and([eb('created_at', '=', before.created_at), eb('id', '<', before.id)]),
      ]),
    )
  }
  const rows = await query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute()
  return rows.map(toVersion)
}

/** One version of this document, with its state; null when there is none. */
export const findVersion = async (
  db: Kysely<Database>,
  document: string,
  id: string,
): Promise<(VersionRow & { readonly state: Uint8Array }) | null> => {
  const row = await db
    .selectFrom('document_version')
    .select([...COLUMNS, 'state'])
    .where('document_id', '=', idOf(db, document))
    .where('id', '=', id)
    .executeTakeFirst()
  return row ? toVersion(row) : null
}
