// Random documents: canonical trees with the texts that formats stumble over, and docs that hold them.
import * as Y from 'yjs'
import { canonical } from '../../shared/document/canonical.ts'
import { replace } from '../../shared/document/replace.ts'
import { joinTexts, type Mark, type TreeNode } from '../../shared/document/tree.ts'
import { type OperationContext, runOperation } from '../../shared/operation.ts'
import type { Random } from '../helpers/random.ts'

const WORDS = [
  'milk', 'and', 'honey', 'a', 'I', '1.', '2)', '-', '+', '#', '##', '>', '*', '**', '_', 'snake_case', '`', '``', '~~', '[x]',
  '[a](b)', '![', '<b>', '</p>', '&amp;', '&', '&#35;', '\\', '\\*', '"', "'", '(', ')', '(in)', 'end.', '!', 'ö', '漢字', '😀', '---', '===',
  '```', '|', 'http://x.example', '{}', '$1', '\u00a0', ':', '\u200b',
] // prettier-ignore

const HREFS = [
  'https://example.org/a?b=1&c=2',
  'http://x.example/(a)',
  'mailto:ada@example.org',
  'page',
  '#top',
  'https://x.example/a b',
  'https://x.example/&amp;<>"\\',
]

const MARKS: readonly Mark[] = [
  { type: 'bold' },
  { type: 'italic' },
  { type: 'strike' },
  { type: 'code' },
  { type: 'underline' },
]

export interface TreeOptions {
  /** Leaves out what Markdown cannot say. */
  readonly isMarkdown?: boolean
}

const someText = (random: Random): string =>
  Array.from({ length: random.int(1, 4) }, () => random.pick(WORDS)).join(random.chance(0.5) ? ' ' : '')

const someMarks = (random: Random, { isMarkdown }: TreeOptions): Mark[] => {
  const marks = MARKS.filter((mark) => random.chance(0.25) && !(isMarkdown && mark.type === 'underline'))
  if (random.chance(0.15)) {
    const title = random.chance(0.3) ? { title: 'say "hi" \\ &amp;' } : {}
    marks.push({ type: 'link', attrs: { href: random.pick(HREFS), ...title } })
  }
  return marks
}

const someLine = (random: Random, options: TreeOptions): TreeNode[] =>
  Array.from({ length: random.int(0, 5) }, (): TreeNode => {
    const kind = random.int(0, 19)
    if (kind === 0) return { type: 'hardBreak' }
    if (kind === 1)
      return { type: 'image', attrs: { src: random.pick(HREFS.slice(3, 5)), alt: someText(random).trim() } }
    return { type: 'text', text: someText(random), marks: someMarks(random, options) }
  })

const someItem = (random: Random, type: string, depth: number, options: TreeOptions): TreeNode => ({
  type,
  ...(type === 'taskItem' && { attrs: { checked: random.chance(0.5) } }),
  content: [{ type: 'paragraph', content: someLine(random, options) }, ...someBlocks(random, depth + 1, 2, options)],
})

const someBlock = (random: Random, depth: number, options: TreeOptions): TreeNode => {
  const kind = random.int(0, depth > 3 ? 4 : 8)
  const list = (type: string, item: string): TreeNode => ({
    type,
    ...(type === 'orderedList' && { attrs: { start: random.int(0, 12) } }),
    content: Array.from({ length: random.int(1, 3) }, () => someItem(random, item, depth + 1, options)),
  })
  switch (kind) {
    case 0:
      return { type: 'heading', attrs: { level: random.int(1, 6) }, content: someLine(random, options) }
    case 1:
      return {
        type: 'codeBlock',
        attrs: { language: random.pick(['js', null, 'c++']) },
        content: [{ type: 'text', text: Array.from({ length: 3 }, () => someText(random)).join('\n') }],
      }
    case 2:
      return { type: 'horizontalRule' }
    case 5:
      return { type: 'blockquote', content: someBlocks(random, depth + 1, 3, options) }
    case 6:
      return list('bulletList', 'listItem')
    case 7:
      return list('orderedList', 'listItem')
    case 8:
      return list('taskList', 'taskItem')
    default:
      return { type: 'paragraph', content: someLine(random, options) }
  }
}

const someBlocks = (random: Random, depth: number, max: number, options: TreeOptions): TreeNode[] =>
  Array.from({ length: random.int(0, max) }, () => someBlock(random, depth, options))

/** The blocks of a random document. */
export const someTree = (random: Random, options: TreeOptions = {}): TreeNode[] =>
  canonical(someBlocks(random, 1, 6, options))

export const paragraph = (...texts: readonly (string | TreeNode)[]): TreeNode => ({
  type: 'paragraph',
  ...(texts.length > 0 && {
    content: joinTexts(texts.map((text) => (typeof text === 'string' ? { type: 'text', text } : text))),
  }),
})

export const CONTEXT: OperationContext = {
  actor: 'user-0000000001',
  role: 'member',
  now: 0,
  members: new Set(),
  isSealed: false,
  groups: new Map(),
  deviceId: 'device-0001',
  newId: () => 'id-0000000001',
  random: () => 0,
}

/** Runs `document.replace` and returns the updates that it made. */
export const put = (doc: Y.Doc, input: Parameters<typeof runReplace>[1]): Uint8Array[] => {
  const updates: Uint8Array[] = []
  const keep = (update: Uint8Array): void => void updates.push(update)
  doc.on('update', keep)
  try {
    runReplace(doc, input)
  } finally {
    doc.off('update', keep)
  }
  return updates
}

const runReplace = (
  doc: Y.Doc,
  input: { markdown?: string; html?: string; json?: unknown; root?: string },
): { readonly root: string } => runOperation({}, replace, doc, input, CONTEXT).result

/** A doc with the state of another, and a client id of its own. */
export const replicaOf = (doc: Y.Doc): Y.Doc => {
  const replica = new Y.Doc()
  Y.applyUpdate(replica, Y.encodeStateAsUpdate(doc))
  return replica
}

export const merge = (a: Y.Doc, b: Y.Doc): void => {
  Y.applyUpdate(a, Y.encodeStateAsUpdate(b, Y.encodeStateVector(a)))
  Y.applyUpdate(b, Y.encodeStateAsUpdate(a, Y.encodeStateVector(b)))
}
