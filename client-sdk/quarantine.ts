// Edits that the server refused: kept on this device until their author runs them again, or lets go of them.
import type { Quarantine, Quarantined } from './client-types.ts'
import { AppError } from '../shared/errors.ts'
import type { Json } from '../shared/json.ts'
import { createListeners } from './listeners.ts'
import type { Batch, Store, StoredValue } from './offline/store.ts'
import type { Outcome } from './rebuild.ts'

const PREFIX = 'quarantine/'

export interface QuarantineStore extends Quarantine {
  /** Resolves when it has counted what is kept. Rejects with `StoreError`. */
  readonly ready: Promise<void>
  /** What a batch must put so that these edits are kept, in the transaction that takes them out of their document. */
  readonly toPut: (outcomes: readonly Outcome[]) => NonNullable<Batch['put']>
  /** Counts anew, after such a batch or when another tab wrote one. */
  readonly refresh: () => Promise<void>
  readonly countOf: (document: string) => number
}

export interface QuarantineOptions {
  readonly store: Store
  readonly now: () => number
  readonly newId: () => string
  /** Runs an operation on a document as a new edit, and waits until it is on the disk. */
  readonly run: (document: string, name: string, input: Json) => Promise<void>
  /** Something changed here; other tabs want to know. */
  readonly onChange: () => void
}

const toValue = ({ entry, code, path }: Outcome, id: string, at: number): StoredValue => {
  const operation = entry.pending?.operation
  return {
    id,
    document: entry.document,
    code,
    path,
    at,
    operation: operation ? { name: operation.name, input: operation.input } : null,
    update: entry.update,
  }
}

export const createQuarantine = (options: QuarantineOptions): QuarantineStore => {
  const { store, now, newId, run, onChange } = options
  const listeners = createListeners<void>()
  let counts = new Map<string, number>()

  const list = async (): Promise<Quarantined[]> => {
    const values = await store.list(PREFIX)
    return [...values.values()].map((value) => value as unknown as Quarantined).toSorted((a, b) => a.at - b.at)
  }

  const refresh = async (): Promise<void> => {
    const next = new Map<string, number>()
    for (const { document } of await list()) next.set(document, (next.get(document) ?? 0) + 1)
    counts = next
    listeners.tell()
  }

  const mustFind = async (id: string): Promise<Quarantined> => {
    const value = (await store.get(PREFIX + id)) as unknown as Quarantined | undefined
    if (!value) throw new AppError('record/not-found', 'no such edit in quarantine', { id })
    return value
  }

  const remove = async (id: string): Promise<void> => {
    await store.write({ del: [PREFIX + id] })
    await refresh()
    onChange()
  }

  const ready = refresh()
  // Told to whoever waits for it.
  ready.catch(() => {})
  return {
    ready,
    list,
    refresh,
    subscribe: (listener) => listeners.add(listener),
    countOf: (document) => counts.get(document) ?? 0,
    toPut: (outcomes) =>
      Object.fromEntries(
        outcomes.map((outcome) => {
          const id = newId()
          return [PREFIX + id, toValue(outcome, id, now())]
        }),
      ),
    retry: async (id) => {
      const { document, operation } = await mustFind(id)
      if (!operation) throw new AppError('operation/unknown', 'an editor wrote this: copy it by hand', { id })
      await run(document, operation.name, operation.input)
      await remove(id)
    },
    discard: async (id) => {
      await mustFind(id)
      await remove(id)
    },
  }
}
