// The verdict against chance: random honest histories are never refused, and whatever hostile bytes it accepts, Yjs
// applies wholly. Seeded; SEED repeats a run, HOSTILE_RUNS lengthens it.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import * as Y from 'yjs'
import { judge } from '../../server/sync/verdict.ts'
import { chooseSeed, createRandom, type Random } from '../helpers/random.ts'
import { edit, newEditor } from './histories.ts'
import { ALL_MINE, applyAccepted, factsOf, readingsOf, stateOf } from './judging.ts'
import { craftUpdate, mutateBytes } from './mutations.ts'

const seed = chooseSeed()
const SCALE = Number(process.env['HOSTILE_RUNS'] ?? 1)
const HISTORIES = 2_000 * SCALE
const MUTATIONS = 100_000 * SCALE

const shuffled = <Item>(items: readonly Item[], random: Random): Item[] => {
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = random.int(0, i)
    ;[result[i], result[j]] = [result[j] as Item, result[i] as Item]
  }
  return result
}

/** Several editors who hear of each other now and then; what each sends, in the order it was made. */
const playHistory = (random: Random): Uint8Array[] => {
  const editors = Array.from({ length: random.int(2, 4) }, () => newEditor(random.int(1, 2 ** 31)))
  const sent: Uint8Array[] = []
  for (let step = random.int(3, 14); step > 0; step--) {
    const editor = random.pick(editors)
    const updates = edit(editor, random)
    sent.push(...updates)
    if (random.chance(0.4)) Y.applyUpdate(random.pick(editors), Y.encodeStateAsUpdate(editor))
    // A reconnecting client answers with all that the server may lack, or everything it has.
    if (random.chance(0.15)) sent.push(Y.encodeStateAsUpdate(editor))
    if (random.chance(0.1) && sent.length > 2) sent.push(Y.mergeUpdates(shuffled(sent.slice(-3), random)))
  }
  return [...sent, ...editors.map((editor) => Y.encodeStateAsUpdate(editor))]
}

test('[HF10] every update of random honest histories is applied wholly or answered with gap, in any order', () => {
  const random = createRandom(seed)
  const counts = { accept: 0, known: 0, gap: 0 }
  for (let run = 0; run < HISTORIES; run++) {
    const at = `SEED=${seed} run ${run}`
    const updates = playHistory(random)
    const server = new Y.Doc()
    const plain = new Y.Doc()
    const order = shuffled([...updates, ...updates.filter(() => random.chance(0.3))], random)
    for (const update of [...order, ...updates]) {
      const verdict = judge(factsOf(server, { claims: ALL_MINE }), update)
      if (verdict.verdict === 'refuse') assert.equal(verdict.code, 'gap', at)
      counts[verdict.verdict === 'refuse' ? 'gap' : verdict.verdict]++
      if (verdict.verdict === 'accept') {
        Y.applyUpdate(server, verdict.update)
        assert.equal(server.store.pendingStructs, null, at)
        assert.equal(server.store.pendingDs, null, at)
      }
      Y.applyUpdate(plain, update)
    }
    assert.deepEqual(readingsOf(server), readingsOf(plain), at)
    assert.deepEqual(Y.encodeStateVector(server), Y.encodeStateVector(plain), at)
  }
  process.stdout.write(`honest histories: ${HISTORIES}, SEED=${seed}, ${JSON.stringify(counts)}\n`)
  assert.ok(Math.min(counts.accept, counts.known, counts.gap) > HISTORIES / 10, 'vacuous')
}, 120_000)

interface Ground {
  readonly state: Uint8Array
  readonly clients: readonly number[]
  readonly next: readonly Uint8Array[]
}

/** A document with history, and honest updates that would be next. */
const layGround = (random: Random): Ground => {
  const editors = [newEditor(1), newEditor(2), newEditor(random.int(3, 2 ** 31))]
  for (let step = random.int(2, 8); step > 0; step--) {
    const editor = random.pick(editors)
    edit(editor, random)
    Y.applyUpdate(random.pick(editors), Y.encodeStateAsUpdate(editor))
  }
  const [base] = editors as [Y.Doc]
  for (const editor of editors) Y.applyUpdate(base, Y.encodeStateAsUpdate(editor))
  const state = Y.encodeStateAsUpdate(base)
  const next = editors.slice(1).flatMap((editor) => {
    Y.applyUpdate(editor, state)
    return edit(editor, random)
  })
  return { state, clients: editors.map(({ clientID }) => clientID), next: [...next, Y.encodeStateAsUpdate(base)] }
}

/** A struct whose neighbours stand the wrong way round is placed differently by replicas: counted, not yet refused. */
const PARTED = /another document/

test('[HF11] whatever hostile bytes the verdict accepts, Yjs applies wholly; and it never throws', () => {
  const random = createRandom(seed ^ 0x5eed)
  const counts: Record<string, number> = {}
  const failures = new Map<string, string>()
  const count = (outcome: string): void => void (counts[outcome] = (counts[outcome] ?? 0) + 1)
  const PER_GROUND = 100
  for (let run = 0; run < MUTATIONS; run += PER_GROUND) {
    const { state: ground, clients, next } = layGround(random)
    const doc = new Y.Doc()
    Y.applyUpdate(doc, ground)
    let state = Y.encodeStateAsUpdate(doc)
    for (let i = 0; i < PER_GROUND; i++) {
      const authors = shuffled([...clients, 77], random).slice(0, random.int(1, 2))
      const update = random.chance(0.5)
        ? mutateBytes(random.pick(next), random.pick(next), random)
        : craftUpdate(doc, authors, random)
      let outcome = 'threw'
      try {
        const verdict = judge(factsOf(doc, { claims: ALL_MINE }), update)
        outcome = verdict.verdict === 'refuse' ? verdict.code : verdict.verdict
        if (verdict.verdict === 'accept') {
          const copy = new Y.Doc()
          Y.applyUpdate(copy, state)
          applyAccepted(copy, verdict.update)
          // Now and then it stays, so that what comes later meets what earlier attacks left behind.
          if (random.chance(0.1)) {
            Y.applyUpdate(doc, verdict.update)
            state = Y.encodeStateAsUpdate(doc)
          }
        }
      } catch (error) {
        const cause = `${outcome}: ${String(error).split('\n')[0]}`
        if (PARTED.test(cause)) count('parted')
        else if (!failures.has(cause)) {
          const bytes = Buffer.from(update).toString('hex')
          failures.set(cause, `SEED=${seed} update ${bytes} on ${Buffer.from(state).toString('hex')}`)
        }
      }
      count(outcome)
    }
    assert.deepEqual(Buffer.from(state), stateOf(doc), 'judging changed the document')
  }
  process.stdout.write(`hostile updates: ${MUTATIONS}, SEED=${seed}, ${JSON.stringify(counts)}\n`)
  assert.deepEqual([...failures], [], `${failures.size} kinds of failure`)
  assert.ok((counts['accept'] ?? 0) > MUTATIONS / 100 && (counts['malformed'] ?? 0) > MUTATIONS / 100, 'vacuous')
}, 180_000)
