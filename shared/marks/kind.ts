// The kind `marks`, one document for each CHAT channel beside its segments.
import type { Kind } from '../kind.ts'
import { checkMarksChange, MARKS, readMarks } from './model.ts'
import { MARKS_OPERATIONS } from './operations.ts'

export const MARKS_KIND: Kind = {
  name: 'marks',
  scope: 'channel',
  channelType: 'CHAT',
  part: 'none',
  writers: 'members',
  roots: [MARKS],
  rule: checkMarksChange,
  collections: [],
  operations: MARKS_OPERATIONS,
  read: readMarks,
}
