// Bodies for the fuzzer: what a schema allows, and from there what it does not.
import type { Json } from '../../shared/json.ts'
import type { Random } from '../helpers/random.ts'
import type { Schema } from './endpoints.ts'

/** JSON text can say a number that JavaScript cannot write back. */
const INFINITE = '@infinite@'

const nested = (depth: number): Json => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as Json

const STRINGS = [
  '',
  ' ',
  '\0',
  '\n',
  '\ud800',
  '\udc00x',
  '\u202e',
  'e\u0301'.repeat(50),
  '👩‍👩‍👧‍👦',
  'null',
  'true',
  'NaN',
  '-1',
  '1e999',
  '0x10',
  "' or 1=1 --",
  '"; drop table "user"; --',
  '%',
  '_',
  '*',
  '<script>alert(1)</script>',
  '{{7*7}}',
  '${7*7}',
  '../../etc',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '..',
  '.',
  '/',
  '%2e%2e%2f',
  '%00',
  '\\',
  'a'.repeat(5e3),
  '2026-02-30',
  '9999-12-31',
  'Europe/Nowhere',
  'user-0000000001.',
  '.message',
  'share-x',
  'dm-x',
  INFINITE,
]
const NUMBERS = [0, -0, -1, 1.5, 1e308, -1e308, 5e-324, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 63, 253402300800000, -8.64e15]
const OTHERS: readonly Json[] = [
  null,
  true,
  false,
  [],
  {},
  [null],
  [[]],
  { a: { b: {} } },
  nested(40),
  nested(3_000),
  JSON.parse('{"__proto__":{"admin":true},"constructor":{"prototype":{}}}') as Json,
  Array.from({ length: 2_000 }, (_, index) => index),
  Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`field${index}`, index])),
]

export const hostileString = (random: Random): string => random.pick(STRINGS)
const hostile = (random: Random): Json =>
  random.pick([() => random.pick(STRINGS), () => random.pick(NUMBERS), () => random.pick(OTHERS)])()

export interface Draw {
  readonly random: Random
  /** Of people, groups, channels, records: any that the world has. */
  readonly ids: readonly string[]
}

const LETTERS = 'a b c X Y Z 0 1 2 ä ß é 日 本 <b> &'.split(' ').concat(' ')

const string = ({ random, ids }: Draw, { minLength = 0, maxLength = 40 }: Schema): string => {
  if (random.chance(0.4)) return random.pick(ids)
  const most = Math.min(Number(maxLength), random.chance(0.1) ? 5_000 : 40)
  const length = random.chance(0.2) ? most : random.int(Math.min(Number(minLength), most), most)
  return Array.from({ length }, () => random.pick(LETTERS)).join('')
}

const NUMBER_MAX = 2 ** 31

/** A value that the schema allows, mostly: patterns and formats are not looked at. */
export const valueOf = (draw: Draw, schema: Schema, depth = 0): Json => {
  const { random } = draw
  const { enum: choices, anyOf, oneOf, type, properties, required, items } = schema
  if ('const' in schema) return schema['const'] as Json
  if (Array.isArray(choices)) return random.pick(choices as Json[])
  const options = anyOf ?? oneOf
  if (Array.isArray(options)) return valueOf(draw, random.pick(options as Schema[]), depth)
  const { minimum = 0, maximum = NUMBER_MAX } = schema
  const number = (): number => random.int(Math.max(Number(minimum), -NUMBER_MAX), Math.min(Number(maximum), NUMBER_MAX))
  switch (Array.isArray(type) ? random.pick(type as string[]) : type) {
    case 'string':
      return string(draw, schema)
    case 'integer':
    case 'number':
      return number()
    case 'boolean':
      return random.chance(0.5)
    case 'null':
      return null
    case 'array':
      return Array.from({ length: random.int(0, 3) }, () => valueOf(draw, (items ?? {}) as Schema, depth + 1))
    case 'object': {
      const names = Object.entries((properties ?? {}) as Record<string, Schema>).filter(
        ([name]) => (required as string[] | undefined)?.includes(name) === true || random.chance(0.5),
      )
      return Object.fromEntries(names.map(([name, inner]) => [name, valueOf(draw, inner, depth + 1)]))
    }
    default:
      return depth < 3 ? hostile(random) : null
  }
}

const isRecord = (value: Json): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** One place of the value is changed: replaced, taken out, doubled, or something is added that nobody knows. */
export const mutate = (draw: Draw, value: Json): Json => {
  const { random } = draw
  if (Array.isArray(value) && value.length > 0 && random.chance(0.7)) {
    const at = random.int(0, value.length - 1)
    return value.map((inner, index) => (index === at ? mutate(draw, inner) : inner))
  }
  if (!isRecord(value) || random.chance(0.05)) return random.chance(0.3) ? random.pick(draw.ids) : hostile(random)
  const names = Object.keys(value)
  if (names.length === 0 || random.chance(0.15)) {
    const name = random.pick(['unknown', 'role', 'userId', 'isAdmin', '__proto__', 'constructor', '', 'id'])
    return Object.fromEntries([...Object.entries(value), [name, hostile(random)]])
  }
  const name = random.pick(names)
  if (random.chance(0.15)) return Object.fromEntries(Object.entries(value).filter(([other]) => other !== name))
  return Object.fromEntries(
    Object.entries(value).map(([other, inner]) => [other, other === name ? mutate(draw, inner) : inner]),
  )
}

const BROKEN = [
  '',
  '{',
  '[1,]',
  '{"a":1}{',
  'null',
  '"x"',
  '7',
  '\ufeff{}',
  '{"a":"\\ud800"}',
  '{"a":1,"a":2}',
  '\0',
  'a=b&c=d',
]

export const brokenBody = (random: Random): string => random.pick(BROKEN)

export const toText = (value: Json): string => JSON.stringify(value).replaceAll(`"${INFINITE}"`, '1e999')
