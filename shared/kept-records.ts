// Readings of records that are kept beside a doc and brought up to date from the keys that changed, so that a list of ten
// thousand is not read and sorted again for one of them. What did not change stays the same object. A device that shows a
// document asks for this; whoever reads a document once does not.
import type * as Y from 'yjs'
import { isSameJson } from './json.ts'
import { type Collection, forEachRecord, readRecord, splitEditKey, type Values } from './records.ts'

/** The keys that changed, by root. */
export type ChangedKeys = ReadonlyMap<string, ReadonlySet<string>>

/** How a kind's reading is kept. */
export interface Keeper<Value = unknown> {
  /** The roots that the reading depends on; all of them Y.Maps. */
  readonly roots: readonly string[]
  /** The returned function gives the value after such changes; null: read everything. */
  readonly open: (doc: Y.Doc) => (changed: ChangedKeys | null) => Value
}

const keptByDoc = new WeakMap<Y.Doc, Map<Keeper, () => unknown>>()

/** What is kept of the doc, brought up to date; undefined where nobody asked for it. */
export const readKept = <Value>(doc: Y.Doc, keeper: Keeper<Value>): Value | undefined =>
  keptByDoc.get(doc)?.get(keeper)?.() as Value | undefined

/**
 * From now on the kind's reader keeps what it has read of this doc, and gives the same object until something changes.
 * A change costs nothing but the note of its keys until somebody reads. Returns its undo.
 */
export const keepRecords = (doc: Y.Doc, keeper: Keeper | undefined): (() => void) => {
  const known = keptByDoc.get(doc)
  if (!keeper || known?.has(keeper)) return () => {}
  const read = keeper.open(doc)
  const changed = new Map(keeper.roots.map((name) => [name, new Set<string>()]))
  const keysByType = new Map<unknown, Set<string>>([...changed].map(([name, keys]) => [doc.getMap(name), keys]))
  let kept: { readonly value: unknown } | null = null

  const note = (transaction: Y.Transaction): void => {
    for (const [type, keys] of transaction.changed) {
      const noted = keysByType.get(type)
      if (noted) for (const key of keys) if (key !== null) noted.add(key)
    }
  }
  const onTransaction = (transaction: Y.Transaction): void => {
    if (kept) note(transaction)
  }
  const value = (): unknown => {
    // Those that run, or whose observers are being called: they count as well.
    if (kept) for (const transaction of doc._transactionCleanups) note(transaction)
    if (!kept) kept = { value: read(null) }
    else if ([...changed.values()].some((keys) => keys.size > 0)) kept = { value: read(changed) }
    for (const keys of changed.values()) keys.clear()
    return kept.value
  }
  const stop = (): void => {
    doc.off('afterTransaction', onTransaction)
    doc.off('destroy', stop)
    keptByDoc.get(doc)?.delete(keeper)
  }

  doc.on('afterTransaction', onTransaction)
  doc.on('destroy', stop)
  if (known) known.set(keeper, value)
  else keptByDoc.set(doc, new Map([[keeper, value]]))
  return stop
}

/** The records of a collection as they are shown. */
export interface Shown<Item> {
  readonly collection: Collection
  /** Null: not shown, for example because it is deleted. */
  readonly toItem: (id: string, values: Values) => Item | null
}

/** An item that came, went, or shows something else now. */
export interface ItemChange<Item> {
  readonly before: Item | undefined
  readonly after: Item | undefined
}

/** Up to one in so many, changes are read, and put in their places, one by one; above, going through all is faster. */
const FEW = 10

const idsIn = ({ name, edits }: Collection, changed: ChangedKeys): Set<string> => {
  const ids = new Set(changed.get(name))
  for (const key of changed.get(edits) ?? []) {
    const edit = splitEditKey(key)
    if (edit) ids.add(edit.id)
  }
  return ids
}

/** The items of a collection, in no order. */
export const readItems = <Item>(doc: Y.Doc, { collection, toItem }: Shown<Item>): Item[] => {
  const items: Item[] = []
  forEachRecord(doc, collection, (values, id) => {
    const item = toItem(id, values)
    if (item !== null) items.push(item)
  })
  return items
}

/**
 * Keeps the items of a collection by id. The returned function reads again what changed, and what is in `more`, and says
 * what became of it; an item that shows what it showed before is no change and stays the object it is.
 */
export const keepItems = <Item>(doc: Y.Doc, { collection, toItem }: Shown<Item>) => {
  const items = new Map<string, Item>()

  return (changed: ChangedKeys | null, more: Iterable<string> = []): ItemChange<Item>[] => {
    const changes: ItemChange<Item>[] = []
    const take = (id: string, values: Values | undefined): void => {
      const before = items.get(id)
      const after = (values && toItem(id, values)) ?? undefined
      if (isSameJson(before, after)) return
      if (after === undefined) items.delete(id)
      else items.set(id, after)
      changes.push({ before, after })
    }

    const ids = changed && idsIn(collection, changed)
    for (const id of more) ids?.add(id)
    if (ids && ids.size * FEW <= items.size) {
      for (const id of ids) take(id, readRecord(doc, collection, id))
      return changes
    }
    forEachRecord(doc, collection, (values, id) => {
      if (!ids || ids.delete(id)) take(id, values)
    })
    for (const id of ids ?? []) take(id, undefined)
    return changes
  }
}

/** Where `item` stands in a sorted list, or would stand. */
const placeOf = <Item>(list: readonly Item[], item: Item, compare: (a: Item, b: Item) => number): number => {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(list[middle] as Item, item) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** A sorted list after changes, as a new list; the same one where nothing changed. No two items may compare as equal. */
export const mendOrder = <Item>(
  list: readonly Item[],
  changes: readonly ItemChange<Item>[],
  compare: (a: Item, b: Item) => number,
): readonly Item[] => {
  if (changes.length === 0) return list
  if (changes.length * FEW > list.length) {
    const gone = new Set(changes.map(({ before }) => before))
    const others = list.filter((item) => !gone.has(item))
    for (const { after } of changes) if (after !== undefined) others.push(after)
    return others.sort(compare)
  }
  const mended = list.slice()
  for (const { before, after } of changes) {
    const from = before === undefined ? -1 : placeOf(mended, before, compare)
    if (before !== undefined && after !== undefined && compare(before, after) === 0) mended[from] = after
    else {
      if (before !== undefined) mended.splice(from, 1)
      if (after !== undefined) mended.splice(placeOf(mended, after, compare), 0, after)
    }
  }
  return mended
}

/** Keeps a sorted list of one collection. */
export const listKeeper = <Item, Value>(
  shown: Shown<Item>,
  compare: (a: Item, b: Item) => number,
  toValue: (items: readonly Item[]) => Value,
): Keeper<Value> => ({
  roots: [shown.collection.name, shown.collection.edits],
  open: (doc) => {
    const mend = keepItems(doc, shown)
    let list: readonly Item[] = []
    let value = toValue(list)
    return (changed) => {
      const mended = mendOrder(list, mend(changed), compare)
      if (mended !== list) value = toValue((list = mended))
      return value
    }
  },
})
