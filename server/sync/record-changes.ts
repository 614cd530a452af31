// What an update does to records, read from its bytes: each struct as one value, or none, under one key of one root.
// Nothing is applied, and nothing is asked yet.
import type * as Y from 'yjs'
import type { Refusal } from '../../shared/rules.ts'
import type { HomeOf } from './homes.ts'
import { Content } from './update-bytes.ts'
import type { Struct } from './update-reader.ts'

/** A struct of the update, and the key under which it stands. */
export interface Placed {
  readonly client: number
  readonly struct: Struct
  readonly root: string
  readonly key: string
  /** It comes without its value, or the update deletes it again. */
  readonly isDeleted: boolean
}

export const rootNameOf = (doc: Y.Doc, type: unknown): string | null => {
  for (const [name, root] of doc.share) if (root === type) return name
  return null
}

const refused = (code: Refusal['code'], path: string): Refusal => ({ code, path })

/**
 * Where a struct of `client` stands, if that is under a key of a root; or why it may not stand there. Null: it refers to
 * what was collected, so Yjs will collect it too, and it stands nowhere.
 */
export const placeStruct = (
  doc: Y.Doc,
  homeOf: HomeOf,
  client: number,
  struct: Struct,
): { readonly root: string; readonly key: string } | Refusal | null => {
  const { content, clock, parent, parentSub, rightOrigin } = struct
  let root: string | null
  let key: string | null
  if (typeof parent === 'string') {
    root = parent
    key = parentSub
  } else {
    const home = parent === null ? homeOf({ client, clock }) : { holder: null, key: null }
    if (!home) return null
    root = typeof home.holder === 'string' ? home.holder : rootNameOf(doc, home.holder)
    key = home.key
  }
  // In a list, or inside a shared type: there are neither in a document of records.
  if (root === null || key === null) return refused('type-not-allowed', root ?? '')
  if (content !== Content.Any && content !== Content.Deleted) return refused('type-not-allowed', `${root}/${key}`)
  // A value is always put after all others of its key. What wants to stand before one is no client's work, and would make
  // it hard to say which of them shows.
  if (rightOrigin !== null) return refused('malformed', `${root}/${key}`)
  return { root, key }
}
