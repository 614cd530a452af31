// The merging thread of `merger.ts`: whole states of documents are put together, written anew and compared here, off the
// event loop. A Y.Doc merges them, because Yjs's `mergeUpdates` takes minutes on thousands of updates and does not collect
// garbage.
import { parentPort } from 'node:worker_threads'
import * as Y from 'yjs'
import { applyState } from '../../shared/apply-state.ts'
import { writeEpoch } from '../../shared/epoch.ts'
import { HISTORY_BYTES_MIN } from '../../shared/limits.ts'

/** At most, with its place in the set of deletions. */
const BYTES_PER_DELETED_STRUCT = 64

/** Updates of one document, in their order; together they are a whole state. */
type Updates = readonly Uint8Array[]

export type Task =
  /** One state of many updates. */
  | { readonly task: 'merge'; readonly updates: Updates }
  /** The same, and the first state of epoch `epoch`. */
  | { readonly task: 'renew'; readonly updates: Updates; readonly epoch: number }
  /** What `updates` has beyond a state vector. */
  | { readonly task: 'difference'; readonly updates: Updates; readonly stateVector: Uint8Array }

export interface Merged {
  readonly state: Uint8Array
  /** Bytes of it that are history: what a new epoch would not have. 0 where it is small anyway. */
  readonly historyBytes: number
  readonly clientIds: readonly number[]
}

export interface Renewed {
  readonly closing: Uint8Array
  readonly clientIds: readonly number[]
  readonly state: Uint8Array
}

export interface Results {
  readonly merge: Merged
  readonly renew: Renewed
  readonly difference: Uint8Array
}

export type Answer = { readonly result: Results[keyof Results] } | { readonly error: string }

const docOf = (updates: Updates): Y.Doc => {
  const doc = new Y.Doc()
  doc.transact(() => {
    for (const update of updates) applyState(doc, update)
  })
  return doc
}

/** What a doc that has met nothing else makes of an update. */
const settled = (update: Uint8Array): Uint8Array => {
  const doc = docOf([update])
  const state = Y.encodeStateAsUpdate(doc)
  doc.destroy()
  return state
}

const deletedStructs = (doc: Y.Doc): number => {
  let count = 0
  for (const structs of doc.store.clients.values()) for (const { deleted } of structs) if (deleted) count++
  return count
}

const run = (task: Task): Results[keyof Results] => {
  const doc = docOf(task.updates)
  try {
    if (task.task === 'difference') return Y.encodeStateAsUpdate(doc, task.stateVector)
    const state = Y.encodeStateAsUpdate(doc)
    const clientIds = [...doc.store.clients.keys()]
    if (task.task === 'renew') {
      return { closing: state, clientIds, state: settled(writeEpoch(doc, task.epoch).update) }
    }
    // Any epoch's number will do: only the length counts.
    const isSuspect = deletedStructs(doc) * BYTES_PER_DELETED_STRUCT > HISTORY_BYTES_MIN
    const historyBytes = isSuspect ? state.byteLength - settled(writeEpoch(doc, 1).update).byteLength : 0
    return { state, historyBytes, clientIds }
  } finally {
    doc.destroy()
  }
}

parentPort?.on('message', (task: Task) => {
  let answer: Answer
  try {
    answer = { result: run(task) }
  } catch (error) {
    answer = { error: String(error) }
  }
  parentPort?.postMessage(answer)
})
