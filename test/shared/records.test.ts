// Records: base under edits, forms of changes, readers that cope with anything.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { isBoolean, isLine, isNullOr, isTime } from '../../shared/fields.ts'
import { writeChanges } from '../../shared/operation.ts'
import {
  checkRecordForm,
  createChange,
  defineCollection,
  editChange,
  editChanges,
  readRecord,
  forEachRecord,
  splitEditKey,
  type Values,
} from '../../shared/records.ts'
import { KINDS } from '../../shared/registry.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { randomChanges } from '../sim/cheats.ts'
import { isSimulated } from '../sim/runs.ts'
import { ANNA, contextOf } from './device.ts'

const seed = chooseSeed()
process.stdout.write(`records: SEED=${seed}\n`)

const NOTES = defineCollection({
  name: 'notes',
  isId: (id) => /^[a-z.]+$/.test(id),
  fields: {
    title: { check: isLine(10), required: true },
    until: { check: isNullOr(isTime) },
    by: { check: isLine(10), required: true, fixed: true },
    flag: { check: isBoolean, editOnly: true },
  },
})

const docOf = (roots: Readonly<Record<string, Readonly<Record<string, unknown>>>>): Y.Doc => {
  const doc = new Y.Doc()
  const changes = Object.entries(roots).flatMap(([root, entries]) =>
    Object.entries(entries).map(([key, value]) => ({ root, key, value })),
  )
  writeChanges(doc, changes, null)
  return doc
}

const readAll = (doc: Y.Doc): Record<string, Values> => {
  const records: [id: string, values: Values][] = []
  forEachRecord(doc, NOTES, (values, id) => records.push([id, values]))
  return Object.fromEntries(records)
}

test('[RE1] a record is shown as it was created, with the newest value of each field', () => {
  const doc = docOf({
    notes: { a: { title: 'one', by: 'anna' }, 'a.b': { title: 'two', by: 'ben', until: 5 } },
    'notes:edits': { 'a.title': 'new', 'a.b.until': null, 'a.flag': true },
  })
  const expected = { a: { title: 'new', by: 'anna', flag: true }, 'a.b': { title: 'two', by: 'ben', until: null } }
  expect(readAll(doc)).toEqual(expected)
  for (const [id, record] of Object.entries(expected)) expect(readRecord(doc, NOTES, id)).toEqual(record)
  expect(readRecord(doc, NOTES, 'b')).toBeUndefined()
})

test('[RE1] what is not valid is left out: whole records without a required field, single values of edits', () => {
  const doc = docOf({
    notes: {
      a: { title: 'one', by: 'anna' },
      b: { title: 'no author' },
      c: { title: '', by: 'x' },
      d: 'text',
      e: { title: 'x', by: 'x', flag: true },
    },
    'notes:edits': {
      'a.title': 7,
      'a.by': 'ben',
      'a.other': 1,
      'a.toString': 1,
      '.title': 'x',
      title: 'x',
      'a.until': 9,
    },
  })
  expect(readAll(doc)).toEqual({ a: { title: 'one', by: 'anna', until: 9 } })
  expect(readRecord(doc, NOTES, 'a')).toEqual({ title: 'one', by: 'anna', until: 9 })
})

test('[RE1] readers of every kind cope with any values in any roots', () => {
  const random = createRandom(seed)
  for (const kind of [...KINDS.values()].filter(isSimulated))
    for (let round = 0; round < 60; round++) {
      const doc = new Y.Doc()
      for (let step = 0; step < 40; step++) {
        // The rule is not asked: this is a doc as no server would have let it become.
        writeChanges(doc, randomChanges({ kind, doc, random, user: ANNA }), null)
        if (step % 8 === 0) expect(() => JSON.stringify(kind.read?.(doc))).not.toThrow()
      }
    }
})

