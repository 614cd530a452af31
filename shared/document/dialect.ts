// A canonical tree in the names that a root uses already. Editors delete what their schema does not know, so what the
// basic schema lacks is written in other words.
import type { Json } from '../json.ts'
import type { KnownNames } from './from-json.ts'
import {
  type Attributes,
  attributeNameIn,
  type Dialect,
  isInline,
  type Mark,
  markName,
  markNameIn,
  nodeName,
  nodeNameIn,
  type TreeNode,
} from './tree.ts'

/** How a root writes: whose names, and which of them it uses already. */
export interface Writing {
  readonly dialect: Dialect
  readonly known: KnownNames
  /** Pictures stand in lines of text, not between them. */
  readonly hasInlineImages: boolean
}

/** The attributes that editors expect to find written out. */
const defaultsOf = ({ type }: TreeNode): Attributes => (type === 'orderedList' ? { start: 1 } : {})

const toAttributes = (node: TreeNode, { dialect }: Writing): Attributes | undefined => {
  const name = nodeName(node.type)
  const attrs: Record<string, Json> = { ...defaultsOf(node), ...node.attrs }
  if (!name || Object.keys(attrs).length === 0) return node.attrs
  return Object.fromEntries(Object.entries(attrs).map(([key, value]) => [attributeNameIn(dialect, name, key), value]))
}

/** The root's own name where it has one, else the dialect's. */
const nodeTypeIn = (type: string, { dialect, known }: Writing): string => {
  const name = nodeName(type)
  if (!name || known.nodes.has(type)) return type
  return [...known.nodes].find((used) => nodeName(used) === name) ?? nodeNameIn(dialect, name)
}

const markTypeIn = (type: string, { dialect, known }: Writing): string => {
  const name = markName(type)
  if (!name || known.marks.has(type)) return type
  return [...known.marks].find((used) => markName(used) === name) ?? markNameIn(dialect, name)
}

const isMissing = (type: string, { dialect, known }: Writing): boolean =>
  dialect === 'basic' &&
  (type === 'strike' || type === 'underline') &&
  ![...known.marks].some((used) => markName(used) === type)

/** The names of `nodes` as the root spells them; all else stays as it is. */
export const renamed = (nodes: readonly TreeNode[], writing: Writing): TreeNode[] =>
  nodes.map((node) => {
    const attrs = toAttributes(node, writing)
    const marks = node.marks?.map((mark): Mark => ({ ...mark, type: markTypeIn(mark.type, writing) }))
    return {
      ...node,
      type: nodeTypeIn(node.type, writing),
      ...(attrs && { attrs }),
      ...(marks && { marks }),
      ...(node.content && { content: renamed(node.content, writing) }),
    }
  })

const isBlank = (nodes: readonly TreeNode[]): boolean => nodes.every(({ text }) => text?.trim() === '')

/** Pictures between the lines they stood in. */
const liftImages = (block: TreeNode): TreeNode[] => {
  const content = block.content ?? []
  if (!content.some(({ type }) => type === 'image')) return [block]
  const blocks: TreeNode[] = []
  let line: TreeNode[] = []
  const flush = (): void => {
    if (!isBlank(line)) blocks.push({ ...block, content: line })
    line = []
  }
  for (const node of content) {
    if (node.type !== 'image') {
      line.push(node)
      continue
    }
    flush()
    blocks.push(node)
  }
  flush()
  return blocks
}

/** A task as an item of a plain list. */
const plainTask = (item: TreeNode): TreeNode => {
  const box = { type: 'text', text: item.attrs?.['checked'] === true ? '[x] ' : '[ ] ' }
  const [first, ...others] = item.content ?? []
  return {
    type: 'listItem',
    content: [{ type: 'paragraph', content: [box, ...(first?.content ?? [])] }, ...others],
  }
}

const adapt = (node: TreeNode, writing: Writing): TreeNode[] => {
  if (node.text !== undefined) {
    return [{ ...node, marks: (node.marks ?? []).filter(({ type }) => !isMissing(type, writing)) }]
  }
  const content = (node.content ?? []).flatMap((inner) => adapt(inner, writing))
  const adapted = { ...node, ...(content.length > 0 && { content }) }
  const hasTasks = [...writing.known.nodes].some((used) => nodeName(used) === 'taskList')
  if (node.type === 'taskList' && writing.dialect === 'basic' && !hasTasks) {
    return [{ type: 'bulletList', content: content.map(plainTask) }]
  }
  const isLine = content.some(({ type }) => nodeName(type) !== undefined && isInline(nodeName(type) ?? 'paragraph'))
  if (!isLine || writing.hasInlineImages) return [adapted]
  const lifted = liftImages(adapted)
  return lifted
}

/** Canonical blocks in the words of the root. */
export const inDialect = (blocks: readonly TreeNode[], writing: Writing): TreeNode[] =>
  renamed(
    blocks.flatMap((block) => adapt(block, writing)),
    writing,
  )
