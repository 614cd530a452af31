// In which list, or under which key of which map, a struct stands: found without applying it. A struct that names two
// neighbours must name two of the same list; Yjs would otherwise tie a list to a map and throw when it collects either.
import * as Y from 'yjs'
import { type Block, type Struct } from './update-reader.ts'
import { Content, type StructId } from './update-bytes.ts'
import { structAt } from './placement.ts'

/** The type that holds it, as an object that is the same for the same type; null: collected, it stands nowhere. */
export type Home = { readonly holder: unknown; readonly key: string | null } | null
export type HomeOf = (id: StructId) => Home

export const createHomes = (doc: Y.Doc, blocks: readonly Block[]): HomeOf => {
  const byClient = new Map(blocks.map((block) => [block.client, block]))
  const homes = new Map<Struct, Home>()

  const inUpdate = ({ client, clock }: StructId): Struct | undefined => {
    const block = byClient.get(client)
    return block && clock >= block.clock ? structAt(block, clock) : undefined
  }
  const inDocument = ({ client, clock }: StructId): Home => {
    const item: unknown = Y.getItem(doc.store, Y.createID(client, clock))
    return item instanceof Y.Item ? { holder: item.parent, key: item.parentSub } : null
  }
  /** Where a struct stands that names its parent. */
  const below = (parent: string | StructId, key: string | null): Home => {
    if (typeof parent === 'string') return { holder: doc.share.get(parent) ?? parent, key }
    const struct = inUpdate(parent)
    if (struct) return struct.content === Content.Type ? { holder: struct, key } : null
    const item: unknown = Y.getItem(doc.store, Y.createID(parent.client, parent.clock))
    return item instanceof Y.Item && item.content instanceof Y.ContentType ? { holder: item.content.type, key } : null
  }

  /** Follows neighbours to one whose home is known; in a loop, because text typed key by key makes long chains. */
  return (id: StructId): Home => {
    const path: Struct[] = []
    let home: Home = null
    for (let at: StructId | null = id; at;) {
      const struct = inUpdate(at)
      if (!struct) {
        home = inDocument(at)
        break
      }
      const known = homes.get(struct)
      if (known !== undefined) {
        home = known
        break
      }
      path.push(struct)
      if (struct.parent !== null) {
        home = below(struct.parent, struct.parentSub)
        break
      }
      at = struct.origin ?? struct.rightOrigin
    }
    for (const struct of path) homes.set(struct, home)
    return home
  }
}
