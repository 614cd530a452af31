// The verdict on records, row by row: what may stand in them at all, and what counts as a deletion however it is dressed
// up. Which record is whose is the kinds' business, see test/forging; chance is in test/hostile/record-properties.test.ts.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import * as Y from 'yjs'
import { judge, type Facts } from '../../server/sync/verdict.ts'
import { type Change, refuse } from '../../shared/rules.ts'
import { factsOf, stateOf } from '../hostile/judging.ts'
import {
  all,
  anys,
  binary,
  type CraftedStruct,
  gc,
  type Id,
  NULL,
  one,
  raw,
  text,
  uint,
  writeUpdate,
} from '../hostile/update-writer.ts'

const ME = 7
const MY_PHONE = 8
const VICTIM = 3

/** Everybody writes anything; only keys that begin with `mine` are deleted, and nobody writes `bad`. */
const rule = (change: Change) => {
  if (change.value === undefined) return change.key.startsWith('mine') ? null : refuse(change, 'delete-not-allowed')
  return change.value === 'bad' ? refuse(change, 'value-not-allowed') : null
}
const NOTES: Facts['kind'] = { roots: ['notes', 'notes:edits'], rule }

const victimsDoc = (): Y.Doc => {
  const doc = new Y.Doc()
  doc.clientID = VICTIM
  doc.getMap('notes').set('theirs', 'first')
  doc.getMap('notes').set('theirs', 'second')
  doc.getMap('notes').set('mine', 'by somebody')
  doc.getMap('notes:edits').set('theirs.title', 'title')
  return doc
}
/** What shows under `theirs`: the victim's second item. */
const HEAD: Id = [VICTIM, 1]
const MINE: Id = [VICTIM, 2]

const value = (word: string) => anys(all(raw(119), text(word)))
const at = (key: string, content: number, body: CraftedStruct['body']): CraftedStruct => ({
  content,
  parent: 'notes',
  key,
  body,
})
const over = (origin: Id, content: number, body: CraftedStruct['body']): CraftedStruct => ({ content, origin, body })
const deleting = (client: number, clock: number, length = 1) => [{ client, ranges: [[clock, length] as const] }]
const block = (client: number, ...structs: readonly CraftedStruct[]) => ({ client, clock: 0, structs })

type Row = readonly [code: string, path: string, update: Uint8Array]

const REFUSED: Record<string, Row> = {
  'a list in a root': ['type-not-allowed', 'notes', one(ME, 0, { content: 8, parent: 'notes', body: value('x') })],
  'text in a root': ['type-not-allowed', 'notes', one(ME, 0, { content: 4, parent: 'notes', body: text('x') })],
  'a map under a key': ['type-not-allowed', 'notes/k', one(ME, 0, at('k', 7, uint(1)))],
  'a document under a key': ['type-not-allowed', 'notes/k', one(ME, 0, at('k', 9, all(text('guid'), raw(118, 0))))],
  'bytes under a key': ['type-not-allowed', 'notes/k', one(ME, 0, at('k', 3, binary(new Uint8Array(3))))],
  'a letter under a key': ['type-not-allowed', 'notes/k', one(ME, 0, at('k', 4, text('x')))],
  'old JSON under a key': ['type-not-allowed', 'notes/k', one(ME, 0, at('k', 2, all(uint(1), text('1'))))],
  'an embed under a key': ['type-not-allowed', 'notes/k', one(ME, 0, at('k', 5, text('{}')))],
  'a format under a key': ['type-not-allowed', 'notes/k', one(ME, 0, at('k', 6, all(text('bold'), text('true'))))],
  'a map over a value': ['type-not-allowed', 'notes/theirs', one(ME, 0, over(HEAD, 7, uint(1)))],
  'a list behind a value of a parent that is none': [
    'type-not-allowed',
    '',
    one(ME, 0, { content: 8, parent: HEAD, key: 'k', body: value('x') }),
  ],
  'two values under a key': ['malformed', '', one(ME, 0, at('k', 8, anys(NULL, NULL)))],
  'a value left of another': [
    'malformed',
    'notes/theirs',
    one(ME, 0, { content: 8, rightOrigin: HEAD, body: value('x') }),
  ],
  'neighbours of two keys': [
    'malformed',
    '',
    one(ME, 0, { content: 8, origin: HEAD, rightOrigin: MINE, body: value('x') }),
  ],
  undefined: ['value-not-allowed', 'notes/k', one(ME, 0, at('k', 8, anys(raw(127))))],
  'a bigint': ['value-not-allowed', 'notes/k', one(ME, 0, at('k', 8, anys(raw(122, 0, 0, 0, 0, 0, 0, 0, 1))))],
  NaN: ['value-not-allowed', 'notes/k', one(ME, 0, at('k', 8, anys(raw(123, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0))))],
  infinity: ['value-not-allowed', 'notes/k', one(ME, 0, at('k', 8, anys(raw(124, 0x7f, 0x80, 0, 0))))],
  'bytes inside a value': ['value-not-allowed', 'notes/k', one(ME, 0, at('k', 8, anys(raw(117, 1, 116, 1, 255))))],
  'a key that changes the prototype': ['key-not-allowed', '', one(ME, 0, at('__proto__', 8, value('x')))],
  'a value that changes the prototype': [
    'key-not-allowed',
    '',
    one(ME, 0, at('k', 8, anys(all(raw(118, 1), text('__proto__'), raw(126))))),
  ],
  'another root': [
    'root-not-allowed',
    'other',
    one(ME, 0, { content: 8, parent: 'other', key: 'k', body: value('x') }),
  ],
  'a value that the rule refuses': ['value-not-allowed', 'notes/k', one(ME, 0, at('k', 8, value('bad')))],
  'one bad value among good ones': [
    'value-not-allowed',
    'notes/b',
    one(ME, 0, at('a', 8, value('good')), at('b', 8, value('bad')), at('c', 8, value('good'))),
  ],
  'a bad value that is written over at once': [
    'value-not-allowed',
    'notes/k',
    one(ME, 0, at('k', 8, value('bad')), over([ME, 0], 8, value('good'))),
  ],
  'a deletion': ['delete-not-allowed', 'notes/theirs', writeUpdate([], deleting(VICTIM, 1))],
  'a deletion behind those that are known': [
    'delete-not-allowed',
    'notes/theirs',
    writeUpdate([], deleting(VICTIM, 0, 2)),
  ],
  'a deleted value on top': ['delete-not-allowed', 'notes/theirs', one(ME, 0, over(HEAD, 1, uint(1)))],
  'a run of deleted values on top': ['delete-not-allowed', 'notes/theirs', one(ME, 0, over(HEAD, 1, uint(3)))],
  'a deleted value on top of a good one': [
    'delete-not-allowed',
    'notes/theirs',
    one(ME, 0, over(HEAD, 8, value('good')), over([ME, 0], 1, uint(1))),
  ],
  'a value that the update deletes again': [
    'delete-not-allowed',
    'notes/theirs',
    writeUpdate([block(ME, over(HEAD, 8, value('good')))], deleting(ME, 0)),
  ],
  'a deleted value beside an older one, with the higher client id': [
    'delete-not-allowed',
    'notes/theirs',
    one(ME, 0, over([VICTIM, 0], 1, uint(1))),
  ],
  'a deleted value beside the first, with the higher client id': [
    'delete-not-allowed',
    'notes/theirs',
    one(ME, 0, at('theirs', 1, uint(1))),
  ],
  'a deleted value beside a good one of a lower client id': [
    'delete-not-allowed',
    'notes/theirs',
    writeUpdate([block(MY_PHONE, over(HEAD, 1, uint(1))), block(ME, over(HEAD, 8, value('good')))]),
  ],
  'a deletion together with a good value elsewhere': [
    'delete-not-allowed',
    'notes/theirs',
    writeUpdate([block(ME, at('k', 8, value('good')))], deleting(VICTIM, 1)),
  ],
  'a deletion under a key that there is not': ['delete-not-allowed', 'notes/k', one(ME, 0, at('k', 1, uint(1)))],
}

