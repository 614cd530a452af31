// The reader of updates against bytes that lie: every number at every place of every kind of struct, and contents that
// Yjs could not read. What it lets through, Yjs must be able to decode.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import * as Y from 'yjs'
import { readUpdate } from '../../server/sync/update-reader.ts'
import { UnreadableUpdate } from '../../server/sync/update-bytes.ts'
import { factsOf, refusalOf } from '../hostile/judging.ts'
import {
  all,
  anys,
  type Bytes,
  hex,
  NULL,
  one,
  paddedZero,
  raw,
  text,
  textIn,
  uint,
  writeUpdate,
} from '../hostile/update-writer.ts'

const codeOf = (update: Uint8Array, knownEnd = (_client: number): number => 0): string => {
  try {
    readUpdate(update, knownEnd)
    return 'read'
  } catch (error) {
    assert.ok(error instanceof UnreadableUpdate, `threw ${String(error)}`)
    return error.code
  }
}

/** Updates in hexadecimal; `{}` holds each number that matters, `<>` a client id, which may be any. */
const TEMPLATES = {
  'collected run': '{01} {01} <07> {00} 00{05} {00}',
  'deleted run': '{01} {01} <07> {00} 01{01}{01}61 {05} {00}',
  'JSON values': '{01} {01} <07> {00} 02{01}{01}61 {01}{01}31 {00}',
  bytes: '{01} {01} <07> {00} 03{01}{01}61 {02}0102 {00}',
  text: '{01} {01} <07> {00} 04{01}{01}61 {01}62 {00}',
  'text after its own': '{01} {02} <07> {00} 04{01}{01}61 {01}62 84{07}{00}{01}62 {00}',
  'text before its own': '{01} {02} <07> {00} 04{01}{01}61 {01}62 44{07}{00}{01}62 {00}',
  'under a key': '{01} {01} <07> {00} 28{01}{01}61{01}6b {01}7e {00}',
  'in a nested type': '{01} {02} <07> {00} 07{01}{01}61{01} 2800{07}{00}{01}6b{01}7e {00}',
  embed: '{01} {01} <07> {00} 05{01}{01}61 {02}7b7d {00}',
  format: '{01} {01} <07> {00} 06{01}{01}61 {01}62{01}31 {00}',
  element: '{01} {01} <07> {00} 07{01}{01}61 {03}{01}70 {00}',
  'object value': '{01} {01} <07> {00} 08{01}{01}61 {01}76{01}{01}6b7e {00}',
  'array value': '{01} {01} <07> {00} 08{01}{01}61 {01}75{01}7e {00}',
  'text value': '{01} {01} <07> {00} 08{01}{01}61 {01}77{01}61 {00}',
  'bytes value': '{01} {01} <07> {00} 08{01}{01}61 {01}74{01}ff {00}',
  subdocument: '{01} {01} <07> {00} 09{01}{01}61 {01}6776{00} {00}',
  'delete set': '{01} {02} <07> {00} 04{01}{01}61 {01}62 84{07}{00}{01}62 {01}{07}{01}{00}{02}',
}

const BOMBS = {
  '2^25-1': 'ffffff0f',
  '2^32': '8080808010',
  '2^53-1': 'ffffffffffffff0f',
  '2^56': '808080808080808001',
  '2^63': 'ffffffffffffffff7f',
  'zero in 161 bytes': paddedZero(160),
}

const plain = (template: string): Uint8Array => hex(template.replaceAll(/[{}<>]/g, ''))

/** `template` with its `index`-th number replaced, once for each number that may not be anything. */
const bombsOf = (template: string, bomb: string): Uint8Array[] => {
  const numbers = [...template.matchAll(/\{[0-9a-f]+\}/g)]
  return numbers.map(({ index, 0: number }) =>
    plain(template.slice(0, index) + bomb + template.slice(index + number.length)),
  )
}

