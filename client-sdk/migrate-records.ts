// The operations that a migration may use: each makes one record under a key that is known beforehand, so that a second run
// finds it there. How such a record is made, recognized, and marked.
import * as Y from 'yjs'
import { AppError } from '../shared/errors.ts'
import { isTime } from '../shared/fields.ts'
import { isPlainObject, isSameJson, type Json } from '../shared/json.ts'
import type { Kind } from '../shared/kind.ts'
import { MESSAGES_PER_SEGMENT } from '../shared/limits.ts'
import { type AnyOperation, type OperationContext, planOperation, writeChanges } from '../shared/operation.ts'
import { editKey } from '../shared/records.ts'
import type { Change, Facts } from '../shared/rules.ts'
import { markOf, stableRandom } from './migrate-ids.ts'
import type { OperationStep } from './migrate-types.ts'

export interface Maker {
  readonly kind: string
  readonly root: string
  /** What takes the record back. */
  readonly undo: string
  /** Of the user `userId`; `id` is made from the step's key. */
  readonly keyOf: (input: OperationStep['input'], id: string, userId: string) => string
  /** The fields by which operations name the record. */
  readonly nameOf: (key: string) => { readonly [field: string]: Json }
  /** Whether what is there already is what the step would make. */
  readonly isSame: (known: unknown, input: OperationStep['input'], userId: string) => boolean
}

const byId = (kind: string, root: string, undo: string): Maker => ({
  kind,
  root,
  undo,
  keyOf: (_input, id) => id,
  nameOf: (id) => ({ id }),
  isSame: (known, _input, userId) => isPlainObject(known) && known['createdBy'] === userId,
})

const invalid = (message: string): AppError => new AppError('input/invalid', message)

const keyOfCheckin = ({ groupId, period }: OperationStep['input']): string => {
  if (typeof groupId !== 'string' || typeof period !== 'string')
    throw invalid('a check-in names its groupId and its period')
  return `${groupId}.${period}`
}

const checkins: Maker = {
  kind: 'checkins',
  root: 'checkins',
  undo: 'checkin.retract',
  keyOf: keyOfCheckin,
  nameOf: (key) => ({ groupId: key.slice(0, key.indexOf('.')), period: key.slice(key.indexOf('.') + 1) }),
  isSame: (known, { groupId: _groupId, period: _period, ...fields }) =>
    isPlainObject(known) && Object.entries(fields).every(([field, value]) => isSameJson(known[field], value)),
}

const bySetting = (root: string, undo: string): Maker => ({
  kind: 'me',
  root,
  undo,
  keyOf: ({ key }) => {
    if (typeof key !== 'string') throw invalid('key: expected a text')
    return key
  },
  nameOf: (key) => ({ key, value: null }),
  isSame: (known, { value }) => isSameJson(known, value),
})

const MAKERS: ReadonlyMap<string, Maker> = new Map([
  ['task.add', byId('tasks', 'tasks', 'task.delete')],
  ['column.add', byId('board', 'columns', 'column.delete')],
  ['card.add', byId('board', 'cards', 'card.delete')],
  [
    'message.send',
    {
      ...byId('chat', 'messages', 'message.delete'),
      keyOf: (_input, id, userId) => `${userId}.${id}`,
      // The author is in the key.
      isSame: () => true,
    },
  ],
  ['checkin.submit', checkins],
  ['setting.set', bySetting('settings', 'setting.set')],
  ['draft.set', bySetting('drafts', 'draft.set')],
])

/** Null for an operation that makes nothing, or a rich text, whose parts have no key. */
export const findMaker = (operation: string): Maker | null => MAKERS.get(operation) ?? null

export const mustMaker = (operation: string): Maker => {
  const maker = findMaker(operation)
  if (maker) return maker
  throw new AppError('operation/unknown', 'expected an operation that makes one record', { name: operation })
}

/** What can be done to a document, by name. */
export type Operations = ReadonlyMap<string, AnyOperation>

export const operationOf = (operations: Operations, name: string): AnyOperation => {
  const operation = operations.get(name)
  if (operation) return operation
  throw new AppError('operation/unknown', `no operation ${name} here`, { name })
}

/** A document that is written: the live one, or a copy where nothing is. */
export interface Target {
  readonly kind: Kind
  readonly operations: Operations
  readonly doc: () => Y.Doc
  readonly facts: () => Facts
}

/** Times are not told apart, two tabs have two clocks; nor the person, who is a guest first and then perhaps another. */
const showValue = (field: string, value: unknown, userId: string): unknown =>
  value === userId || (typeof value === 'number' && field.endsWith('At')) ? true : value

