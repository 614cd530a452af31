// The kind `board`: columns of cards that all members of a channel work on. Reader and rules. A card's place is one value,
// so a card is in one column, whoever moves it where at once.
import type * as Y from 'yjs'
import { isIdValue, isLine, isObjectOf } from '../fields.ts'
import { isSameJson } from '../json.ts'
import {
  type ChangedKeys,
  type ItemChange,
  type Keeper,
  keepItems,
  mendOrder,
  readItems,
  readKept,
  type Shown,
} from '../kept-records.ts'
import { COLUMN_NAME_LENGTH_MAX } from '../limits.ts'
import { isId } from '../names.ts'
import { byPosition, isPosition } from '../order.ts'
import { defineCollection } from '../records.ts'
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

export interface Column {
  readonly id: string
  readonly name: string
  readonly position: string
}

export interface Board {
  readonly columns: readonly Lane[]
}

const SHOWN_COLUMNS: Shown<Column> = {
  collection: COLUMNS,
  toItem: (id, values) =>
    isDeleted(values) ? null : { id, name: values['name'] as string, position: values['position'] as string },
}

/** A card is in the column that it names, whether there is one or not. */
const SHOWN_CARDS: Shown<Card> = {
  collection: CARDS,
  toItem: (id, values) => {
    if (isDeleted(values)) return null
    const { column, position } = values['place'] as unknown as Place
    return { ...workOf(values), id, column, position }
  },
}

/** The columns that are not deleted, in order. */
export const readColumns = (doc: Y.Doc): Column[] => readItems(doc, SHOWN_COLUMNS).sort(byPosition)

const toUnsorted = (card: Card): Card => ({ ...card, column: UNSORTED.id })

const readAll = (doc: Y.Doc): Board => {
  const columns = readColumns(doc).map(({ id, name, position }) => ({ id, name, position, cards: [] as Card[] }))
  const unsorted = { ...UNSORTED, cards: [] as Card[] }
  const lanes = new Map<string, { cards: Card[] }>(columns.map((column) => [column.id, column]))
  for (const card of readItems(doc, SHOWN_CARDS)) {
    const lane = lanes.get(card.column)
    if (lane) lane.cards.push(card)
    else unsorted.cards.push(toUnsorted(card))
  }
  const shown = unsorted.cards.length > 0 ? [...columns, unsorted] : columns
  for (const { cards } of shown) cards.sort(byPosition)
  return { columns: shown }
}

/** Changes of cards by the column in which they show; a card that moves leaves one and comes into another. */
const byColumn = (changes: readonly ItemChange<Card>[]): Map<string, ItemChange<Card>[]> => {
  const found = new Map<string, ItemChange<Card>[]>()
  const add = (column: string, change: ItemChange<Card>): void => {
    const others = found.get(column)
    if (others) others.push(change)
    else found.set(column, [change])
  }
  for (const { before, after } of changes) {
    if (before && before.column === after?.column) add(before.column, { before, after })
    else {
      if (before) add(before.column, { before, after: undefined })
      if (after) add(after.column, { before: undefined, after })
    }
  }
  return found
}

const isSameList = <Item>(a: readonly Item[], b: readonly Item[]): boolean =>
  a === b || (a.length === b.length && a.every((item, index) => item === b[index]))

const openBoard = (doc: Y.Doc) => {
  const mendColumns = keepItems(doc, SHOWN_COLUMNS)
  const mendCards = keepItems(doc, SHOWN_CARDS)
  const cardsIn = new Map<string, readonly Card[]>()
  const unsorted = new Map<string, { readonly card: Card; readonly shown: Card }>()
  let columns: readonly Column[] = []
  let board: Board = { columns: [] }

  const toUnsortedOnce = (card: Card): Card => {
    const known = unsorted.get(card.id)
    if (known?.card === card) return known.shown
    const own = toUnsorted(card)
    const shown = known && isSameJson(known.shown, own) ? known.shown : own
    unsorted.set(card.id, { card, shown })
    return shown
  }
  const readUnsorted = (): Card[] => {
    const known = new Set(columns.map(({ id }) => id))
    const strays = [...cardsIn].flatMap(([column, cards]) => (known.has(column) ? [] : cards))
    return strays.map(toUnsortedOnce).sort(byPosition)
  }

  return (changed: ChangedKeys | null): Board => {
    columns = mendOrder(columns, mendColumns(changed), byPosition)
    for (const [column, changes] of byColumn(mendCards(changed)))
      cardsIn.set(column, mendOrder(cardsIn.get(column) ?? [], changes, byPosition))
    const lanes: Lane[] = columns.map(({ id, name, position }) => {
      return { id, name, position, cards: cardsIn.get(id) ?? [] }
    })
    const rest = readUnsorted()
    if (rest.length > 0) lanes.push({ ...UNSORTED, cards: rest })
    const before = new Map(board.columns.map((lane) => [lane.id, lane]))
    const kept = lanes.map((lane) => {
      const known = before.get(lane.id)
      const isSame = known?.name === lane.name && known.position === lane.position
      return known && isSame && isSameList(known.cards, lane.cards) ? known : lane
    })
    if (!isSameList(board.columns, kept)) board = { columns: kept }
    return board
  }
}

export const BOARD_KEEPER: Keeper<Board> = {
  roots: [COLUMNS.name, COLUMNS.edits, CARDS.name, CARDS.edits],
  open: openBoard,
}

/** Columns and their cards, in order; cards without a column come last, in a lane that is there only if it is needed. */
export const readBoard = (doc: Y.Doc): Board => readKept(doc, BOARD_KEEPER) ?? readAll(doc)
