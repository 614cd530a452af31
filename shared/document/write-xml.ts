// Brings a Y.XmlFragment to a given tree with as few changes as there are. y-prosemirror's `updateYFragment` compares from
// both ends only, so one edit at the top and one at the bottom make it rewrite every paragraph between them, and
// whatever somebody else writes there meanwhile ends in the wrong one. Here equal children are found wherever they stand.
import * as Y from 'yjs'
import { isSameJson, type Json } from '../json.ts'
import { bestPairs, type Match, matchLists } from './diff.ts'
import { attributeToMark, newBudget, readElement, readRuns, type Run, runToNode } from './read.ts'
import { type Attributes, type Mark, textOf, treeKey, type TreeNode } from './tree.ts'
import { writeRuns } from './write-text.ts'

/** What of a tree the writer speaks of; all else stays as it is. */
export interface View {
  /** The keys of a child's counterparts in what is written: none for a child that it cannot speak of. */
  readonly keysOf: (node: TreeNode | readonly TreeNode[]) => readonly string[]
  /** Equal for marks that mean the same. */
  readonly keyOfMark: (mark: Mark) => string
  readonly isOurMark: (type: string) => boolean
  readonly isOurAttribute: (type: string, attribute: string) => boolean
  /** Whether a child may be missing in what is written and stay nevertheless. */
  readonly mayBeMissing: (node: TreeNode | readonly TreeNode[]) => boolean
}

/** All of it. */
export const EXACT: View = {
  keysOf: (node) => [treeKey(node)],
  keyOfMark: (mark) => treeKey(mark),
  isOurMark: () => true,
  isOurAttribute: () => true,
  mayBeMissing: () => false,
}

/** A child as editors see it: an element, texts that stand side by side, or what no editor puts there. */
interface Old {
  readonly types: readonly unknown[]
  readonly node: TreeNode | readonly TreeNode[]
}
type New = TreeNode | readonly TreeNode[]

const isTexts = (child: New): child is readonly TreeNode[] => Array.isArray(child)

const oldsOf = (fragment: Y.XmlFragment): Old[] => {
  const olds: Old[] = []
  let texts: Y.Text[] = []
  const flush = (): void => {
    if (texts.length === 0) return
    const nodes = texts.flatMap((text) => readRuns(text, newBudget()).map(runToNode))
    olds.push({ types: texts, node: nodes })
    texts = []
  }
  for (const child of fragment.toArray() as unknown[]) {
    if (child instanceof Y.Text) {
      texts.push(child)
      continue
    }
    flush()
    const isElement = child instanceof Y.XmlElement || child instanceof Y.XmlHook
    olds.push({ types: [child], node: isElement ? readElement(child, newBudget(), 0) : [] })
  }
  flush()
  return olds
}

const newsOf = (nodes: readonly TreeNode[]): New[] => {
  const news: New[] = []
  let texts: TreeNode[] = []
  for (const node of nodes) {
    if (node.text !== undefined || node.type === 'embed') {
      if (texts.length === 0) news.push(texts)
      texts.push(node)
    } else {
      news.push(node)
      texts = []
    }
  }
  return news
}

/** Eight characters that differ where the attributes do, as y-prosemirror puts behind the name of a mark. */
const hashOf = (attrs: Attributes | undefined): string => {
  let hash = 0x811c9dc5
  for (const char of treeKey(attrs ?? {})) hash = Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}

/** How a text stores its marks, by their keys in the view. */
type Stored = ReadonlyMap<string, readonly [attribute: string, value: Json]>

const NOTHING: Stored = new Map()

const storedIn = (text: Y.Text, { keyOfMark }: View): Stored =>
  new Map(
    readRuns(text, newBudget()).flatMap(({ attributes }) =>
      Object.entries(attributes).map((entry) => [keyOfMark(attributeToMark(...entry)), entry] as const),
    ),
  )

/** As the text has the mark already, else under its type. */
const attributesOf = (marks: readonly Mark[], stored: Stored, { keyOfMark }: View): Attributes => {
  const attributes: Record<string, Json> = {}
  for (const mark of marks) {
    const [key, value] = stored.get(keyOfMark(mark)) ?? [mark.type, { ...mark.attrs }]
    attributes[Object.hasOwn(attributes, key) ? `${mark.type}--${hashOf(mark.attrs)}` : key] = value
  }
  return attributes
}

const runsOf = (nodes: readonly TreeNode[], stored: Stored, view: View): Run[] =>
  nodes.map((node) => ({
    insert: node.text ?? (node.attrs as unknown as { embed: Json }),
    attributes: attributesOf(node.marks ?? [], stored, view),
  }))

const create = (child: New): Y.XmlElement | Y.XmlText => {
  if (isTexts(child)) {
    const text = new Y.XmlText()
    // Not in a doc yet, so there is nothing to compare with.
    text.applyDelta(runsOf(child, NOTHING, EXACT))
    return text
  }
  const element = new Y.XmlElement(child.type)
  for (const [name, value] of Object.entries(child.attrs ?? {})) if (value !== null) setAttribute(element, name, value)
  element.insert(0, newsOf(child.content ?? []).map(create))
  return element
}

/** Yjs stores any JSON as an attribute; its types say strings. */
const setAttribute = (element: Y.XmlElement, name: string, value: Json): void =>
  element.setAttribute(name, value as string)

