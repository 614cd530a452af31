// HTML into a tree: the tags we know become nodes and marks, scripts and their like vanish with all they hold, of other
// tags the text stays.
import { Parser } from 'htmlparser2'
import { AppError } from '../errors.ts'
import { DEPTH_MAX } from '../limits.ts'
import type { Attributes, Mark, TreeNode } from './tree.ts'

/** Tags inside tags, known or not. */
const TAGS_DEPTH_MAX = 8 * DEPTH_MAX

const BLOCKS: Readonly<Record<string, string>> = {
  p: 'paragraph',
  blockquote: 'blockquote',
  ul: 'bulletList',
  ol: 'orderedList',
  li: 'listItem',
  pre: 'codeBlock',
  ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((level) => [`h${level}`, 'heading'])),
}
const MARKS: Readonly<Record<string, string>> = {
  a: 'link',
  b: 'bold',
  strong: 'bold',
  i: 'italic',
  em: 'italic',
  s: 'strike',
  del: 'strike',
  strike: 'strike',
  u: 'underline',
  ins: 'underline',
  code: 'code',
  tt: 'code',
  kbd: 'code',
}
/** Their content is not text. */
const DROPPED = new Set(
  'script style template iframe object embed noscript noembed noframes svg math head title textarea select canvas audio video'.split(
    ' ',
  ),
)
/** Tags whose text stands in a line with what is around them; of any other tag it is a block of its own. */
const INLINE = new Set(
  'span font small big sub sup mark label abbr cite q dfn var samp time bdi bdo wbr data output button'.split(' '),
)

/** A type that is no node's name: what we do not know keeps its text. */
const UNKNOWN = 'unknown'

interface Open {
  readonly tag: string
  readonly node?: { type: string; attrs: Attributes; content: TreeNode[] }
  readonly mark?: Mark
}

const blockAttributes = (tag: string, given: Readonly<Record<string, string>>): Attributes => {
  if (/^h[1-6]$/.test(tag)) return { level: Number(tag[1]) }
  if (tag === 'ol' && given['start'] !== undefined) return { start: Number.parseInt(given['start'], 10) || 0 }
  return {}
}

const blockOf = (tag: string, given: Readonly<Record<string, string>>): { type: string; attrs: Attributes } => {
  const isTask = given['data-type'] === 'taskItem' || given['data-checked'] !== undefined
  if (tag === 'ul' && given['data-type'] === 'taskList') return { type: 'taskList', attrs: {} }
  if (tag === 'li' && isTask) return { type: 'taskItem', attrs: { checked: given['data-checked'] === 'true' } }
  return { type: BLOCKS[tag] ?? UNKNOWN, attrs: blockAttributes(tag, given) }
}

const markOf = (tag: string, given: Readonly<Record<string, string>>): Mark => {
  const type = MARKS[tag] as string
  if (type !== 'link') return { type }
  return { type, attrs: { href: given['href'] ?? null, title: given['title'] ?? null } }
}

/** Spaces stay, line ends do not count: around blocks they are nothing, in a line they are a space. */
const SPACES = /[ \t\r\n\f]+/g
const joinLines = (text: string): string => text.replaceAll(SPACES, (run) => (/[\r\n\f]/.test(run) ? '\n' : run))

class Builder {
  readonly root = { type: 'doc', attrs: {}, content: [] as TreeNode[] }
  readonly #open: Open[] = []
  #dropping = 0
  #preformatted = 0

  get #content(): TreeNode[] {
    return (this.#open.findLast(({ node }) => node)?.node ?? this.root).content
  }

  #marks(): Mark[] {
    const marks = new Map<string, Mark>()
    for (const { mark } of this.#open) if (mark) marks.set(mark.type, mark)
    return [...marks.values()]
  }

