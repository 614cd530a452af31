// What search reads: the texts of each kind of document by their records, and the words of a text.
import type { Card, Lane } from '../shared/board/model.ts'
import type { Message } from '../shared/chat/model.ts'
import type { Checkin } from '../shared/checkins/model.ts'
import type { TreeNode } from '../shared/document/tree.ts'
import { SEARCH_TERM_LENGTH_MAX } from '../shared/limits.ts'
import type { Task } from '../shared/tasks/model.ts'
import type { WallCheckin } from '../shared/wall/model.ts'

/** The kinds of documents that hold text. */
export type SearchKind = 'tasks' | 'board' | 'chat' | 'document' | 'checkins' | 'wall'

/** Where a text stands in its record: `text` is a block of a document, `note` one of a check-in. */
export type SearchField = 'title' | 'details' | 'labels' | 'body' | 'note' | 'text'

/** The order in which fields are looked at. */
export const FIELDS: readonly SearchField[] = ['title', 'details', 'labels', 'body', 'note', 'text']
/** Of one field; what is longer is found by what it begins with. */
const FIELD_LENGTH_MAX = 65_536

export type Texts = { readonly [Field in SearchField]?: string }

/** `key` tells records of one document apart; `record` is the same as long as it says the same. */
export type Visit = (key: string, id: string, record: unknown, textsOf: () => Texts) => void

const NO_SPACES = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u
const BETWEEN_WORDS = /[\s\p{Z}\p{P}\p{C}]+/u
/** Letters that are not made of a letter and an accent. */
const ALIKE: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
}

let segmenter: Intl.Segmenter | undefined

export const wordsOf = (text: string): string[] => {
  const cut = text.slice(0, FIELD_LENGTH_MAX)
  if (!NO_SPACES.test(cut) || !('Segmenter' in Intl)) return cut.split(BETWEEN_WORDS)
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'word' })
  return Array.from(segmenter.segment(cut), ({ segment, isWordLike }) => (isWordLike ? segment : ''))
}

export const fold = (word: string): string =>
  word
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replaceAll(/[ßæœøłđðþı]/g, (letter) => ALIKE[letter] as string)
    .slice(0, SEARCH_TERM_LENGTH_MAX)

const workTexts = ({ title, details, labels }: Pick<Task, 'title' | 'details' | 'labels'>): Texts => ({
  title,
  details,
  labels: labels.join(', '),
})

const textIn = (node: TreeNode): string => node.text ?? node.content?.map(textIn).join('') ?? ''

/** Visits the blocks that hold inline content. */
const visitBlocks = (nodes: readonly TreeNode[], visit: (text: string) => void): void => {
  for (const node of nodes) {
    const inner = node.content ?? []
    if (inner.some(({ text }) => text !== undefined)) visit(textIn(node))
    else visitBlocks(inner, visit)
  }
}

const visitDocument = (value: unknown, visit: Visit): void => {
  const { json, markdown } = value as { json?: { content?: readonly TreeNode[] }; markdown?: string }
  const seen = new Map<string, number>()
  let at = 0
  const visitBlock = (text: string): void => {
    // Blocks have no ids: a block is its text, and which of the same text it is.
    const count = seen.get(text) ?? 0
    seen.set(text, count + 1)
    visit(count === 0 ? text : `${text}\n${count}`, String(at++), text, () => ({ text }))
  }
  if (markdown !== undefined) for (const block of markdown.split(/\n{2,}/)) visitBlock(block)
  else visitBlocks(json?.content ?? [], visitBlock)
}

export const VISITS: Record<SearchKind, (value: unknown, visit: Visit) => void> = {
  tasks: (value, visit) => {
    for (const task of (value as { tasks: readonly Task[] }).tasks) visit(task.id, task.id, task, () => workTexts(task))
  },
  board: (value, visit) => {
    const cards = (value as { columns: readonly Lane[] }).columns.flatMap((lane): readonly Card[] => lane.cards)
    for (const card of cards) visit(card.id, card.id, card, () => workTexts(card))
  },
  chat: (value, visit) => {
    for (const message of (value as { messages: readonly Message[] }).messages)
      visit(message.id, message.id, message, () => ({ body: message.body }))
  },
  checkins: (value, visit) => {
    for (const checkin of (value as { checkins: readonly Checkin[] }).checkins)
      if (!checkin.retracted) visit(checkin.id, checkin.id, checkin, () => ({ note: checkin.note }))
  },
  wall: (value, visit) => {
    for (const checkin of (value as { checkins: readonly WallCheckin[] }).checkins) {
      const id = `${checkin.userId}.${checkin.period}`
      visit(id, id, checkin, () => ({ note: checkin.note }))
    }
  },
  document: visitDocument,
}

export const isSearchKind = (kind: string): kind is SearchKind => Object.hasOwn(VISITS, kind)

export const isSame = (a: Texts, b: Texts): boolean => FIELDS.every((field) => a[field] === b[field])
