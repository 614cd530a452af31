// What an update would cost Yjs beyond its size, estimated before it is applied: a few bytes can make it search a list
// from end to end, or move hundreds of thousands of structs aside, again and again. Only what refers to the live doc is
// estimated; what an update does to its own content is paid for by the socket's budget (`reading.ts`).
import * as Y from 'yjs'
import type { Block } from './update-reader.ts'
import type { StructId } from './update-bytes.ts'

/** List items that all searches of one update may pass: about 20 ms. */
const SEARCH_STEPS_MAX = 2_000_000
/** Structs that all splits of one update may move: about 2 s; 25,000 scattered deletes in one text are a third of it. */
const MOVED_STRUCTS_MAX = 2_000_000_000

export type Effort = 'fine' | 'too-much' | 'never-ending'

const liveItem = (doc: Y.Doc, id: StructId): Y.Item | null => {
  const item: unknown = Y.getItem(doc.store, Y.createID(id.client, id.clock))
  return item instanceof Y.Item ? item : null
}

const firstOf = (item: Y.Item): Y.Item | null => {
  const { parent, parentSub } = item
  if (!(parent instanceof Y.AbstractType)) return null
  if (parentSub === null) return parent._start
  let first: Y.Item | null = parent._map.get(parentSub) ?? null
  while (first?.left) first = first.left
  return first
}

/**
 * How many items stand between two neighbours of the live doc, up to `max`; null when the right one does not come, which
 * no honest client says: it saw them in this order.
 */
const stepsBetween = (left: Y.Item | null, right: Y.Item | null, max: number): number | null => {
  let steps = 0
  let at = left ? left.right : right && firstOf(right)
  for (; at && at !== right; at = at.right) if (++steps > max) return steps
  return right === null || at === right ? steps : null
}

/** How many items a key of the live doc has had, up to `max`: Yjs passes all of them for a value that names no neighbour. */
const stepsUnder = (doc: Y.Doc, parent: string | StructId, key: string, max: number): number => {
  let type: (typeof doc.share extends Map<string, infer Type> ? Type : never) | undefined
  if (typeof parent === 'string') type = doc.share.get(parent)
  else if (parent.clock < Y.getState(doc.store, parent.client)) {
    const content = liveItem(doc, parent)?.content
    if (content instanceof Y.ContentType) type = content.type
  }
  let steps = 0
  for (let item = type?._map.get(key) ?? null; item && steps <= max; item = item.left) steps++
  return steps
}

/** Whether Yjs could integrate the structs without long searches. */
export const searchEffort = (doc: Y.Doc, blocks: readonly Block[]): Effort => {
  let budget = SEARCH_STEPS_MAX
  const isLive = ({ client, clock }: StructId): boolean => clock < Y.getState(doc.store, client)
  for (const { structs } of blocks) {
    for (const { origin, rightOrigin, parent, parentSub } of structs) {
      if (parent !== null && parentSub !== null) budget -= stepsUnder(doc, parent, parentSub, budget)
      if (budget < 0) return 'too-much'
      if ((!origin && !rightOrigin) || (origin && !isLive(origin)) || (rightOrigin && !isLive(rightOrigin))) continue
      const left = origin && liveItem(doc, origin)
      const right = rightOrigin && liveItem(doc, rightOrigin)
      // A collected neighbour: nothing is searched, the struct is collected too. One item: they are side by side in it.
      if ((origin && !left) || (rightOrigin && !right) || (left && left === right)) continue
      const steps = stepsBetween(left, right, budget)
      if (steps === null) return 'never-ending'
      budget -= steps
      if (budget < 0) return 'too-much'
    }
  }
  return 'fine'
}

/** Whether Yjs could delete the ranges (client, clock, length, flat) without moving structs aside for seconds. */
export const splitEffort = (doc: Y.Doc, deletes: readonly number[]): Effort => {
  let moved = 0
  let added = 0
  for (let i = 0; i < deletes.length; i += 3) {
    const structs = doc.store.clients.get(deletes[i] as number)
    const clock = deletes[i + 1] as number
    const end = clock + (deletes[i + 2] as number)
    const last = structs?.at(-1)
    if (!structs || !last || clock >= last.id.clock + last.length) continue
    const index = Y.findIndexSS(structs, clock)
    const struct = structs[index] as Y.Item | Y.GC
    if (struct.deleted || (struct.id.clock === clock && struct.id.clock + struct.length <= end)) continue
    added += 2
    moved += 2 * (structs.length - index + added)
    if (moved > MOVED_STRUCTS_MAX) return 'too-much'
  }
  return 'fine'
}
