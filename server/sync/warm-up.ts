// Runs the path of an update a few hundred times on documents of no one, before the server listens: after a restart all
// clients come back at once, and the first thousand updates would otherwise be judged by code that is not compiled yet.
import * as Y from 'yjs'
import type { Kind } from '../../shared/kind.ts'
import { judge } from './verdict.ts'

/** About 40 ms; beyond that nothing gets faster. */
const ROUNDS = 60
const EDITS = 20
const USER = 'nobody'

/** What a client comes back with: some text, some records, and an edit of both. */
const offlineEdits = (clientId: number): Uint8Array[] => {
  const doc = new Y.Doc({ guid: USER })
  doc.clientID = clientId
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (let i = 0; i < EDITS; i++) {
    doc.getText('content').insert(i, 'word ')
    doc.getArray('list').push([{ text: 'an entry', at: i }])
    doc.getMap('records').set(`record-${i % 5}`, `value ${i}`)
  }
  doc.getText('content').delete(1, 3)
  updates.push(Y.encodeStateAsUpdate(doc))
  return updates
}

const round = (kind: Kind, updates: readonly Uint8Array[], claims: ReadonlyMap<number, string>): void => {
  const doc = new Y.Doc({ guid: USER })
  const accepted: Uint8Array[] = []
  for (const update of updates) {
    const verdict = judge({ doc, kind, userId: USER, readOnly: false, claims, documentBytes: 0 }, update)
    if (verdict.verdict !== 'accept') continue
    Y.applyUpdate(doc, verdict.update)
    accepted.push(verdict.update)
  }
  if (accepted.length > 1) Y.mergeUpdates(accepted.slice(0, EDITS))
  Y.encodeStateAsUpdate(doc, Y.encodeStateVector(new Y.Doc({ guid: USER })))
  doc.destroy()
}

export const warmUpUpdates = (kind: Kind): void => {
  const clientId = 1
  const updates = offlineEdits(clientId)
  const claims = new Map([[clientId, USER]])
  for (let i = 0; i < ROUNDS; i++) round(kind, i % 4 === 0 ? updates : updates.slice(-1), claims)
}
