// The verdict, row by row: what no honest client writes is refused with its code, what honest clients do write is
// accepted and applied wholly. Chance has its own file, test/hostile/verdict-properties.test.ts.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import * as Y from 'yjs'
import { CLIENT_ID_MAX, DOCUMENT_BYTES_MAX, SERVER_CLIENT_ID_MIN } from '../../shared/limits.ts'
import { type Facts, judge } from '../../server/sync/verdict.ts'
import { cpuMsOf } from '../helpers/cpu-time.ts'
import { applyAccepted, factsOf, RECORDS, refusalOf, stateOf } from '../hostile/judging.ts'
import {
  all,
  anys,
  type CraftedStruct,
  gc,
  NULL,
  one,
  raw,
  text,
  textAfter,
  textIn,
  uint,
  valueAt,
  writeUpdate,
} from '../hostile/update-writer.ts'

const ME = 7
const MY_PHONE = 8
const VICTIM = 3
/** Where the victim's history ends: six letters, a value, two elements, a paragraph. */
const END = 10

/** A document with somebody else's text, list, map and nested paragraph in it. */
const victimsDoc = (): Y.Doc => {
  const doc = new Y.Doc()
  doc.clientID = VICTIM
  doc.getText('text').insert(0, 'victim')
  doc.getMap('map').set('key', 'theirs')
  doc.getArray('array').insert(0, [1, 'two'])
  doc.getXmlFragment('xml').insert(0, [new Y.XmlElement('p')])
  return doc
}

const map = (parent: string | readonly [number, number], key?: string): CraftedStruct => ({
  content: 7,
  parent,
  key,
  body: uint(1),
})

/** Types each inside the one before, `depth` of them. */
const nested = (depth: number): Uint8Array =>
  one(ME, 0, ...Array.from({ length: depth }, (_, index) => map(index === 0 ? 'root' : [ME, index - 1], 'in')))

const roots = (count: number): Uint8Array =>
  one(ME, 0, ...Array.from({ length: count }, (_, index) => textIn(`root ${index}`, 'a')))

const other = (client: number, ...structs: readonly CraftedStruct[]) => ({ client, clock: 0, structs })

type Row = readonly [code: string, update: Uint8Array, facts?: Partial<Facts>]

