// The kind `tasks`, one document for each TODO channel.
import { keepRecords } from '../kept-records.ts'
import { type Kind, rootsOf } from '../kind.ts'
import { checkTaskChange, readTasks, TASK_COLLECTIONS, TASK_KEEPER } from './model.ts'
import { TASK_OPERATIONS } from './operations.ts'

export const TASKS_KIND: Kind = {
  name: 'tasks',
  scope: 'channel',
  channelType: 'TODO',
  part: 'none',
  writers: 'members',
  roots: rootsOf(TASK_COLLECTIONS),
  rule: checkTaskChange,
  asks: 'members',
  collections: TASK_COLLECTIONS,
  operations: TASK_OPERATIONS,
  read: readTasks,
  keep: (doc) => keepRecords(doc, TASK_KEEPER),
}
