// A device that forgets: areas live as long as the disk object. For tests, and for apps that must leave no trace. An area
// that is opened twice is the same one, as it is for two tabs.
import { checkArea, closedError, compareSeq, compareText, copyBatch, copyValue } from './batches.ts'
import type { Batch, Disk, DocumentSummary, Entry, Store, StoredValue } from './store.ts'

interface Area {
  lastSeq: number
  readonly entries: Map<number, Entry>
  readonly values: Map<string, StoredValue>
  readonly closers: Set<() => void>
}

const createArea = (): Area => ({ lastSeq: 0, entries: new Map(), values: new Map(), closers: new Set() })

const apply = (area: Area, { append, confirm, drop, del, put }: Required<Batch>): readonly number[] => {
  const numbers = append.map((entry) => {
    area.entries.set(++area.lastSeq, { seq: area.lastSeq, ...entry })
    return area.lastSeq
  })
  for (const seq of confirm) {
    const entry = area.entries.get(seq)
    if (entry) area.entries.set(seq, { seq, document: entry.document, update: entry.update })
  }
  for (const seq of drop) area.entries.delete(seq)
  for (const key of del) area.values.delete(key)
  for (const [key, value] of Object.entries(put)) area.values.set(key, value)
  return numbers
}

const summarize = (entries: Iterable<Entry>): readonly DocumentSummary[] => {
  const summaries = new Map<string, DocumentSummary>()
  for (const { document, update, pending } of entries) {
    const before = summaries.get(document)
    summaries.set(document, {
      document,
      entries: (before?.entries ?? 0) + 1,
      bytes: (before?.bytes ?? 0) + update.length,
      pending: (before?.pending ?? 0) + (pending ? 1 : 0),
    })
  }
  return [...summaries.values()].sort((a, b) => compareText(a.document, b.document))
}

const openStore = (area: Area): Store => {
  let isOpen = true
  const close = (): void => {
    isOpen = false
    area.closers.delete(close)
  }
  area.closers.add(close)
  /** Runs when it is called, so that everything takes effect in the order of the calls. */
  const whileOpen = async <Result>(run: () => Result): Promise<Result> => {
    if (!isOpen) throw closedError()
    return run()
  }
  const entriesWhere = (passes: (entry: Entry) => boolean): readonly Entry[] =>
    [...area.entries.values()].filter(passes).sort(compareSeq).map(copyValue)

  return {
    write: (batch) => whileOpen(() => apply(area, copyBatch(batch))),
    load: (document) => whileOpen(() => entriesWhere((entry) => entry.document === document)),
    pending: () => whileOpen(() => entriesWhere((entry) => entry.pending !== undefined)),
    documents: () => whileOpen(() => summarize(area.entries.values())),
    get: (key) => whileOpen(() => copyValue(area.values.get(key))),
    list: (prefix) =>
      whileOpen(() => {
        const found = [...area.values].filter(([key]) => key.startsWith(prefix))
        return new Map(found.sort(([a], [b]) => compareText(a, b)).map(copyValue))
      }),
    [Symbol.asyncDispose]: async () => close(),
  }
}

/** A disk in memory; never rejects with `store/full`. */
export const createMemoryDisk = (): Disk => {
  const areas = new Map<string, Area>()
  return {
    open: async (name) => {
      checkArea(name)
      const area = areas.get(name) ?? createArea()
      areas.set(name, area)
      return openStore(area)
    },
    wipe: async (name) => {
      checkArea(name)
      for (const close of areas.get(name)?.closers ?? []) close()
      areas.delete(name)
    },
  }
}
