// Histories for carrying edits over: a confirmed state, the edits of one or two tabs of which some are refused, and what
// must be readable once the others were carried over, told from the author's own doc.
import assert from 'node:assert/strict'
import * as Y from 'yjs'
import type { PendingEdit } from '../../client-sdk/renumber-update.ts'
import type { Random } from '../helpers/random.ts'
import { edit, newEditor } from '../hostile/histories.ts'

export interface History {
  readonly base: Y.Doc
  readonly edits: readonly PendingEdit[]
  readonly clientIds: ReadonlySet<number>
}

/** The updates that were refused, or those that were not. */
export const updatesOf = ({ edits }: Pick<History, 'edits'>, which: { refused: boolean }): readonly Uint8Array[] =>
  edits.filter(({ isRefused }) => isRefused === which.refused).map(({ update }) => update)

/** What a doc emits while `write` runs. */
export const emittedBy = (doc: Y.Doc, write: () => void): Uint8Array[] => {
  const updates: Uint8Array[] = []
  const listen = (update: Uint8Array): void => void updates.push(update)
  doc.on('update', listen)
  doc.transact(write)
  doc.off('update', listen)
  return updates
}

/**
 * Keeps Yjs from tidying in `doc`: where edits arrive, it deletes format marks with nothing between them, though the next
 * edit may build on them. That changes formats in Yjs without any carrying over too, and is no edit that could be expected.
 */
export const untidied = (doc: Y.Doc): Y.Doc => {
  doc.on('afterTransaction', (transaction) => {
    transaction._needFormattingCleanup = false
  })
  return doc
}

const paragraphOf = (text: Y.XmlText): Y.XmlElement => {
  const paragraph = new Y.XmlElement('paragraph')
  paragraph.insert(0, [text])
  return paragraph
}

/** As an editor writes rich text: paragraphs of one text each are typed into, formatted, split, and made headings. */
const editParagraphs = (doc: Y.Doc, random: Random): void => {
  const fragment = doc.getXmlFragment('prosemirror')
  const texts = fragment
    .toArray()
    .flatMap((node) => (node instanceof Y.XmlElement ? [node] : []))
    .flatMap((node) => node.toArray())
    .flatMap((node) => (node instanceof Y.XmlText ? [node] : []))
  const text = texts.length > 0 && random.chance(0.8) ? random.pick(texts) : null
  if (!text) {
    fragment.insert(random.int(0, fragment.length), [paragraphOf(new Y.XmlText(`new ${random.int(0, 999)} `))])
    return
  }
  const at = random.int(0, text.length)
  const rest = text.length - at
  const choice = random.int(1, 10)
  if (choice <= 5) text.insert(at, `w${random.int(0, 999)} `)
  else if (choice === 6 && rest > 0) text.format(at, rest, { strong: random.chance(0.7) ? {} : null })
  else if (choice === 7) (text.parent as Y.XmlElement).setAttribute('level', String(random.int(1, 3)))
  else if (choice === 8) fragment.delete(random.int(0, fragment.length - 1), 1)
  else if (rest > 0) {
    const tail = text.toDelta().length > 0 ? text.toString().slice(-rest) : ''
    text.delete(at, rest)
    fragment.insert(random.int(0, fragment.length), [paragraphOf(new Y.XmlText(`split ${tail.length} `))])
  }
}

/** One transaction of somebody. */
export const editOnce = (doc: Y.Doc, random: Random): Uint8Array[] =>
  random.chance(0.5) ? edit(doc, random) : emittedBy(doc, () => editParagraphs(doc, random))

export const editorOn = (state: Y.Doc, clientId: number): Y.Doc => {
  const editor = newEditor(clientId)
  Y.applyUpdate(editor, Y.encodeStateAsUpdate(state))
  return editor
}

export const randomState = (random: Random): Y.Doc => {
  const editors = [newEditor(random.int(1, 999)), newEditor(random.int(1_000, 2 ** 31))]
  for (let step = random.int(0, 12); step > 0; step--) {
    const editor = random.pick(editors)
    editOnce(editor, random)
    if (random.chance(0.6)) for (const other of editors) Y.applyUpdate(other, Y.encodeStateAsUpdate(editor))
  }
  const state = new Y.Doc()
  for (const editor of editors) Y.applyUpdate(state, Y.encodeStateAsUpdate(editor))
  return state
}

/** Two tabs edit and mostly hear of each other; others edit meanwhile, and the tabs mostly hear of them too. */
export const playHistory = (random: Random): History => {
  const base = randomState(random)
  const [one, two] = [random.int(2_000, 2 ** 31), random.int(2_000, 2 ** 31)]
  const tabs = [editorOn(base, one), ...(random.chance(0.5) ? [editorOn(base, two)] : [])]
  const others = editorOn(base, random.int(2_000, 2 ** 31))
  const edits: PendingEdit[] = []
  const steps = random.int(2, 14)
  const isManyRefused = random.chance(0.3)
  const refusedAt = random.int(0, steps - 1)
  for (let step = 0; step < steps; step++) {
    if (random.chance(0.2)) {
      editOnce(others, random)
      if (random.chance(0.7)) for (const tab of tabs) Y.applyUpdate(tab, Y.encodeStateAsUpdate(others))
    }
    const tab = random.pick(tabs)
    const isRefused = isManyRefused ? random.chance(0.4) : step === refusedAt
    for (const update of editOnce(tab, random)) {
      edits.push({ update, isRefused })
      // Stored, though the acknowledgement was lost.
      if (!isManyRefused && step < refusedAt && random.chance(0.3)) {
        for (const known of edits) Y.applyUpdate(base, known.update)
      }
    }
    if (random.chance(0.8)) for (const other of tabs) Y.applyUpdate(other, Y.encodeStateAsUpdate(tab))
  }
  Y.applyUpdate(base, Y.encodeStateAsUpdate(others))
  return { base, edits, clientIds: new Set([one, two]) }
}