const writeAttributes = (element: Y.XmlElement, wanted: Attributes, isOurs: View['isOurAttribute']): void => {
  const olds = readElement(element, newBudget(), 0).attrs ?? {}
  for (const name of Object.keys(olds)) {
    if ((wanted[name] ?? null) === null && isOurs(element.nodeName, name)) element.removeAttribute(name)
  }
  for (const [name, value] of Object.entries(wanted)) {
    if (value !== null && !isSameJson(olds[name], value)) setAttribute(element, name, value)
  }
}

const update = (old: Old, wanted: New, view: View): void => {
  const [first, ...others] = old.types
  if (isTexts(wanted)) {
    const text = first as Y.Text
    writeRuns(text, runsOf(wanted, storedIn(text, view), view), (key) =>
      view.isOurMark(attributeToMark(key, null).type),
    )
    // Empty texts stay: somebody may be writing in one.
    for (const other of others as Y.Text[]) if (other.length > 0) other.delete(0, other.length)
  } else if (first instanceof Y.XmlElement) {
    writeAttributes(first, wanted.attrs ?? {}, view.isOurAttribute)
    writeXml(first, wanted.content ?? [], view)
  }
}

/** Pairs with equal keys. A child with several counterparts is equal when all of them stand there in a row. */
const equalPairs = (keys: readonly (readonly string[])[], news: readonly string[]): Map<number, Match> => {
  const owners = keys.flatMap((own, index) => own.map(() => index))
  const matched = Map.groupBy(matchLists(keys.flat(), news), ([flat]) => owners[flat] as number)
  const pairs = new Map<number, Match>()
  for (const [index, matches] of matched) {
    const [from, to] = [matches[0]?.[1] ?? 0, matches.at(-1)?.[1] ?? 0]
    const isWhole = matches.length === keys[index]?.length && to - from === matches.length - 1
    if (isWhole) pairs.set(index, [from, to])
  }
  return pairs
}

const isSameType = (old: Old, wanted: New): boolean => {
  if (isTexts(wanted)) return old.types[0] instanceof Y.Text
  return old.types[0] instanceof Y.XmlElement && old.types[0].nodeName === wanted.type
}

const WORDS_MAX = 300
const wordsOf = (child: New): Set<string> => {
  const text = isTexts(child) ? child.map(textOf).join('') : textOf(child)
  return new Set(text.slice(0, WORDS_MAX * 8).split(/\s+/, WORDS_MAX))
}

const similarity = (a: ReadonlySet<string>, b: ReadonlySet<string>): number =>
  (2 * a.intersection(b).size) / (a.size + b.size)

/** Tables above this are paired as the types come. */
const GAP_MAX = 2_500
const LOOK_AHEAD_MAX = 16

/** Which olds become which news, among those that have no equal: the most alike, all of one type. */
const likelyPairs = (olds: readonly Old[], news: readonly New[]): Match[] => {
  if (olds.length * news.length <= GAP_MAX) {
    const oldWords = olds.map(({ node }) => wordsOf(node))
    const newWords = news.map(wordsOf)
    return bestPairs(olds.length, news.length, (i, j) =>
      isSameType(olds[i] as Old, news[j] as New)
        ? 0.1 + similarity(oldWords[i] as Set<string>, newWords[j] as Set<string>)
        : 0,
    )
  }
  const pairs: Match[] = []
  let i = 0
  for (const [j, wanted] of news.entries()) {
    const found = olds.slice(i, i + LOOK_AHEAD_MAX).findIndex((old) => isSameType(old, wanted))
    if (found < 0) continue
    pairs.push([i + found, j])
    i += found + 1
  }
  return pairs
}

const countOf = (olds: readonly Old[]): number => olds.reduce((sum, { types }) => sum + types.length, 0)

/**
 * Brings `fragment` to `wanted`. To be called in a transaction. Children that are equal in `view` are not touched, and
 * those that `view` cannot speak of stay where they are.
 */
export const writeXml = (fragment: Y.XmlFragment, wanted: readonly TreeNode[], view: View): void => {
  const olds = oldsOf(fragment)
  const news = newsOf(wanted)
  const keys = olds.map(({ node }) => (isTexts(node) && node.length === 0 ? [] : view.keysOf(node)))
  const newKeys = news.map((child) => view.keysOf(child).join('\n'))
  const equals = equalPairs(keys, newKeys)
  let [i, j, at] = [0, 0, 0]

  /** Everything before the next equal pair. */
  const writeGap = (iEnd: number, jEnd: number): void => {
    const gapOlds = olds.slice(i, iEnd)
    const gapNews = news.slice(j, jEnd)
    const pairs = likelyPairs(gapOlds, gapNews)
    let [a, b] = [0, 0]
    for (const [aNext, bNext] of [...pairs, [gapOlds.length, gapNews.length] as const]) {
      const created = gapNews.slice(b, bNext).map(create)
      if (created.length > 0) fragment.insert(at, created)
      at += created.length
      for (; a < aNext; a++) {
        const gone = gapOlds[a] as Old
        if (keys[i + a]?.length === 0 || view.mayBeMissing(gone.node)) at += gone.types.length
        else fragment.delete(at, gone.types.length)
      }
      const [old, next] = [gapOlds[aNext], gapNews[bNext]]
      if (old && next) {
        update(old, next, view)
        at += old.types.length
      }
      ;[a, b] = [aNext + 1, bNext + 1]
    }
    ;[i, j] = [iEnd, jEnd]
  }

  for (const [index, [from, to]] of [...equals].sort(([a], [b]) => a - b)) {
    writeGap(index, from)
    at += countOf(olds.slice(index, index + 1))
    ;[i, j] = [index + 1, to + 1]
  }
  writeGap(olds.length, news.length)
}
