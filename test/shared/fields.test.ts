// Checks of fields, at their limits and at what JavaScript lets through.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  isArrayOf,
  isDate,
  isInteger,
  isLine,
  isNullOr,
  isObjectOf,
  isOneOf,
  isText,
  isTime,
} from '../../shared/fields.ts'
import { isJson, isSameJson } from '../../shared/json.ts'
import { DEPTH_MAX } from '../../shared/limits.ts'
import { chooseSeed } from '../helpers/random.ts'

const seed = chooseSeed()
process.stdout.write(`fields: SEED=${seed}\n`)

test('[RE6] a text is as long as its bytes in UTF-8, to the byte', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      fc.pre(text.isWellFormed() && !/\p{Cc}/u.test(text))
      const bytes = new TextEncoder().encode(text).length
      expect(isText(bytes)(text)).toBe(true)
      expect(bytes === 0 || !isText(bytes - 1)(text)).toBe(true)
    }),
    { seed: seed | 0 },
  )
})

test.each([
  ['a line', isLine(5), ['a', 'abcde', 'a b', 'ä👍'], ['', 'abcdef', 'a\nb', 'a\tb', '\u007f', '\ud800', 1, null]],
  [
    'a text',
    isText(5),
    ['', 'a\nb', 'a\tb', 'abcde', '👍a'],
    ['abcdef', '👍👍', 'a\u0000', '\u001b', '\udc00a', undefined],
  ],
  ['a whole number', isInteger(1, 3), [1, 3], [0, 4, 1.5, '2', NaN, Infinity, null]],
  ['a time', isTime, [0, 253_402_300_799_999], [-1, 253_402_300_800_000, 0.5, '0']],
  [
    'a date',
    isDate,
    ['2026-02-11', '2028-02-29', '2026-02-11T09:00:00Z', '2026-02-11T23:59+05:30'],
    [
      '2026-02-29',
      '2026-13-01',
      '2026-00-10',
      '2026-02-11T24:00Z',
      '2026-02-11T09:00:00',
      '26-02-11',
      '2026-2-1',
      ' 2026-02-11',
      20_260_211,
    ],
  ],
  ['null or', isNullOr(isTime), [null, 1], [undefined, '']],
  ['one of', isOneOf('a', 'b'), ['a', 'b'], ['c', '', null, ['a']]],
  ['a list', isArrayOf(isLine(2), 2), [[], ['a', 'bb']], [['a', 'b', 'c'], ['abc'], ['a', null], { length: 0 }, 'ab']],
  [
    'an object',
    isObjectOf({ a: isTime }),
    [{ a: 1 }],
    [{}, { a: 1, b: 2 }, { a: -1 }, { constructor: 1 }, [], null, 'a'],
  ],
] as const)('[RE6] %s takes what it should and nothing else', (_, check, good, bad) => {
  expect(good.filter((value) => !check(value))).toEqual([])
  expect(bad.filter((value) => check(value))).toEqual([])
})

test('[RE6] JSON is what JSON can say, at most so deep, and changes no prototype', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      fc.pre(!JSON.stringify(value).includes('__proto__'))
      const copy: unknown = JSON.parse(JSON.stringify(value))
      expect(isJson(copy)).toBe(true)
      expect(isSameJson(copy, JSON.parse(JSON.stringify(copy)))).toBe(true)
      expect(isSameJson(copy, [copy])).toBe(false)
    }),
    { seed: seed | 0 },
  )
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
  expect([isJson(nested(DEPTH_MAX)), isJson(nested(DEPTH_MAX + 1))]).toEqual([true, false])
  const wrong = [
    undefined,
    NaN,
    1n,
    new Uint8Array(1),
    [undefined],
    { a: undefined },
    JSON.parse('{"__proto__":1}'),
    () => 1,
  ]
  expect(wrong.filter((value) => isJson(value))).toEqual([])
  expect([isSameJson({ a: 1, b: 2 }, { b: 2, a: 1 }), isSameJson({ a: 1 }, { b: 1 }), isSameJson([1], [1, 2])]).toEqual(
    [true, false, false],
  )
})
