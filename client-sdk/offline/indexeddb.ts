// What a browser keeps: one IndexedDB database for each server and area. A write resolves with its transaction, which is
// strictly durable; every failure of the browser comes out as a `StoreError`.
import { type DBSchema, deleteDB, type IDBPDatabase, type IDBPTransaction, openDB } from 'idb'
import { createBatchQueue } from './batch-queue.ts'
import { checkArea, closedError, compareSeq, toStoreError } from './batches.ts'
import {
  type Batch,
  type Disk,
  type DocumentSummary,
  type Entry,
  type NewEntry,
  type Store,
  StoreError,
  type StoreErrorCode,
  type StoredValue,
} from './store.ts'

interface EntryRow extends NewEntry {
  /** Given by the browser. */
  readonly seq?: number
  /** The length of the update, in the row so that an index can tell it without reading the update. */
  readonly bytes: number
}

interface AreaSchema extends DBSchema {
  entry: {
    key: number
    value: EntryRow
    indexes: {
      /** Document and bytes. */
      document: [string, number]
      /** Document and client id; entries that are not pending have no such key, and are not in the index. */
      pending: [string, number]
    }
  }
  value: { key: string; value: StoredValue }
}

type Database = IDBPDatabase<AreaSchema>
type Writing = IDBPTransaction<AreaSchema, ('entry' | 'value')[], 'readwrite'>

const VERSION = 1

const createTables = (database: Database): void => {
  const entries = database.createObjectStore('entry', { keyPath: 'seq', autoIncrement: true })
  entries.createIndex('document', ['document', 'bytes'])
  entries.createIndex('pending', ['document', 'pending.clientId'])
  database.createObjectStore('value')
}

const codeOf = (error: unknown): StoreErrorCode => {
  const name = error instanceof Error ? error.name : ''
  if (name === 'QuotaExceededError') return 'store/full'
  // Aborted by nobody of ours and for no reason: the user or the browser clears the data.
  return name === 'InvalidStateError' || name === 'AbortError' ? 'store/closed' : 'store/failed'
}

const toEntry = ({ seq = 0, document, update, pending }: EntryRow): Entry => ({
  seq,
  document,
  update,
  ...(pending && { pending }),
})

/** Puts the requests of a batch in the transaction's line; resolves when the numbers are known. */
const request = async (writing: Writing, batch: Required<Batch>): Promise<readonly number[]> => {
  const [entries, values] = [writing.objectStore('entry'), writing.objectStore('value')]
  const appended = Promise.all(batch.append.map((entry) => entries.add({ ...entry, bytes: entry.update.length })))
  const confirm = async (seq: number): Promise<void> => {
    const row = await entries.get(seq)
    if (!row) return
    const { pending: _pending, ...rest } = row
    await entries.put(rest)
  }
  // Waited for before anything is dropped: what is dropped must not be put back.
  const confirmed = Promise.all(batch.confirm.map(confirm))
  if (batch.confirm.length > 0) await Promise.all([appended, confirmed])
  const [numbers] = await Promise.all([
    appended,
    ...batch.drop.map((seq) => entries.delete(seq)),
    ...batch.del.map((key) => values.delete(key)),
    ...Object.entries(batch.put).map(([key, value]) => values.put(value, key)),
  ])
  return numbers
}

const writeAll = async (database: Database, batches: readonly Required<Batch>[]): Promise<(readonly number[])[]> => {
  const writing = database.transaction(['entry', 'value'], 'readwrite', { durability: 'strict' })
  try {
    const numbers: Promise<readonly number[]>[] = []
    for (const batch of batches) {
      const answer = request(writing, batch)
      answer.catch(() => {})
      // A confirmation reads before it writes; nothing may come in between. All else stands in line without waiting.
      if (batch.confirm.length > 0) await answer
      numbers.push(answer)
    }
    const all = await Promise.all(numbers)
    writing.commit()
    await writing.done
    return all
  } catch (error) {
    // Over already where the browser ended it itself; its own reason says more than the requests that fell with it.
    try {
      writing.abort()
    } catch {}
    const reason: unknown = await writing.done.catch((reason: unknown) => reason)
    throw writing.error ?? (reason instanceof Error && reason.name !== 'AbortError' ? reason : error)
  }
}

const summarize = async (database: Database): Promise<readonly DocumentSummary[]> => {
  const reading = database.transaction('entry')
  const summaries = new Map<string, { document: string; entries: number; bytes: number; pending: number }>()
  // By the keys of the indexes alone: the updates stay where they are.
  let entry = await reading.store.index('document').openKeyCursor()
  for (; entry; entry = await entry.continue()) {
    const [document, bytes] = entry.key
    const summary = summaries.get(document) ?? { document, entries: 0, bytes: 0, pending: 0 }
    summary.entries++
    summary.bytes += bytes
    summaries.set(document, summary)
  }
  let pending = await reading.store.index('pending').openKeyCursor()
  for (; pending; pending = await pending.continue()) {
    const summary = summaries.get(pending.key[0])
    if (summary) summary.pending++
  }
  return [...summaries.values()]
}

