// Markdown into a tree: CommonMark, strikethrough and task lists; HTML in it is text.
import { defaultMarkdownParser, MarkdownParser, type ParseSpec } from 'prosemirror-markdown'
import { SCHEMA } from './schema.ts'
import type { TreeNode } from './tree.ts'

/** Deeper than a tree may be, because markdown-it drops what is deeper without a word. */
const NESTING_MAX = 200

/** The types of markdown-it do not know the last. */
const OPTIONS = { html: false, linkify: false, typographer: false, maxNesting: NESTING_MAX }

const tokenizer = defaultMarkdownParser.tokenizer.set(OPTIONS).enable('strikethrough')
// Links are checked and escaped by us; otherwise reading and writing would change them each time.
tokenizer.normalizeLink = (url) => url
tokenizer.normalizeLinkText = (text) => text

type Token = ReturnType<typeof tokenizer.parse>[number]

/** A picture's description is Markdown too; its text counts. */
const altOf = ({ children }: Token): string =>
  (children ?? []).map((child) => (child.type === 'image' ? altOf(child) : child.content)).join('')

const TOKENS: Record<string, ParseSpec> = {
  paragraph: { block: 'paragraph' },
  heading: { block: 'heading', getAttrs: ({ tag }) => ({ level: Number(tag.slice(1)) }) },
  blockquote: { block: 'blockquote' },
  bullet_list: { block: 'bulletList' },
  ordered_list: { block: 'orderedList', getAttrs: (token) => ({ start: Number(token.attrGet('start') ?? 1) }) },
  list_item: {
    block: 'listItem',
    getAttrs: ({ meta }) => ({ checked: (meta as { checked: boolean } | null)?.checked ?? null }),
  },
  code_block: { block: 'codeBlock', noCloseToken: true },
  fence: { block: 'codeBlock', noCloseToken: true, getAttrs: ({ info }) => ({ language: info.trim() || null }) },
  hr: { node: 'horizontalRule' },
  image: {
    node: 'image',
    getAttrs: (token) => ({ src: token.attrGet('src'), alt: altOf(token), title: token.attrGet('title') }),
  },
  hardbreak: { node: 'hardBreak' },
  em: { mark: 'italic' },
  strong: { mark: 'bold' },
  s: { mark: 'strike' },
  link: {
    mark: 'link',
    getAttrs: (token) => ({ href: token.attrGet('href'), title: token.attrGet('title') }),
  },
  code_inline: { mark: 'code', noCloseToken: true },
}

const TASK = /^\[([ xX])\](?: +|$)/

/**
 * Marks the items of lists in which every item begins with a check box. It looks at the source, where one that is meant
 * as text is escaped.
 */
tokenizer.core.ruler.after('block', 'tasks', ({ tokens }) => {
  const lists: { readonly boxes: [item: Token, text: Token, checked: boolean][]; items: number }[] = []
  for (const [index, token] of tokens.entries()) {
    if (token.type === 'bullet_list_open' || token.type === 'ordered_list_open') lists.push({ boxes: [], items: 0 })
    const list = lists.at(-1)
    if (token.type === 'list_item_open' && list) {
      list.items++
      const text = tokens[index + 1]?.type === 'paragraph_open' ? tokens[index + 2] : undefined
      const match = text && TASK.exec(text.content)
      if (match) list.boxes.push([token, text, match[1] !== ' '])
    }
    if (token.type === 'ordered_list_close') lists.pop()
    if (token.type !== 'bullet_list_close' || lists.pop()?.items !== list?.boxes.length) continue
    for (const [item, text, checked] of list?.boxes ?? []) {
      item.meta = { checked }
      text.content = text.content.replace(TASK, '')
    }
  }
})

const parser = new MarkdownParser(SCHEMA, tokenizer, TOKENS)

const toTaskItem = (item: TreeNode): TreeNode => ({ ...item, type: 'taskItem' })

const toTaskLists = (node: TreeNode): TreeNode => {
  if (!node.content) return node
  const content = node.content.map(toTaskLists)
  const isTask = (item: TreeNode): boolean => typeof item.attrs?.['checked'] === 'boolean'
  if (node.type !== 'bulletList' || !content.every(isTask)) return { ...node, content }
  return { type: 'taskList', content: content.map(toTaskItem) }
}

/** The blocks of a text in Markdown. */
export const fromMarkdown = (markdown: string): TreeNode[] => {
  const { content } = parser.parse(markdown).toJSON() as TreeNode
  return (content ?? []).map(toTaskLists)
}
