// Brings a Y.Text to given runs with as few changes as there are: words that stay are not touched, so what others write in
// them meanwhile stays too.
import type * as Y from 'yjs'
import { isSameJson, type Json } from '../json.ts'
import { matchLists } from './diff.ts'
import { newBudget, readRuns, type Run } from './read.ts'

/** Whether an attribute is ours to change; the others stay as they are. */
export type IsOurs = (attribute: string) => boolean

interface Token {
  readonly key: string
  readonly length: number
}

const WORDS = /[\p{L}\p{N}_]+|[^\p{L}\p{N}_]/gu
const LINES = /[^\n]*\n|[^\n]+/g

const tokensOf = (runs: readonly Run[], pattern: RegExp): Token[] => {
  const tokens: Token[] = []
  let text = ''
  const flush = (): void => {
    for (const key of text.match(pattern) ?? []) tokens.push({ key, length: key.length })
    text = ''
  }
  for (const { insert } of runs) {
    if (typeof insert === 'string') text += insert
    else {
      flush()
      tokens.push({ key: `\u0000${JSON.stringify(insert.embed)}`, length: 1 })
    }
  }
  flush()
  return tokens
}

/** A piece of text that goes, and how much comes in its place. Ascending, in places of the old and of the new text. */
interface Splice {
  readonly oldAt: number
  readonly oldLength: number
  readonly newAt: number
  readonly newLength: number
}

const splicesOf = (olds: readonly Token[], news: readonly Token[]): Splice[] => {
  const matches = matchLists(
    olds.map(({ key }) => key),
    news.map(({ key }) => key),
  )
  const splices: Splice[] = []
  let [i, j, oldAt, newAt] = [0, 0, 0, 0]
  for (const [iNext, jNext] of [...matches, [olds.length, news.length] as const]) {
    let [oldLength, newLength] = [0, 0]
    while (i < iNext) oldLength += olds[i++]?.length ?? 0
    while (j < jNext) newLength += news[j++]?.length ?? 0
    if (oldLength + newLength > 0) splices.push({ oldAt, oldLength, newAt, newLength })
    const kept = olds[i++]?.length ?? 0
    j++
    oldAt += oldLength + kept
    newAt += newLength + kept
  }
  return splices
}

const sizeOf = ({ insert }: Run): number => (typeof insert === 'string' ? insert.length : 1)

/** Cuts pieces out of runs: `length` places from `at` on. */
const createCutter = (runs: readonly Run[]) => {
  const starts: number[] = []
  let end = 0
  for (const run of runs) {
    starts.push(end)
    end += sizeOf(run)
  }
  /** Index of the last run that starts at or before `at`. */
  const indexAt = (at: number): number => {
    let [low, high] = [0, starts.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((starts[middle] as number) <= at) low = middle + 1
      else high = middle
    }
    return low - 1
  }
  return (at: number, length: number): Run[] => {
    const piece: Run[] = []
    for (let index = indexAt(at), from = at; index < runs.length && from < at + length; index++) {
      const run = runs[index] as Run
      const [start, to] = [starts[index] as number, Math.min(at + length, (starts[index] as number) + sizeOf(run))]
      const { insert } = run
      piece.push(typeof insert === 'string' ? { ...run, insert: insert.slice(from - start, to - start) } : run)
      from = to
    }
    return piece
  }
}

const shift = (by: Splice, { oldAt, newAt, ...lengths }: Splice): Splice => ({
  ...lengths,
  oldAt: by.oldAt + oldAt,
  newAt: by.newAt + newAt,
})

/** Splices of words inside splices of lines, so that a line that stays is never part of a change. */
const changesOf = (olds: readonly Run[], news: readonly Run[]): Splice[] => {
  const [cutOld, cutNew] = [createCutter(olds), createCutter(news)]
  return splicesOf(tokensOf(olds, LINES), tokensOf(news, LINES)).flatMap((lines) => {
    const gone = tokensOf(cutOld(lines.oldAt, lines.oldLength), WORDS)
    const come = tokensOf(cutNew(lines.newAt, lines.newLength), WORDS)
    return splicesOf(gone, come).map((words) => shift(lines, words))
  })
}

const insertRuns = (text: Y.Text, at: number, runs: readonly Run[]): void => {
  let index = at
  for (const { insert, attributes } of runs) {
    if (typeof insert === 'string') text.insert(index, insert, attributes)
    else text.insertEmbed(index, insert.embed as object, attributes)
    index += typeof insert === 'string' ? insert.length : 1
  }
}

/** The attributes that must change so that `old` becomes `wanted`. */
const attributeChanges = (old: Run['attributes'], wanted: Run['attributes'], isOurs: IsOurs) => {
  const changes: Record<string, Json> = {}
  for (const key of Object.keys(old)) if (isOurs(key) && !Object.hasOwn(wanted, key)) changes[key] = null
  for (const [key, value] of Object.entries(wanted)) if (!isSameJson(old[key], value)) changes[key] = value
  return changes
}

/** Formats what is formatted otherwise; text and embeds are equal already. */
const formatRuns = (text: Y.Text, wanted: readonly Run[], isOurs: IsOurs): void => {
  const olds = readRuns(text, newBudget())
  let [i, j, usedOfOld, usedOfNew, at] = [0, 0, 0, 0, 0]
  for (let [old, next] = [olds[0], wanted[0]]; old && next; [old, next] = [olds[i], wanted[j]]) {
    const length = Math.min(sizeOf(old) - usedOfOld, sizeOf(next) - usedOfNew)
    const changes = attributeChanges(old.attributes, next.attributes, isOurs)
    if (Object.keys(changes).length > 0) text.format(at, length, changes)
    at += length
    usedOfOld += length
    usedOfNew += length
    if (usedOfOld === sizeOf(old)) [i, usedOfOld] = [i + 1, 0]
    if (usedOfNew === sizeOf(next)) [j, usedOfNew] = [j + 1, 0]
  }
}

/** Brings `text` to `wanted`. Equal text with equal formatting makes no change. */
export const writeRuns = (text: Y.Text, wanted: readonly Run[], isOurs: IsOurs = () => true): void => {
  const olds = readRuns(text, newBudget())
  const cut = createCutter(wanted)
  // From the end, so that the places before stay what they were.
  for (const { oldAt, oldLength, newAt, newLength } of changesOf(olds, wanted).toReversed()) {
    insertRuns(text, oldAt + oldLength, cut(newAt, newLength))
    if (oldLength > 0) text.delete(oldAt, oldLength)
  }
  formatRuns(text, wanted, isOurs)
}