describe('numbers that lie', () => {
  test('[HF1] each template is an update as it stands, to the reader and to Yjs', () => {
    for (const [title, template] of Object.entries(TEMPLATES)) {
      assert.equal(codeOf(plain(template)), 'read', title)
      const doc = new Y.Doc()
      Y.applyUpdate(doc, plain(template))
      assert.ok(doc.store.clients.has(7) && doc.store.pendingStructs === null, title)
    }
  })

  for (const [size, bomb] of Object.entries(BOMBS)) {
    test(`[HF1] the number ${size} at any place of any update is refused within 5 ms`, () => {
      let slowest = 0
      let cases = 0
      for (const [title, template] of Object.entries(TEMPLATES)) {
        bombsOf(template, bomb).forEach((update, place) => {
          const times = [1, 2, 3].map(() => {
            const startedAt = performance.now()
            const answer = refusalOf(factsOf(new Y.Doc(), { mine: [7] }), update)
            assert.match(answer, /^(malformed|gap|key-not-allowed|too-large)$/, `${title}, number ${place}`)
            return performance.now() - startedAt
          })
          slowest = Math.max(slowest, Math.min(...times))
          cases++
        })
      }
      process.stdout.write(`${size}: ${cases} places, slowest ${slowest.toFixed(2)} ms\n`)
      assert.ok(cases > 100 && slowest < 5, `${cases} cases, slowest ${slowest} ms`)
    })
  }
})

const inRoot = (content: number, body: Bytes) => one(7, 0, { content, parent: 'a', body })
const deep = (depth: number): Bytes => all(...Array.from({ length: depth }, () => raw(117, 1)), NULL)
const json = (value: string) => inRoot(5, text(value))
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

const REFUSED: Record<string, readonly [update: Uint8Array, code: string]> = {
  nothing: [new Uint8Array(), 'malformed'],
  'bytes after the end': [hex('00 00 00'), 'malformed'],
  'no delete set': [hex('00'), 'malformed'],
  'an empty block': [hex('01 00 07 00 00'), 'malformed'],
  'a client twice': [
    writeUpdate([7, 7].map((client) => ({ client, clock: 0, structs: [textIn('a', 'b')] }))),
    'malformed',
  ],
  'a hole': [one(7, 0, textIn('a', 'b'), { content: 10, body: uint(3) }), 'gap'],
  'a collected run without length': [one(7, 0, { content: 0, body: uint(0) }), 'malformed'],
  'a collected run with flags': [hex('01 01 07 00 80 0700 05 00'), 'malformed'],
  'a deleted run without length': [inRoot(1, uint(0)), 'malformed'],
  'empty text': [inRoot(4, text('')), 'malformed'],
  'an empty list of values': [inRoot(8, anys()), 'malformed'],
  'an empty list of JSON values': [inRoot(2, uint(0)), 'malformed'],
  'a collected run beyond the limit': [one(7, 0, { content: 0, body: uint(10_000_001) }), 'malformed'],
  'a deleted run beyond the limit': [inRoot(1, uint(10_000_001)), 'malformed'],
  'a content nobody knows': [inRoot(11, uint(1)), 'malformed'],
  'a type nobody knows': [inRoot(7, uint(7)), 'malformed'],
  'a value type nobody knows': [inRoot(8, anys(raw(115))), 'malformed'],
  'text that is not UTF-8': [inRoot(4, all(uint(2), raw(0xc3, 0x28))), 'malformed'],
  'text with a lone surrogate': [inRoot(4, all(uint(3), raw(0xed, 0xa0, 0x80))), 'malformed'],
  'a root name that is not UTF-8': [hex('01 01 07 00 04 01 01ff 0161 00'), 'malformed'],
  'invalid JSON': [json('{'), 'malformed'],
  'no JSON': [json(''), 'malformed'],
  'an embed of undefined': [json('undefined'), 'malformed'],
  'a format of undefined': [inRoot(6, all(text('bold'), text('undefined'))), 'malformed'],
  'an integer of 62 bits': [inRoot(8, anys(raw(125, ...Array<number>(8).fill(0xff), 1))), 'malformed'],
  'a subdocument with options null': [inRoot(9, all(text('guid'), NULL)), 'malformed'],
  'a subdocument with options undefined': [inRoot(9, all(text('guid'), raw(127))), 'malformed'],
  'a subdocument with bytes as options': [inRoot(9, all(text('guid'), raw(116, 2, 1, 2))), 'malformed'],
  'a subdocument with two guids': [inRoot(9, all(text('guid'), raw(118, 1), text('guid'), NULL)), 'malformed'],
  'JSON nested 33 deep': [json(nested(33)), 'too-deep'],
  'JSON nested 50,000 deep': [json(nested(50_000)), 'too-deep'],
  'a value nested 33 deep': [inRoot(8, anys(deep(33))), 'too-deep'],
  'a value nested 5,000 deep': [inRoot(8, anys(deep(5_000))), 'too-deep'],
  '__proto__ in JSON': [json('{"a":{"__proto__":1}}'), 'key-not-allowed'],
  '__proto__ in a value': [inRoot(8, anys(all(raw(118, 1), text('__proto__'), NULL))), 'key-not-allowed'],
  'a deleted range without length': [hex('00 01 07 01 00 00'), 'malformed'],
  'deleted ranges out of order': [hex('01 01 07 00 00 09 01 07 02 05 01 00 01'), 'malformed'],
  'deleted ranges that overlap': [hex('01 01 07 00 00 09 01 07 02 00 03 02 01'), 'malformed'],
  'a client twice in the delete set': [hex('01 01 07 00 00 09 02 07 01 00 01 07 01 02 01'), 'malformed'],
  'deletes beyond the update': [hex('01 01 07 00 00 09 01 07 01 08 02'), 'gap'],
}

