// The kind `tasks`: a list of tasks that all members of a channel work on. Reader and rules.
import type * as Y from 'yjs'
import { isArrayOf, isDate, isIdValue, isLine, isNullOr, isText, isTime } from '../fields.ts'
import type { Json } from '../json.ts'
import { DETAILS_BYTES_MAX, LABEL_LENGTH_MAX, LABELS_MAX, TITLE_LENGTH_MAX } from '../limits.ts'
import { isId } from '../names.ts'
import { byPosition, isPosition } from '../order.ts'
import { checkRecordForm, collectionOf, defineCollection, readRecords, splitEditKey, type Values } from '../records.ts'
import { type Change, type Facts, refuse, type Refusal } from '../rules.ts'

export const TASKS = defineCollection({
  name: 'tasks',
  isId,
  fields: {
    title: { check: isLine(TITLE_LENGTH_MAX), required: true },
    details: { check: isText(DETAILS_BYTES_MAX) },
    dueDate: { check: isNullOr(isDate) },
    assignee: { check: isNullOr(isIdValue) },
    labels: { check: isArrayOf(isLine(LABEL_LENGTH_MAX), LABELS_MAX) },
    position: { check: isPosition, required: true },
    doneAt: { check: isNullOr(isTime) },
    doneBy: { check: isNullOr(isIdValue) },
    createdAt: { check: isTime, required: true, fixed: true },
    createdBy: { check: isIdValue, required: true, fixed: true },
    deletedAt: { check: isNullOr(isTime) },
  },
})

export const TASK_COLLECTIONS = [TASKS] as const

/** Fields that name a person: a member, or, where it says who did something, the writer. */
export const checkPeople = (change: Change, field: string, value: unknown, facts: Facts): Refusal | null => {
  if (value === null || value === undefined) return null
  if (field === 'assignee' && !facts.members.has(value as string)) return refuse(change, 'not-a-member')
  if ((field === 'doneBy' || field === 'createdBy') && value !== facts.actor) return refuse(change, 'not-yours')
  return null
}

/** People named in a change of a record: in one field of an edit, or in any field of a base. */
export const checkPeopleOf = (change: Change, isEdits: boolean, facts: Facts): Refusal | null => {
  const { key, value } = change
  if (isEdits) return checkPeople(change, splitEditKey(key)?.field ?? '', value, facts)
  for (const [field, inner] of Object.entries(value as Values)) {
    const refusal = checkPeople(change, field, inner, facts)
    if (refusal) return refusal
  }
  return null
}

/** Members change everything; nothing is ever taken out of the maps: a task is deleted by `deletedAt`. */
export const checkTaskChange = (change: Change, facts: Facts): Refusal | null => {
  const found = collectionOf(TASK_COLLECTIONS, change.root)
  if (!found) return refuse(change, 'root-not-allowed')
  if (change.value === undefined) return refuse(change, 'delete-not-allowed')
  return checkRecordForm(found.collection, change) ?? checkPeopleOf(change, found.isEdits, facts)
}

export interface Task {
  readonly id: string
  readonly title: string
  readonly details: string
  readonly dueDate: string | null
  readonly assignee: string | null
  readonly labels: readonly string[]
  readonly position: string
  readonly done: boolean
  readonly doneAt: number | null
  readonly doneBy: string | null
  readonly createdAt: number
  readonly createdBy: string
}

const toTask = (id: string, values: Values): Task => ({
  id,
  title: values['title'] as string,
  details: (values['details'] as string | undefined) ?? '',
  dueDate: (values['dueDate'] as string | undefined) ?? null,
  assignee: (values['assignee'] as string | undefined) ?? null,
  labels: (values['labels'] as readonly string[] | undefined) ?? [],
  position: values['position'] as string,
  done: isSet(values['doneAt']),
  doneAt: (values['doneAt'] as number | undefined) ?? null,
  doneBy: (values['doneBy'] as string | undefined) ?? null,
  createdAt: values['createdAt'] as number,
  createdBy: values['createdBy'] as string,
})

const isSet = (value: Json | undefined): boolean => value !== null && value !== undefined

/** The tasks that are not deleted, in order. */
export const readTasks = (doc: Y.Doc): { readonly tasks: readonly Task[] } => {
  const tasks: Task[] = []
  for (const [id, values] of readRecords(doc, TASKS)) if (!isSet(values['deletedAt'])) tasks.push(toTask(id, values))
  return { tasks: tasks.sort(byPosition) }
}
