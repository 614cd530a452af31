// The verdict on records against chance. Yjs is the judge of the judge: what an accepted update changes for a reader was
// asked about, and an honest update is asked about nothing but what its author did. SEED repeats a run, HOSTILE_RUNS
// lengthens it.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import * as Y from 'yjs'
import { judge } from '../../server/sync/verdict.ts'
import type { Change } from '../../shared/rules.ts'
import { chooseSeed, createRandom, type Random } from '../helpers/random.ts'
import { ALL_MINE, applyAccepted, cloneOf, factsOf } from './judging.ts'
import { craftRecords, editRecords, RECORD_ROOTS, shownIn } from './record-updates.ts'

const seed = chooseSeed()
const SCALE = Number(process.env['HOSTILE_RUNS'] ?? 1)
const HISTORIES = 1_000 * SCALE
const CRAFTED = 20_000 * SCALE

/** Judges `update`, writing down what the rule is asked; it allows everything. */
const question = (doc: Y.Doc, update: Uint8Array) => {
  const asked: Change[] = []
  const rule = (change: Change): null => {
    asked.push(change)
    return null
  }
  const verdict = judge(factsOf(doc, { claims: ALL_MINE, kind: { roots: RECORD_ROOTS, rule } }), update)
  return { verdict, asked }
}

const nameOf = ({ root, key }: Change): string => `${root}/${key}`

/** Whatever a reader sees change was asked about, and no deletion that there is not. */
const assertAsked = (before: Y.Doc, after: Y.Doc, asked: readonly Change[], at: string): number => {
  const [old, now] = [shownIn(before), shownIn(after)]
  let changes = 0
  for (const [name, { value, id }] of now) {
    if (old.get(name)?.id === id) continue
    changes++
    const sets = asked.filter((change) => nameOf(change) === name && change.value !== undefined)
    assert.ok(
      sets.some((change) => JSON.stringify(change.value) === JSON.stringify(value)),
      `${name} was set unasked, ${at}`,
    )
  }
  for (const name of old.keys()) {
    if (now.has(name)) continue
    changes++
    assert.ok(
      asked.some((change) => nameOf(change) === name && change.value === undefined),
      `${name} was deleted unasked, ${at}`,
    )
  }
  for (const change of asked)
    if (change.value === undefined) assert.ok(!now.has(nameOf(change)), `${nameOf(change)} is still there, ${at}`)
  return changes
}

const shuffled = <Item>(items: readonly Item[], random: Random): Item[] =>
  items
    .map((item) => ({ item, at: random.int(0, 1_000_000) }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)

/** Replicas that are offline from each other for a while; what they send, in the order it was made. */
const playHistory = (random: Random, mayDelete: boolean) => {
  const replicas = Array.from({ length: random.int(2, 4) }, () => {
    const doc = new Y.Doc({ gc: random.chance(0.8) })
    doc.clientID = random.int(1, 2 ** 31)
    return doc
  })
  const sent: Uint8Array[] = []
  const deleted = new Set<string>()
  for (let step = random.int(4, 16); step > 0; step--) {
    const replica = random.pick(replicas)
    const listen = (update: Uint8Array): void => void sent.push(update)
    if (random.chance(0.7)) replica.on('update', listen)
    for (const name of editRecords(replica, random, mayDelete)) deleted.add(name)
    replica.off('update', listen)
    if (random.chance(0.4)) Y.applyUpdate(random.pick(replicas), Y.encodeStateAsUpdate(replica))
    if (random.chance(0.3)) sent.push(Y.encodeStateAsUpdate(replica))
    if (random.chance(0.1) && sent.length > 2) sent.push(Y.mergeUpdates(shuffled(sent.slice(-3), random)))
  }
  return { deleted, sent: [...sent, ...replicas.map((replica) => Y.encodeStateAsUpdate(replica))] }
}

test('[RV1] honest updates to records are asked about what shows afterwards and what their authors deleted, nothing else', () => {
  const random = createRandom(seed)
  let changes = 0
  let deletes = 0
  for (let run = 0; run < HISTORIES; run++) {
    const at = `SEED=${seed} run ${run}`
    const mayDelete = run % 2 === 0
    const { sent, deleted } = playHistory(random, mayDelete)
    const server = new Y.Doc()
    for (const update of [...(random.chance(0.5) ? shuffled(sent, random) : sent), ...sent]) {
      const { verdict, asked } = question(server, update)
      if (verdict.verdict === 'refuse') assert.equal(verdict.code, 'gap', at)
      if (verdict.verdict !== 'accept') continue
      const before = cloneOf(server)
      Y.applyUpdate(server, verdict.update)
      changes += assertAsked(before, server, asked, at)
      for (const change of asked) {
        if (change.value !== undefined) continue
        deletes++
        assert.ok(deleted.has(nameOf(change)), `nobody deleted ${nameOf(change)}, ${at}`)
      }
    }
    const plain = new Y.Doc()
    for (const update of sent) Y.applyUpdate(plain, update)
    assert.deepEqual(shownIn(server), shownIn(plain), at)
  }
  process.stdout.write(`honest records: ${HISTORIES}, SEED=${seed}, ${changes} changes, ${deletes} deletes\n`)
  assert.ok(changes > HISTORIES && deletes > HISTORIES / 10, 'vacuous')
}, 120_000)

test('[RV2] whatever a crafted update changes for a reader was asked about, and it is applied wholly', () => {
  const random = createRandom(seed ^ 0xc4af7)
  const counts: Record<string, number> = {}
  let changes = 0
  const PER_GROUND = 50
  for (let run = 0; run < CRAFTED; run += PER_GROUND) {
    const authors = [1, 2, random.int(3, 2 ** 31)]
    const doc = new Y.Doc()
    for (let i = 0; i < PER_GROUND; i++) {
      const at = `SEED=${seed} run ${run + i}`
      const update = craftRecords(doc, shuffled(authors, random).slice(0, random.int(1, 2)), random)
      const { verdict, asked } = question(doc, update)
      const outcome = verdict.verdict === 'refuse' ? verdict.code : verdict.verdict
      counts[outcome] = (counts[outcome] ?? 0) + 1
      if (verdict.verdict !== 'accept') continue
      const after = cloneOf(doc)
      applyAccepted(after, verdict.update)
      changes += assertAsked(doc, after, asked, `${at} ${Buffer.from(update).toString('hex')}`)
      Y.applyUpdate(doc, verdict.update)
    }
  }
  process.stdout.write(`crafted records: ${CRAFTED}, SEED=${seed}, ${changes} changes, ${JSON.stringify(counts)}\n`)
  assert.ok((counts['accept'] ?? 0) > CRAFTED / 4 && changes > CRAFTED / 10, 'vacuous')
}, 180_000)
