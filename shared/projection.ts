// Documents that the server writes out of rows or out of other documents: what must change so that they show it.
import type * as Y from 'yjs'
import { isSameJson } from './json.ts'
import type { Change } from './rules.ts'

/** What a root shall hold, by key. */
export type Wanted = ReadonlyMap<string, unknown>

/** The changes that make `root` of `doc` hold `wanted` and nothing else; none when it does. */
export const changesTo = (doc: Y.Doc, root: string, wanted: Wanted): Change[] => {
  const has = doc.getMap<unknown>(root)
  const changes: Change[] = []
  for (const [key, value] of wanted) if (!isSameJson(has.get(key), value)) changes.push({ root, key, value })
  for (const key of has.keys()) if (!wanted.has(key)) changes.push({ root, key, value: undefined })
  return changes
}
