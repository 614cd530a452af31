// Any tree in our words: TipTap's names, known nodes in places where they may stand, known marks in one order, safe links
// only. What we do not know keeps its text. Everything that leaves as Markdown or HTML went through here.
import { DEPTH_MAX } from '../limits.ts'
import type { Json } from '../json.ts'
import {
  type Attributes,
  CONTENT,
  isInline,
  isItem,
  isSafeHref,
  isSafeSource,
  joinTexts,
  type Mark,
  MARK_NAMES,
  type MarkName,
  markName,
  nodeName,
  type NodeName,
  textOf,
  type TreeNode,
} from './tree.ts'

const integer = (value: Json | undefined, min: number, max: number, otherwise: number): number =>
  typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? value : otherwise

const string = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

/** The info string of a code block: one word. */
const LANGUAGE = /^[\w+#.-]{1,40}$/

/** Attributes of a known node, with its defaults left out. */
const attributesOf = (name: NodeName, given: Attributes = {}): Attributes => {
  switch (name) {
    case 'heading':
      return { level: integer(given['level'], 1, 6, 1) }
    case 'orderedList': {
      const start = integer(given['start'] ?? given['order'], 0, 999_999_999, 1)
      return start === 1 ? {} : { start }
    }
    case 'taskItem':
      return { checked: given['checked'] === true || given['checked'] === 'true' }
    case 'codeBlock': {
      const language = string(given['language'] ?? given['params'])
      return LANGUAGE.test(language) ? { language } : {}
    }
    case 'image': {
      const { src, alt, title } = given
      return {
        ...(isSafeSource(src) && { src }),
        ...(string(alt) && { alt: string(alt) }),
        ...(string(title) && { title: string(title) }),
      }
    }
    default:
      return {}
  }
}

const build = (name: NodeName, attrs: Attributes | undefined, content: readonly TreeNode[] = []): TreeNode => {
  const known = attributesOf(name, attrs)
  return { type: name, ...(Object.keys(known).length > 0 && { attrs: known }), ...(content.length > 0 && { content }) }
}

const PARAGRAPH: TreeNode = { type: 'paragraph' }

export const canonicalMarks = (marks: readonly Mark[] = []): Mark[] => {
  const found = new Map<MarkName, Mark>()
  for (const { type, attrs } of marks) {
    const name = markName(type)
    if (!name || found.has(name)) continue
    if (name !== 'link') found.set(name, { type: name })
    else if (attrs && isSafeHref(attrs['href'])) {
      const title = string(attrs['title'])
      found.set(name, { type: name, attrs: { href: attrs['href'], ...(title && { title }) } })
    }
  }
  return MARK_NAMES.flatMap((name) => found.get(name) ?? [])
}

const textNode = (text: string, marks: readonly Mark[]): TreeNode => ({
  type: 'text',
  ...(marks.length > 0 && { marks }),
  text,
})

/** What of `node` can stand in a paragraph. */
const inlinesOf = (node: TreeNode, depth: number): TreeNode[] => {
  if (node.text !== undefined) return [textNode(node.text, canonicalMarks(node.marks))]
  const name = nodeName(node.type)
  if (name === 'hardBreak') return [build(name, undefined)]
  // A picture without a source shows its description.
  if (name === 'image') {
    const image = build(name, node.attrs)
    return image.attrs?.['src'] === undefined ? [textNode(string(image.attrs?.['alt']), [])] : [image]
  }
  if (depth >= DEPTH_MAX) return [textNode(textOf(node), [])]
  return node.content?.flatMap((inner) => inlinesOf(inner, depth + 1)) ?? []
}

/** Blocks out of anything: stray text gets a paragraph. */
const blocksOf = (nodes: readonly TreeNode[], depth: number): TreeNode[] => {
  const blocks: TreeNode[] = []
  let loose: TreeNode[] = []
  const flush = (): void => {
    const content = joinTexts(loose)
    loose = []
    if (content.length > 0) blocks.push({ type: 'paragraph', content })
  }
  for (const node of nodes) {
    const name = nodeName(node.type)
    if (node.text !== undefined || (name && isInline(name))) {
      loose.push(...inlinesOf(node, depth))
      continue
    }
    flush()
    if (!name || isItem(name)) {
      const inner = node.content ?? []
      blocks.push(...blocksOf(depth < DEPTH_MAX ? inner : [{ type: 'text', text: textOf(node) }], depth + 1))
    } else blocks.push(blockOf(name, node, depth))
  }
  flush()
  return blocks
}

const blockOf = (name: NodeName, node: TreeNode, depth: number): TreeNode => {
  const content = node.content ?? []
  // Two levels: a list needs its items, and these their paragraphs.
  if (depth + 2 > DEPTH_MAX && (CONTENT[name] === 'blocks' || CONTENT[name] === 'items')) {
    const text = textOf(node)
    return text ? { type: 'paragraph', content: [textNode(text, [])] } : PARAGRAPH
  }
  switch (CONTENT[name]) {
    case 'inline':
      return build(name, node.attrs, joinTexts(content.flatMap((inner) => inlinesOf(inner, depth + 1))))
    case 'text': {
      const text = textOf(node)
      return build(name, node.attrs, text ? [textNode(text, [])] : [])
    }
    case 'items':
      return build(name, node.attrs, itemsOf(name, content, depth + 1))
    case 'blocks': {
      const blocks = blocksOf(content, depth + 1)
      return build(name, node.attrs, blocks.length > 0 ? blocks : [PARAGRAPH])
    }
    default:
      return build(name, node.attrs)
  }
}

const itemsOf = (list: NodeName, nodes: readonly TreeNode[], depth: number): TreeNode[] => {
  const type = list === 'taskList' ? 'taskItem' : 'listItem'
  const items = nodes.map((node): TreeNode => {
    const name = nodeName(node.type)
    const isOwn = name !== undefined && isItem(name)
    const blocks = blocksOf(isOwn ? (node.content ?? []) : [node], depth + 1)
    // Editors want a paragraph first in an item.
    if (blocks[0]?.type !== 'paragraph') blocks.unshift(PARAGRAPH)
    return build(type, isOwn ? node.attrs : {}, blocks)
  })
  return items.length > 0 ? items : [build(type, {}, [PARAGRAPH])]
}

/** The blocks of a document. Nests at most DEPTH_MAX deep; what is deeper keeps its text. */
export const canonical = (nodes: readonly TreeNode[]): TreeNode[] => blocksOf(nodes, 1)