const REFUSED: Record<string, Row> = {
  'a clock bomb': ['malformed', one(ME, 0, gc(2 ** 53 - 1))],
  'a clock bomb for the victim': ['malformed', one(VICTIM, END, gc(2 ** 53 - 1))],
  'a short clock bomb for the victim': ['client-id-taken', one(VICTIM, END, gc(1))],
  'a write with the victim’s id at its next clock': ['client-id-taken', one(VICTIM, END, textIn('text', 'x'))],
  'a write that starts inside the victim’s history': [
    'client-id-taken',
    one(VICTIM, END - 1, textIn('text', 'x'), textIn('text', 'y')),
  ],
  'a deleted head over the victim’s key under its id': [
    'client-id-taken',
    one(VICTIM, END, { content: 1, origin: [VICTIM, 6], body: uint(1) }),
  ],
  'a reserved server id': ['client-id-taken', one(SERVER_CLIENT_ID_MIN, 0, textIn('a', 'b'))],
  'the largest client id': ['client-id-taken', one(CLIENT_ID_MAX, 0, textIn('a', 'b'))],
  'a client id of 33 bits': ['malformed', one(CLIENT_ID_MAX + 1, 0, textIn('a', 'b'))],
  'a gap before the first struct': ['gap', one(ME, 1, textIn('a', 'b'))],
  'an origin nobody has': ['gap', one(ME, 0, textAfter([99, 0], 'x'))],
  'an origin beyond the victim’s clock': ['gap', one(ME, 0, textAfter([VICTIM, 500], 'x'))],
  'a parent nobody has': ['gap', one(ME, 0, map([99, 0], 'k'))],
  'an origin beyond another new block': [
    'gap',
    writeUpdate([other(ME, textAfter([8, 1], 'x')), other(8, textIn('a', 'b'))]),
  ],
  'a circle of two new clients': [
    'gap',
    writeUpdate([other(ME, textAfter([8, 0], 'x')), other(8, textAfter([ME, 0], 'y'))]),
  ],
  'a struct after itself': ['malformed', one(ME, 0, textAfter([ME, 0], 'x'))],
  'a struct after a later one of its client': ['malformed', one(ME, 0, textAfter([ME, 1], 'x'), textIn('a', 'b'))],
  'a type inside itself': ['malformed', one(ME, 0, map([ME, 0], 'k'))],
  'orphan deletes': ['gap', writeUpdate([], [{ client: 99, ranges: [[0, 1]] }])],
  'deletes beyond what is known': ['gap', writeUpdate([], [{ client: VICTIM, ranges: [[0, 1000]] }])],
  'a million-unit orphan delete': ['gap', writeUpdate([], [{ client: 99, ranges: [[0, 1_000_000]] }])],
  'a root the kind does not have': ['root-not-allowed', one(ME, 0, valueAt('secret', 'k')), { kind: RECORDS }],
  'a 17th root': ['root-not-allowed', roots(13)],
  'a key __proto__': ['key-not-allowed', one(ME, 0, valueAt('map', '__proto__'))],
  'a root __proto__': ['key-not-allowed', one(ME, 0, textIn('__proto__', 'a'))],
  'a key with a control character': ['key-not-allowed', one(ME, 0, valueAt('map', 'a\u0000b'))],
  'a key of 257 bytes': ['key-not-allowed', one(ME, 0, valueAt('map', 'k'.repeat(257)))],
  'a key of 1 MB': ['key-not-allowed', one(ME, 0, valueAt('map', 'k'.repeat(2 ** 20)))],
  'a root of 257 bytes': ['key-not-allowed', one(ME, 0, textIn('k'.repeat(257), 'a'))],
  'an element name of 257 bytes': [
    'key-not-allowed',
    one(ME, 0, { content: 7, parent: 'xml', body: all(uint(3), text('p'.repeat(257))) }),
  ],
  'types nested 33 deep': ['too-deep', nested(33)],
  'types nested 5,000 deep': ['too-deep', nested(5_000)],
  'a document over 10 MiB': ['too-large', one(ME, 0, textIn('a', 'b')), { documentBytes: DOCUMENT_BYTES_MAX }],
  'a new struct of a reader': ['read-only', one(ME, 0, textIn('a', 'b')), { readOnly: true }],
  'a delete by a reader': ['read-only', writeUpdate([], [{ client: VICTIM, ranges: [[0, 1]] }]), { readOnly: true }],
  'neighbours in two lists': [
    'malformed',
    one(ME, 0, { content: 4, origin: [VICTIM, 0], rightOrigin: [VICTIM, 7], body: text('x') }),
  ],
  'a neighbour in a list and one in a map': [
    'malformed',
    one(ME, 0, { content: 4, origin: [VICTIM, 6], rightOrigin: [VICTIM, 0], body: text('x') }),
  ],
  'two values under one key': [
    'malformed',
    one(ME, 0, { content: 8, parent: 'map', key: 'k', body: anys(NULL, NULL) }),
  ],
  'two values after the victim’s key': [
    'malformed',
    one(ME, 0, { content: 8, origin: [VICTIM, 6], body: anys(NULL, NULL) }),
  ],
  'more than 1,000 subdocuments': [
    'too-large',
    one(
      ME,
      0,
      ...Array.from({ length: 1_001 }, (_, index) => ({
        content: 9,
        parent: 'map',
        key: `k${index}`,
        body: all(text('g'), raw(118, 0)),
      })),
    ),
  ],
}