/** What of a record can be changed after it was made, as a short mark; empty when it is as it was made. */
export const readMark = (doc: Y.Doc, kind: Kind, { root }: Maker, key: string, userId: string): string => {
  const collection = kind.collections.find(({ name }) => name === root)
  if (!collection) return markOf(JSON.stringify(doc.getMap(root).get(key) ?? null))
  const edits = doc.getMap(collection.edits)
  const edited = Object.keys(collection.fields)
    .map((field) => [field, edits.get(editKey(key, field))] as const)
    .filter(([, value]) => value !== undefined)
  return markOf(
    edited.length === 0 ? '' : JSON.stringify(edited.map(([field, value]) => [field, showValue(field, value, userId)])),
  )
}

const mustTime = (at: number, now: number): number => {
  if (isTime(at) && at <= now) return at
  throw invalid('at: expected milliseconds since the epoch, not after now')
}

/** Plans what follows the making, on a doc that holds the record alone; returns the changes. */
const planFollowUps = (
  doc: Y.Doc,
  { kind, operations }: Target,
  maker: Maker,
  key: string,
  step: OperationStep,
  ctx: OperationContext,
) =>
  (step.followedBy ?? []).flatMap(({ name, input, at }): readonly Change[] => {
    // Where it stands, the others decide.
    if (name.endsWith('.move') || findMaker(name))
      throw new AppError('operation/unknown', `${name} cannot follow`, { name })
    const now = at === undefined ? ctx.now : mustTime(at, ctx.now)
    const named = { ...input, ...maker.nameOf(key) }
    const { changes } = planOperation(kind, operationOf(operations, name), doc, named as never, { ...ctx, now })
    writeChanges(doc, changes, null)
    return changes
  })

/** On a doc of its own: what cannot be done to the end must not be begun. */
const aside = <Result>(changes: readonly Change[], run: (doc: Y.Doc) => Result): Result => {
  // Drawing a name takes longer than all the rest.
  const doc = new Y.Doc({ guid: '' })
  writeChanges(doc, changes, null)
  const result = run(doc)
  doc.destroy()
  return result
}

export interface MakeOptions {
  readonly target: Target
  readonly step: OperationStep
  readonly userId: string
  /** Made from the step's key. */
  readonly id: string
  /** The time of what says none. */
  readonly startedAt: number
  /** A check-in that an undo has retracted is submitted again. */
  readonly isAfterUndo: boolean
}

export interface MadeNow {
  readonly id: string
  readonly mark: string
  /** It was there already. */
  readonly isPresent: boolean
}

/** Makes the record of a step, with what follows it, in one transaction. Throws `AppError`; then nothing was written. */
export const makeRecord = ({ target, step, userId, id, startedAt, isAfterUndo }: MakeOptions): MadeNow => {
  const maker = mustMaker(step.name)
  const { kind } = target
  const doc = target.doc()
  const facts = target.facts()
  const key = maker.keyOf(step.input, id, userId)
  // A check-in is judged by when it is submitted.
  const now = kind.asks === 'groups' ? facts.now : mustTime(step.at ?? startedAt, facts.now)
  const ctx: OperationContext = { ...facts, now, deviceId: '', newId: () => id, random: stableRandom(id) }
  const known = doc.getMap<unknown>(maker.root).get(key)
  const isRetracted =
    maker === checkins && (doc.getMap('checkins:edits').get(editKey(key, 'retractedAt')) ?? null) !== null
  if (known !== undefined && !(isAfterUndo && isRetracted)) {
    if (!maker.isSame(known, step.input, userId))
      throw new AppError(maker === checkins ? 'checkin/duplicate' : 'id/taken', 'there is another one already', { key })
    const mark = aside([{ root: maker.root, key, value: known }], (copy) => {
      planFollowUps(copy, target, maker, key, step, ctx)
      return readMark(copy, kind, maker, key, userId)
    })
    return { id: key, mark, isPresent: true }
  }
  if (kind.part === 'segment' && doc.getMap(maker.root).size >= MESSAGES_PER_SEGMENT)
    throw new AppError('segment-sealed', `a chat takes ${MESSAGES_PER_SEGMENT} messages at a time`)
  const input = maker.kind === 'me' || maker === checkins ? step.input : { ...step.input, ...maker.nameOf(key) }
  const { changes } = planOperation(kind, operationOf(target.operations, step.name), doc, input as never, ctx)
  const more = step.followedBy ? aside(changes, (copy) => planFollowUps(copy, target, maker, key, step, ctx)) : []
  writeChanges(doc, [...changes, ...more], { source: 'local', operation: step.name })
  return { id: key, mark: readMark(doc, kind, maker, key, userId), isPresent: false }
}
