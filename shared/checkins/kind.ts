// The kind `checkins`, one document for each user, which nobody else opens.
import { type Kind, rootsOf } from '../kind.ts'
import { CHECKIN_COLLECTIONS, checkCheckinChange, readCheckins } from './model.ts'
import { CHECKIN_OPERATIONS } from './operations.ts'

export const CHECKINS_KIND: Kind = {
  name: 'checkins',
  scope: 'user',
  part: 'none',
  writers: 'user',
  roots: rootsOf(CHECKIN_COLLECTIONS),
  rule: checkCheckinChange,
  asks: 'groups',
  collections: CHECKIN_COLLECTIONS,
  operations: CHECKIN_OPERATIONS,
  read: readCheckins,
}
