// The tree that rich text is, whoever wrote it: ProseMirror JSON. The names of nodes and marks differ between editors;
// ours are TipTap's, and this file knows the others.
import { isPlainObject, type Json } from '../json.ts'

export type Attributes = Readonly<Record<string, Json>>

export interface Mark {
  readonly type: string
  readonly attrs?: Attributes
}

export interface TreeNode {
  readonly type: string
  readonly attrs?: Attributes
  readonly content?: readonly TreeNode[]
  readonly text?: string
  readonly marks?: readonly Mark[]
}

export type NodeName =
  | 'paragraph'
  | 'heading'
  | 'blockquote'
  | 'bulletList'
  | 'orderedList'
  | 'taskList'
  | 'listItem'
  | 'taskItem'
  | 'codeBlock'
  | 'horizontalRule'
  | 'hardBreak'
  | 'image'
  | 'text'

/** Outermost first, as Markdown and HTML nest them. */
export const MARK_NAMES = ['link', 'bold', 'italic', 'strike', 'underline', 'code'] as const
export type MarkName = (typeof MARK_NAMES)[number]

/** What may stand inside: blocks, items of a list, text with marks, bare text, or nothing. */
export const CONTENT = {
  paragraph: 'inline',
  heading: 'inline',
  blockquote: 'blocks',
  bulletList: 'items',
  orderedList: 'items',
  taskList: 'items',
  listItem: 'blocks',
  taskItem: 'blocks',
  codeBlock: 'text',
  horizontalRule: 'nothing',
  hardBreak: 'nothing',
  image: 'nothing',
  text: 'nothing',
} as const satisfies Record<NodeName, string>

export const isInline = (name: NodeName): boolean => name === 'text' || name === 'hardBreak' || name === 'image'
export const isItem = (name: NodeName): boolean => name === 'listItem' || name === 'taskItem'

/** The names of `prosemirror-schema-basic`, `-list` and `prosemirror-markdown`, and others seen in the wild. */
const OTHER_NODES: Readonly<Record<string, NodeName>> = {
  bullet_list: 'bulletList',
  ordered_list: 'orderedList',
  task_list: 'taskList',
  todo_list: 'taskList',
  list_item: 'listItem',
  task_item: 'taskItem',
  task_list_item: 'taskItem',
  todo_item: 'taskItem',
  code_block: 'codeBlock',
  horizontal_rule: 'horizontalRule',
  hard_break: 'hardBreak',
}
const OTHER_MARKS: Readonly<Record<string, MarkName>> = {
  strong: 'bold',
  em: 'italic',
  s: 'strike',
  strikethrough: 'strike',
  u: 'underline',
}

/** Our name of a node; undefined for one that we do not know. */
export const nodeName = (type: string): NodeName | undefined => {
  if (Object.hasOwn(CONTENT, type)) return type as NodeName
  return Object.hasOwn(OTHER_NODES, type) ? OTHER_NODES[type] : undefined
}

/** Our name of a mark; undefined for one that we do not know. */
export const markName = (type: string): MarkName | undefined => {
  if ((MARK_NAMES as readonly string[]).includes(type)) return type as MarkName
  return Object.hasOwn(OTHER_MARKS, type) ? OTHER_MARKS[type] : undefined
}

/** Whether a root uses the names of prosemirror-markdown, or TipTap's. */
export type Dialect = 'basic' | 'tiptap'

const BASIC_NODES: Partial<Record<NodeName, string>> = {
  bulletList: 'bullet_list',
  orderedList: 'ordered_list',
  listItem: 'list_item',
  codeBlock: 'code_block',
  horizontalRule: 'horizontal_rule',
  hardBreak: 'hard_break',
}
const BASIC_MARKS: Partial<Record<MarkName, string>> = { bold: 'strong', italic: 'em' }

export const nodeNameIn = (dialect: Dialect, name: NodeName): string =>
  (dialect === 'basic' && BASIC_NODES[name]) || name
export const markNameIn = (dialect: Dialect, name: MarkName): string =>
  (dialect === 'basic' && BASIC_MARKS[name]) || name

/** The attribute that the basic schema calls otherwise. */
export const attributeNameIn = (dialect: Dialect, node: NodeName, attribute: string): string => {
  if (dialect === 'tiptap') return attribute
  if (node === 'codeBlock' && attribute === 'language') return 'params'
  return node === 'orderedList' && attribute === 'start' ? 'order' : attribute
}

// oxlint-disable-next-line no-control-regex -- reason: browsers skip these inside a scheme, so they hide one.
const HIDDEN = /[\u0000-\u0020\u007f-\u00a0\u200b-\u200f\u2028-\u202f\ufeff]/g
const SCHEME = /^[^/?#]*?[:\\]/

/** Whether a link leads to http, https, mailto or a place relative to the page: the only ones we keep. */
export const isSafeHref = (href: unknown): href is string => {
  if (typeof href !== 'string') return false
  const bare = href.replace(HIDDEN, '')
  return /^(?:https?:|mailto:)/i.test(bare) || !SCHEME.test(bare)
}

/** The same for a picture's source, which is no mail address. */
export const isSafeSource = (src: unknown): src is string =>
  isSafeHref(src) && !/^mailto:/i.test(src.replace(HIDDEN, ''))

/** All text below a node; hard breaks are line feeds. */
export const textOf = (node: TreeNode): string => {
  if (node.text !== undefined) return node.text
  if (nodeName(node.type) === 'hardBreak') return '\n'
  return node.content?.map(textOf).join('') ?? ''
}

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isPlainObject(value)) return value
  const entries = Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]))
}

/** Equal for trees that differ in the order of attributes, or in attributes that are null, only. */
export const treeKey = (value: TreeNode | readonly TreeNode[] | Mark | readonly Mark[] | Attributes): string =>
  JSON.stringify(sorted(value))

/** Joins neighbouring texts with the same marks, and drops empty ones. */
export const joinTexts = (nodes: readonly TreeNode[]): TreeNode[] => {
  const joined: TreeNode[] = []
  const parts: string[] = []
  let marks = ''
  const close = (): void => {
    const last = joined.at(-1)
    if (parts.length > 1 && last) joined[joined.length - 1] = { ...last, text: parts.join('') }
    parts.length = 0
  }
  for (const node of nodes) {
    if (node.text === '') continue
    const own = node.text === undefined ? '' : JSON.stringify(node.marks ?? [])
    if (node.text !== undefined && parts.length > 0 && own === marks) {
      parts.push(node.text)
      continue
    }
    close()
    joined.push(node)
    if (node.text !== undefined) parts.push(node.text)
    marks = own
  }
  close()
  return joined
}

/** Levels of nodes in a tree, its top counted as 1; text does not count. */
export const depthOf = (nodes: readonly TreeNode[]): number => {
  let deepest = 0
  const waiting = nodes.map((node) => ({ node, depth: 1 }))
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (next.node.text === undefined) deepest = Math.max(deepest, next.depth)
    for (const node of next.node.content ?? []) waiting.push({ node, depth: next.depth + 1 })
  }
  return deepest
}
