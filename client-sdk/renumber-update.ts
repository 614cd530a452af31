// Carries raw Yjs edits over to a new client id, onto a state that lacks the edits refused before them, or onto a new epoch
// (design 4.1, 4.2). Plays everything on a doc of its own and writes each struct anew between the neighbours that it has
// there and keeps; judges nothing.
import * as Y from 'yjs'
import { encodeStructs } from '../shared/encode-structs.ts'
import { createIdRuns, type IdRuns } from '../shared/id-runs.ts'

export interface PendingEdit {
  /** Version 1. What the confirmed state has of it already stays as it is. */
  readonly update: Uint8Array
  /** Its structs and deletions are left out. */
  readonly isRefused: boolean
}

export interface RenumberOptions {
  /** The confirmed state: what the results are applied to, unless it has moved. It is only read. */
  readonly base: Y.Doc
  /** Where what is left of `base` is now, under another client id: what the results are applied to. */
  readonly moved?: { readonly runs: IdRuns; readonly clientId: number }
  /** In the order they were made. */
  readonly edits: readonly PendingEdit[]
  /** The client ids whose structs are carried over; those of others are left out. */
  readonly clientIds: ReadonlySet<number>
  readonly newClientId: number
  /** The clock of the first struct under the new client id. */
  readonly firstClock: number
}

export interface Renumbered {
  /** What each edit that was not refused becomes; null where nothing of it is left, as it lives in what was refused. */
  readonly updates: readonly (Uint8Array | null)[]
  readonly nextClock: number
}

type Type = typeof Y.Doc.prototype.share extends Map<string, infer Shared> ? Shared : never

type Writable = Map<number, { readonly clock: number; readonly length: number }[]>

const addTo = (deletes: Writable, client: number, clock: number, length: number): void => {
  const ranges = deletes.get(client) ?? []
  deletes.set(client, ranges)
  ranges.push({ clock, length })
}

type Neighbours = readonly [left: Y.Item | null, right: Y.Item | null]

interface Gaps {
  /** The nearest items on both sides that are there. From now on `item` is there too. */
  readonly fill: (item: Y.Item) => Neighbours
}

/**
 * Looks on both sides at once and remembers what stands beside what: so the nearer side is all that is ever walked, and
 * thousands of structs in one gap do not cost their square. Good for as long as no item is split.
 */
const createGaps = (isThere: (item: Y.Item) => boolean): Gaps => {
  const next = new Map<Y.Item, Y.Item | null>()
  const previous = new Map<Y.Item, Y.Item | null>()
  const isMissing = (item: Y.Item | null): item is Y.Item => item !== null && !isThere(item)

  const find = (item: Y.Item): Neighbours => {
    let { left, right } = item
    while (isMissing(left) && isMissing(right)) [left, right] = [left.left, right.right]
    const [after, before] = [left && next.get(left), right && previous.get(right)]
    if (left && after !== undefined) return [left, after]
    if (right && before !== undefined) return [before, right]
    while (isMissing(left)) left = left.left
    while (isMissing(right)) right = right.right
    return [left, right]
  }

  return {
    fill: (item) => {
      const [left, right] = find(item)
      next.set(item, right)
      previous.set(item, left)
      if (left) next.set(left, item)
      if (right) previous.set(right, item)
      return [left, right]
    },
  }
}

/**
 * Writes pending updates anew, as if their author had made them on `base`, without what was refused: text stands where the
 * refused text would have stood beside it, and in its order; what lives in a refused container is left out, and so are
 * deletions of what was refused. Applied in their order to the state of `base`, the results leave nothing pending.
 */