test('[RE4] an edit of an unknown record shows nothing until the record comes', () => {
  const doc = docOf({ 'notes:edits': { 'a.title': 'early' } })
  expect(readAll(doc)).toEqual({})
  writeChanges(doc, [createChange(NOTES, 'a', { title: 'late', by: 'anna', until: undefined })], null)
  expect(readAll(doc)).toEqual({ a: { title: 'early', by: 'anna' } })
})

describe('[RE3] the form of a change', () => {
  const good = { title: 'x', by: 'anna' }
  test.each([
    ['notes', 'a', good, null],
    ['notes', 'a', { ...good, until: null }, null],
    ['notes', 'a', undefined, null],
    ['notes', 'A', good, 'key-not-allowed'],
    ['notes', 'a', { title: 'x' }, 'value-not-allowed'],
    ['notes', 'a', { ...good, more: 1 }, 'value-not-allowed'],
    ['notes', 'a', { ...good, flag: true }, 'value-not-allowed'],
    ['notes', 'a', Object.assign(Object.create({ title: 'x' }), { by: 'anna' }), 'value-not-allowed'],
    ['notes', 'a', [good], 'value-not-allowed'],
    ['notes', 'a', null, 'value-not-allowed'],
    ['notes:edits', 'a.title', 'x', null],
    ['notes:edits', 'a.b.title', 'x', null],
    ['notes:edits', 'a.flag', true, null],
    ['notes:edits', 'a.until', undefined, null],
    ['notes:edits', 'a.title', '', 'value-not-allowed'],
    ['notes:edits', 'a.by', 'ben', 'value-not-allowed'],
    ['notes:edits', 'title', 'x', 'key-not-allowed'],
    ['notes:edits', '.title', 'x', 'key-not-allowed'],
    ['notes:edits', 'A.title', 'x', 'key-not-allowed'],
    ['notes:edits', 'a.constructor', 'x', 'key-not-allowed'],
    ['notes:edits', 'a.constructor', undefined, 'key-not-allowed'],
  ])('%s %s %j: %s', (root, key, value, code) => {
    const refusal = checkRecordForm(NOTES, { root, key, value })
    expect(refusal).toEqual(code && { code, path: `${root}/${key}` })
  })
})

test('[RE3] the last dot of an edit’s key parts id and field', () => {
  expect(splitEditKey('a.b.title')).toEqual({ id: 'a.b', field: 'title' })
  expect([splitEditKey('title'), splitEditKey('.title'), splitEditKey('')]).toEqual([null, null, null])
})

test('[RE5] a value that is there already is not written', () => {
  const record = { title: 'x', by: 'anna', until: 5 }
  expect(editChanges(NOTES, 'a', record, { title: 'x', until: undefined })).toEqual([])
  expect(editChanges(NOTES, 'a', { title: 'x', by: 'anna' }, { until: null })).toEqual([])
  expect(editChanges(NOTES, 'a', record, { title: 'y', until: null })).toEqual([
    editChange(NOTES, 'a', 'title', 'y'),
    editChange(NOTES, 'a', 'until', null),
  ])
})

test('[RE3] no rule of any kind throws, whatever a change holds', () => {
  const keys = fc.oneof(
    fc.string(),
    fc.stringMatching(/^[a-z.:-]{0,40}$/),
    fc.constantFrom('__proto__', 'a.constructor', '...'),
  )
  const values = fc.oneof(fc.jsonValue(), fc.constantFrom(undefined, NaN, new Uint8Array(2), new Map()))
  for (const kind of [...KINDS.values()].filter(isSimulated)) {
    const roots = fc.oneof(fc.constantFrom(...(kind.roots as readonly string[])), fc.string())
    fc.assert(
      fc.property(roots, keys, values, (root, key, value) => {
        const refusal = kind.rule({ root, key, value }, contextOf())
        expect(refusal?.path ?? `${root}/${key}`).toBe(`${root}/${key}`)
      }),
      { seed: seed | 0, numRuns: 300 },
    )
  }
})
