// The handle of a board.
import { BOARD_KIND } from '../../shared/board/kind.ts'
import type { readBoard } from '../../shared/board/model.ts'
import { BOARD_OPERATIONS } from '../../shared/board/operations.ts'
import type { Handle } from '../client-types.ts'
import type { Replica } from '../replica.ts'
import { type Changes, changes, type Makes, makes } from './method.ts'

const [columnAdd, columnUpdate, columnMove, columnDelete, cardAdd, cardUpdate, cardMove, cardDelete] = BOARD_OPERATIONS

/** What people do with a board. Each throws `AppError` as the operations of a task list do. */
export interface BoardMethods {
  readonly columns: {
    readonly add: Makes<typeof columnAdd>
    readonly update: Changes<typeof columnUpdate>
    readonly move: Changes<typeof columnMove>
    readonly delete: Changes<typeof columnDelete>
  }
  readonly cards: {
    readonly add: Makes<typeof cardAdd>
    readonly update: Changes<typeof cardUpdate>
    readonly move: Changes<typeof cardMove>
    readonly delete: Changes<typeof cardDelete>
  }
}

/** An open board; `read()` gives `{ columns }` in order, each with its `cards` in order. */
export type BoardHandle = Handle<ReturnType<typeof readBoard>> & BoardMethods

export const KIND = BOARD_KIND

export const methods = (replica: Replica): BoardMethods => ({
  columns: {
    add: makes(replica, columnAdd),
    update: changes(replica, columnUpdate),
    move: changes(replica, columnMove),
    delete: changes(replica, columnDelete),
  },
  cards: {
    add: makes(replica, cardAdd),
    update: changes(replica, cardUpdate),
    move: changes(replica, cardMove),
    delete: changes(replica, cardDelete),
  },
})
