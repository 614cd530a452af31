// Order of records: a fractional-index string in a field, never a place in a Y.Array. A new position is drawn at random
// between its neighbours, so that two devices that insert at one place do not get the same (design 3.1).
import { generateKeyBetween, generateNKeysBetween } from 'fractional-indexing'
import type { Check } from './fields.ts'
import { POSITION_LENGTH_MAX } from './limits.ts'

/** Halvings before a position is taken: a thousand places at one spot make a tie rare, at two characters each. */
const JITTER_BITS = 10

const POSITION = /^[A-Za-z][0-9A-Za-z]+$/

export const isPosition: Check = (value) =>
  typeof value === 'string' && value.length <= POSITION_LENGTH_MAX && POSITION.test(value) && isValidKey(value)

const isValidKey = (key: string): boolean => {
  try {
    generateKeyBetween(key, null)
    return true
  } catch {
    return false
  }
}

/** What stands in a list, in order. */
export interface Placed {
  readonly id: string
  readonly position: string
}

/** By position, ties by id: the same order on every device. */
export const byPosition = (a: Placed, b: Placed): number => {
  if (a.position !== b.position) return a.position < b.position ? -1 : 1
  return a.id < b.id ? -1 : Number(a.id > b.id)
}

/** A position between two; null stands for the ends. `low < high` must hold. */
export const positionBetween = (low: string | null, high: string | null, random: () => number): string => {
  // Between an end and a neighbour there is room without end: two steps of it are enough to draw from.
  const step = generateKeyBetween(low, high)
  let from = low ?? (high === null ? step : generateKeyBetween(null, step))
  let to = high ?? generateKeyBetween(step, null)
  for (let bit = 0; bit < JITTER_BITS; bit++) {
    const middle = generateKeyBetween(from, to)
    if (random() < 0.5) to = middle
    else from = middle
  }
  return generateKeyBetween(from, to)
}

export interface Placement {
  readonly position: string
  /** Others that must move too: ties and positions that have become too long are spread again. */
  readonly moved: readonly Placed[]
}

/**
 * The position right after `after` (null: first; undefined: last) among `list`, which is sorted by `byPosition` and does
 * not hold what is placed. Undefined when `after` is not in the list.
 */
export const placeAfter = (
  list: readonly Placed[],
  after: string | null | undefined,
  random: () => number,
): Placement | undefined => {
  const at = after === undefined ? list.length : after === null ? 0 : list.findIndex(({ id }) => id === after) + 1
  if (after !== null && after !== undefined && at === 0) return undefined
  const low = list[at - 1]?.position ?? null
  const high = list[at]?.position ?? null
  if (low === null || high === null || low < high) {
    const position = positionBetween(low, high, random)
    if (position.length <= POSITION_LENGTH_MAX) return { position, moved: [] }
  }
  return rebalance(list, at)
}

/** New positions for the whole list and for what stands at `at` in it. */
const rebalance = (list: readonly Placed[], at: number): Placement => {
  const positions = generateNKeysBetween(null, null, list.length + 1)
  const position = positions[at] as string
  const moved = list.map(({ id }, index) => ({ id, position: positions[index < at ? index : index + 1] as string }))
  return { position, moved }
}