  open(tag: string, given: Readonly<Record<string, string>>): void {
    if (this.#open.length >= TAGS_DEPTH_MAX) throw new AppError('too-deep', 'the HTML nests too deep')
    if (DROPPED.has(tag)) this.#dropping++
    if (tag === 'pre') this.#preformatted++
    if (this.#dropping > 0) this.#open.push({ tag })
    else if (tag === 'br') this.#leaf({ type: 'hardBreak' }, tag)
    else if (tag === 'hr') this.#leaf({ type: 'horizontalRule' }, tag)
    else if (tag === 'img') {
      const { src = null, alt = null, title = null } = given
      this.#leaf({ type: 'image', attrs: { src, alt, title } }, tag)
    } else if (tag === 'code' && this.#preformatted > 0) {
      this.#setLanguage(given['class'] ?? '')
      this.#open.push({ tag })
    } else if (Object.hasOwn(MARKS, tag)) this.#open.push({ tag, mark: markOf(tag, given) })
    else if (INLINE.has(tag)) this.#open.push({ tag })
    else this.#open.push({ tag, node: { ...blockOf(tag, given), content: [] } })
  }

  #leaf(node: TreeNode, tag: string): void {
    this.#content.push(node)
    this.#open.push({ tag })
  }

  #setLanguage(classes: string): void {
    const block = this.#open.findLast(({ node }) => node)?.node
    const language = /(?:^|\s)language-(\S+)/.exec(classes)?.[1]
    if (block && language !== undefined) block.attrs = { language }
  }

  text(text: string): void {
    if (this.#dropping > 0) return
    // The line end right behind the tag does not count.
    const isFirst = this.#open.at(-1)?.tag === 'pre' && this.#content.length === 0
    const preformatted = isFirst ? text.replace(/^\r?\n/, '') : text
    const shown = this.#preformatted > 0 ? preformatted : joinLines(text)
    if (shown) this.#content.push({ type: 'text', text: shown, marks: this.#marks() })
  }

  close(tag: string): void {
    const { node, tag: opened } = this.#open.pop() ?? {}
    if (opened !== tag) throw new Error(`closed ${tag} where ${opened} was open`)
    if (DROPPED.has(tag)) this.#dropping--
    if (tag === 'pre') this.#preformatted--
    if (node) this.#content.push({ ...node, content: node.type === 'codeBlock' ? node.content : tidy(node) })
  }
}

const isText = (node: TreeNode | undefined): boolean => node?.text !== undefined || node?.type === 'image'

/**
 * The content of a node without what only lays out the source: line ends at the edges of a block and beside other blocks;
 * the others are spaces. Where blocks stand, spaces between them are nothing either.
 */
const tidy = ({ type, content = [] }: TreeNode): TreeNode[] => {
  const isLine = type === 'paragraph' || type === 'heading'
  return content.flatMap((node, index) => {
    if (node.text === undefined) return [node]
    let { text } = node
    const [isAfter, isBefore] = [isText(content[index - 1]), isText(content[index + 1])]
    if (!isLine && !isAfter && !isBefore && !/[^ \n]/.test(text)) return []
    if (!isAfter && text.startsWith('\n')) text = text.slice(1)
    if (!isBefore && text.endsWith('\n')) text = text.slice(0, -1)
    return text ? [{ ...node, text: text.replaceAll('\n', ' ') }] : []
  })
}

/** The nodes of a piece of HTML, as it has them: to be made canonical. Throws `too-deep`. */
export const fromHtml = (html: string): TreeNode[] => {
  const builder = new Builder()
  /** The text may end in the middle of a tag: the parser then closes what it never opened. */
  let isInTag = false
  const parser = new Parser(
    {
      onopentagname: () => {
        isInTag = true
      },
      onopentag: (tag, attributes) => {
        isInTag = false
        builder.open(tag, attributes)
      },
      ontext: (text) => builder.text(text),
      onclosetag: (tag) => {
        if (!isInTag) builder.close(tag)
        isInTag = false
      },
    },
    { decodeEntities: true, lowerCaseTags: true, recognizeSelfClosing: false },
  )
  parser.end(html)
  return tidy(builder.root)
}
