// Order of records: a fractional-index string in a field, never a place in a Y.Array. A new position is drawn at random
// between its neighbours, so that two devices that insert at one place do not get the same (design 3.1).
import { generateKeyBetween, generateNKeysBetween } from 'fractional-indexing'
import { AppError } from './errors.ts'
import type { Check } from './fields.ts'
import { POSITION_LENGTH_MAX } from './limits.ts'

/** Halvings before a position is taken: a thousand places at one spot make a tie rare, at two characters each. */
const JITTER_BITS = 10

/** Neighbours on each side that are spread again at first. */
const SPREAD_REACH_MIN = 8

const POSITION = /^[A-Za-z][0-9A-Za-z]+$/

/** The one whole number that has nothing below it; the library does not take it. */
const LOWEST = `A${'0'.repeat(26)}`

/** The first letter tells how long the whole number before the fraction is: `a` and `Z` two characters, `b` and `Y` three. */
const wholeLength = (key: string): number => {
  const head = key.charCodeAt(0)
  return head >= 97 ? head - 95 : 92 - head
}

/** What `fractional-indexing` takes as a key, at most POSITION_LENGTH_MAX long. Said here again: it runs for every record read. */
export const isPosition: Check = (value) => {
  if (typeof value !== 'string' || value.length > POSITION_LENGTH_MAX || !POSITION.test(value)) return false
  const whole = wholeLength(value)
  return value.length >= whole && !(value.length > whole && value.endsWith('0')) && value !== LOWEST
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

/** Where `id` stands in `list`; -1 when it does not. A loop: lists are long, and this runs twice for every move. */
const indexOf = (list: readonly Placed[], id: string): number => {
  for (let at = 0; at < list.length; at++) if (list[at]?.id === id) return at
  return -1
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
  /** Neighbours that must move too: where there is a tie, or positions have become too long, they are spread again. */
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
  const at = after === undefined ? list.length : after === null ? 0 : indexOf(list, after) + 1
  if (after !== null && after !== undefined && at === 0) return undefined
  const low = list[at - 1]?.position ?? null
  const high = list[at]?.position ?? null
  if (low === null || high === null || low < high) {
    const position = positionBetween(low, high, random)
    if (position.length <= POSITION_LENGTH_MAX) return { position, moved: [] }
  }
  return spread(list, at)
}

/** New positions for what stands at `at` and for as few neighbours as give short ones: nobody else's place changes. */
const spread = (list: readonly Placed[], at: number): Placement => {
  for (let reach = SPREAD_REACH_MIN; ; reach *= 2) {
    const from = Math.max(0, at - reach)
    const to = Math.min(list.length, at + reach)
    const low = list[from - 1]?.position ?? null
    const high = list[to]?.position ?? null
    if (low !== null && high !== null && low >= high) continue
    const positions = generateNKeysBetween(low, high, to - from + 1)
    // The whole list has short ones.
    const isWhole = from === 0 && to === list.length
    if (!isWhole && positions.some((position) => position.length > POSITION_LENGTH_MAX / 2)) continue
    const position = positions.splice(at - from, 1)[0] as string
    const moved = list.slice(from, to).map(({ id }, index) => ({ id, position: positions[index] as string }))
    return { position, moved }
  }
}

/** Whether `id` stands in `list` right after `after`, as `placeAfter` understands it. */
export const isRightAfter = (list: readonly Placed[], id: string, after: string | null | undefined): boolean => {
  const at = indexOf(list, id)
  if (at < 0) return false
  if (after === undefined) return at === list.length - 1
  return (list[at - 1]?.id ?? null) === after
}

/** `placeAfter` among the others of `list`; throws `record/not-found` when `after` is not one of them. */
export const mustPlace = (
  list: readonly Placed[],
  id: string,
  after: string | null | undefined,
  random: () => number,
): Placement => {
  const at = indexOf(list, id)
  const others = at < 0 ? list : list.toSpliced(at, 1)
  const placement = placeAfter(others, after, random)
  if (!placement) throw new AppError('record/not-found', 'there is nothing of this id to come after', { id: after })
  return placement
}
