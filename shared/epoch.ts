// A new epoch of a document: what it holds, written anew under one client id, without its history (design 4.1). Made of the
// same state it is the same everywhere, so that a client can find out where its neighbours went.
import * as Y from 'yjs'
import { encodeStructs } from './encode-structs.ts'
import { createIdRuns, type IdRuns } from './id-runs.ts'
import { EPOCHS_MAX, SERVER_CLIENT_ID_MIN } from './limits.ts'

export interface NewEpoch {
  /** All of it as one Yjs update (version 1), by `epochClientId`. */
  readonly update: Uint8Array
  /** Its first clock that is not taken; so much holds the document. */
  readonly length: number
  /** Where what is left of the old epoch went; what was deleted went nowhere. */
  readonly moved: () => IdRuns
}

/** Who writes an epoch's first state; epochs count from 0, and the first has none. */
export const epochClientId = (epoch: number): number => {
  if (epoch < 1 || epoch > EPOCHS_MAX) throw new RangeError(`no epoch ${epoch}`)
  return SERVER_CLIENT_ID_MIN + epoch - 1
}

/** The type that `Y.Doc` holds by name, and that an item may hold. */
type SharedType = typeof Y.Doc.prototype.share extends Map<string, infer Shared> ? Shared : never

/** By their code units, as everywhere: a locale's order differs between machines. */
const sorted = (names: Iterable<string>): string[] => Array.from(names).toSorted((a, b) => (a < b ? -1 : 1))

/**
 * Writes the content of `doc` anew, for epoch `epoch`: roots and keys by name, sequences in their order, a nested type
 * where it stands. The order decides the new clocks, and depends on nothing but the content. `doc` is only read, and
 * must have nothing pending.
 */
export const writeEpoch = (doc: Y.Doc, epoch: number): NewEpoch => {
  const clientId = epochClientId(epoch)
  const structs: Y.Item[] = []
  const sources: Y.ID[] = []
  let length = 0

  /** Writes a struct anew; returns the id of its last element. */
  const write = (item: Y.Item, origin: Y.ID | null, parent: SharedType | Y.ID): Y.ID => {
    const { content, parentSub, id } = item
    const to = Y.createID(clientId, length)
    structs.push(new Y.Item(to, null, origin, null, null, parent, parentSub, content))
    sources.push(id)
    length += item.length
    const last = Y.createID(clientId, length - 1)
    if (content instanceof Y.ContentType) writeType(content.type, to)
    return last
  }

  const writeType = (type: SharedType, parent: SharedType | Y.ID): void => {
    let last: Y.ID | null = null
    for (let item = type._start; item; item = item.right) if (!item.deleted) last = write(item, last, parent)
    for (const key of sorted(type._map.keys())) {
      const item = type._map.get(key)
      if (item && !item.deleted) write(item, null, parent)
    }
  }

  for (const name of sorted(doc.share.keys())) {
    const root = doc.share.get(name) as SharedType
    writeType(root, root)
  }

  return {
    update: encodeStructs(clientId, structs, new Map()),
    length,
    moved: () => {
      const runs = createIdRuns()
      const order = Array.from(structs.keys()).toSorted(
        (a, b) => (sources[a] as Y.ID).clock - (sources[b] as Y.ID).clock,
      )
      for (const at of order) {
        const { client, clock } = sources[at] as Y.ID
        const struct = structs[at] as Y.Item
        runs.add(client, { clock, length: struct.length, to: struct.id.clock })
      }
      return runs
    },
  }
}
