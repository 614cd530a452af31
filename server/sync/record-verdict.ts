// Asks a kind's rule about everything an update does to its records: each value it brings, and each key that would show
// nothing any more. Replaced values and delete sets that are repeated at every sync are no changes, so they are not asked.
import type * as Y from 'yjs'
import { isJson } from '../../shared/json.ts'
import { type Change, type Facts, refuse, type Refusal, type Rule } from '../../shared/rules.ts'
import type { HomeOf } from './homes.ts'
import { readFirstValue } from './any-value.ts'
import { createCoverage } from './coverage.ts'
import { liveDeletes } from './live-deletes.ts'
import { type Placed, placeStruct, rootNameOf } from './record-changes.ts'
import { createHeads, TooManySteps } from './record-heads.ts'
import { Content } from './update-bytes.ts'
import type { ReadUpdate } from './update-reader.ts'

export interface RecordQuestion {
  readonly doc: Y.Doc
  readonly read: ReadUpdate
  readonly update: Uint8Array
  readonly homeOf: HomeOf
  readonly rule: Rule
  readonly facts: Facts
}

/** No root's name and no key holds a line break. */
const nameOf = ({ root, key }: Pick<Placed, 'root' | 'key'>): string => `${root}\n${key}`

/** Asks about every value that the update brings; collects where its structs stand. */
const judgeValues = (question: RecordQuestion, placed: Placed[]): Refusal | null => {
  const { doc, read, update, homeOf, rule, facts } = question
  const isCovered = createCoverage(read.deletes)
  for (const { client, structs } of read.blocks) {
    for (const struct of structs) {
      if (struct.content === Content.GC) continue
      const place = placeStruct(doc, homeOf, client, struct)
      if (!place) continue
      if ('code' in place) return place
      const { root, key } = place
      const isDeleted = struct.content === Content.Deleted || isCovered(client, struct.clock, struct.length)
      placed.push({ client, struct, root, key, isDeleted })
      if (isDeleted) continue
      const change: Change = { root, key, value: readFirstValue(update, struct.at) }
      if (!isJson(change.value)) return refuse(change, 'value-not-allowed')
      const refusal = rule(change, facts)
      if (refusal) return refusal
    }
  }
  return null
}

/** Whether all the update does is to write one value over `item`: what nearly every update is. */
const isReplacedBy = (item: Y.Item, placed: readonly Placed[]): boolean => {
  const [only] = placed
  const origin = only?.struct.origin
  return (
    placed.length === 1 &&
    only?.isDeleted === false &&
    origin?.client === item.id.client &&
    origin.clock === item.id.clock + item.length - 1
  )
}

/** Asks about every key whose value would be gone. */
const judgeDeletes = ({ doc, read, rule, facts }: RecordQuestion, placed: readonly Placed[]): Refusal | null => {
  let groups: Map<string, Placed[]> | undefined
  let headOf: ReturnType<typeof createHeads> | undefined
  const asked = new Set<string>()

  /** `isGone`: what shows now is covered by the delete set. */
  const ask = (root: string, key: string, isGone: boolean): Refusal | null => {
    if (placed.length > 0) {
      const name = nameOf({ root, key })
      if (asked.has(name)) return null
      asked.add(name)
      groups ??= Map.groupBy(placed, nameOf)
      headOf ??= createHeads(doc)
      const head = headOf(doc.share.get(root)?._map.get(key), groups.get(name) ?? [])
      // What shows afterwards is new and was asked about, or it is what shows now.
      if (head ? !head.isDeleted : !isGone) return null
    }
    return rule({ root, key, value: undefined }, facts)
  }

  for (const item of liveDeletes(doc, read.deletes)) {
    if (isReplacedBy(item, placed)) continue
    const root = rootNameOf(doc, item.parent)
    if (root === null || item.parentSub === null) return { code: 'type-not-allowed', path: root ?? '' }
    const refusal = ask(root, item.parentSub, true)
    if (refusal) return refusal
  }
  for (const { root, key, isDeleted } of placed) {
    // Had the delete set what shows now, it would have been asked about.
    const refusal = isDeleted ? ask(root, key, false) : null
    if (refusal) return refusal
  }
  return null
}

/** Null when the rule allows all of it. Takes time in proportion to what is new. */
export const judgeRecords = (question: RecordQuestion): Refusal | null => {
  const placed: Placed[] = []
  const refusal = judgeValues(question, placed)
  if (refusal) return refusal
  try {
    return judgeDeletes(question, placed)
  } catch (error) {
    if (error instanceof TooManySteps) return { code: 'too-large', path: '' }
    throw error
  }
}