export const renumberUpdates = (options: RenumberOptions): Renumbered => {
  const { base, moved, edits, clientIds, newClientId, firstClock } = options
  // What the author saw. All is one transaction, so that Yjs neither merges structs of different fates nor collects any.
  const author = new Y.Doc({ gc: false })
  const carried = createIdRuns()
  let nextClock = firstClock
  const knownEnd = (client: number): number => Y.getState(base.store, client)

  /** What an id is called from now on; null while nothing stands for it. */
  const newId = ({ client, clock }: Y.ID): Y.ID | null => {
    const isKnown = clock < knownEnd(client)
    if (isKnown && !moved) return Y.createID(client, clock)
    const to = isKnown && moved ? moved.runs.find(client, clock) : carried.find(client, clock)
    return to === null ? null : Y.createID(isKnown && moved ? moved.clientId : newClientId, to)
  }
  const isThere = (item: Y.Item): boolean => newId(item.id) !== null

  /** The items of `update` that are to be carried over, as they stand in the author's doc. */
  const itemsOf = (update: Uint8Array): Set<Y.Item> => {
    const items = new Set<Y.Item>()
    for (const { id, length } of Y.decodeUpdate(update).structs) {
      const { client, clock } = id
      const structs = author.store.clients.get(client)
      const start = Math.max(clock, knownEnd(client))
      const end = Math.min(clock + length, Y.getState(author.store, client))
      if (!structs || !clientIds.has(client) || start >= end) continue
      for (let at = Y.findIndexSS(structs, start); at < structs.length; at++) {
        const struct = structs[at] as Y.Item | Y.GC
        if (struct.id.clock >= end) break
        // What was collected has no content to carry.
        if (struct instanceof Y.Item) items.add(struct)
      }
    }
    return items
  }

  /** A value that somebody set and deleted meanwhile wins over this one; where it has not moved along, nothing says so. */
  const isOvertaken = (item: Y.Item): boolean => {
    if (!moved || item.parentSub === null) return false
    for (let { right } = item; right; right = right.right) {
      if (right.id.clock < knownEnd(right.id.client)) return !isThere(right)
    }
    return false
  }

  /** Writes an item anew between the nearest neighbours that are there already; not where its container is not. */
  const carry = (item: Y.Item, items: ReadonlySet<Y.Item>, gaps: Gaps, written: Y.Item[]): void => {
    if (isThere(item)) return
    const type = item.parent as Type
    const holder = type._item
    if (holder && items.has(holder)) carry(holder, items, gaps, written)
    const parent = holder ? newId(holder.id) : type
    if (!parent) return
    const [left, right] = gaps.fill(item)
    const { parentSub, content, length, id } = item
    const to = Y.createID(newClientId, nextClock)
    const [origin, rightOrigin] = [left && newId(left.lastId), right && newId(right.id)]
    written.push(new Y.Item(to, null, origin, null, rightOrigin, parent, parentSub, content))
    carried.add(id.client, { clock: id.clock, length, to: nextClock })
    nextClock += length
  }

  const deletesOf = (update: Uint8Array): Writable => {
    const deletes: Writable = new Map()
    const add = (client: number, clock: number, length: number): void => addTo(deletes, client, clock, length)
    for (const [client, ranges] of Y.decodeUpdate(update).ds.clients) {
      for (const { clock, len } of ranges) {
        const end = clock + len
        const known = Math.min(knownEnd(client), end)
        if (clock < known && !moved) add(client, clock, known - clock)
        for (const { to, length } of moved?.runs.within(client, clock, known) ?? [])
          add(moved?.clientId ?? 0, to, length)
        for (const { to, length } of carried.within(client, Math.max(clock, known), end)) add(newClientId, to, length)
      }
    }
    return deletes
  }

  const carryUpdate = (update: Uint8Array): Uint8Array | null => {
    const items = itemsOf(update)
    const written: Y.Item[] = []
    const gaps = createGaps(isThere)
    for (const item of items) carry(item, items, gaps, written)
    const deletes = deletesOf(update)
    for (const item of items) {
      const to = isOvertaken(item) ? carried.find(item.id.client, item.id.clock) : null
      if (to !== null) addTo(deletes, newClientId, to, item.length)
    }
    return written.length + deletes.size > 0 ? encodeStructs(newClientId, written, deletes) : null
  }

  const carriedUpdates = Y.transact(author, () => {
    Y.applyUpdate(author, Y.encodeStateAsUpdate(base))
    // Refused or not, each in its turn: what comes before what it builds on waits in Yjs, which may let it wait even when
    // that is there, and joins what waits to one struct where it was typed in a row.
    return edits.flatMap(({ update, isRefused }) => {
      Y.applyUpdate(author, update)
      return isRefused ? [] : [carryUpdate(update)]
    })
  })
  return { updates: carriedUpdates, nextClock }
}
