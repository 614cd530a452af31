// A free-form document as people and programs read it: JSON, Markdown or HTML of the root that holds its content. Whatever
// a document holds, reading it throws nothing.
import type * as Y from 'yjs'
import { isPlainObject, type Json } from '../json.ts'
import { canonical } from './canonical.ts'
import { fromMarkdown } from './from-markdown.ts'
import { toHtml } from './html.ts'
import { fromQuill } from './quill.ts'
import { type AnyType, type Budget, newBudget, readRuns, readXml, typeToJson } from './read.ts'
import { findRoot, type Root } from './roots.ts'
import { toMarkdown } from './to-markdown.ts'
import { isSafeHref, isSafeSource, type TreeNode } from './tree.ts'

export const FORMATS = ['json', 'markdown', 'html'] as const
export type Format = (typeof FORMATS)[number]

/** What one root holds. */
export interface Content {
  readonly root: Root
  /** As nodes in the root's own names. */
  readonly nodes: readonly TreeNode[]
  /** Of plain text: the text, which is Markdown. */
  readonly text?: string
  /** Of maps and lists. */
  readonly data?: Json
  /** Something was left out, because there is too much of it. */
  readonly isTruncated: boolean
}

const textIn = (type: AnyType, budget: Budget): string =>
  readRuns(type, budget)
    .map(({ insert }) => (typeof insert === 'string' ? insert : ''))
    .join('')

const contentIn = (type: AnyType | undefined, root: Root, budget: Budget): Pick<Content, 'nodes' | 'text' | 'data'> => {
  if (!type) return { nodes: [] }
  switch (root.form) {
    case 'xml':
      return { nodes: readXml(type, budget) }
    case 'rich':
      return { nodes: fromQuill(readRuns(type, budget)) }
    case 'plain': {
      const text = textIn(type, budget)
      return { nodes: canonical(fromMarkdown(text)), text }
    }
    case 'data': {
      const data = typeToJson(type, budget)
      const text = JSON.stringify(data, null, 2)
      return { nodes: [{ type: 'codeBlock', attrs: { language: 'json' }, content: [{ type: 'text', text }] }], data }
    }
    default:
      return { nodes: [] }
  }
}

/** What the document holds, in the root `name` or the one that is found. */
export const readContent = (doc: Y.Doc, name?: string): Content => {
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

/** A document in one format; the field of the format's name is what `document.replace` takes. */
export type Reading = { readonly root: string; readonly truncated?: true } & {
  readonly [format in Format]?: unknown
}

/** Reads a document. Never throws; more than 32 MiB of content are cut off, and `truncated` says so. */
export const readAs = (doc: Y.Doc, format: Format, name?: string): Reading => {
  const content = readContent(doc, name)
  return { root: content.root.name, [format]: render(content, format), ...(content.isTruncated && { truncated: true }) }
}

/** The content in one format. */
export const render = ({ root, nodes, text, data }: Content, format: Format): Json => {
  switch (format) {
    case 'json':
      if (root.form === 'data') return data ?? null
      return withSafeLinks({ type: 'doc', content: nodes as unknown as Json })
    case 'markdown':
      return text ?? toMarkdown(canonical(nodes))
    default:
      return toHtml(canonical(nodes))
  }
}
