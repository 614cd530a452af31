// Carrying raw edits over to a new client id: by example, and over random histories against what the author's own doc says.
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { describe, test } from 'vitest'
import * as Y from 'yjs'
import { renumberUpdates } from '../../client-sdk/renumber-update.ts'
import { judge } from '../../server/sync/verdict.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { ALL_MINE, cloneOf, factsOf } from '../hostile/judging.ts'
import {
  contentsOf,
  editOnce,
  editorOn,
  emittedBy,
  expectedOf,
  type History,
  playHistory,
  randomState,
} from './renumber-histories.ts'

const seed = chooseSeed()
const HISTORIES = 600
const NEW_CLIENT_ID = 77_777_777

/** What the server holds after the updates were carried over and sent to it, each judged first. */
const carryOver = (
  history: History,
  newClientId = NEW_CLIENT_ID,
): { server: Y.Doc; carried: number; dropped: number } => {
  const { updates, nextClock } = renumberUpdates({ ...history, newClientId, firstClock: 0 })
  assert.equal(updates.length, history.updates.length)
  const server = cloneOf(history.base)
  for (const update of updates) {
    if (!update) continue
    const verdict = judge(factsOf(server, { claims: ALL_MINE }), update)
    assert.notEqual(verdict.verdict, 'refuse', JSON.stringify(verdict))
    Y.applyUpdate(server, update)
    assert.equal(server.store.pendingStructs, null, 'left pending structs')
    assert.equal(server.store.pendingDs, null, 'left pending deletes')
  }
  assert.equal(Y.getState(server.store, newClientId), nextClock)
  const dropped = updates.filter((update) => update === null).length
  return { server, carried: updates.length - dropped, dropped }
}

/** A history of one author: `write` runs on the confirmed state, first what is refused, then the rest. */
const after = (
  confirmed: (doc: Y.Doc) => void,
  refused: (doc: Y.Doc) => void,
  ...later: readonly ((doc: Y.Doc) => void)[]
): History => {
  const base = new Y.Doc()
  base.transact(() => confirmed(base))
  const author = editorOn(base, 5)
  return {
    base,
    refused: emittedBy(author, () => refused(author)),
    updates: later.flatMap((write) => emittedBy(author, () => write(author))),
    clientIds: new Set([5]),
  }
}

describe('by example', () => {
  test('[CE1] text stands where the refused text beside it would have stood, in its order', () => {
    const { server } = carryOver(
      after(
        (doc) => doc.getText('t').insert(0, 'ab'),
        (doc) => doc.getText('t').insert(1, 'XXX'),
        (doc) => doc.getText('t').insert(1, '1'),
        (doc) => doc.getText('t').insert(5, '3'),
        (doc) => doc.getText('t').insert(3, '2'),
      ),
    )
    assert.equal(server.getText('t').toJSON(), 'a123b')
  })

  test('[CE1] a key that a refused value stood under takes the value set after it', () => {
    const { server } = carryOver(
      after(
        (doc) => doc.getMap('m').set('kept', 'confirmed'),
        (doc) => {
          doc.getMap('m').set('kept', 'refused')
          doc.getMap('m').set('new', 'refused')
          doc.getMap('m').set('refused', 'refused')
        },
        (doc) => doc.getMap('m').set('kept', 'later'),
        (doc) => doc.getMap('m').set('new', 'later'),
      ),
    )
    assert.deepEqual(server.getMap('m').toJSON(), { kept: 'later', new: 'later' })
  })

  test('[CE2] what lives in a refused container is left out, and an update of nothing else is null', () => {
    const { server, carried, dropped } = carryOver(
      after(
        () => {},
        (doc) => doc.getArray('a').insert(0, [new Y.Map([['title', 'refused']])]),
        (doc) => (doc.getArray('a').get(0) as Y.Map<unknown>).set('text', new Y.Text('inside')),
        (doc) => ((doc.getArray('a').get(0) as Y.Map<unknown>).get('text') as Y.Text).insert(0, 'deep '),
        (doc) => doc.getArray('a').insert(1, ['beside']),
      ),
    )
    assert.deepEqual(server.getArray('a').toJSON(), ['beside'])
    assert.deepEqual({ carried, dropped }, { carried: 1, dropped: 2 })
  })

  test('[CE3] deletions of confirmed text stay, those of refused text and those that were refused vanish', () => {
    const { server } = carryOver(
      after(
        (doc) => doc.getText('t').insert(0, 'abcdef'),
        (doc) => {
          doc.getText('t').delete(0, 1)
          doc.getText('t').insert(2, 'XXX')
        },
        (doc) => doc.getText('t').delete(1, 5),
      ),
    )
    assert.equal(server.getText('t').toJSON(), 'abef')
  })

  test('[CE4] what the confirmed state has already is not carried over a second time', () => {
    const history = after(
      () => {},
      () => {},
      (doc) => doc.getText('t').insert(0, 'stored '),
      (doc) => doc.getText('t').insert(7, 'pending'),
    )
    Y.applyUpdate(history.base, history.updates[0] as Uint8Array)
    const { server } = carryOver(history)
    assert.equal(server.getText('t').toJSON(), 'stored pending')
    assert.equal(Y.getState(server.store, NEW_CLIENT_ID), 'pending'.length)
  })
})

test('[CE5] over random histories everything but what was refused is there, in its place, and the verdict takes it', () => {
  const random = createRandom(seed)
  let [carriedCount, droppedCount, differing] = [0, 0, 0]
  const startedAt = performance.now()
  for (let run = 0; run < HISTORIES; run++) {
    const history = playHistory(random.fork())
    const { server, carried, dropped } = carryOver(history, random.int(1, 2 ** 31))
    const expected = expectedOf(history)
    assert.deepEqual(contentsOf(server), expected, `SEED=${seed} run ${run}`)
    carriedCount += carried
    droppedCount += dropped
    if (!isDeepStrictEqual(expected, contentsOf(history.base))) differing++
  }
  const ms = performance.now() - startedAt
  process.stdout.write(
    `carried over: ${HISTORIES} histories, SEED=${seed}, ${carriedCount} updates, ${droppedCount} left out, ${ms.toFixed(0)} ms\n`,
  )
  assert.ok(droppedCount > HISTORIES / 10 && differing > HISTORIES / 2, 'vacuous')
}, 120_000)

test('[CE6] edits that do not depend on what was refused give exactly what they give alone', () => {
  const random = createRandom(seed)
  for (let run = 0; run < HISTORIES; run++) {
    const base = randomState(random)
    const [refusing, writing] = [editorOn(base, random.int(2_000, 2 ** 31)), editorOn(base, random.int(2_000, 2 ** 31))]
    const others = editorOn(base, random.int(2_000, 2 ** 31))
    const play = (doc: Y.Doc): Uint8Array[] =>
      Array.from({ length: random.int(1, 8) }, () => editOnce(doc, random)).flat()
    play(others)
    Y.applyUpdate(base, Y.encodeStateAsUpdate(others))
    const clientIds = new Set([refusing.clientID, writing.clientID])
    const history: History = { base, refused: play(refusing), updates: play(writing), clientIds }
    const alone = cloneOf(base)
    for (const update of history.updates) Y.applyUpdate(alone, update)
    const { server } = carryOver(history, random.int(1, 2 ** 31))
    assert.deepEqual(contentsOf(server), contentsOf(alone), `SEED=${seed} run ${run}`)
  }
}, 120_000)
