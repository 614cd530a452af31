// What a changed client may write: mostly what has the right form and is somebody else's, now and then nonsense. The rule
// has to cope.
import type * as Y from 'yjs'
import type { Kind } from '../../shared/kind.ts'
import { type Collection, editKey, splitEditKey } from '../../shared/records.ts'
import type { Change } from '../../shared/rules.ts'
import type { Random } from '../helpers/random.ts'

const VALUES: readonly unknown[] = [true, null, 0, 'x', '', [], {}, { by: 'user-000000000' }, 'user-000000000']
const KEYS = ['nonsense', 'made-up-000', 'user-000000000.made-up-000', '__proto__', '']
const PARTS = ['user-000000000', 'user-000000001', 'made-up-000', '+1', '👍', '']

interface Source {
  readonly kind: Kind
  readonly doc: Y.Doc
  readonly random: Random
  readonly user: string
}

type Place = Pick<Change, 'root' | 'key'>

const knownKeys = (doc: Y.Doc, root: string): string[] => [...doc.getMap(root).keys()]

/** Another message, emoji, user or device in the key. */
const withOtherPart = (key: string, random: Random): string => {
  const parts = key.split('.')
  parts[random.int(0, parts.length - 1)] = random.pick(PARTS)
  return parts.join('.')
}

const editable = ({ fields }: Collection): string[] => Object.keys(fields).filter((name) => !fields[name]?.fixed)

/** A key that somebody wrote or might have written. */
const randomKey = ({ kind, doc, random }: Source, root: string): string => {
  const collection = kind.collections.find(({ edits }) => edits === root)
  const known = knownKeys(doc, collection?.name ?? root)
  if (known.length === 0 || random.chance(0.1)) return random.pick(KEYS)
  const key = random.pick(known)
  if (collection) return editKey(key, random.chance(0.9) ? random.pick(editable(collection)) : 'other')
  return random.chance(0.4) ? withOtherPart(key, random) : key
}

/** A value of the right form for an edit; none when `key` is of no field. */
const fittingValue = ({ kind }: Source, { root, key }: Place): unknown => {
  const fields = kind.collections.find(({ edits }) => edits === root)?.fields
  const field = fields?.[splitEditKey(key)?.field ?? '']
  return field && VALUES.find((value) => field.check(value))
}

/** A value that would be right elsewhere, or one that is right but for its author. */
const copiedValue = ({ doc, random, user }: Source, { root, key }: Place): unknown => {
  const known = [...doc.getMap(root).values()]
  if (known.length === 0 || random.chance(0.1)) return random.pick(VALUES)
  const value = random.chance(0.5) ? doc.getMap(root).get(key) : random.pick(known)
  if (typeof value !== 'object' || value === null || random.chance(0.3)) return value
  return { ...value, ...('by' in value ? { by: user } : {}), ...('createdBy' in value ? { createdBy: user } : {}) }
}

export const randomChanges = (source: Source): Change[] => {
  const { kind, random } = source
  return Array.from({ length: random.int(1, 2) }, () => {
    const root = random.pick(kind.roots as readonly string[])
    const place = { root, key: randomKey(source, root) }
    const isEdit = kind.collections.some(({ edits }) => edits === root)
    if (random.chance(0.25)) return { ...place, value: undefined }
    return { ...place, value: isEdit && random.chance(0.7) ? fittingValue(source, place) : copiedValue(source, place) }
  })
}
