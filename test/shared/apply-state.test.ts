// The decoder that remembers strings against Yjs's own: the same doc from any update, the same from broken ones.
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'vitest'
import * as Y from 'yjs'
import { applyState } from '../../shared/apply-state.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'

const RUNS = 150
const BROKEN = 1_500
/** Makes any state large enough to be read by way of remembered strings. */
const LARGE = 'x'.repeat(5_000)

const shortText = fc.oneof(
  fc.constantFrom(
    '',
    'title',
    'titel',
    'a',
    'ä',
    '\ufeffmark',
    '__proto__',
    'constructor',
    '🙂',
    'x'.repeat(64),
    'x'.repeat(65),
  ),
  fc.string({ unit: 'grapheme', maxLength: 70 }),
)
/** Yjs itself cannot write what it reads under `__proto__`. */
const fieldName = shortText.filter((text) => text !== '__proto__')
const leaf = fc.oneof(
  shortText,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constantFrom(null, undefined, 0.5, -1.25),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.uint8Array({ maxLength: 8 }),
)
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(fieldName, tie('any')),
  ),
})).any
const edit = fc.record({ root: shortText, key: fieldName, value, text: shortText, at: fc.nat() })

interface Edit {
  root: string
  key: string
  value: unknown
  text: string
  at: number
}

const write = (doc: Y.Doc, { root, key, value: written, text, at }: Edit): void => {
  doc.getMap(`map ${root}`).set(key, [written])
  const list = doc.getArray<unknown>(`list ${root}`)
  list.insert(at % (list.length + 1), [[written], text])
  const words = doc.getText(`text ${root}`)
  words.insert(at % (words.length + 1), text, { [key || 'bold']: text })
  if (at % 3 === 0) words.delete(0, Math.min(2, words.length))
  const nested = new Y.XmlElement(text || 'p')
  doc.getXmlFragment(`xml ${root}`).push([nested])
  nested.setAttribute(key || 'a', text)
}

const stateOf = (edits: readonly Edit[]): Uint8Array => {
  const docs = [new Y.Doc(), new Y.Doc()]
  for (const [index, one] of edits.entries()) write(docs[index % 2] as Y.Doc, one)
  docs[0]?.getText('large').insert(0, LARGE)
  const merged = new Y.Doc()
  for (const doc of docs) Y.applyUpdate(merged, Y.encodeStateAsUpdate(doc))
  return Y.encodeStateAsUpdate(merged)
}

type Apply = (doc: Y.Doc, update: Uint8Array) => void

/** What a doc is after `update`, also where it fails in the middle. */
const outcome = (apply: Apply, update: Uint8Array) => {
  const doc = new Y.Doc()
  doc.clientID = 1
  let failed = false
  try {
    apply(doc, update)
  } catch {
    failed = true
  }
  return { failed, state: failed ? null : Buffer.from(Y.encodeStateAsUpdate(doc)).toString('base64') }
}

test('[RE12] any state gives the same doc', () => {
  const seed = chooseSeed()
  process.stdout.write(`apply-state: SEED=${seed}\n`)
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 12 }), (edits) => {
      const state = stateOf(edits)
      const ours = new Y.Doc()
      const theirs = new Y.Doc()
      applyState(ours, state)
      Y.applyUpdate(theirs, state)
      for (const name of theirs.share.keys()) {
        assert.deepEqual(ours.getMap(name).toJSON(), theirs.getMap(name).toJSON())
      }
      assert.deepEqual(outcome(applyState, state), outcome(Y.applyUpdate, state))
      assert.equal(outcome(applyState, state).failed, false)
    }),
    { seed: seed | 0, numRuns: RUNS },
  )
})

test('[RE12] broken bytes fail alike, or give the same doc', () => {
  const seed = chooseSeed()
  process.stdout.write(`apply-state, broken: SEED=${seed}\n`)
  const random = createRandom(seed)
  const [edits] = fc.sample(fc.array(edit, { minLength: 12, maxLength: 12 }), { seed: seed | 0, numRuns: 1 }) as [
    Edit[],
  ]
  const state = stateOf(edits)
  let failures = 0
  for (let run = 0; run < BROKEN; run++) {
    const broken = state.slice(0, random.chance(0.2) ? random.int(4_200, state.length) : state.length)
    if (random.chance(0.9)) {
      // The long text is the same everywhere; what is around it is not.
      for (let count = random.int(1, 3); count > 0; count--) {
        const at = random.chance(0.5) ? random.int(0, 400) : random.int(broken.length - 400, broken.length - 1)
        broken[at] = random.int(0, 255)
      }
    }
    const [ours, theirs] = [outcome(applyState, broken), outcome(Y.applyUpdate, broken)]
    assert.deepEqual(ours, theirs, `run ${run}`)
    if (ours.failed) failures++
  }
  assert.ok(failures > BROKEN / 10, `only ${failures} failed`)
})