describe('refused', () => {
  for (const [title, [code, update, facts]] of Object.entries(REFUSED)) {
    test(`[HF4] ${title} is refused as ${code}, and the document stays as it was`, () => {
      const doc = victimsDoc()
      const before = stateOf(doc)
      const share = [...doc.share.keys()]
      const verdict = judge(factsOf(doc, { mine: [ME, MY_PHONE], theirs: [VICTIM], ...facts }), update)
      assert.equal(verdict.verdict === 'refuse' ? verdict.code : verdict.verdict, code)
      assert.deepEqual(stateOf(doc), before)
      assert.deepEqual([...doc.share.keys()], share)
    })
  }

  test('[HF4] a refusal names the first struct the server did not have', () => {
    const doc = victimsDoc()
    const verdict = judge(factsOf(doc, { mine: [ME] }), one(ME, 0, textIn('a', 'b'), textAfter([99, 0], 'x')))
    assert.deepEqual(verdict, { verdict: 'refuse', code: 'gap', path: '', clientId: ME, clock: 0 })
  })

  test('[HF4] equivocation under one’s own id changes nothing: the first story stays', () => {
    const doc = victimsDoc()
    applyAccepted(doc, one(ME, 0, textIn('text', 'first')))
    const before = stateOf(doc)
    assert.equal(refusalOf(factsOf(doc, { mine: [ME] }), one(ME, 0, textIn('text', 'other'))), 'known')
    assert.equal(refusalOf(factsOf(doc, { mine: [ME] }), one(ME, 0, gc(5))), 'known')
    assert.deepEqual(stateOf(doc), before)
  })

  test('[HF4] a client id that nobody owns is claimed by whoever uses it first', () => {
    const update = one(ME, 0, textIn('a', 'b'))
    assert.deepEqual(judge(factsOf(new Y.Doc()), update), { verdict: 'accept', update, claims: [ME] })
  })
})

describe('work that grows with the square', () => {
  // Each of these took Yjs seconds to minutes, or all of the heap. They are refused, or done within a second of CPU.
  const chain = (count: number, body: CraftedStruct['body'], content: number): Uint8Array =>
    one(
      ME,
      0,
      { content, parent: 'list', body },
      ...Array.from({ length: count }, (_, index) => ({ content, origin: [ME, index] as const, body })),
    )

  const quick = (doc: Y.Doc, update: Uint8Array, ...mine: readonly number[]): void => {
    let outcome = ''
    const ms = cpuMsOf(() => {
      const verdict = judge(factsOf(doc, { mine }), update)
      if (verdict.verdict === 'accept') Y.applyUpdate(doc, verdict.update)
      outcome = verdict.verdict
    })
    process.stdout.write(`${update.length} bytes: ${outcome}, ${ms.toFixed(0)} ms of CPU\n`)
    assert.ok(ms < 1_000, `${ms} ms of CPU`)
  }

  test('[HF5] 15,000 single values that Yjs would merge one by one', () =>
    quick(new Y.Doc(), chain(15_000, anys(NULL), 8), ME))
  test('[HF5] 15,000 single JSON values', () => quick(new Y.Doc(), chain(15_000, all(uint(1), text('1')), 2), ME))

  test('[HF5] 5,000 structs that each search a list from its start', () => {
    const doc = new Y.Doc()
    const alternating = (index: number): CraftedStruct => ({
      content: index % 2 ? 8 : 4,
      body: index % 2 ? anys(NULL) : text('x'),
    })
    const list = Array.from({ length: 5_000 }, (_, index) =>
      index === 0 ? textIn('list', 'x') : { ...alternating(index), origin: [ME, index - 1] as const },
    )
    Y.applyUpdate(doc, one(ME, 0, ...list))
    const searching = list.map((_, index): CraftedStruct => {
      const { content, body } = alternating(index)
      return { content, body, rightOrigin: [ME, 4_999 - index] }
    })
    quick(doc, one(MY_PHONE, 0, ...searching), ME, MY_PHONE)
  })

  test('[HF5] dependencies that wait for each other in turn', () => {
    const inTurn = Array.from({ length: 20_000 }, (_, index) => textAfter([MY_PHONE, index], 'a'))
    const answering = inTurn.map((_, index) => (index === 0 ? textIn('list', 'b') : textAfter([ME, index - 1], 'b')))
    const waiting = Array.from({ length: 1_000 }, (_, index) => other(100 + index, textAfter([ME, 19_999], 'w')))
    const blocks = [other(ME, ...inTurn), ...waiting, other(MY_PHONE, ...answering)]
    quick(new Y.Doc(), writeUpdate(blocks), ME, MY_PHONE)
  })
})
