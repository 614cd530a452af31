// `document.replace`: new content for a document as a minimal change of the old one, so that what others write meanwhile
// stays. What a format cannot say (comments, colours, custom blocks in Markdown) is left alone where it can be.
import * as Y from 'yjs'
import * as z from 'zod/mini'
import { AppError } from '../errors.ts'
import { isText, utf8Length } from '../fields.ts'
import { DEPTH_MAX, DOCUMENT_BYTES_MAX, KEY_BYTES_MAX, REPLACE_BYTES_MAX, ROOTS_MAX } from '../limits.ts'
import { defineOperation } from '../define-operation.ts'
import { canonical, canonicalMarks } from './canonical.ts'
import { inDialect, renamed, type Writing } from './dialect.ts'
import { type Content, type Format, readContent } from './formats.ts'
import { fromHtml } from './from-html.ts'
import { fromJson } from './from-json.ts'
import { fromMarkdown } from './from-markdown.ts'
import { toHtml } from './html.ts'
import { isQuillAttribute, toQuill } from './quill.ts'
import { dialectOf, namesIn } from './roots.ts'
import { toMarkdown } from './to-markdown.ts'
import { depthOf, isItem, markName, nodeName, textOf, treeKey, type TreeNode } from './tree.ts'
import { writeRuns } from './write-text.ts'
import { EXACT, type View, writeXml } from './write-xml.ts'

/** The root type and the text of the deepest block count too. */
const LEVELS_MAX = DEPTH_MAX - 2

/** New content: the format it came in, and its nodes; of JSON as it was given, else canonical. */
interface Wanted {
  readonly format: Format
  readonly nodes: readonly TreeNode[]
}

/** What a node or a mark takes besides its text and attributes. */
const NODE_BYTES = 16

const ATTRIBUTES = new Set(['level', 'start', 'order', 'language', 'params', 'src', 'alt', 'title', 'checked'])

const isList = (node: TreeNode | readonly TreeNode[]): node is readonly TreeNode[] => Array.isArray(node)

/** What Markdown or HTML says of nodes: canonical blocks, of inline nodes a paragraph, of an item its list. */
const blocksOf = (node: TreeNode | readonly TreeNode[]): TreeNode[] => {
  if (isList(node)) return canonical(node)
  const name = nodeName(node.type)
  if (!name || !isItem(name)) return canonical([node])
  return canonical([{ type: name === 'taskItem' ? 'taskList' : 'bulletList', content: [node] }])
}

const viewOf = (format: Format): View => {
  if (format === 'json') return EXACT
  const say = format === 'markdown' ? toMarkdown : toHtml
  const keysOf: View['keysOf'] = (node) => blocksOf(node).map((block) => say([block]))
  return {
    keysOf,
    keyOfMark: (mark) => treeKey(canonicalMarks([mark])[0] ?? mark),
    isOurMark: (type) => {
      const name = markName(type)
      return name !== undefined && (format === 'html' || name !== 'underline')
    },
    isOurAttribute: (_type, attribute) => ATTRIBUTES.has(attribute),
    // Empty paragraphs.
    mayBeMissing: (node) => !isList(node) && textOf(node) === '' && keysOf(node).every((key) => key === ''),
  }
}

const writingOf = ({ root, nodes }: Content): Writing => ({
  dialect: dialectOf(root.name, nodes),
  known: namesIn(nodes),
  hasInlineImages:
    dialectOf(root.name, nodes) === 'basic' ||
    canonicalLines(nodes).some(({ content }) => content?.some(({ type }) => type === 'image') ?? false),
})

/** Paragraphs and headings, wherever they stand. */
const canonicalLines = (nodes: readonly TreeNode[]): TreeNode[] =>
  nodes.flatMap((node) => {
    const name = nodeName(node.type)
    return name === 'paragraph' || name === 'heading' ? [node] : canonicalLines(node.content ?? [])
  })

/** Equal for contents between which the format sees no difference. */
const sayAs = (nodes: readonly TreeNode[], format: Format): string => {
  if (format === 'json') return treeKey(nodes)
  return format === 'markdown' ? toMarkdown(canonical(nodes)) : toHtml(canonical(nodes))
}

/** A shared type of the doc as `type`; throws `root-not-allowed` where it is another. */
const mustRoot = <Type extends Y.XmlFragment | Y.Text>(
  doc: Y.Doc,
  name: string,
  type: new () => Type,
): (() => Type) => {
  const known = doc.share.get(name)
  if (known && known.constructor !== Y.AbstractType && !(known instanceof type))
    throw new AppError('root-not-allowed', 'this root holds something else', { root: name })
  if (!known && doc.share.size >= ROOTS_MAX)
    throw new AppError('root-not-allowed', `a document has at most ${ROOTS_MAX} roots`, { max: ROOTS_MAX })
  return () => doc.get(name, type)
}

