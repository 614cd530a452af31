// Seeded chance for tests: the same seed gives the same run. sfc32 by Chris Doty-Humphrey (PractRand), its state filled
// from a 32-bit seed by splitmix32. Not for secrets.
import { randomInt } from 'node:crypto'

export interface Random {
  readonly seed: number
  /** A whole number from `min` to `max`, both included. */
  readonly int: (min: number, max: number) => number
  readonly pick: <Item>(items: readonly Item[]) => Item
  /** True with this probability. */
  readonly chance: (probability: number) => boolean
  readonly bytes: (length: number) => Uint8Array
  /** A generator of its own, so that parts of a test do not disturb each other's sequence. */
  readonly fork: () => Random
}

const SEEDS = 2 ** 32

/** The seed in the environment variable SEED, or a fresh one. A test prints what it got. */
export const chooseSeed = (): number => {
  const given = process.env['SEED']
  if (given === undefined) return randomInt(SEEDS)
  const seed = Number(given)
  if (!Number.isInteger(seed) || seed < 0 || seed >= SEEDS) throw new Error(`SEED must be 0 to 2^32-1, not ${given}`)
  return seed
}

const splitmix32 = (seed: number) => {
  let state = seed | 0
  return (): number => {
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return mixed ^ (mixed >>> 15)
  }
}

const sfc32 = (seed: number) => {
  const fill = splitmix32(seed)
  let [a, b, c, counter] = [fill(), fill(), fill(), 1]
  const next = (): number => {
    const result = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + result
    return result >>> 0
  }
  for (let warmUp = 0; warmUp < 12; warmUp++) next()
  return next
}

export const createRandom = (seed: number): Random => {
  const next = sfc32(seed)
  const int = (min: number, max: number): number => min + Math.floor((next() / SEEDS) * (max - min + 1))
  return {
    seed,
    int,
    pick: (items) => {
      if (items.length === 0) throw new RangeError('nothing to pick from')
      return items[int(0, items.length - 1)] as (typeof items)[number]
    },
    chance: (probability) => next() / SEEDS < probability,
    bytes: (length) => {
      const filled = new Uint8Array(length)
      for (let index = 0; index < length; index++) filled[index] = next()
      return filled
    },
    fork: () => createRandom(next()),
  }
}