const ACCEPTED: Record<string, Uint8Array> = {
  'a value over another one, which it deletes': writeUpdate(
    [block(ME, over(HEAD, 8, value('good')))],
    deleting(VICTIM, 1),
  ),
  'a value, with a delete set that is known': writeUpdate([block(ME, at('k', 8, value('x')))], deleting(VICTIM, 0)),
  'a deletion that the rule allows': writeUpdate([], deleting(VICTIM, 2)),
  'a deletion that the rule allows, as a deleted value on top': one(ME, 0, over(MINE, 1, uint(1))),
  'deleted history of one’s own under a value': one(ME, 0, over(HEAD, 1, uint(5)), over([ME, 4], 8, value('good'))),
  'collected structs': one(ME, 0, gc(5), at('k', 8, value('x'))),
  'a deleted value that lost against a higher client id': one(1, 0, over([VICTIM, 0], 1, uint(1))),
  'a deleted value that lost against another of the update': writeUpdate([
    block(MY_PHONE, over(HEAD, 8, value('good'))),
    block(ME, over(HEAD, 1, uint(1))),
  ]),
  'a value that won from beside, and deletes what it beat': writeUpdate(
    [block(ME, over([VICTIM, 0], 8, value('good')))],
    deleting(VICTIM, 1),
  ),
  'a value that is deleted again where deleting is allowed': writeUpdate(
    [block(ME, over(MINE, 8, value('good')))],
    deleting(ME, 0),
  ),
}

describe('records', () => {
  for (const [title, [code, path, update]] of Object.entries(REFUSED)) {
    test(`[RV3] ${title}: refused as ${code}, and the document stays as it was`, () => {
      const doc = victimsDoc()
      const before = stateOf(doc)
      const verdict = judge(factsOf(doc, { kind: NOTES, mine: [ME, MY_PHONE], theirs: [VICTIM] }), update)
      assert.deepEqual(verdict.verdict === 'refuse' && [verdict.code, verdict.path], [code, path])
      assert.deepEqual(stateOf(doc), before)
    })
  }

  for (const [title, update] of Object.entries(ACCEPTED)) {
    test(`[RV4] ${title}: accepted`, () => {
      const facts = factsOf(victimsDoc(), { kind: NOTES, mine: [1, ME, MY_PHONE], theirs: [VICTIM] })
      const verdict = judge(facts, update)
      assert.deepEqual(verdict.verdict === 'accept' ? verdict.update : verdict, update)
    })
  }

  test('[RV5] a rule is told who writes, as what, and when', () => {
    const asked: unknown[] = []
    const kind = { roots: ['notes'], rule: (change: Change, facts: unknown) => (asked.push([change, facts]), null) }
    const facts = { ...factsOf(new Y.Doc(), { kind, mine: [ME] }), role: 'admin', now: 5, isSealed: true } as const
    judge(facts, one(ME, 0, at('k', 8, value('x'))))
    assert.deepEqual(asked, [[{ root: 'notes', key: 'k', value: 'x' }, facts]])
  })
})
