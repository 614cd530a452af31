// Text with marks as Markdown that reads back as it was. Where a delimiter would not count beside a letter or a sign, that
// neighbour is written as a character reference.
import { type Mark, type MarkName, treeKey, type TreeNode } from './tree.ts'

/** A piece of text or an image, with the marks around it; outermost first. */
interface Piece {
  readonly text: string
  readonly marks: readonly Mark[]
  readonly image?: TreeNode
  readonly isBreak?: boolean
}

const isMark = (marks: readonly Mark[], name: MarkName): boolean => marks.some(({ type }) => type === name)

/** Line ends are spaces. */
const inLine = (text: string): string => text.replaceAll(/[\n\r\u2028\u2029]+/g, ' ').replaceAll('\0', '\ufffd')

const piecesOf = (nodes: readonly TreeNode[], isHeading: boolean): Piece[] => {
  const pieces: Piece[] = []
  for (const node of nodes) {
    const marks = (node.marks ?? []).filter(({ type }) => type !== 'underline')
    if (node.text === undefined) {
      if (node.type !== 'hardBreak') pieces.push({ text: '', marks, image: node })
      else pieces.push(isHeading ? { text: ' ', marks: [] } : { text: '', marks: [], isBreak: true })
      continue
    }
    const text = inLine(node.text)
    const last = pieces.at(-1)
    if (last && !last.image && !last.isBreak && treeKey(last.marks) === treeKey(marks)) {
      pieces[pieces.length - 1] = { text: last.text + text, marks }
    } else pieces.push({ text, marks })
  }
  return expelSpaces(pieces)
}

/** Delimiters count beside text only: spaces at the ends of marked text lose their marks, at the ends of lines themselves. */
const expelSpaces = (pieces: readonly Piece[]): Piece[] => {
  const found: Piece[] = []
  for (const piece of pieces) {
    if (piece.image || piece.isBreak || isMark(piece.marks, 'code')) {
      found.push(piece)
      continue
    }
    const inner = piece.text.trim()
    const start = inner ? piece.text.indexOf(inner) : 0
    const [before, after] = [piece.text.slice(0, start), piece.text.slice(start + inner.length)]
    if (before) found.push({ text: before, marks: [] })
    if (inner) found.push({ text: inner, marks: piece.marks })
    if (after) found.push({ text: after, marks: [] })
  }
  return trimLines(mergePlain(found))
}

const isPlain = ({ marks, image, isBreak }: Piece): boolean => marks.length === 0 && !image && !isBreak

const mergePlain = (pieces: readonly Piece[]): Piece[] => {
  const merged: Piece[] = []
  for (const piece of pieces) {
    const last = merged.at(-1)
    if (last && isPlain(last) && isPlain(piece)) merged[merged.length - 1] = { text: last.text + piece.text, marks: [] }
    else merged.push(piece)
  }
  return merged
}

const trimLines = (pieces: readonly Piece[]): Piece[] => {
  const trimmed = pieces.map((piece, index): Piece => {
    if (!isPlain(piece)) return piece
    let { text } = piece
    if (index === 0 || pieces[index - 1]?.isBreak) text = text.trimStart()
    if (index === pieces.length - 1 || pieces[index + 1]?.isBreak) text = text.trimEnd()
    return { text, marks: [] }
  })
  const shown = trimmed.filter((piece) => piece.image || piece.isBreak || piece.text !== '')
  // A break needs a line after it, and one before it.
  while (shown.at(-1)?.isBreak) shown.pop()
  while (shown[0]?.isBreak) shown.shift()
  return shown
}