type Type = typeof Y.Doc.prototype.share extends Map<string, infer Shared> ? Shared : never

/** How a doc is read: which units of its items are there, and which are passed over in the chain of a key. */
interface Reading {
  readonly isThere: (item: Y.Item, unit: number) => boolean
  readonly isPassedOver: (item: Y.Item, unit: number) => boolean
}

const contentOf = (item: Y.Item, unit: number, reading: Reading): unknown => {
  const { content } = item
  if (content instanceof Y.ContentType)
    return { type: content.type.constructor.name, ...readType(content.type, reading) }
  if (content instanceof Y.ContentDoc) return { guid: content.doc.guid }
  const value: unknown = content.getContent()[unit]
  // An edit in the middle of a pair makes Yjs replace both halves, where that edit arrives.
  return typeof value === 'string' && /^[\uD800-\uDFFF]$/.test(value) ? '\uFFFD' : value
}

/** What the last item of a key's chain that is not passed over holds. */
const readKey = (last: Y.Item, reading: Reading): unknown => {
  for (let item: Y.Item | null = last; item; item = item.left) {
    for (let unit = item.length - 1; unit >= 0; unit--) {
      if (reading.isPassedOver(item, unit)) continue
      return reading.isThere(item, unit) ? contentOf(item, unit, reading) : undefined
    }
  }
  return undefined
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)

const readType = (type: Type, reading: Reading): { list: unknown[]; keys: unknown[] } => {
  const list: unknown[] = []
  const formats = new Map<string, unknown>()
  for (let item = type._start; item; item = item.right) {
    for (let unit = 0; unit < item.length; unit++) {
      if (!reading.isThere(item, unit)) continue
      const { content } = item
      if (!(content instanceof Y.ContentFormat))
        list.push([contentOf(item, unit, reading), [...formats].toSorted(byName)])
      else if (content.value === null) formats.delete(content.key)
      else formats.set(content.key, content.value)
    }
  }
  const keys = [...type._map].map(([key, last]) => [key, readKey(last, reading)] as const)
  return { list, keys: keys.filter(([, value]) => value !== undefined).toSorted(byName) }
}

const readAll = (doc: Y.Doc, reading: Reading): unknown =>
  [...doc.share]
    .map(([name, type]) => [name, readType(type, reading)] as const)
    .filter(([, { list, keys }]) => list.length + keys.length > 0)
    .toSorted(byName)

/** Contents, order and formats of all that is in `doc`. */
export const contentsOf = (doc: Y.Doc): unknown =>
  readAll(doc, { isThere: (item) => !item.deleted, isPassedOver: () => false })

/** Every unit that `updates` delete, and every one that they hold. */
const unitsOf = (updates: readonly Uint8Array[]): { deleted: Set<string>; made: Set<string> } => {
  const [deleted, made] = [new Set<string>(), new Set<string>()]
  const add = (to: Set<string>, client: number, clock: number, length: number): void => {
    for (let unit = 0; unit < length; unit++) to.add(`${client}:${clock + unit}`)
  }
  for (const update of updates) {
    const { structs, ds } = Y.decodeUpdate(update)
    for (const { id, length } of structs) add(made, id.client, id.clock, length)
    for (const [client, ranges] of ds.clients) for (const { clock, len } of ranges) add(deleted, client, clock, len)
  }
  return { deleted, made }
}

/** What must be in the confirmed state once the edits are carried over: the author's doc, less what was refused. */
export const expectedOf = ({ base, edits }: History): unknown => {
  const confirmed = Y.encodeStateAsUpdate(base)
  const author = new Y.Doc({ gc: false })
  for (const update of [confirmed, ...edits.map((edit) => edit.update)]) Y.applyUpdate(author, update)
  assert.equal(author.store.pendingStructs, null, 'left pending structs')
  const { made: isRefused } = unitsOf(updatesOf({ edits }, { refused: true }))
  const { deleted: isDeleted } = unitsOf([confirmed, ...updatesOf({ edits }, { refused: false })])
  const nameOf = (item: Y.Item, unit: number): string => `${item.id.client}:${item.id.clock + unit}`
  const isPassedOver: Reading['isPassedOver'] = (item, unit) => isRefused.has(nameOf(item, unit))
  const isThere: Reading['isThere'] = (item, unit) =>
    !isPassedOver(item, unit) && !isDeleted.has(nameOf(item, unit)) && !(item.content instanceof Y.ContentDeleted)
  return readAll(author, { isThere, isPassedOver })
}
