// The edits that writers send: each a push of one short string to a Y.Array, made ahead by a real Y.Doc of that writer,
// so that sending costs the load generator nothing but the send.
import * as Y from 'yjs'
import { createRandom } from '../statistics.ts'

/** The array that every benchmark edit appends to. */
export const ROOT = 'list'

export interface Writer {
  readonly clientId: number
  /** The writer's edit number `k`: an update that builds on edit `k - 1` alone. */
  readonly edit: (k: number) => Uint8Array
  /** All edits so far as one update, and what a replica that has them announces. */
  readonly state: () => Uint8Array
  readonly stateVector: () => Uint8Array
}

/** Client ids as Yjs draws them (32 bits), but the same in every run; the highest are left to the server. */
export const createClientIds = (seed: number): (() => number) => {
  const random = createRandom(seed)
  return () => 1 + Math.floor(random() * 0xff_ff_f0_00)
}

export const createWriter = (clientId: number, ahead: number): Writer => {
  const doc = new Y.Doc()
  doc.clientID = clientId
  const list = doc.getArray<string>(ROOT)
  const edits: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => edits.push(update))
  const makeUpTo = (count: number): void => {
    while (edits.length < count) list.push([`edit ${String(edits.length).padStart(6, '0')} of a writer`])
  }
  makeUpTo(ahead)
  return {
    clientId,
    edit: (k) => {
      if (k >= edits.length) makeUpTo(k + 100)
      return edits[k] as Uint8Array
    },
    state: () => Y.encodeStateAsUpdate(doc),
    stateVector: () => Y.encodeStateVector(doc),
  }
}

const made = new Map<string, Writer[]>()

/** `count` writers with different client ids; made once, and used again by every run that asks for the same. */
export const writersFor = (purpose: string, count: number, ahead: number): readonly Writer[] => {
  const known = made.get(purpose)
  if (known && known.length >= count) return known
  const nextClientId = createClientIds(purpose.length * 1_000 + count)
  const writers = Array.from({ length: count }, () => createWriter(nextClientId(), ahead))
  made.set(purpose, writers)
  return writers
}
