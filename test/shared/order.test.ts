// Positions: any order of inserts and moves, ties, and very many inserts at one spot.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { generateKeyBetween } from 'fractional-indexing'
import { POSITION_LENGTH_MAX } from '../../shared/limits.ts'
import { byPosition, isPosition, isRightAfter, type Placed, placeAfter, positionBetween } from '../../shared/order.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'

const seed = chooseSeed()
process.stdout.write(`order: SEED=${seed}\n`)
const random = createRandom(seed)
const chance = (): number => random.int(0, 999_999) / 1_000_000

/** What a device does with a placement; returns how many others moved. */
const insert = (list: Placed[], id: string, after: string | null | undefined): number => {
  const placement = placeAfter(list, after, chance)
  if (!placement) throw new Error('nothing to come after')
  const at = after === undefined ? list.length : after === null ? 0 : list.findIndex((other) => other.id === after) + 1
  // Those that move stand in a row.
  const [first] = placement.moved
  if (first) {
    const from = list.findIndex((other) => other.id === first.id)
    list.splice(from, placement.moved.length, ...placement.moved)
  }
  list.splice(at, 0, { id, position: placement.position })
  return placement.moved.length
}

const mustBeInOrder = (list: readonly Placed[]): void => {
  const wrong = list.filter(
    (placed, at) => !isPosition(placed.position) || (at > 0 && byPosition(list[at - 1] as Placed, placed) >= 0),
  )
  expect(wrong).toEqual([])
}

/** Keys of the library, the strangest included. */
const position = fc
  .tuple(fc.constantFrom('A', 'M', 'Y', 'Z', 'a', 'b', 'y', 'z'), fc.stringMatching(/^[0-9A-Za-z]{1,40}$/))
  .map(([head, rest]) => head + rest)
  .filter(isPosition)

test('[RE7] a position is a key of fractional-indexing of at most 200 characters, and nothing else is', () => {
  const isKey = (key: string): boolean => {
    try {
      return /^[0-9A-Za-z]*$/.test(key) && generateKeyBetween(key, null) > key
    } catch {
      return false
    }
  }
  const candidates = fc.oneof(
    position,
    fc.string(),
    fc.stringMatching(/^[A-Za-z][0-9A-Za-z]{0,30}$/),
    fc.constantFrom('a0', 'a', '', 'a00', 'Zz', 'Z', `A${'0'.repeat(26)}`, `A${'0'.repeat(25)}1`, `z${'z'.repeat(26)}`),
  )
  fc.assert(
    fc.property(candidates, (key) => {
      expect(isPosition(key)).toBe(isKey(key))
    }),
    { seed: seed | 0, numRuns: 3_000 },
  )
  expect(isPosition(`a0${'1'.repeat(POSITION_LENGTH_MAX - 2)}`)).toBe(true)
  expect(isPosition(`a0${'1'.repeat(POSITION_LENGTH_MAX - 1)}`)).toBe(false)
  expect([0, null, undefined, {}, ['a0']].some(isPosition)).toBe(false)
})

test('[RE7] between any two positions there is another, and before and after any', () => {
  const ends = fc.option(position, { nil: null })
  fc.assert(
    fc.property(ends, ends, (a, b) => {
      const [low, high] = a !== null && b !== null && a > b ? [b, a] : [a, b]
      fc.pre(low === null || low !== high)
      const between = positionBetween(low, high, chance)
      expect(low === null || low < between).toBe(true)
      expect(high === null || between < high).toBe(true)
      expect(isPosition(between) || between.length > POSITION_LENGTH_MAX).toBe(true)
    }),
    { seed: seed | 0, numRuns: 2_000 },
  )
})

test('[RE7] any list, ties included, keeps its order through any insert', () => {
  const lists = fc.array(fc.oneof(position, fc.constantFrom('a0', 'a0V', 'a1')), { maxLength: 40 })
  fc.assert(
    fc.property(lists, fc.nat(), (positions, at) => {
      const list = positions.map((value, index) => ({ id: `id-${index}`, position: value })).sort(byPosition)
      const before = list.map(({ id }) => id)
      const place = at % (list.length + 1)
      insert(list, 'new', place === 0 ? null : before[place - 1])
      mustBeInOrder(list)
      expect(list.map(({ id }) => id)).toEqual(before.toSpliced(place, 0, 'new'))
    }),
    { seed: seed | 0, numRuns: 2_000 },
  )
})

test.each([
  ['after the first', () => 'id-0'],
  ['in the middle', () => 'id-20'],
  ['at the top', () => null],
  ['at the end', () => undefined],
  [
    'after the latest in the middle',
    (list: readonly Placed[]) => (list.length === 40 ? 'id-20' : `id-${list.length - 1}`),
  ],
])('[RE7] 10,000 inserts %s keep their order with short positions, and move few others', (_, afterOf) => {
  const list: Placed[] = []
  for (let index = 0; index < 40; index++) insert(list, `id-${index}`, undefined)
  let moved = 0
  for (let index = list.length; index < 10_000; index++) moved += insert(list, `id-${index}`, afterOf(list))
  mustBeInOrder(list)
  expect(moved / list.length).toBeLessThan(0.1)
})

test('[RE8] two devices that insert at one spot seldom draw one position, and a tie has one order', () => {
  const list = [
    { id: 'a', position: 'a0' },
    { id: 'b', position: 'a1' },
  ]
  const drawn = Array.from({ length: 200 }, () => placeAfter(list, 'a', chance)?.position)
  expect(new Set(drawn).size).toBeGreaterThan(150)
  const tied = ['x', 'z', 'y'].map((id) => ({ id, position: 'a0' }))
  expect(tied.sort(byPosition).map(({ id }) => id)).toEqual(['x', 'y', 'z'])
  expect([isRightAfter(tied, 'y', 'x'), isRightAfter(tied, 'y', 'z'), isRightAfter(tied, 'x', null)]).toEqual([
    true,
    false,
    true,
  ])
  expect([isRightAfter(tied, 'z', undefined), isRightAfter(tied, 'other', null)]).toEqual([true, false])
})

test('[RE8] an insert between two that are tied spreads them', () => {
  const list = ['x', 'y'].map((id) => ({ id, position: 'a0' }))
  insert(list, 'new', 'x')
  mustBeInOrder(list)
  expect(list.map(({ id }) => id)).toEqual(['x', 'new', 'y'])
})

test('[RE8] an insert in a long row of ties spreads as many as it must', () => {
  const list = Array.from({ length: 100 }, (_, index) => ({
    id: `id-${String(index).padStart(3, '0')}`,
    position: 'a0',
  }))
  const ids = list.map(({ id }) => id)
  expect(insert(list, 'new', 'id-049')).toBe(100)
  mustBeInOrder(list)
  expect(list.map(({ id }) => id)).toEqual(ids.toSpliced(50, 0, 'new'))
})

test('[RE7] where all neighbours have long positions, as many are spread as makes them short', () => {
  const digits = Array.from('123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')
  const list = digits.map((digit, index) => ({
    id: `id-${index}`,
    position: `a0${'V'.repeat(POSITION_LENGTH_MAX - 3)}${digit}`,
  }))
  insert(list, 'first', null)
  insert(list, 'last', undefined)
  mustBeInOrder(list)
  insert(list, 'new', 'id-30')
  mustBeInOrder(list)
  expect(list.findIndex(({ id }) => id === 'new')).toBe(list.findIndex(({ id }) => id === 'id-30') + 1)
})
