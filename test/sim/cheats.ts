// What a changed client may write: any key of any root, known or made up, with any value. The rule has to cope.
import type * as Y from 'yjs'
import type { Kind } from '../../shared/kind.ts'
import { editKey } from '../../shared/records.ts'
import type { Change } from '../../shared/rules.ts'
import type { Random } from '../helpers/random.ts'

const VALUES: readonly unknown[] = [null, true, 0, 'x', '', [], {}, { by: 'user-000000000' }, 'user-000000000']

const knownKeys = (doc: Y.Doc, root: string): string[] => [...doc.getMap(root).keys()]

/** A key of somebody's record or edit, as it is or with another field. */
const randomKey = (kind: Kind, doc: Y.Doc, root: string, random: Random): string => {
  const known = knownKeys(doc, root)
  const collection = kind.collections.find(({ edits }) => edits === root)
  if (collection && random.chance(0.6)) {
    const ids = knownKeys(doc, collection.name)
    if (ids.length > 0) return editKey(random.pick(ids), random.pick([...Object.keys(collection.fields), 'other']))
  }
  if (known.length > 0 && random.chance(0.8)) return random.pick(known)
  return random.pick(['nonsense', 'made-up-000', 'user-000000000.made-up-000', '__proto__', ''])
}

/** A value that would be right elsewhere, one that is right but for its author, or none at all. */
const randomValue = (doc: Y.Doc, root: string, random: Random, user: string): unknown => {
  if (random.chance(0.25)) return undefined
  const known = [...doc.getMap(root).values()]
  if (known.length === 0 || random.chance(0.2)) return random.pick(VALUES)
  const value = random.pick(known)
  if (typeof value !== 'object' || value === null || random.chance(0.4)) return value
  return { ...value, ...('by' in value ? { by: user } : {}), ...('createdBy' in value ? { createdBy: user } : {}) }
}

export const randomChanges = (kind: Kind, doc: Y.Doc, random: Random, user: string): Change[] =>
  Array.from({ length: random.int(1, 2) }, () => {
    const root = random.pick(kind.roots as readonly string[])
    return { root, key: randomKey(kind, doc, root, random), value: randomValue(doc, root, random, user) }
  })
