// The merging thread of `merger.ts`: whole states of documents are put together, written anew and compared here, off the
// event loop. A Y.Doc merges them, because Yjs's `mergeUpdates` takes minutes on thousands of updates and does not collect
// garbage.
import { parentPort } from 'node:worker_threads'
import * as Y from 'yjs'
import { applyState } from '../../shared/apply-state.ts'
import { writeEpoch } from '../../shared/epoch.ts'
import { HISTORY_BYTES_MIN } from '../../shared/limits.ts'

/** What a struct takes: deleted, with its place in the set of deletions; and beside its content, which a new epoch keeps. */
const BYTES_PER_DELETED_STRUCT = 64
const BYTES_PER_PLACE = 32
/** UTF-8, of one of a string's code units. */
const BYTES_PER_UNIT_MAX = 3

/** Updates of one document, in their order; together they are a whole state. */
type Updates = readonly Uint8Array[]

export type Task =
  /** One state of many updates. */
  | { readonly task: 'merge'; readonly updates: Updates }
  /** The same, and the first state of epoch `epoch`. */
  | { readonly task: 'renew'; readonly updates: Updates; readonly epoch: number }
  /** What `updates` has beyond a state vector; null when the two have no client id in common. */
  | { readonly task: 'difference'; readonly updates: Updates; readonly stateVector: Uint8Array }

export interface Merged {
  readonly state: Uint8Array
  /** Bytes of it that are history: what a new epoch would not have. 0 where it is small anyway. */
  readonly historyBytes: number
  readonly clientIds: readonly number[]
}

export interface Renewed {
  readonly closing: Uint8Array
  /** Its state vector. */
  readonly closed: Uint8Array
  readonly clientIds: readonly number[]
  readonly state: Uint8Array
}

export interface Difference {
  readonly difference: Uint8Array
  /** The state vector of all of it. */
  readonly closed: Uint8Array
}

export interface Results {
  readonly merge: Merged
  readonly renew: Renewed
  readonly difference: Difference | null
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

/** Not only what was deleted is history: so is that a text was typed here and there, letter by letter. */
const historyBytesMax = (doc: Y.Doc): number => {
  let bytes = 0
  for (const structs of doc.store.clients.values()) {
    for (const struct of structs) {
      const { origin, rightOrigin, parentSub } = struct as Partial<Y.Item>
      if (struct.deleted) bytes += BYTES_PER_DELETED_STRUCT + BYTES_PER_UNIT_MAX * (parentSub?.length ?? 0)
      else if (origin || rightOrigin) bytes += BYTES_PER_PLACE
    }
  }
  return bytes
}

const differenceTo = (doc: Y.Doc, stateVector: Uint8Array): Difference | null => {
  const { clients } = doc.store
  if (![...Y.decodeStateVector(stateVector).keys()].some((clientId) => clients.has(clientId))) return null
  return { difference: Y.encodeStateAsUpdate(doc, stateVector), closed: Y.encodeStateVector(doc) }
}

const run = (task: Task): Results[keyof Results] => {
  const doc = docOf(task.updates)
  try {
    if (task.task === 'difference') return differenceTo(doc, task.stateVector)
    const state = Y.encodeStateAsUpdate(doc)
    const clientIds = [...doc.store.clients.keys()]
    if (task.task === 'renew') {
      const closed = Y.encodeStateVector(doc)
      return { closing: state, closed, clientIds, state: settled(writeEpoch(doc, task.epoch).update) }
    }
    // Any epoch's number will do: only the length counts.
    const isSuspect = historyBytesMax(doc) > HISTORY_BYTES_MIN
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