const loadEntries = async (database: Database, document: string): Promise<readonly Entry[]> => {
  // An empty list comes after all numbers.
  const range = IDBKeyRange.bound([document], [document, []])
  const rows = await database.getAllFromIndex('entry', 'document', range)
  return rows.map(toEntry).sort(compareSeq)
}

const listValues = async (database: Database, prefix: string): Promise<ReadonlyMap<string, StoredValue>> => {
  const values = database.transaction('value').store
  const keys = (await values.getAllKeys(IDBKeyRange.lowerBound(prefix))).filter((key) => key.startsWith(prefix))
  const [first, last] = [keys[0], keys.at(-1)]
  if (first === undefined || last === undefined) return new Map()
  const found = await values.getAll(IDBKeyRange.bound(first, last))
  return new Map(keys.map((key, index) => [key, found[index] as StoredValue]))
}

const openStore = async (name: string): Promise<Store> => {
  let isOpen = true
  const database = await openDB<AreaSchema>(name, VERSION, {
    upgrade: createTables,
    // Somebody wipes the area, or a newer version of the app changes it: this tab must not stand in their way.
    blocking: (_old, _new, event) => {
      isOpen = false
      ;(event.target as IDBDatabase).close()
    },
  })
  const asStoreError = (error: unknown): StoreError => (isOpen ? toStoreError(error, codeOf) : closedError(error))
  const queue = createBatchQueue((batches) =>
    writeAll(database, batches).catch((error: unknown) => {
      throw asStoreError(error)
    }),
  )
  const read = async <Result>(run: () => Promise<Result>): Promise<Result> => {
    if (!isOpen) throw closedError()
    await queue.settled()
    try {
      return await run()
    } catch (error) {
      throw asStoreError(error)
    }
  }
  return {
    write: async (batch) => {
      if (!isOpen) throw closedError()
      return queue.write(batch)
    },
    load: (document) => read(() => loadEntries(database, document)),
    pending: () => read(async () => (await database.getAllFromIndex('entry', 'pending')).map(toEntry).sort(compareSeq)),
    documents: () => read(() => summarize(database)),
    get: (key) => read(() => database.get('value', key)),
    list: (prefix) => read(() => listValues(database, prefix)),
    [Symbol.asyncDispose]: async () => {
      isOpen = false
      await queue.settled()
      database.close()
    },
  }
}

/**
 * The areas of this browser for one server, which is named by its URL.
 *
 * @throws `store/failed` where the browser has no IndexedDB, as in some private windows.
 */
export const openIndexedDbDisk = async ({ server }: { readonly server: string }): Promise<Disk> => {
  if (!('indexedDB' in globalThis)) throw new StoreError('store/failed', 'this browser keeps no data')
  askToPersist()
  const opened = new Map<string, Set<Store>>()
  const nameOf = (area: string): string => {
    checkArea(area)
    return `syncline/${server}/${area}`
  }
  const failing = <Result>(work: Promise<Result>): Promise<Result> =>
    work.catch((error: unknown) => {
      throw toStoreError(error, codeOf)
    })
  return {
    open: async (area) => {
      const store = await failing(openStore(nameOf(area)))
      const stores = opened.get(area) ?? new Set()
      opened.set(area, stores.add(store))
      return store
    },
    wipe: async (area) => {
      const name = nameOf(area)
      await Promise.all([...(opened.get(area) ?? [])].map((store) => store[Symbol.asyncDispose]()))
      opened.delete(area)
      // Stores in other tabs close when they hear of it; this waits for them.
      await failing(deleteDB(name))
    },
  }
}

export interface StorageHealth {
  /** Whether the browser has promised not to clear the data by itself. */
  readonly persisted: boolean
  /** What this origin takes; null where the browser does not say. */
  readonly usageBytes: number | null
  /** What it may take at most; null where the browser does not say. Chromium says more than is free, not to tell disks apart. */
  readonly quotaBytes: number | null
}

/** Absent in pages that did not come over a secure connection. */
const storageManager = (): StorageManager | undefined => globalThis.navigator?.storage

let hasAsked = false
/** Once for each page: some browsers ask the user. Nobody waits for the answer. */
const askToPersist = (): void => {
  if (hasAsked) return
  hasAsked = true
  void storageManager()
    ?.persist?.()
    .catch(() => false)
}

/** How safe and how full the storage of this origin is now. */
export const storageHealth = async (): Promise<StorageHealth> => {
  const manager = storageManager()
  const [persisted, estimate] = await Promise.all([
    manager?.persisted?.().catch(() => false),
    manager?.estimate?.().catch(() => null),
  ])
  return {
    persisted: persisted ?? false,
    usageBytes: estimate?.usage ?? null,
    quotaBytes: estimate?.quota ?? null,
  }
}