const planText = (doc: Y.Doc, { root, text = '' }: Content, source: string): (() => void) | undefined => {
  if (source === text) return undefined
  const open = mustRoot(doc, root.name, Y.Text)
  return () => writeRuns(open(), source ? [{ insert: source, attributes: {} }] : [])
}

/** How to bring the document's content to what is wanted; undefined where it is that already. */
const planWrite = (doc: Y.Doc, content: Content, wanted: Wanted): (() => void) | undefined => {
  const { root, nodes } = content
  if (root.form === 'plain') {
    const source = toMarkdown(canonical(wanted.nodes))
    return toMarkdown(canonical(nodes)) === source ? undefined : planText(doc, content, source)
  }
  if (root.form === 'rich') {
    if (sayAs(canonical(nodes), wanted.format) === sayAs(canonical(wanted.nodes), wanted.format)) return undefined
    const open = mustRoot(doc, root.name, Y.Text)
    return () => writeRuns(open(), toQuill(canonical(wanted.nodes)), isQuillAttribute)
  }
  const writing = writingOf(content)
  const own = wanted.format === 'json' ? renamed(wanted.nodes, writing) : inDialect(wanted.nodes, writing)
  if (sayAs(nodes, wanted.format) === sayAs(own, wanted.format)) return undefined
  const open = mustRoot(doc, root.name, Y.XmlFragment)
  return () => writeXml(open(), own, viewOf(wanted.format))
}

const content = z
  .string()
  .check(z.refine(isText(REPLACE_BYTES_MAX), `expected at most ${REPLACE_BYTES_MAX} bytes of text`))

const isOne = (input: object): boolean =>
  Object.entries(input).filter(([key, value]) => key !== 'root' && value !== undefined).length === 1

const input = z
  .strictObject({
    markdown: z.optional(content),
    html: z.optional(content),
    json: z.optional(z.unknown()),
    root: z.optional(
      z.string().check(z.minLength(1), z.refine(isText(KEY_BYTES_MAX), `expected at most ${KEY_BYTES_MAX} bytes`)),
    ),
  })
  .check(z.refine(isOne, 'expected exactly one of markdown, html and json'))

const tooLarge = (max: number): never => {
  throw new AppError('too-large', `at most ${max} bytes`, { max })
}

/** Bytes that nodes take as JSON, about; counted no further than `max`, because a mark may be long and stand often. */
const sizeUpTo = (nodes: readonly TreeNode[], max: number): number => {
  let size = 0
  const waiting = [...nodes]
  for (let node = waiting.pop(); node && size <= max; node = waiting.pop()) {
    size += NODE_BYTES + utf8Length(node.text ?? '') + (node.attrs ? JSON.stringify(node.attrs).length : 0)
    for (const { attrs } of node.marks ?? []) size += NODE_BYTES + (attrs ? JSON.stringify(attrs).length : 0)
    for (const inner of node.content ?? []) waiting.push(inner)
  }
  return size
}

/** Throws `too-deep`, or `too-large` where the document could not hold it. */
const checkSize = (doc: Y.Doc, nodes: readonly TreeNode[]): void => {
  if (depthOf(nodes) > LEVELS_MAX) throw new AppError('too-deep', `at most ${LEVELS_MAX} levels`, { max: LEVELS_MAX })
  const bytes = sizeUpTo(nodes, REPLACE_BYTES_MAX)
  if (bytes > REPLACE_BYTES_MAX) tooLarge(REPLACE_BYTES_MAX)
  if (Y.encodeStateAsUpdate(doc).byteLength + bytes > DOCUMENT_BYTES_MAX) tooLarge(DOCUMENT_BYTES_MAX)
}

export const replace = defineOperation({
  name: 'document.replace',
  needs: 'write',
  summary: 'Replaces the content of a document, changing only what differs, so that edits made meanwhile stay.',
  input,
  example: { markdown: '# Minutes\n\n- Milk is *out*\n' },
  plan: (doc, { root, ...given }) => {
    const old = readContent(doc, root)
    const found = old.root.form === 'data' && root === undefined ? readContent(doc, 'default') : old
    if (found.isTruncated) throw new AppError('too-large', 'the document holds too much to be compared')
    if (found.root.form === 'data')
      throw new AppError('root-not-allowed', 'this root holds no text', { root: found.root.name })
    const result = { root: found.root.name }

    const source = given.markdown?.replaceAll(/\r\n?/g, '\n')
    const read = (): Wanted => {
      if (source !== undefined) return { format: 'markdown', nodes: fromMarkdown(source) }
      if (given.html !== undefined) return { format: 'html', nodes: fromHtml(given.html) }
      return { format: 'json', nodes: fromJson(given.json, namesIn(found.nodes), LEVELS_MAX) }
    }
    const { format, nodes } = read()
    checkSize(doc, nodes)
    const wanted: Wanted = { format, nodes: format === 'json' ? nodes : canonical(nodes) }
    const isSource = source !== undefined && found.root.form === 'plain'
    const write = isSource ? planText(doc, found, source) : planWrite(doc, found, wanted)
    return { changes: [], result, ...(write && { write }) }
  },
})
