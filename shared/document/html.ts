// A canonical tree as HTML. Rendered from the tree and never stored; only the tags below come out, all text and every
// attribute escaped, so what anybody wrote into a document stays text.
import { CONTENT, type Mark, type NodeName, type TreeNode } from './tree.ts'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (char) => ENTITIES[char] as string)

const attribute = (name: string, value: unknown): string =>
  typeof value === 'string' && value !== '' ? ` ${name}="${escape(value)}"` : ''

const MARK_TAGS: Readonly<Record<string, string>> = {
  bold: 'strong',
  italic: 'em',
  strike: 's',
  underline: 'u',
  code: 'code',
  link: 'a',
}

const openTag = ({ type, attrs = {} }: Mark): string => {
  if (type !== 'link') return `<${MARK_TAGS[type]}>`
  return `<a${attribute('href', attrs['href'])}${attribute('title', attrs['title'])} rel="noopener noreferrer nofollow">`
}

const inlineTags = (node: TreeNode): string => {
  if (node.type === 'hardBreak') return '<br>'
  if (node.type === 'image') {
    const { src, alt, title } = node.attrs ?? {}
    return `<img${attribute('src', src)}${attribute('alt', alt)}${attribute('title', title)}>`
  }
  const marks = node.marks ?? []
  const closing = marks.map(({ type }) => `</${MARK_TAGS[type]}>`).toReversed()
  return marks.map(openTag).join('') + escape(node.text ?? '') + closing.join('')
}

const TAGS: Partial<Record<NodeName, string>> = {
  paragraph: 'p',
  blockquote: 'blockquote',
  bulletList: 'ul',
  listItem: 'li',
}

/** The opening and the closing tags of a block. */
const tagsOf = ({ type, attrs = {} }: TreeNode): readonly [string, string] => {
  switch (type as NodeName) {
    case 'heading':
      return [`<h${Number(attrs['level'])}>`, `</h${Number(attrs['level'])}>`]
    case 'orderedList':
      return [attrs['start'] === undefined ? '<ol>' : `<ol start="${Number(attrs['start'])}">`, '</ol>']
    case 'taskList':
      return ['<ul data-type="taskList">', '</ul>']
    case 'taskItem':
      return [`<li data-type="taskItem" data-checked="${attrs['checked'] === true}">`, '</li>']
    case 'codeBlock': {
      const { language } = attrs
      return [
        `<pre><code${typeof language === 'string' ? attribute('class', `language-${language}`) : ''}>`,
        '</code></pre>',
      ]
    }
    default: {
      const tag = TAGS[type as NodeName] ?? 'p'
      return [`<${tag}>`, `</${tag}>`]
    }
  }
}

const render = (node: TreeNode, parts: string[]): void => {
  if (node.type === 'horizontalRule') {
    parts.push('<hr>')
    return
  }
  const [open, close] = tagsOf(node)
  parts.push(open)
  const isLeaf = CONTENT[node.type as NodeName] === 'inline' || CONTENT[node.type as NodeName] === 'text'
  for (const inner of node.content ?? []) {
    if (isLeaf) parts.push(inlineTags(inner))
    else render(inner, parts)
  }
  parts.push(close)
}

/** HTML of canonical blocks: no document around them. */
export const toHtml = (blocks: readonly TreeNode[]): string => {
  const parts: string[] = []
  for (const block of blocks) render(block, parts)
  return parts.join('')
}
