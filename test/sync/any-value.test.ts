// Our reader of values against lib0's, on random values.
import assert from 'node:assert/strict'
import * as encoding from 'lib0/encoding'
import * as decoding from 'lib0/decoding'
import { test } from 'vitest'
import { readFirstValue } from '../../server/sync/any-value.ts'
import { chooseSeed, createRandom, type Random } from '../helpers/random.ts'

const LEAVES: readonly ((random: Random) => unknown)[] = [
  () => undefined,
  () => null,
  (random) => random.chance(0.5),
  (random) => random.int(-100, 100),
  (random) => random.int(-(2 ** 31), 2 ** 31),
  (random) => random.int(-(2 ** 52), 2 ** 52),
  (random) => random.int(1, 1_000_000) / 7,
  (random) => random.int(1, 100) / 4,
  () => Number.NaN,
  () => -Infinity,
  () => -0,
  (random) => BigInt(random.int(-(2 ** 52), 2 ** 52)),
  (random) => 'naïve 👩‍👩‍👧 \u{feff}text'.repeat(random.int(0, 30)),
  (random) => random.bytes(random.int(0, 200)),
]

const anyValue = (random: Random, depth: number): unknown => {
  const choice = random.int(0, depth > 0 ? 9 : 7)
  const count = random.int(0, 4)
  if (choice === 8) return Array.from({ length: count }, () => anyValue(random, depth - 1))
  if (choice === 9)
    return Object.fromEntries(Array.from({ length: count }, (_, i) => [`key ${i} é`, anyValue(random, depth - 1)]))
  return random.pick(LEAVES)(random)
}

test('[RV11] a value is judged as every client will read it', () => {
  const random = createRandom(chooseSeed())
  for (let run = 0; run < 20_000; run++) {
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, 1)
    encoding.writeAny(encoder, anyValue(random, 4) as Parameters<typeof encoding.writeAny>[1])
    // As on a socket: somewhere inside a larger buffer.
    const bytes = Buffer.concat([Buffer.from('ab'), encoding.toUint8Array(encoder)]).subarray(1)
    const decoder = decoding.createDecoder(new Uint8Array(bytes.subarray(2)))
    const expected: unknown = decoding.readAny(decoder)
    const read = readFirstValue(bytes, 1)
    if (expected instanceof Uint8Array) assert.deepEqual([...(read as Uint8Array)], [...expected])
    else assert.deepEqual(normal(read), normal(expected), `SEED=${random.seed} run ${run}`)
  }
})

/** Bytes compare by content, whatever view they are. */
const normal = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return ['bytes', ...value]
  if (Array.isArray(value)) return value.map(normal)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, normal(inner)]))
  return value
}
