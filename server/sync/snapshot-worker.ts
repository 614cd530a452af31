// The merging thread of `snapshots.ts`: updates in, one state out. A Y.Doc merges them, because Yjs's `mergeUpdates`
// takes minutes on thousands of updates and does not collect garbage.
import { parentPort } from 'node:worker_threads'
import * as Y from 'yjs'

export interface MergeRequest {
  readonly updates: readonly Uint8Array[]
}

export type MergeAnswer = { readonly state: Uint8Array } | { readonly error: string }

const merge = ({ updates }: MergeRequest): Uint8Array => {
  const doc = new Y.Doc()
  doc.transact(() => {
    for (const update of updates) Y.applyUpdate(doc, update)
  })
  const state = Y.encodeStateAsUpdate(doc)
  doc.destroy()
  return state
}

parentPort?.on('message', (request: MergeRequest) => {
  let answer: MergeAnswer
  try {
    answer = { state: merge(request) }
  } catch (error) {
    answer = { error: String(error) }
  }
  parentPort?.postMessage(answer)
})
