// What the tests of the update store share: a fresh database for each, and the store in terms of short texts.
import type { Storage } from '../../storage/open.ts'
import { appendUpdates, loadDocument } from '../../storage/updates.ts'

/** A database of its own for one test; every `open` is another storage on it, as another node would have. */
export interface FreshDatabase extends AsyncDisposable {
  readonly open: () => Promise<Storage>
}

export type CreateDatabase = () => Promise<FreshDatabase>

export const NOTES = 'document/0000000001'
export const TASKS = 'tasks/0000000001'
export const SLOW_MS = 60_000

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (data: Uint8Array): string => new TextDecoder().decode(data)

/** The numbers from 1 to `last`. */
export const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1)

export const append = (storage: Storage, document: string, ...updates: string[]): Promise<void> =>
  appendUpdates(storage, [{ document, updates: updates.map(bytes) }])

export const load = async (storage: Storage, document: string) => {
  const { snapshot, updates, ...rest } = await loadDocument(storage, document)
  return { snapshot: snapshot && text(snapshot), updates: updates.map(text), ...rest }
}

/** The numbers of a document's entries, as they are in the table. */
export const entryNumbers = async ({ db }: Storage, document: string): Promise<number[]> => {
  const rows = await db
    .selectFrom('document_update')
    .innerJoin('document', 'document.id', 'document_update.document_id')
    .select('seq')
    .where('name', '=', document)
    .execute()
  return rows.map(({ seq }) => seq).sort((a, b) => a - b)
}

/** Makes the next append to `document` fail half-way: a stray entry already has the number it will take. */
export const plantEntry = async ({ db }: Storage, document: string, seq: number): Promise<() => Promise<void>> => {
  const idOf = db.selectFrom('document').select('id').where('name', '=', document)
  await db
    .insertInto('document_update')
    .values({ document_id: idOf, seq, data: bytes('planted') })
    .execute()
  return async () => {
    await db.deleteFrom('document_update').where('document_id', '=', idOf).where('seq', '=', seq).execute()
  }
}

/** Runs with two storages on one fresh database. */
export const withTwo = async (
  create: CreateDatabase,
  run: (one: Storage, two: Storage) => Promise<void>,
): Promise<void> => {
  await using database = await create()
  await using one = await database.open()
  await using two = await database.open()
  await run(one, two)
}
