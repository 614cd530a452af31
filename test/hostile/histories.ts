// Random honest editing: several Y.Docs with garbage collection on, all shared types, and the updates they emit. What
// they write is what stock clients write; nothing here is crafted.
import * as Y from 'yjs'
import type { Random } from '../helpers/random.ts'

const WORDS = ['a', 'word', 'two words', '😀', 'é', '👩‍👩‍👧', 'x'.repeat(40), '𝒳y']
const KEYS = ['title', 'done', 'position', 'k']
const FORMATS = [{ bold: true }, { bold: null }, { link: { href: 'x' } }]
const ROOTS = { text: 'text', map: 'map', array: 'array', xml: 'xml' }

const plainValue = (random: Random): unknown =>
  random.pick([
    null,
    true,
    random.int(-(2 ** 40), 2 ** 40),
    random.int(0, 100) / 7,
    random.pick(WORDS),
    [1, [2, { three: 3 }]],
    { nested: { value: random.pick(WORDS) } },
    random.bytes(5),
    { missing: undefined, list: [undefined, 2n ** 60n] },
  ])

/** Yjs types the event of a type in its own parameter, which no common supertype carries. */
type AnyType = Y.Text | Y.Map<unknown> | Y.Array<unknown> | Y.XmlFragment

const newType = (random: Random): AnyType =>
  random.pick<() => AnyType>([
    () => new Y.Text(random.pick(WORDS)),
    () => new Y.Map<unknown>([['born', random.int(0, 9)]]),
    () => Y.Array.from<string | number | null>([1, 'two', null]) as Y.Array<unknown>,
    () => new Y.XmlElement('p'),
    () => new Y.XmlText(random.pick(WORDS)),
  ])()

/** A value for a map or an array: plain, binary, a nested shared type, or a document of its own. */
const anyValue = (random: Random): unknown => {
  if (random.chance(0.25)) return newType(random)
  if (random.chance(0.05))
    return new Y.Doc({ guid: `sub-${random.int(0, 99)}`, ...(random.chance(0.5) && { meta: 1 }) })
  return plainValue(random)
}

const editText = (target: Y.Text, random: Random): void => {
  const at = random.int(0, target.length)
  const rest = target.length - at
  const choice = random.int(1, 10)
  if (rest > 0 && choice <= 3) target.delete(at, random.int(1, Math.min(rest, 8)))
  else if (rest > 0 && choice <= 5) target.format(at, random.int(1, rest), random.pick(FORMATS))
  else if (choice === 6) target.insertEmbed(at, { image: random.pick(WORDS) })
  else target.insert(at, random.pick(WORDS))
}

const editMap = (target: Y.Map<unknown>, random: Random): void => {
  if (random.chance(0.3)) target.delete(random.pick(KEYS))
  else target.set(random.pick(KEYS), anyValue(random))
}

const editArray = (target: Y.Array<unknown>, random: Random): void => {
  const at = random.int(0, target.length)
  const rest = target.length - at
  if (rest > 0 && random.chance(0.4)) target.delete(at, random.int(1, Math.min(rest, 3)))
  else target.insert(at, [anyValue(random), ...(random.chance(0.5) ? [plainValue(random)] : [])])
}

const editXml = (target: Y.XmlFragment, random: Random): void => {
  const at = random.int(0, target.length)
  const rest = target.length - at
  if (target instanceof Y.XmlElement && random.chance(0.3)) {
    target.setAttribute(random.pick(['class', 'level']), random.pick(WORDS))
  } else if (rest > 0 && random.chance(0.3)) target.delete(at, 1)
  else target.insert(at, [random.chance(0.5) ? new Y.XmlElement('p') : new Y.XmlText(random.pick(WORDS))])
}

/** Some type inside `type`, or `type` itself. */
const descend = (type: AnyType, random: Random): AnyType => {
  let children: unknown[] = []
  if (type instanceof Y.Map) children = [...type.values()]
  else if (type instanceof Y.XmlFragment || type instanceof Y.Array) children = type.toArray()
  const types = children.filter((child) => child instanceof Y.AbstractType) as AnyType[]
  return types.length > 0 && random.chance(0.6) ? descend(random.pick(types), random) : type
}

const editSomewhere = (doc: Y.Doc, random: Random): void => {
  const root = random.pick<AnyType>([
    doc.getText(ROOTS.text),
    doc.getMap(ROOTS.map),
    doc.getArray(ROOTS.array),
    doc.getXmlFragment(ROOTS.xml),
  ])
  const target = descend(root, random)
  if (target instanceof Y.Text) editText(target, random)
  else if (target instanceof Y.Map) editMap(target, random)
  else if (target instanceof Y.XmlFragment) editXml(target, random)
  else if (target instanceof Y.Array) editArray(target, random)
}

/** The types an editor opens before it applies anything. */
export const openRoots = (doc: Y.Doc): Y.Doc => {
  doc.getText(ROOTS.text)
  doc.getMap(ROOTS.map)
  doc.getArray(ROOTS.array)
  doc.getXmlFragment(ROOTS.xml)
  return doc
}

export const newEditor = (clientId: number): Y.Doc => {
  const doc = openRoots(new Y.Doc())
  doc.clientID = clientId
  return doc
}

/** One transaction of one to four edits; returns the updates it emitted, usually one. */
export const edit = (doc: Y.Doc, random: Random): Uint8Array[] => {
  const updates: Uint8Array[] = []
  const listen = (update: Uint8Array): void => void updates.push(update)
  doc.on('update', listen)
  doc.transact(() => {
    for (let count = random.int(1, 4); count > 0; count--) editSomewhere(doc, random)
  })
  doc.off('update', listen)
  return updates
}
