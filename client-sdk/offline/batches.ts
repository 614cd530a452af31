// What every adapter of the store does alike: a batch is copied and judged when it is handed over, so that nothing of it
// can change or fail later, and batches wait in one line whose front is written in one transaction.
import { type Batch, type Entry, type NewEntry, StoreError, type StoreErrorCode } from './store.ts'

const AREA = /^[A-Za-z0-9_-]{1,60}$/

export const checkArea = (area: string): void => {
  if (!AREA.test(area)) throw new StoreError('store/failed', `an area is named by ${String(AREA)}, not ${area}`)
}

/**
 * What the structured clone makes of it, except that bytes come alone: the clone of a view takes along the whole buffer
 * behind it, which may be another one's and a thousand times as long.
 */
export const copyValue = <Value>(value: Value): Value => {
  const copy = (inner: unknown): unknown => {
    if (inner instanceof Uint8Array) return new Uint8Array(inner)
    if (Array.isArray(inner)) return inner.map(copy)
    if (typeof inner === 'object' && inner !== null && Object.getPrototypeOf(inner) === Object.prototype) {
      return Object.fromEntries(Object.entries(inner).map(([key, field]) => [key, copy(field)]))
    }
    return typeof inner === 'string' ? inner : structuredClone(inner)
  }
  return copy(value) as Value
}

/** A name that is not well-formed would become another one where text is kept as UTF-8. */
const checkName = (name: string): void => {
  if (typeof name !== 'string' || !name.isWellFormed()) throw new TypeError(`not a name: ${JSON.stringify(name)}`)
}

const copyEntry = (entry: NewEntry): NewEntry => {
  checkName(entry.document)
  if (!(entry.update instanceof Uint8Array)) throw new TypeError(`no bytes for ${entry.document}`)
  const { document, update, pending } = entry
  return { document, update: copyValue(update), ...(pending && { pending: copyValue(pending) }) }
}

/** The batch as it is now. Throws `store/failed` where it holds what cannot be stored. */
export const copyBatch = ({ append = [], confirm = [], drop = [], del = [], put = {} }: Batch): Required<Batch> => {
  try {
    for (const key of [...del, ...Object.keys(put)]) checkName(key)
    return {
      append: append.map(copyEntry),
      confirm: [...confirm],
      drop: [...drop],
      del: [...del],
      put: copyValue(put),
    }
  } catch (error) {
    throw new StoreError('store/failed', 'the batch holds what cannot be stored', error)
  }
}

export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export const compareSeq = (a: Pick<Entry, 'seq'>, b: Pick<Entry, 'seq'>): number => a.seq - b.seq

export const closedError = (cause?: unknown): StoreError => new StoreError('store/closed', 'the store is closed', cause)

/** The error of a platform as ours: `codeOf` says which one it is. */
export const toStoreError = (error: unknown, codeOf: (error: unknown) => StoreErrorCode): StoreError => {
  if (error instanceof StoreError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new StoreError(codeOf(error), `the device cannot store or read: ${message}`, error)
}
