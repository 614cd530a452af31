// A new epoch of a document: the same content without its history, the same wherever it is made, and edits of the old epoch
// carried over to it; over random histories of all shared types.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import * as Y from 'yjs'
import { renumberUpdates } from '../../client-sdk/renumber-update.ts'
import { judge } from '../../server/sync/verdict.ts'
import { epochClientId, writeEpoch } from '../../shared/epoch.ts'
import { EPOCHS_MAX, PROCESS_CLIENT_ID_MIN, SERVER_CLIENT_ID_MIN } from '../../shared/limits.ts'
import { contentsOf, expectedOf, playHistory, randomState, untidied } from '../client-sdk/renumber-histories.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { ALL_MINE, factsOf } from '../hostile/judging.ts'

const seed = chooseSeed()
const STATES = 300
const HISTORIES = 600
const NEW_CLIENT_ID = 77_777_777

const docOf = (...updates: readonly Uint8Array[]): Y.Doc => {
  const doc = untidied(new Y.Doc())
  for (const update of updates) Y.applyUpdate(doc, update)
  assert.equal(doc.store.pendingStructs, null, 'left pending structs')
  assert.equal(doc.store.pendingDs, null, 'left pending deletes')
  return doc
}

describe('by example', () => {
  test('[EP1] a new epoch holds what the document holds, in one run, and nothing of what was', () => {
    const doc = new Y.Doc()
    for (let index = 0; index < 1_000; index++) {
      doc.getText('t').insert(0, 'word ')
      doc.getText('t').delete(0, 5)
      doc.getMap('m').set('key', index)
    }
    doc.getText('t').insert(0, 'left')
    const fresh = docOf(writeEpoch(doc, 1).update)
    assert.deepEqual([fresh.getText('t').toJSON(), fresh.getMap('m').toJSON()], ['left', { key: 999 }])
    assert.deepEqual([...fresh.store.clients.keys()], [epochClientId(1)])
    assert.ok(Y.encodeStateAsUpdate(fresh).byteLength < 60)
  })

  test('[EP1] an empty document has an empty new epoch', () => {
    const { update, length } = writeEpoch(new Y.Doc(), 1)
    assert.deepEqual([length, docOf(update).store.clients.size], [0, 0])
  })

  test('[EP2] every epoch has a client id of its own, which neither users nor processes of the server have', () => {
    assert.equal(epochClientId(1), SERVER_CLIENT_ID_MIN)
    assert.equal(epochClientId(EPOCHS_MAX), PROCESS_CLIENT_ID_MIN - 1)
    for (const epoch of [-1, 0, EPOCHS_MAX + 1]) assert.throws(() => epochClientId(epoch), RangeError)
  })
})

test(`[EP1][EP2] any document has the same content in its next epoch, wherever that is made (seed ${seed})`, () => {
  const random = createRandom(seed)
  for (let index = 0; index < STATES; index++) {
    const state = randomState(random)
    const made = writeEpoch(state, 7)
    const fresh = docOf(made.update)
    assert.deepEqual(contentsOf(fresh), contentsOf(state), `state ${index}`)
    assert.equal(Y.getState(fresh.store, epochClientId(7)), made.length)
    // Another replica, which keeps what was deleted, and heard of all of it in other pieces.
    const other = new Y.Doc({ gc: false })
    Y.applyUpdate(other, Y.encodeStateAsUpdate(state))
    const again = writeEpoch(other, 7)
    assert.deepEqual(Y.encodeStateAsUpdate(docOf(again.update)), Y.encodeStateAsUpdate(fresh), `state ${index}`)
    const [runs, others] = [made.moved(), again.moved()]
    for (const [client, end] of Y.decodeStateVector(Y.encodeStateVector(state))) {
      for (let clock = 0; clock < end; clock++) assert.equal(runs.find(client, clock), others.find(client, clock))
    }
  }
})

test(`[EP3] edits of the old epoch carried over read as they did there (seed ${seed})`, () => {
  const random = createRandom(seed)
  let carried = 0
  for (let index = 0; index < HISTORIES; index++) {
    // Nothing is refused here: that comes before, or after.
    const played = playHistory(random)
    const history = { ...played, edits: played.edits.map(({ update }) => ({ update, isRefused: false })) }
    const { update, moved } = writeEpoch(history.base, 1)
    const { updates, nextClock } = renumberUpdates({
      ...history,
      moved: { runs: moved(), clientId: epochClientId(1) },
      newClientId: NEW_CLIENT_ID,
      firstClock: 0,
    })
    const server = docOf(update)
    for (const one of updates) {
      if (!one) continue
      carried++
      const verdict = judge(factsOf(server, { claims: ALL_MINE }), one)
      assert.notEqual(verdict.verdict, 'refuse', `history ${index}: ${JSON.stringify(verdict)}`)
      Y.applyUpdate(server, one)
      assert.equal(server.store.pendingStructs, null, 'left pending structs')
      assert.equal(server.store.pendingDs, null, 'left pending deletes')
    }
    assert.equal(Y.getState(server.store, NEW_CLIENT_ID), nextClock)
    assert.deepEqual(contentsOf(server), expectedOf(history), `history ${index}`)
  }
  assert.ok(carried > HISTORIES, `only ${carried} updates were carried over`)
})
