// Answers to state requests: what is shared by those who ask in one turn is, byte for byte, what each would get alone.
import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { Document } from '@hocuspocus/server'
import { test } from 'vitest'
import * as Y from 'yjs'
import { syncFrame } from '../../server/sync/frames.ts'
import { LiveDocument } from '../../server/sync/live-document.ts'
import { stateAnswer } from '../../server/sync/state-answer.ts'
import type { Kind } from '../../shared/kind.ts'
import { SyncType } from '../../shared/protocol.ts'
import { KINDS } from '../../shared/registry.ts'

const NAME = 'document/0123456789'

/** An open document in which two people have written. */
const room = () => {
  const document = new Document(NAME)
  const live = new LiveDocument(document, KINDS.get('document') as Kind, new Map(), {
    bytes: 0,
    tailEntries: 0,
    tailBytes: 0,
  })
  document.on('update', (update: Uint8Array) => live.push(update))
  const people = [1, 2].map((clientId) => {
    const doc = new Y.Doc()
    doc.clientID = clientId
    doc.getText('text').insert(0, `written by ${clientId}`)
    Y.applyUpdate(document, Y.encodeStateAsUpdate(doc))
    return doc
  })
  const alone = (stateVector: Uint8Array): Uint8Array =>
    syncFrame(NAME, SyncType.Step2, Y.encodeStateAsUpdate(document, stateVector))
  return { document, live, people, alone }
}

const NOTHING = Y.encodeStateVector(new Y.Doc())

/** What somebody announces whose own edits the server does not have. */
const stranger = (clientId: number): Uint8Array => {
  const doc = new Y.Doc()
  doc.clientID = clientId
  doc.getText('text').insert(0, 'offline')
  return Y.encodeStateVector(doc)
}

test('those who have nothing of a document get one frame, whatever they wrote themselves', () => {
  const { live, alone } = room()
  const first = stateAnswer(live, NAME, NOTHING)
  for (const stateVector of [NOTHING, stranger(3), stranger(4_000_000_000)]) {
    assert.equal(stateAnswer(live, NAME, stateVector), first)
    assert.deepEqual(first, alone(stateVector))
  }
})

test('who has some of a document gets the rest only', () => {
  const { live, people, alone } = room()
  const whole = stateAnswer(live, NAME, NOTHING)
  const stateVector = Y.encodeStateVector(people[0] as Y.Doc)
  const rest = stateAnswer(live, NAME, stateVector)
  assert.deepEqual(rest, alone(stateVector))
  assert.ok(rest.byteLength < whole.byteLength)
})

test('what was written after an answer is in the next one, in the same turn', () => {
  const { document, live, alone } = room()
  const before = stateAnswer(live, NAME, NOTHING)
  document.getText('text').insert(0, 'later ')
  const after = stateAnswer(live, NAME, NOTHING)
  assert.notDeepEqual(after, before)
  assert.deepEqual(after, alone(NOTHING))
})

test('answers are made for the address and the document that were asked for, and kept for one turn', async () => {
  const [one, other] = [room(), room()]
  other.document.getText('text').insert(0, 'another')
  const frame = stateAnswer(one.live, NAME, NOTHING)
  assert.deepEqual(stateAnswer(other.live, NAME, NOTHING), other.alone(NOTHING))
  const elsewhere = `${NAME}\0session`
  const state = Y.encodeStateAsUpdate(one.document)
  assert.deepEqual(stateAnswer(one.live, elsewhere, NOTHING), syncFrame(elsewhere, SyncType.Step2, state))
  await setImmediate()
  const later = stateAnswer(one.live, NAME, NOTHING)
  assert.notEqual(later, frame)
  assert.deepEqual(later, frame)
})
