// The kind `board`: columns of cards that all members of a channel work on. Reader and rules. A card's place is one value,
// so a card is in one column, whoever moves it where at once.
import type * as Y from 'yjs'
import { isIdValue, isLine, isObjectOf } from '../fields.ts'
import { COLUMN_NAME_LENGTH_MAX } from '../limits.ts'
import { isId } from '../names.ts'
import { byPosition, isPosition } from '../order.ts'
import { defineCollection, forEachRecord } from '../records.ts'
import type { Change, Facts, Refusal } from '../rules.ts'
import { checkSharedWork, isDeleted, LIFE_FIELDS, type Work, WORK_FIELDS, workOf } from '../work.ts'

export const COLUMNS = defineCollection({
  name: 'columns',
  isId,
  fields: {
    name: { check: isLine(COLUMN_NAME_LENGTH_MAX), required: true },
    position: { check: isPosition, required: true },
    ...LIFE_FIELDS,
  },
})

export const CARDS = defineCollection({
  name: 'cards',
  isId,
  fields: {
    ...WORK_FIELDS,
    place: { check: isObjectOf({ column: isIdValue, position: isPosition }), required: true },
  },
})

export const BOARD_COLLECTIONS = [COLUMNS, CARDS] as const

/** Members change everything; nothing is ever taken out of the maps: what is deleted has `deletedAt`. */
export const checkBoardChange = (change: Change, facts: Facts): Refusal | null =>
  checkSharedWork(BOARD_COLLECTIONS, change, facts)

/** Where a card stands, as it is stored. */
export interface Place {
  readonly column: string
  readonly position: string
}

export interface Card extends Work, Place {
  readonly id: string
}

export interface Lane {
  readonly id: string
  readonly name: string
  /** The lane of the cards without a column has none. */
  readonly position?: string
  readonly cards: readonly Card[]
}

/** The lane of cards whose column is deleted, or not known here. No column can have this id: it is too short for one. */
export const UNSORTED = { id: 'unsorted', name: 'Unsorted' } as const

/** The columns that are not deleted, in order. */
export const readColumns = (doc: Y.Doc): { id: string; name: string; position: string }[] => {
  const columns: { id: string; name: string; position: string }[] = []
  forEachRecord(doc, COLUMNS, (values, id) => {
    if (isDeleted(values)) return
    columns.push({ id, name: values['name'] as string, position: values['position'] as string })
  })
  return columns.sort(byPosition)
}

/** Columns and their cards, in order; cards without a column come last, in a lane that is there only if it is needed. */
export const readBoard = (doc: Y.Doc): { readonly columns: readonly Lane[] } => {
  const columns = readColumns(doc).map(({ id, name, position }) => ({ id, name, position, cards: [] as Card[] }))
  const unsorted = { ...UNSORTED, cards: [] as Card[] }
  const lanes = new Map<string, { cards: Card[] }>(columns.map((column) => [column.id, column]))
  forEachRecord(doc, CARDS, (values, id) => {
    if (isDeleted(values)) return
    const { column, position } = values['place'] as unknown as Place
    const card = { ...workOf(values), id, column, position }
    const lane = lanes.get(column)
    if (lane) lane.cards.push(card)
    else unsorted.cards.push({ ...card, column: UNSORTED.id })
  })
  const shown = unsorted.cards.length > 0 ? [...columns, unsorted] : columns
  for (const { cards } of shown) cards.sort(byPosition)
  return { columns: shown }
}
