// What becomes of pending edits after a refusal, where carrying them over alone does not say: none vanishes.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import * as Y from 'yjs'
import type { Entry } from '../../client-sdk/offline/store.ts'
import { planRebuild } from '../../client-sdk/rebuild.ts'
import type { ErrorCode } from '../../shared/errors.ts'
import { DOCUMENT_KIND } from '../../shared/document/kind.ts'

const DOCUMENT = 'document/channel-000001'

/** Two edits in a row by one author. */
const typed = (): [first: Uint8Array, second: Uint8Array] => {
  const doc = new Y.Doc()
  doc.clientID = 5
  doc.getText('text').insert(0, 'Hello ')
  const first = Y.encodeStateAsUpdate(doc)
  const before = Y.encodeStateVector(doc)
  doc.getText('text').insert(6, 'world')
  return [first, Y.encodeStateAsUpdate(doc, before)]
}

const plan = (entries: readonly Entry[], seq: number, code: ErrorCode) => {
  const entry = entries.find((one) => one.seq === seq) as Entry
  return planRebuild({
    kind: DOCUMENT_KIND,
    operations: new Map(),
    entries,
    refused: [{ entry, message: { type: 'refused', code, path: '', clientId: 5, clock: 6 } }],
    isRepeated: () => false,
    context: () => assert.fail('nothing is run again'),
  })
}

test('[CE7] an edit that builds on what is nowhere any more goes to quarantine with its reason', () => {
  const [, second] = typed()
  const entry: Entry = { seq: 2, document: DOCUMENT, update: second, pending: { clientId: 5 } }
  const { made, quarantined } = plan([entry], 2, 'gap')
  assert.deepEqual(made, [])
  assert.deepEqual(quarantined, [{ entry, code: 'gap', path: '' }])
})

test('[CE7] an edit that the confirmed state has already is done with, and in no quarantine', () => {
  const [first, second] = typed()
  const pending = { clientId: 5 }
  const entries: Entry[] = [
    { seq: 1, document: DOCUMENT, update: first },
    { seq: 2, document: DOCUMENT, update: first, pending },
    { seq: 3, document: DOCUMENT, update: second, pending },
  ]
  const { made, quarantined } = plan(entries, 3, 'client-id-taken')
  assert.deepEqual(
    made.map(({ from }) => from),
    [3],
  )
  assert.deepEqual(quarantined, [])
})
