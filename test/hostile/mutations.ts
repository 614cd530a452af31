// Makes hostile updates by the hundred thousand: honest ones with bytes changed, and crafted ones whose structs point
// at ids near those that exist. Most are wrong in one place only, which is where checks get overlooked.
import * as Y from 'yjs'
import type { Random } from '../helpers/random.ts'
import {
  all,
  anys,
  binary,
  type Bytes,
  type CraftedBlock,
  type CraftedDeletes,
  type CraftedStruct,
  type Id,
  NULL,
  raw,
  text,
  uint,
  writeUpdate,
} from './update-writer.ts'

const EVIL_BYTES = [0, 1, 2, 0x7f, 0x80, 0x81, 0xff, 0x20, 0x40, 0xc0, 10, 116, 117, 118, 119, 125, 126, 127]
const EVIL_RUNS = [
  [0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  Array.from({ length: 160 }, (_, index) => (index === 159 ? 0 : 0x80)),
  [...Buffer.from('undefined')],
  [...Buffer.from('__proto__')],
  [0xef, 0xbb, 0xbf],
  [0xed, 0xa0, 0x80],
]

/** Changes one to four places: a byte, a run, a piece cut out, doubled, or taken from `other`. */
export const mutateBytes = (update: Uint8Array, other: Uint8Array, random: Random): Uint8Array => {
  let bytes = [...update]
  for (let count = random.int(1, 4); count > 0; count--) {
    const at = random.int(0, Math.max(0, bytes.length - 1))
    const length = random.int(1, 6)
    const from = random.int(0, Math.max(0, other.length - 1))
    const change: (() => unknown)[] = [
      () => (bytes[at] = random.int(0, 255)),
      () => (bytes[at] = random.pick(EVIL_BYTES)),
      () => (bytes[at] = ((bytes[at] ?? 0) + random.pick([-1, 1])) & 0xff),
      () => (bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(0, 7))),
      () => bytes.splice(at, random.int(0, 2), ...random.pick(EVIL_RUNS)),
      () => bytes.splice(at, length),
      () => bytes.splice(at, 0, ...bytes.slice(at, at + length)),
      () => bytes.splice(at, random.int(0, length), ...other.slice(from, from + length)),
      () => (bytes = bytes.slice(0, at)),
    ]
    random.pick(change)()
  }
  return Uint8Array.from(bytes)
}

/** Numbers that crafted structs refer to: what the document knows, what the update adds, and what is just beyond. */
interface Aims {
  readonly clients: readonly number[]
  readonly ends: Map<number, number>
}

const idNear = (aims: Aims, random: Random): Id => {
  const client = random.pick(aims.clients)
  const end = aims.ends.get(client) ?? 0
  return [client, Math.max(0, random.chance(0.06) ? end + random.int(0, 2) : random.int(0, Math.max(0, end - 1)))]
}

const anyBody = (random: Random, depth = 0): Bytes =>
  random.pick<() => Bytes>([
    () => NULL,
    () => raw(127),
    () => raw(125, random.int(0, 63)),
    () => all(raw(119), text('v')),
    () => all(raw(116), binary(random.bytes(3))),
    () => all(raw(123), raw(...random.bytes(8))),
    () => (depth > 3 ? NULL : all(raw(117), anys(anyBody(random, depth + 1)))),
    () =>
      depth > 3 ? NULL : all(raw(118, 1), text(random.pick(['k', 'guid', 'gc', 'meta'])), anyBody(random, depth + 1)),
  ])()

const JSONS = ['1', '"x"', '{"a":[1]}', 'null', 'undefined', '[', '{"__proto__":1}', '', 'NaN']
const STRINGS = ['a', 'abc', '😀', 'x😀y', '']

/** A content's number, its body and its length. */
const content = (random: Random): [content: number, body: Bytes, length: number] =>
  random.pick<() => [number, Bytes, number]>([
    () => (([length]) => [1, uint(length as number), length as number])([random.int(0, 3)]),
    () => [2, all(uint(1), text(random.chance(0.8) ? '1' : random.pick(JSONS))), 1],
    () => [3, binary(random.bytes(random.int(0, 3))), 1],
    () => (([value]) => [4, text(value as string), (value as string).length])([random.pick(STRINGS)]),
    () => [5, text(random.chance(0.7) ? '{"a":1}' : random.pick(JSONS)), 1],
    () => [6, all(text('bold'), text(random.chance(0.7) ? 'true' : random.pick(JSONS))), 1],
    () => [7, uint(random.pick([0, 1, 2, 4, 6, 6, 7])), 1],
    () => [7, all(uint(random.pick([3, 5])), text('p')), 1],
    () => [8, anys(anyBody(random), anyBody(random)), 2],
    () => [9, all(text('guid'), random.chance(0.7) ? raw(118, 0) : anyBody(random)), 1],
  ])()

const struct = (aims: Aims, random: Random): [CraftedStruct, length: number] => {
  if (random.chance(0.08)) {
    const length = random.int(0, 3)
    return [{ content: 0, body: uint(length) }, length]
  }
  const [number, body, length] = content(random)
  const key = random.chance(0.2) ? random.pick(['k', 'title', '__proto__', 'k']) : undefined
  const parent = random.chance(0.6) ? random.pick(['text', 'map', 'array', 'xml', 'new']) : idNear(aims, random)
  const shape = random.int(0, 3)
  const origin = shape === 1 || shape === 3 ? idNear(aims, random) : undefined
  const rightOrigin = shape >= 2 ? idNear(aims, random) : undefined
  return [{ content: number, body, key, parent, origin, rightOrigin }, length]
}

/** A well-formed update whose structs point at anything near `doc`, by `authors`, who may be new there. */
export const craftUpdate = (doc: Y.Doc, authors: readonly number[], random: Random): Uint8Array => {
  const ends = Y.decodeStateVector(Y.encodeStateVector(doc))
  const aims: Aims = { clients: [...new Set([...ends.keys(), ...authors])], ends }
  const blocks: CraftedBlock[] = []
  for (const client of authors) {
    const known = ends.get(client) ?? 0
    const clock = Math.max(0, known + (random.chance(0.15) ? random.int(-3, 1) : 0))
    let end = clock
    const structs: CraftedStruct[] = []
    for (let count = random.int(1, 5); count > 0; count--) {
      ends.set(client, Math.max(known, end))
      const [one, length] = struct(aims, random)
      structs.push(one)
      end += length
    }
    ends.set(client, Math.max(known, end))
    blocks.push({ client, clock, structs })
  }
  const deletes: CraftedDeletes[] = []
  if (random.chance(0.4)) {
    const [client, clock] = idNear(aims, random)
    const ranges: [number, number][] = [[clock, random.int(1, 2)]]
    if (random.chance(0.3)) ranges.push([clock + random.int(1, 4), 1])
    deletes.push({ client, ranges })
  }
  return writeUpdate(random.chance(0.5) ? blocks : blocks.toReversed(), deletes)
}
