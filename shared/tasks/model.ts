// The kind `tasks`: a list of tasks that all members of a channel work on. Reader and rules.
import type * as Y from 'yjs'
import { isIdValue, isNullOr, isTime } from '../fields.ts'
import { listKeeper, readItems, readKept, type Shown } from '../kept-records.ts'
import { isId } from '../names.ts'
import { byPosition, isPosition } from '../order.ts'
import { defineCollection, type Values } from '../records.ts'
import type { Change, Facts, Refusal } from '../rules.ts'
import { checkSharedWork, isDeleted, type Work, WORK_FIELDS, workOf } from '../work.ts'

export const TASKS = defineCollection({
  name: 'tasks',
  isId,
  fields: {
    ...WORK_FIELDS,
    position: { check: isPosition, required: true },
    doneAt: { check: isNullOr(isTime) },
    doneBy: { check: isNullOr(isIdValue) },
  },
})

export const TASK_COLLECTIONS = [TASKS] as const

/** Members change everything; nothing is ever taken out of the maps: a task is deleted by `deletedAt`. */
export const checkTaskChange = (change: Change, facts: Facts): Refusal | null =>
  checkSharedWork(TASK_COLLECTIONS, change, facts)

export interface Task extends Work {
  readonly id: string
  readonly position: string
  readonly done: boolean
  /** Milliseconds since the epoch. */
  readonly doneAt: number | null
  readonly doneBy: string | null
}

const toTask = (id: string, values: Values): Task => {
  // Named one by one: a spread takes as long as all the rest of reading a task.
  const { title, details, dueDate, assignee, labels, createdAt, createdBy } = workOf(values)
  const doneAt = (values['doneAt'] as number | undefined) ?? null
  return {
    id,
    title,
    details,
    dueDate,
    assignee,
    labels,
    position: values['position'] as string,
    done: doneAt !== null,
    doneAt,
    doneBy: (values['doneBy'] as string | undefined) ?? null,
    createdAt,
    createdBy,
  }
}

export interface TaskList {
  readonly tasks: readonly Task[]
}

const SHOWN: Shown<Task> = {
  collection: TASKS,
  toItem: (id, values) => (isDeleted(values) ? null : toTask(id, values)),
}

export const TASK_KEEPER = listKeeper(SHOWN, byPosition, (tasks): TaskList => ({ tasks }))

/** The tasks that are not deleted, in order. */
export const readTasks = (doc: Y.Doc): TaskList =>
  readKept(doc, TASK_KEEPER) ?? { tasks: readItems(doc, SHOWN).sort(byPosition) }
