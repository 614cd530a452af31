// The kind `marks`: how far everybody has read a channel. One key for each device, so that devices never overwrite each
// other; a reader takes the greatest.
import type * as Y from 'yjs'
import { isObjectOf, isTime } from '../fields.ts'
import { isId } from '../names.ts'
import { type Change, type Facts, refuse, type Refusal } from '../rules.ts'

/** Root of the marks: `userId.deviceId` → Mark. */
export const MARKS = 'marks'

/** Both in milliseconds since the epoch: what was sent by then is read, and when that was said. */
export interface Mark {
  readonly upTo: number
  readonly at: number
}

export const isMark = isObjectOf({ upTo: isTime, at: isTime })

export const markKey = (userId: string, deviceId: string): string => `${userId}.${deviceId}`

/** Null when `key` is not one of a mark. */
const userOf = (key: string): string | null => {
  const [userId, deviceId, ...rest] = key.split('.')
  if (userId === undefined || deviceId === undefined || rest.length > 0) return null
  return isId(userId) && isId(deviceId) ? userId : null
}

/** Everybody sets marks of their own and takes none back. A mark that goes back does no harm: the greatest counts. */
export const checkMarksChange = (change: Change, facts: Facts): Refusal | null => {
  if (change.root !== MARKS) return refuse(change, 'root-not-allowed')
  const userId = userOf(change.key)
  if (userId === null) return refuse(change, 'key-not-allowed')
  if (userId !== facts.actor) return refuse(change, 'not-yours')
  if (change.value === undefined) return refuse(change, 'delete-not-allowed')
  return isMark(change.value) ? null : refuse(change, 'value-not-allowed')
}

/** How far each user has read, on whichever device, in milliseconds since the epoch. */
export const readMarks = (doc: Y.Doc): { readonly marks: Readonly<Record<string, number>> } => {
  const marks = new Map<string, number>()
  doc.getMap<unknown>(MARKS).forEach((value, key) => {
    const userId = isMark(value) ? userOf(key) : null
    if (userId !== null) marks.set(userId, Math.max(marks.get(userId) ?? 0, (value as Mark).upTo))
  })
  return { marks: Object.fromEntries([...marks].sort(([a], [b]) => (a < b ? -1 : 1))) }
}
