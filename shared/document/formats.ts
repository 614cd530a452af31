// A free-form document as people and programs read it: JSON, Markdown or HTML of the root that holds its content. Whatever
// a document holds, reading it throws nothing.
import type * as Y from 'yjs'
import type { Json } from '../json.ts'
import { canonical } from './canonical.ts'
import { type Content, type Format, type Reading, readingOf, readStored, renderJson } from './content.ts'
import { fromMarkdown } from './from-markdown.ts'
import { toHtml } from './html.ts'
import { fromQuill } from './quill.ts'
import { toMarkdown } from './to-markdown.ts'
import type { TreeNode } from './tree.ts'

export { type Content, type Format, FORMATS, type Reading } from './content.ts'

const nodesOf = ({ nodes, runs, text, data }: Content): readonly TreeNode[] => {
  if (runs) return fromQuill(runs)
  if (text !== undefined) return canonical(fromMarkdown(text))
  if (data === undefined) return nodes
  const json = JSON.stringify(data, null, 2)
  return [{ type: 'codeBlock', attrs: { language: 'json' }, content: [{ type: 'text', text: json }] }]
}

/** What the document holds, in the root `name` or the one that is found, as nodes whatever it is. */
export const readContent = (doc: Y.Doc, name?: string): Content => {
  const content = readStored(doc, name)
  return { ...content, nodes: nodesOf(content) }
}

/** Reads a document. Never throws; more than 32 MiB of content are cut off, and `truncated` says so. */
export const readAs = (doc: Y.Doc, format: Format, name?: string): Reading => {
  const content = readContent(doc, name)
  return readingOf(content, { [format]: render(content, format) })
}

/** The content in one format. */
export const render = (content: Content, format: Format): Json => {
  switch (format) {
    case 'json':
      return renderJson(content)
    case 'markdown':
      return content.text ?? toMarkdown(canonical(content.nodes))
    default:
      return toHtml(canonical(content.nodes))
  }
}
