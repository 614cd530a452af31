// What people do with a board.
import type * as Y from 'yjs'
import * as z from 'zod/mini'
import { AppError } from '../errors.ts'
import { id, line } from '../inputs.ts'
import { COLUMN_NAME_LENGTH_MAX } from '../limits.ts'
import { defineOperation } from '../define-operation.ts'
import type { Plan } from '../operation.ts'
import { isRightAfter, mustPlace, type Placed } from '../order.ts'
import { type Collection, createChange, editChange, editChanges, readRecord, type Values } from '../records.ts'
import type { Change } from '../rules.ts'
import { changedWork, isDeleted, newWork } from '../work.ts'
import { type Card, CARDS, COLUMNS, readBoard, readColumns } from './model.ts'

/** A record that is there; one that was deleted is not, but its id is known. */
const mustRecord = (doc: Y.Doc, collection: Collection, recordId: string): Values => {
  const record = readRecord(doc, collection, recordId)
  if (!record || isDeleted(record))
    throw new AppError('record/not-found', `nothing of this id in ${collection.name}`, { id: recordId })
  return record
}

/** A repeat of the same creation is a success; somebody else's id is taken. */
const isRepeat = (doc: Y.Doc, collection: Collection, recordId: string, actor: string): boolean => {
  const known = readRecord(doc, collection, recordId)
  if (known && known['createdBy'] !== actor) throw new AppError('id/taken', 'this id is in use', { id: recordId })
  return known !== undefined
}

const repositionColumn = ({ id: columnId, position }: Placed): Change =>
  editChange(COLUMNS, columnId, 'position', position)

const placeCard =
  (column: string) =>
  ({ id: cardId, position }: Placed): Change =>
    editChange(CARDS, cardId, 'place', { column, position })

const cardsOf = (doc: Y.Doc, columnId: string): readonly Card[] =>
  readBoard(doc).columns.find((lane) => lane.id === columnId)?.cards ?? []

const addColumn = defineOperation({
  name: 'column.add',
  needs: 'write',
  summary: 'Adds a column, at the end or after another one.',
  input: z.strictObject({ id: z.optional(id), name: line(COLUMN_NAME_LENGTH_MAX), after: z.nullish(id) }),
  example: { name: 'To do' },
  plan: (doc, { id: given, name, after }, ctx): Plan<{ id: string }> => {
    const columnId = given ?? ctx.newId()
    const result = { id: columnId }
    if (isRepeat(doc, COLUMNS, columnId, ctx.actor)) return { changes: [], result }
    const { position, moved } = mustPlace(readColumns(doc), columnId, after, ctx.random)
    const record = { name, position, createdAt: ctx.now, createdBy: ctx.actor }
    return { changes: [createChange(COLUMNS, columnId, record), ...moved.map(repositionColumn)], result }
  },
})

const updateColumn = defineOperation({
  name: 'column.update',
  needs: 'write',
  summary: 'Renames a column.',
  input: z.strictObject({ id, name: z.optional(line(COLUMN_NAME_LENGTH_MAX)) }),
  example: { id: 'column-00000001', name: 'Doing' },
  plan: (doc, { id: columnId, name }) => ({
    changes: editChanges(COLUMNS, columnId, mustRecord(doc, COLUMNS, columnId), { name }),
    result: { id: columnId },
  }),
})

const moveColumn = defineOperation({
  name: 'column.move',
  needs: 'write',
  summary: 'Moves a column after another one; `null` moves it to the front, without `after` it goes to the end.',
  input: z.strictObject({ id, after: z.nullish(id) }),
  example: { id: 'column-00000001', after: null },
  plan: (doc, { id: columnId, after }, ctx) => {
    mustRecord(doc, COLUMNS, columnId)
    const result = { id: columnId }
    const columns = readColumns(doc)
    if (isRightAfter(columns, columnId, after)) return { changes: [], result }
    const { position, moved } = mustPlace(columns, columnId, after, ctx.random)
    return { changes: [{ id: columnId, position }, ...moved].map(repositionColumn), result }
  },
})

const removeColumn = defineOperation({
  name: 'column.delete',
  needs: 'write',
  summary: 'Deletes a column. Its cards are kept, in the lane `unsorted`.',
  input: z.strictObject({ id }),
  example: { id: 'column-00000001' },
  plan: (doc, { id: columnId }, ctx) => {
    mustRecord(doc, COLUMNS, columnId)
    return { changes: [editChange(COLUMNS, columnId, 'deletedAt', ctx.now)], result: { id: columnId } }
  },
})

const addCard = defineOperation({
  name: 'card.add',
  needs: 'write',
  summary: 'Adds a card to a column, at the end or after another card of it.',
  input: z.strictObject({ id: z.optional(id), column: id, ...newWork, after: z.nullish(id) }),
  example: { column: 'column-00000001', title: 'Paint the fence' },
  plan: (doc, { id: given, column, after, ...values }, ctx): Plan<{ id: string }> => {
    const cardId = given ?? ctx.newId()
    const result = { id: cardId }
    if (isRepeat(doc, CARDS, cardId, ctx.actor)) return { changes: [], result }
    mustRecord(doc, COLUMNS, column)
    const { position, moved } = mustPlace(cardsOf(doc, column), cardId, after, ctx.random)
    const record = { ...values, place: { column, position }, createdAt: ctx.now, createdBy: ctx.actor }
    return { changes: [createChange(CARDS, cardId, record), ...moved.map(placeCard(column))], result }
  },
})

const updateCard = defineOperation({
  name: 'card.update',
  needs: 'write',
  summary: 'Changes fields of a card; fields that are left out stay as they are.',
  input: z.strictObject({ id, ...changedWork }),
  example: { id: 'card-0000000001', dueDate: '2026-02-11' },
  plan: (doc, { id: cardId, ...values }) => ({
    changes: editChanges(CARDS, cardId, mustRecord(doc, CARDS, cardId), values),
    result: { id: cardId },
  }),
})

const moveCard = defineOperation({
  name: 'card.move',
  needs: 'write',
  summary:
    'Moves a card to a column, after another card of it; `null` moves it to the top, without `after` to the end.',
  input: z.strictObject({ id, column: id, after: z.nullish(id) }),
  example: { id: 'card-0000000001', column: 'column-00000001', after: null },
  plan: (doc, { id: cardId, column, after }, ctx) => {
    mustRecord(doc, CARDS, cardId)
    mustRecord(doc, COLUMNS, column)
    const result = { id: cardId }
    const cards = cardsOf(doc, column)
    if (isRightAfter(cards, cardId, after)) return { changes: [], result }
    const { position, moved } = mustPlace(cards, cardId, after, ctx.random)
    return { changes: [{ id: cardId, position }, ...moved].map(placeCard(column)), result }
  },
})

const removeCard = defineOperation({
  name: 'card.delete',
  needs: 'write',
  summary: 'Deletes a card. It can be restored for 30 days.',
  input: z.strictObject({ id }),
  example: { id: 'card-0000000001' },
  plan: (doc, { id: cardId }, ctx) => {
    mustRecord(doc, CARDS, cardId)
    return { changes: [editChange(CARDS, cardId, 'deletedAt', ctx.now)], result: { id: cardId } }
  },
})

export const BOARD_OPERATIONS = [
  addColumn,
  updateColumn,
  moveColumn,
  removeColumn,
  addCard,
  updateCard,
  moveCard,
  removeCard,
] as const
