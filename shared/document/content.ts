// What a root of a free-form document holds, and the document as it is stored: the part of reading that needs none of the
// formats, so that a client starts without them.
import type * as Y from 'yjs'
import { isPlainObject, type Json } from '../json.ts'
import { type AnyType, type Budget, newBudget, readRuns, readXml, type Run, typeToJson } from './read.ts'
import { findRoot, type Root } from './roots.ts'
import { isSafeHref, isSafeSource, type TreeNode } from './tree.ts'

export const FORMATS = ['json', 'markdown', 'html'] as const
export type Format = (typeof FORMATS)[number]

/** What one root holds. */
export interface Content {
  readonly root: Root
  /** As nodes in the root's own names. */
  readonly nodes: readonly TreeNode[]
  /** Of rich text as Quill writes it: its runs. */
  readonly runs?: readonly Run[]
  /** Of plain text: the text, which is Markdown. */
  readonly text?: string
  /** Of maps and lists. */
  readonly data?: Json
  /** Something was left out, because there is too much of it. */
  readonly isTruncated: boolean
}

/** A document in one format; the field of the format's name is what `document.replace` takes. */
export type Reading = {
  readonly root: string
  readonly truncated?: true
  /** Of rich text as Quill writes it, where the formats are not loaded: its letters. */
  readonly text?: string
} & { readonly [format in Format]?: unknown }

const lettersOf = (runs: readonly Run[]): string =>
  runs.map(({ insert }) => (typeof insert === 'string' ? insert : '')).join('')

const contentIn = (type: AnyType | undefined, root: Root, budget: Budget): Omit<Content, 'root' | 'isTruncated'> => {
  if (!type) return { nodes: [] }
  switch (root.form) {
    case 'xml':
      return { nodes: readXml(type, budget) }
    case 'rich':
      return { nodes: [], runs: readRuns(type, budget) }
    case 'plain':
      return { nodes: [], text: lettersOf(readRuns(type, budget)) }
    case 'data':
      return { nodes: [], data: typeToJson(type, budget) }
    default:
      return { nodes: [] }
  }
}

/** What the document holds, in the root `name` or the one that is found. Only an editor's nodes are in `nodes`. */
export const readStored = (doc: Y.Doc, name?: string): Content => {
  const root = findRoot(doc, name)
  const budget = newBudget()
  const found = contentIn(doc.share.get(root.name) as AnyType | undefined, root, budget)
  return { root, ...found, isTruncated: budget.left < 0 }
}

/** The same without links that a browser would run: other people wrote them. */
const withSafeLinks = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(withSafeLinks)
  if (!isPlainObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key === 'href' && typeof inner === 'string') return [key, isSafeHref(inner) ? inner : null]
      if (key === 'src' && typeof inner === 'string') return [key, isSafeSource(inner) ? inner : null]
      return [key, withSafeLinks(inner)]
    }),
  )
}

export const renderJson = ({ root, nodes, data }: Content): Json =>
  root.form === 'data' ? (data ?? null) : withSafeLinks({ type: 'doc', content: nodes as unknown as Json })

export const readingOf = ({ root, isTruncated }: Content, value: Partial<Reading>): Reading => ({
  root: root.name,
  ...value,
  ...(isTruncated && { truncated: true }),
})

const storedIn = (content: Content): Partial<Reading> => {
  if (content.runs) return { text: lettersOf(content.runs) }
  return content.text === undefined ? { json: renderJson(content) } : { markdown: content.text }
}

/**
 * Reads a document as it is stored: an editor's nodes, maps and lists as `json`, plain text as `markdown`, of Quill's text
 * the letters as `text`. Never throws.
 */
export const readAsStored = (doc: Y.Doc): Reading => {
  const content = readStored(doc)
  return readingOf(content, storedIn(content))
}
