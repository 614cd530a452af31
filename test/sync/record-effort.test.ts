// What judging records may cost, when somebody has prepared a document for it.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import * as Y from 'yjs'
import { type Facts, judge } from '../../server/sync/verdict.ts'
import { refuse } from '../../shared/rules.ts'
import { cpuMsOf } from '../helpers/cpu-time.ts'
import { factsOf } from '../hostile/judging.ts'
import { all, anys, type CraftedStruct, one, raw, text, uint, writeUpdate } from '../hostile/update-writer.ts'

const ME = 7
const MY_PHONE = 8
/** Of CPU, as for every other update that is large (`HF5`); a small one takes microseconds. */
const MS_MAX = 1_000

const mayDelete: Facts['kind'] = { roots: ['notes'], rule: () => null }
const mayNotDelete: Facts['kind'] = {
  roots: ['notes'],
  rule: (change) => (change.value === undefined ? refuse(change, 'delete-not-allowed') : null),
}
const value = anys(all(raw(119), text('x')))

/** One key that two clients have written over in turn, so that Yjs could merge nothing of its history. */
const contested = (count: number): Y.Doc => {
  const [one_, other] = [new Y.Doc(), new Y.Doc()]
  one_.clientID = 1
  other.clientID = 2
  const updates: Uint8Array[] = []
  for (const doc of [one_, other]) doc.on('update', (update: Uint8Array) => updates.push(update))
  for (let i = 0; i < count; i++) {
    const [from, to] = i % 2 ? [one_, other] : [other, one_]
    from.getMap('notes').set('k', i)
    for (const update of updates.splice(0)) Y.applyUpdate(to, update)
    updates.length = 0
  }
  return one_
}

const measure = (doc: Y.Doc, update: Uint8Array, kind: Facts['kind']): void => {
  let outcome = ''
  const ms = cpuMsOf(() => {
    const verdict = judge(factsOf(doc, { kind, mine: [ME, MY_PHONE] }), update)
    outcome = verdict.verdict === 'refuse' ? verdict.code : verdict.verdict
  })
  process.stdout.write(`${update.length} bytes: ${outcome}, ${ms.toFixed(0)} ms of CPU\n`)
  assert.ok(ms < MS_MAX, `${ms} ms of CPU`)
}

const many = (count: number, make: (index: number) => CraftedStruct): CraftedStruct[] =>
  Array.from({ length: count }, (_, index) => make(index))

test('[RV13] deleted values beside the beginnings of a long history', () => {
  const doc = contested(10_000)
  const structs = many(20_000, (index) => ({ content: 1, origin: [1, index % 100] as const, body: uint(1) }))
  measure(doc, one(ME, 0, ...structs), mayDelete)
})

test('[RV13] deleted values that name no neighbour under a key of long history', () => {
  const structs = many(20_000, () => ({ content: 1, parent: 'notes', key: 'k', body: uint(1) }))
  measure(contested(10_000), one(ME, 0, ...structs), mayDelete)
})

test('[RV13] a key written by the update itself a hundred thousand times, deleted in the end', () => {
  const first = { content: 8, parent: 'notes', key: 'k', body: value }
  const chain = many(100_000, (index) => ({ content: 8, origin: [ME, index] as const, body: value }))
  const structs = [first, ...chain]
  const deletes = [{ client: ME, ranges: [[0, structs.length] as const] }]
  measure(new Y.Doc(), writeUpdate([{ client: ME, clock: 0, structs }], deletes), mayDelete)
})

test('[RV13] a hundred thousand rivals for one key', () => {
  const rivals = (client: number) => ({
    client,
    clock: 0,
    structs: many(50_000, () => ({ content: 1, parent: 'notes', key: 'k', body: uint(1) })),
  })
  measure(new Y.Doc(), writeUpdate([rivals(MY_PHONE), rivals(ME)]), mayDelete)
})

test('[RV13] a hundred thousand keys deleted by five bytes, allowed or not', () => {
  const doc = new Y.Doc()
  doc.clientID = 3
  doc.transact(() => {
    for (let i = 0; i < 100_000; i++) doc.getMap('notes').set(`key ${i}`, i)
  })
  const update = writeUpdate([], [{ client: 3, ranges: [[0, 100_000]] }])
  measure(doc, update, mayDelete)
  measure(doc, update, mayNotDelete)
})
