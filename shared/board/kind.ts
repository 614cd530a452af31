// The kind `board`, one document for each KANBAN channel.
import { keepRecords } from '../kept-records.ts'
import { type Kind, rootsOf } from '../kind.ts'
import { BOARD_COLLECTIONS, BOARD_KEEPER, checkBoardChange, readBoard } from './model.ts'
import { BOARD_OPERATIONS } from './operations.ts'

export const BOARD_KIND: Kind = {
  name: 'board',
  scope: 'channel',
  channelType: 'KANBAN',
  part: 'none',
  writers: 'members',
  roots: rootsOf(BOARD_COLLECTIONS),
  rule: checkBoardChange,
  asks: 'members',
  collections: BOARD_COLLECTIONS,
  operations: BOARD_OPERATIONS,
  read: readBoard,
  keep: (doc) => keepRecords(doc, BOARD_KEEPER),
}