/** What is special anywhere; an ampersand only where it would begin a character reference. */
const SPECIAL = /[\\`*_[\]<>~]|&(?=#?[A-Za-z0-9]+;)/g
const escapeText = (text: string): string => text.replaceAll(SPECIAL, '\\$&')

/** What would begin a block at the start of a line. */
const BLOCK_SIGN = /^(?:([#+=-])|(\d{1,9})([.)]))/
const escapeLineStart = (line: string): string =>
  line.replace(BLOCK_SIGN, (_all, sign?: string, number?: string, dot?: string) =>
    sign === undefined ? `${number}\\${dot}` : `\\${sign}`,
  )

const reference = (char: string): string => `&#${char.codePointAt(0)};`

/** Length of the longest match. */
export const longestRun = (text: string, pattern: RegExp): number => {
  let longest = 0
  for (const [run] of text.matchAll(pattern)) longest = Math.max(longest, run.length)
  return longest
}

const code = (text: string): string => {
  const fence = '`'.repeat(longestRun(text, /`+/g) + 1)
  const needsSpace = /^`|`$/.test(text) || (text.startsWith(' ') && text.endsWith(' '))
  return needsSpace ? `${fence} ${text} ${fence}` : fence + text + fence
}

// oxlint-disable-next-line no-control-regex -- reason: control characters end a link's address.
const CONTROLS = /[\u0000-\u001f\u007f]/g
const REFERENCE = /&(?=#?[A-Za-z0-9]+;)/g

const address = (href: string): string => {
  const escaped = href
    .replaceAll(CONTROLS, encodeURIComponent)
    .replaceAll(/[\\<>]/g, '\\$&')
    .replaceAll(REFERENCE, '\\&')
  return /^[^ ()<>]+$/.test(escaped) ? escaped : `<${escaped}>`
}

const destination = (href: unknown, title: unknown): string => {
  const to = address(typeof href === 'string' ? href : '')
  if (typeof title !== 'string' || title === '') return `(${to})`
  return `(${to} "${inLine(title).replaceAll(/["\\]/g, '\\$&').replaceAll(REFERENCE, '\\&')}")`
}

const imageOf = ({ attrs = {} }: TreeNode): string => {
  const alt = typeof attrs['alt'] === 'string' ? inLine(attrs['alt']) : ''
  return `![${escapeText(alt)}]${destination(attrs['src'], attrs['title'])}`
}

/** Whether a delimiter counts beside this character whatever stands on its other side. */
const isLoose = (char: string): boolean => char === '' || /[\s!-/:-@[-`{-~]/u.test(char)
const isLetter = (char: string): boolean => /[\p{L}\p{N}]/u.test(char)

const openerOf = ({ type }: Mark): string =>
  ({ bold: '**', italic: '_', strike: '~~' })[type] ?? (type === 'link' ? '[' : '')
const closerOf = (mark: Mark): string =>
  mark.type === 'link' ? `]${destination(mark.attrs?.['href'], mark.attrs?.['title'])}` : openerOf(mark)

const firstOf = (text: string): string => String.fromCodePoint(text.codePointAt(0) ?? 0)
const lastOf = (text: string): string => {
  const last = text.slice(-2)
  return last.length === 2 && (last.codePointAt(0) as number) > 0xffff ? last : last.slice(-1)
}

/** The delimiters that end and begin between two pieces. */
const delimitersBetween = (before: readonly Mark[], after: readonly Mark[]): { closers: Mark[]; openers: Mark[] } => {
  const nested = (marks: readonly Mark[]): Mark[] => marks.filter(({ type }) => type !== 'code')
  const [from, to] = [nested(before), nested(after)]
  let same = 0
  while (same < from.length && same < to.length && treeKey(from[same] as Mark) === treeKey(to[same] as Mark)) {
    same++
  }
  return { closers: from.slice(same).toReversed(), openers: to.slice(same) }
}

interface Written {
  readonly text: string
  /** The characters at its ends as the reader of delimiters sees them. */
  readonly first: string
  readonly last: string
  /** Whether they may be written as references. */
  readonly isText: boolean
  readonly raw: string
}

const write = (piece: Piece, isLineStart: boolean): Written => {
  const signs = { first: '!', last: ')', isText: false, raw: '' }
  if (piece.isBreak) return { ...signs, text: '\\\n', first: '\n', last: '\n' }
  if (piece.image) return { ...signs, text: imageOf(piece.image) }
  if (isMark(piece.marks, 'code')) return { ...signs, text: code(piece.text), first: '`', last: '`' }
  const { text: raw } = piece
  return {
    text: isLineStart ? escapeLineStart(escapeText(raw)) : escapeText(raw),
    first: firstOf(raw),
    last: lastOf(raw),
    isText: true,
    raw,
  }
}

/** The same with its first or last character as a reference. */
const withReference = (written: Written, side: 'first' | 'last'): Written => {
  const { text, raw } = written
  const char = side === 'first' ? firstOf(raw) : lastOf(raw)
  if (side === 'last')
    return { ...written, text: text.slice(0, text.length - char.length) + reference(char), last: ';' }
  return {
    ...written,
    text: reference(char) + text.slice(char.length),
    first: '&',
    last: char.length === raw.length ? ';' : written.last,
  }
}

const NOTHING: Written = { text: '', first: '', last: '', isText: false, raw: '' }

/**
 * Whether the outermost of these delimiters counts only beside a space or a sign: behind another delimiter, beside a sign
 * of the text inside, and for underscores always.
 */
const isPicky = (marks: readonly Mark[], outermost: Mark | undefined, inside: string): boolean =>
  outermost !== undefined &&
  outermost.type !== 'link' &&
  (marks.length > 1 || outermost.type === 'italic' || !isLetter(inside))

/** Markdown of the content of a paragraph or, on one line, of a heading. */
export const inlineToMarkdown = (nodes: readonly TreeNode[], isHeading = false): string => {
  const parts: string[] = []
  let before = NOTHING
  let marks: readonly Mark[] = []
  for (const piece of [...piecesOf(nodes, isHeading), null]) {
    const isLineStart = parts.length === 0 || before.text.endsWith('\n')
    const { closers, openers } = delimitersBetween(marks, piece?.marks ?? [])
    let next = piece ? write(piece, isLineStart && openers.length === 0) : NOTHING
    if (openers.length === 0 && isPicky(closers, closers.at(-1), before.last) && next.isText && !isLoose(next.first)) {
      next = withReference(next, 'first')
    }
    const isAtLetter = closers.length === 0 && isPicky(openers, openers[0], next.first) && !isLoose(before.last)
    const wouldBeImage = openers[0]?.type === 'link' && before.last === '!'
    if (before.isText && closers.length === 0 && (isAtLetter || wouldBeImage)) {
      parts[parts.length - 1] = withReference(before, 'last').text
    }
    for (const mark of closers) parts.push(closerOf(mark))
    for (const mark of openers) parts.push(openerOf(mark))
    parts.push(next.text)
    before = next
    marks = piece?.marks ?? []
  }
  const markdown = parts.join('')
  // Signs at the end of a heading would close it.
  return isHeading
    ? markdown.replace(/(^|\s)(#+)$/, (_all, space: string, signs: string) => `${space}\\${signs}`)
    : markdown
}
