// A canonical tree as Markdown: the blocks. Not prosemirror-markdown's serializer, which takes the square of the length
// (2 MB: 24 s) and writes emphasis beside punctuation that no parser reads back.
import { inlineToMarkdown, longestRun } from './inline-markdown.ts'
import { textOf, type TreeNode } from './tree.ts'

const codeLines = (node: TreeNode): string[] => {
  const text = textOf(node).replaceAll(/\r\n?/g, '\n').replaceAll('\0', '\ufffd')
  const fence = '`'.repeat(Math.max(3, longestRun(text, /`+/g) + 1))
  const language = node.attrs?.['language']
  return [`${fence}${typeof language === 'string' ? language : ''}`, ...(text ? text.split('\n') : []), fence]
}

const isList = ({ type }: TreeNode): boolean => type === 'bulletList' || type === 'orderedList' || type === 'taskList'

const isEmptyParagraph = ({ type, content = [] }: TreeNode): boolean =>
  type === 'paragraph' && inlineToMarkdown(content) === ''

/** Whether a block can stand right below a paragraph without becoming part of it. */
const canFollowParagraph = (node: TreeNode): boolean =>
  isList(node) &&
  node.type !== 'orderedList' &&
  !(node.content?.[0]?.content ?? []).every((block) => isEmptyParagraph(block))

/** Lists of one sort that stand side by side need different signs to stay apart; so do their items' numbers. */
const listLines = (list: TreeNode, isSecond: boolean): string[] => {
  const first = Number(list.attrs?.['start'] ?? 1)
  return (list.content ?? []).flatMap((item, index) => {
    const number = Math.min(first + index, 999_999_999)
    const sign = list.type === 'orderedList' ? `${number}${isSecond ? ')' : '.'}` : isSecond ? '+' : '-'
    const box = list.type === 'taskList' ? `[${item.attrs?.['checked'] === true ? 'x' : ' '}] ` : ''
    return itemLines(item, `${sign} `, box)
  })
}

const itemLines = (item: TreeNode, sign: string, box: string): string[] => {
  const blocks = [...(item.content ?? [])]
  // A task's box needs a paragraph behind it, another item begins with its first block that shows.
  if (!box) while (blocks[0] && isEmptyParagraph(blocks[0])) blocks.shift()
  const isBare = box !== '' && blocks[0] !== undefined && isEmptyParagraph(blocks[0])
  const lines = isBare ? ['', ...spaced(blockLines(blocks.slice(1)))] : blockLines(blocks, true)
  const indent = ' '.repeat(sign.length)
  const [top = '', ...rest] = lines
  return [`${sign}${box}${top}`.trimEnd(), ...rest.map((line) => (line ? indent + line : ''))]
}

const spaced = (lines: readonly string[]): string[] => (lines.length > 0 ? ['', ...lines] : [])

const linesOf = (node: TreeNode, isSecond: boolean): string[] => {
  const content = node.content ?? []
  switch (node.type) {
    case 'heading':
      return [`${'#'.repeat(Number(node.attrs?.['level'] ?? 1))} ${inlineToMarkdown(content, true)}`.trimEnd()]
    case 'blockquote': {
      const lines = blockLines(content)
      return (lines.length > 0 ? lines : ['']).map((line) => (line ? `> ${line}` : '>'))
    }
    case 'bulletList':
    case 'orderedList':
    case 'taskList':
      return listLines(node, isSecond)
    case 'codeBlock':
      return codeLines(node)
    case 'horizontalRule':
      // Not `---`: behind a list's sign that would be one rule.
      return ['***']
    default: {
      const text = inlineToMarkdown(content)
      return text ? text.split('\n') : []
    }
  }
}

const sortOf = ({ type }: TreeNode): string => (type === 'taskList' ? 'bulletList' : type)

const blockLines = (nodes: readonly TreeNode[], isTight = false): string[] => {
  const lines: string[] = []
  let before: TreeNode | undefined
  let isSecond = false
  for (const node of nodes) {
    const isNextSecond: boolean = before !== undefined && isList(node) && sortOf(before) === sortOf(node) && !isSecond
    const more = linesOf(node, isNextSecond)
    if (more.length === 0) continue
    const isClose = isTight && before?.type === 'paragraph' && canFollowParagraph(node)
    if (lines.length > 0 && !isClose) lines.push('')
    // Not by spreading: a document may have more lines than fit on the stack.
    for (const line of more) lines.push(line)
    before = node
    isSecond = isNextSecond
  }
  return lines
}

/** Markdown of canonical blocks. Empty paragraphs, underlines and spaces at the ends of lines are not in it. */
export const toMarkdown = (blocks: readonly TreeNode[]): string => {
  const lines = blockLines(blocks)
  return lines.length > 0 ? `${lines.join('\n')}\n` : ''
}
