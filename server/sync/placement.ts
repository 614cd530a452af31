// Where the structs of an update will stand: how deep, found without applying them. A struct that does not name its
// parent stands beside the one it was inserted after or before.
import * as Y from 'yjs'
import { DEPTH_MAX } from '../../shared/limits.ts'
import type { StructId } from './update-bytes.ts'
import type { Block, Struct } from './update-reader.ts'

export interface Placement {
  /** How many types enclose the struct: 1 in a root type. At most DEPTH_MAX; 0 when its parent is deleted. */
  readonly depthOf: (id: StructId) => number
}

/** Depth of an item of the live doc. */
const liveDepth = (doc: Y.Doc, { client, clock }: StructId): number => {
  let item: Y.Item | Y.GC | null = Y.getItem(doc.store, Y.createID(client, clock))
  let depth = 0
  while (item instanceof Y.Item && depth < DEPTH_MAX) {
    depth++
    const parent: unknown = item.parent
    if (!(parent instanceof Y.AbstractType)) return depth
    item = parent._item
  }
  return item instanceof Y.GC ? 0 : depth
}

/** Finds the struct of `block` that covers `clock`. */
export const structAt = ({ structs }: Block, clock: number): Struct => {
  let low = 0
  let high = structs.length - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if ((structs[middle] as Struct).clock <= clock) low = middle
    else high = middle - 1
  }
  return structs[low] as Struct
}

/** Depths in `doc` as it will be with `blocks`, whose dependencies were checked to be present and free of circles. */
export const createPlacement = (doc: Y.Doc, blocks: readonly Block[]): Placement => {
  const byClient = new Map(blocks.map((block) => [block.client, block]))
  const depths = new Map<Struct, number>()

  const depthOf = (id: StructId): number => {
    // The path from the struct to the first one whose depth is known; followed in a loop because text typed key by key
    // makes chains of thousands. `added` counts the steps into a parent; steps to a neighbour add nothing.
    const path: { struct: Struct; added: number }[] = []
    let at: StructId = id
    let depth = 0
    let added = 0
    for (;;) {
      const block = byClient.get(at.client)
      if (!block || at.clock < block.clock) {
        depth = liveDepth(doc, at)
        break
      }
      const struct = structAt(block, at.clock)
      const known = depths.get(struct)
      if (known !== undefined) {
        depth = known
        break
      }
      path.push({ struct, added })
      if (struct.parent === null) {
        const neighbour = struct.origin ?? struct.rightOrigin
        if (!neighbour) break // a collected run: stands nowhere
        at = neighbour
      } else if (typeof struct.parent === 'string') {
        depth = 1
        break
      } else {
        at = struct.parent
        added++
      }
    }
    // `depth` belongs to the end of the path; every parent step on the way there makes what came before one deeper.
    for (const { struct, added: before } of path) depths.set(struct, Math.min(DEPTH_MAX, depth + added - before))
    return Math.min(DEPTH_MAX, depth + added)
  }
  return { depthOf }
}
