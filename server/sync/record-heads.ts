// Which value of a key shows once an update is applied: found as Yjs would find it, without applying.
//
// All that was ever written under a key is a list; its last item, the head, shows unless it is deleted. As no item names a
// right neighbour (`record-changes.ts`), the list is a tree walked in pre-order: each item comes after the one it was
// written over, its origin; several with one origin stand by rising client id, and the first of one client stands last.
// Source: yjs 13.6.33 `structs/Item.js` (integrate).
import * as Y from 'yjs'
import type { Placed } from './record-changes.ts'
import type { StructId } from './update-bytes.ts'

/** Items of the live doc that may be passed for one update; honest ones pass a handful. */
const STEPS_MAX = 100_000

export class TooManySteps extends Error {}

/** Where something new hangs on the way from the head of the live doc up to the first value of its key. */
interface Rank {
  readonly depth: number
  readonly clock: number
}

/** Whether `a` comes later in pre-order than `b` and all below it: it hangs closer to the root, or beside with a higher id. */
const isLater = (a: Placed, aRank: Rank, b: Placed, bRank: Rank): boolean => {
  if (aRank.depth !== bRank.depth) return aRank.depth > bRank.depth
  if (aRank.clock !== bRank.clock) return aRank.clock < bRank.clock
  if (a.client !== b.client) return a.client > b.client
  return a.struct.clock < b.struct.clock
}

const endOf = ({ struct }: Placed): number => struct.clock + struct.length - 1

/** Sorted by what they were written over; of several over the same, the one that stands last comes first. */
const byOrigin = (a: Placed, b: Placed): number =>
  (a.struct.origin?.clock ?? 0) - (b.struct.origin?.clock ?? 0) ||
  b.client - a.client ||
  a.struct.clock - b.struct.clock

/** What of the update was written over other parts of it, by the client of those. */
const toChildren = (placed: readonly Placed[]): Map<number, Placed[]> => {
  const children = Map.groupBy(placed, ({ struct }) => struct.origin?.client ?? -1)
  for (const list of children.values()) list.sort(byOrigin)
  return children
}

/** The first of `list` that was written over something at or after `clock`. */
const firstAt = (list: readonly Placed[], clock: number): number => {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (((list[middle] as Placed).struct.origin?.clock ?? 0) < clock) low = middle + 1
    else high = middle
  }
  return low
}

/** The child of `parent` that comes last, if any comes after it. A run of deleted values is a chain of its own. */
const lastChild = (parent: Placed, children: ReadonlyMap<number, readonly Placed[]>): Placed | undefined => {
  const list = children.get(parent.client) ?? []
  const end = endOf(parent)
  for (let i = firstAt(list, parent.struct.clock); i < list.length; i++) {
    const child = list[i] as Placed
    const { clock } = child.struct.origin as StructId
    if (clock > end) return undefined
    if (clock === end || child.client > parent.client) return child
  }
  return undefined
}

export const createHeads = (doc: Y.Doc) => {
  let steps = 0

  /** Where `top` hangs, if it comes after all that is live; `head` is the live head of its key. */
  const rankOf = ({ client, struct: { origin } }: Placed, head: Y.Item | undefined): Rank | null => {
    if (!head) return { depth: 0, clock: 0 }
    let at: Y.Item = head
    let clock = at.id.clock + at.length - 1
    let below = -1
    for (let depth = 0; ; depth++) {
      if (++steps > STEPS_MAX) throw new TooManySteps()
      if (origin?.client === at.id.client && origin.clock >= at.id.clock && origin.clock <= clock) {
        const rival = origin.clock === clock ? below : at.id.client
        return client > rival ? { depth, clock: origin.clock } : null
      }
      below = at.id.client
      if (!at.origin) return origin === null && client > below ? { depth: depth + 1, clock: 0 } : null
      clock = at.origin.clock
      const parent: unknown = Y.getItem(doc.store, at.origin)
      if (!(parent instanceof Y.Item)) return null
      at = parent
    }
  }

  /**
   * What of `placed`, all that the update writes under one key, becomes its head; undefined when the head of the live doc
   * stays. Throws {@link TooManySteps}.
   */
  return (head: Y.Item | undefined, placed: readonly Placed[]): Placed | undefined => {
    let last: Placed | undefined
    let lastRank: Rank | null = null
    for (const top of placed) {
      const { origin } = top.struct
      if (origin && origin.clock >= Y.getState(doc.store, origin.client)) continue
      const rank = rankOf(top, head)
      if (!rank || (last && lastRank && !isLater(top, rank, last, lastRank))) continue
      last = top
      lastRank = rank
    }
    if (!last || placed.length === 1) return last
    const children = toChildren(placed)
    for (let child = lastChild(last, children); child; child = lastChild(last, children)) last = child
    return last
  }
}
