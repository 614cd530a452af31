// Runs the path of an update a few hundred times on documents of nobody, before the server listens: after a restart all
// clients come back at once, and the first thousand updates would otherwise be judged by code that is not compiled yet.
import * as Y from 'yjs'
import { type Facts, judge } from './verdict.ts'

/** Per kind of document; both together make the start about 0.15 s longer. */
const ROUNDS = 60
const EDITS = 20
const USER = 'nobody'
const CLIENT_ID = 1

const FACTS: Omit<Facts, 'doc' | 'kind'> = {
  actor: USER,
  role: 'member',
  now: 0,
  members: new Set(),
  isSealed: false,
  groups: new Map(),
  readOnly: false,
  claims: new Map([[CLIENT_ID, USER]]),
  documentBytes: 0,
}

/** Kinds like those there are, which keep text or plain records. */
const TEXT: Facts['kind'] = { roots: 'any' }
const RECORDS: Facts['kind'] = { roots: ['records'], rule: () => null }

/** What a client comes back with: what `write` does, some twenty times, one update each, and all of it in one. */
const offlineEdits = (write: (doc: Y.Doc, i: number) => void): Uint8Array[] => {
  const doc = new Y.Doc({ guid: USER })
  doc.clientID = CLIENT_ID
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (let i = 0; i < EDITS; i++) write(doc, i)
  updates.push(Y.encodeStateAsUpdate(doc))
  return updates
}

const writeText = (doc: Y.Doc, i: number): void => {
  doc.getText('content').insert(i, 'word ')
  doc.getArray('list').push([{ text: 'an entry', at: i }])
  doc.getMap('map').set(`key-${i % 5}`, `value ${i}`)
  if (i === EDITS - 1) doc.getText('content').delete(1, 3)
}

const writeRecord = (doc: Y.Doc, i: number): void => {
  const records = doc.getMap('records')
  if (i === EDITS - 1) records.delete('record-1')
  else records.set(`record-${i % 5}`, { title: `value ${i}`, at: i, done: false })
}

const round = (kind: Facts['kind'], updates: readonly Uint8Array[]): void => {
  const doc = new Y.Doc({ guid: USER })
  const accepted: Uint8Array[] = []
  for (const update of updates) {
    const verdict = judge({ ...FACTS, doc, kind }, update)
    if (verdict.verdict !== 'accept') continue
    Y.applyUpdate(doc, verdict.update)
    accepted.push(verdict.update)
  }
  if (accepted.length > 1) Y.mergeUpdates(accepted.slice(0, EDITS))
  Y.encodeStateAsUpdate(doc, Y.encodeStateVector(new Y.Doc({ guid: USER })))
  doc.destroy()
}

export const warmUpUpdates = (): void => {
  for (const [kind, updates] of [
    [TEXT, offlineEdits(writeText)],
    [RECORDS, offlineEdits(writeRecord)],
  ] as const) {
    for (let i = 0; i < ROUNDS; i++) round(kind, i % 4 === 0 ? updates : updates.slice(-1))
  }
}