const READ: Record<string, Uint8Array> = {
  'an empty update': hex('00 00'),
  'a collected run of the longest length': one(7, 0, { content: 0, body: uint(10_000_000) }),
  'JSON nested 32 deep': json(nested(32)),
  'a value nested 32 deep': inRoot(8, anys(deep(32))),
  'JSON values with undefined among them': inRoot(2, all(uint(2), text('undefined'), text('1'))),
  'the largest integers': inRoot(8, anys(raw(125, 0xbf, ...Array<number>(6).fill(0xff), 0x0f), raw(125, 0x40))),
  'text with a byte order mark': inRoot(4, text('\uFEFFa')),
  'emoji, by UTF-16 unit': inRoot(4, text('😀é')),
  'a subdocument with options': inRoot(9, all(text('g'), raw(118, 2), text('gc'), raw(121), text('meta'), NULL)),
}

describe('form', () => {
  for (const [title, [update, code]] of Object.entries(REFUSED)) {
    test(`[HF2] ${title} is refused as ${code}`, () => assert.equal(codeOf(update), code))
  }

  for (const [title, update] of Object.entries(READ)) {
    test(`[HF3] ${title} is read, with the lengths Yjs gives it`, () => {
      const read = readUpdate(update, () => 0)
      const doc = new Y.Doc()
      Y.applyUpdate(doc, update)
      for (const { client, end } of read.blocks) assert.equal(end, Y.getState(doc.store, client))
      assert.equal(doc.store.pendingStructs, null)
    })
  }

  test('[HF2] more than 2,000 new client ids in one update are refused as too-large', () => {
    const blocks = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ client: index + 1, clock: 0, structs: [textIn('a', 'b')] }))
    assert.equal(codeOf(writeUpdate(blocks(2_001))), 'too-large')
    assert.equal(codeOf(writeUpdate(blocks(2_000))), 'read')
    assert.equal(
      codeOf(writeUpdate(blocks(3_000)), (client) => (client > 1_500 ? 1 : 0)),
      'read',
    )
  })
})
