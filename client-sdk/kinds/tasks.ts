// The handle of a task list.
import { TASKS_KIND } from '../../shared/tasks/kind.ts'
import type { readTasks } from '../../shared/tasks/model.ts'
import { TASK_OPERATIONS } from '../../shared/tasks/operations.ts'
import type { Handle } from '../client-types.ts'
import type { Replica } from '../replica.ts'
import { type Changes, changes, type Makes, makes } from './method.ts'

const [taskAdd, taskUpdate, taskComplete, taskMove, taskDelete] = TASK_OPERATIONS

/** What people do with a task list. Each throws `AppError`: `input/invalid`, `record/not-found`, `id/taken`, `access/forbidden`. */
export interface TaskMethods {
  /** Adds a task at the end, or after another; returns its id. */
  readonly add: Makes<typeof taskAdd>
  readonly update: Changes<typeof taskUpdate>
  readonly complete: Changes<typeof taskComplete>
  readonly move: Changes<typeof taskMove>
  readonly delete: Changes<typeof taskDelete>
}

/** An open task list; `read()` gives `{ tasks }` in order. */
export type TasksHandle = Handle<ReturnType<typeof readTasks>> & TaskMethods

export const KIND = TASKS_KIND

export const methods = (replica: Replica): TaskMethods => ({
  add: makes(replica, taskAdd),
  update: changes(replica, taskUpdate),
  complete: changes(replica, taskComplete),
  move: changes(replica, taskMove),
  delete: changes(replica, taskDelete),
})
