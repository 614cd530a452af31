// What a delete set would still delete. Clients repeat their whole delete sets at every sync; nearly all of it is deleted.
import * as Y from 'yjs'

/**
 * The items of the live doc that the ranges (client, clock, length, flat) cover, wholly or in part, and that are not
 * deleted yet. Ranges beyond what the doc has are skipped.
 */
export function* liveDeletes(doc: Y.Doc, deletes: readonly number[]): Generator<Y.Item> {
  for (let i = 0; i < deletes.length; i += 3) {
    const structs = doc.store.clients.get(deletes[i] as number)
    const clock = deletes[i + 1] as number
    const end = clock + (deletes[i + 2] as number)
    const last = structs?.at(-1)
    if (!structs || !last || clock >= last.id.clock + last.length) continue
    for (let at = Y.findIndexSS(structs, clock); at < structs.length; at++) {
      const struct = structs[at] as Y.Item | Y.GC
      if (struct.id.clock >= end) break
      if (struct instanceof Y.Item && !struct.deleted) yield struct
    }
  }
}
