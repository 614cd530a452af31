// The handle of the marks of a chat: how far everybody has read.
import { MARKS_KIND } from '../../shared/marks/kind.ts'
import type { readMarks } from '../../shared/marks/model.ts'
import { MARKS_OPERATIONS } from '../../shared/marks/operations.ts'
import type { Handle } from '../client-types.ts'
import type { Replica } from '../replica.ts'
import { type Changes, changes } from './method.ts'

const [markRead] = MARKS_OPERATIONS

/** What people do with marks. Throws `AppError` `input/invalid`. */
export interface MarksMethods {
  /** Marks what was sent up to a time, in ms since the epoch, as read; going back changes nothing. */
  readonly markRead: Changes<typeof markRead>
}
/** The marks of a chat: for each user the time up to which they have read, on whichever of their devices that is latest. */
export type MarksHandle = Handle<ReturnType<typeof readMarks>> & MarksMethods

export const KIND = MARKS_KIND

export const methods = (replica: Replica): MarksMethods => ({ markRead: changes(replica, markRead) })
