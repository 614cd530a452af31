// Rich text as Quill keeps it, one Y.Text in which the line feed carries what its line is, as a canonical tree and back.
import type { Json } from '../json.ts'
import { canonical, canonicalMarks } from './canonical.ts'
import type { Run } from './read.ts'
import { type Attributes, type Mark, textOf, type TreeNode } from './tree.ts'

/** What a line is, and how text looks. */
const ATTRIBUTES = new Set('header list blockquote code-block indent bold italic strike underline code link'.split(' '))

/** Colours, sizes and the like are not ours. */
export const isQuillAttribute = (key: string): boolean => ATTRIBUTES.has(key)

interface Line {
  readonly content: TreeNode[]
  readonly attributes: Attributes
}

const marksOf = (attributes: Attributes): Mark[] =>
  canonicalMarks(
    Object.entries(attributes).map(([type, value]) =>
      type === 'link' ? { type, attrs: { href: value } } : { type: value === false ? '' : type },
    ),
  )

const embedOf = (embed: Json): TreeNode[] => {
  const src = typeof embed === 'object' && embed !== null && 'image' in embed ? embed['image'] : undefined
  return typeof src === 'string' ? [{ type: 'image', attrs: { src } }] : []
}

const linesOf = (runs: readonly Run[]): Line[] => {
  const lines: Line[] = []
  let content: TreeNode[] = []
  for (const { insert, attributes } of runs) {
    if (typeof insert !== 'string') {
      content.push(...embedOf(insert.embed))
      continue
    }
    for (const [index, text] of insert.split('\n').entries()) {
      if (index > 0) {
        lines.push({ content, attributes })
        content = []
      }
      if (text) content.push({ type: 'text', text, marks: marksOf(attributes) })
    }
  }
  if (content.length > 0) lines.push({ content, attributes: {} })
  return lines
}

const LISTS: Readonly<Record<string, string>> = {
  bullet: 'bulletList',
  ordered: 'orderedList',
  checked: 'taskList',
  unchecked: 'taskList',
}

const listOf = ({ attributes }: Line | { readonly attributes: Attributes }): string | undefined => {
  const list = attributes['list']
  return typeof list === 'string' && Object.hasOwn(LISTS, list) ? LISTS[list] : undefined
}

/** Quill indents by at most 8. */
const INDENT_MAX = 8
const indentOf = ({ attributes }: Line): number => {
  const indent = attributes['indent']
  return typeof indent === 'number' && indent > 0 ? Math.min(INDENT_MAX, Math.floor(indent)) : 0
}

interface OpenNode {
  readonly type: string
  readonly attrs?: Attributes
  readonly content: TreeNode[]
}

/** Puts a line of a list where its indent says, into the list that is open there. */
const addItem = (open: { list: OpenNode; item: OpenNode }[], blocks: TreeNode[], line: Line): void => {
  const type = listOf(line) as string
  const indent = Math.min(indentOf(line), open.length)
  const isOpen = open[indent]?.list.type === type
  open.length = isOpen ? indent + 1 : indent
  const checked = line.attributes['list'] === 'checked'
  const item: OpenNode = {
    type: type === 'taskList' ? 'taskItem' : 'listItem',
    ...(type === 'taskList' && { attrs: { checked } }),
    content: [{ type: 'paragraph', content: line.content }],
  }
  if (isOpen) {
    const here = open[indent] as { list: OpenNode; item: OpenNode }
    here.list.content.push(item)
    here.item = item
    return
  }
  const list: OpenNode = { type, content: [item] }
  ;(open[indent - 1]?.item.content ?? blocks).push(list)
  open.push({ list, item })
}

const blockOf = ({ content, attributes }: Line): TreeNode => {
  const level = attributes['header']
  return typeof level === 'number' ? { type: 'heading', attrs: { level }, content } : { type: 'paragraph', content }
}

/** The blocks of a rich text. */
export const fromQuill = (runs: readonly Run[]): TreeNode[] => {
  const blocks: TreeNode[] = []
  const open: { list: OpenNode; item: OpenNode }[] = []
  let wrap: OpenNode | undefined
  for (const line of linesOf(runs)) {
    const code = line.attributes['code-block'] ?? false
    const type = code !== false ? 'codeBlock' : line.attributes['blockquote'] === true ? 'blockquote' : undefined
    if (listOf(line) !== undefined) {
      wrap = undefined
      addItem(open, blocks, line)
      continue
    }
    open.length = 0
    const isSame = wrap?.type === type && wrap?.attrs?.['language'] === code
    if (type === undefined) wrap = undefined
    else if (!isSame) {
      wrap = { type, attrs: { language: code }, content: [] }
      blocks.push(wrap)
    }
    if (!wrap) blocks.push(blockOf(line))
    else if (type === 'blockquote') wrap.content.push(blockOf(line))
    else
      wrap.content.push({
        type: 'text',
        text: `${wrap.content.length > 0 ? '\n' : ''}${line.content.map(textOf).join('')}`,
      })
  }
  return canonical(blocks)
}

const textAttributes = (marks: readonly Mark[] = []): Attributes =>
  Object.fromEntries(marks.map(({ type, attrs }) => [type, type === 'link' ? (attrs?.['href'] ?? '') : true]))

const inlineRuns = (nodes: readonly TreeNode[], line: Attributes): Run[] =>
  nodes.map((node) => {
    if (node.type === 'hardBreak') return { insert: '\n', attributes: line }
    if (node.type === 'image') return { insert: { embed: { image: node.attrs?.['src'] ?? '' } }, attributes: {} }
    // A line feed would end the line.
    return { insert: (node.text ?? '').replaceAll('\n', ' '), attributes: textAttributes(node.marks) }
  })

const runsOf = (node: TreeNode, line: Attributes, indent: number): Run[] => {
  const content = node.content ?? []
  const end = (attributes: Attributes): Run => ({ insert: '\n', attributes })
  switch (node.type) {
    case 'heading': {
      const own = { ...line, header: node.attrs?.['level'] ?? 1 }
      return [...inlineRuns(content, own), end(own)]
    }
    case 'blockquote':
      return content.flatMap((inner) => runsOf(inner, { blockquote: true }, 0))
    case 'codeBlock': {
      const attributes = { 'code-block': node.attrs?.['language'] ?? true }
      return textOf(node)
        .split('\n')
        .flatMap((text) => [{ insert: text, attributes: {} }, end(attributes)])
    }
    case 'bulletList':
    case 'orderedList':
    case 'taskList':
      return content.flatMap((item) => itemRuns(node.type, item, indent))
    case 'horizontalRule':
      return [{ insert: '---', attributes: {} }, end(line)]
    default:
      return [...inlineRuns(content, line), end(line)]
  }
}

const itemRuns = (list: string, item: TreeNode, indent: number): Run[] => {
  const checked = item.attrs?.['checked'] === true ? 'checked' : 'unchecked'
  const sort = list === 'taskList' ? checked : list === 'orderedList' ? 'ordered' : 'bullet'
  const line = { list: sort, ...(indent > 0 && { indent: Math.min(indent, INDENT_MAX) }) }
  return (item.content ?? []).flatMap((inner, index) => runsOf(inner, index === 0 ? line : {}, indent + 1))
}

/** The runs of canonical blocks. */
export const toQuill = (blocks: readonly TreeNode[]): Run[] =>
  blocks.flatMap((block) => runsOf(block, {}, 0)).filter(({ insert }) => insert !== '')
