// What a task and a card have in common: the fields that people fill in, and whom they may name.
import * as z from 'zod/mini'
import { isArrayOf, isDate, isIdValue, isLine, isNullOr, isText, isTime } from './fields.ts'
import { date, id, labels, line, lines } from './inputs.ts'
import { DETAILS_BYTES_MAX, LABEL_LENGTH_MAX, LABELS_MAX, TITLE_LENGTH_MAX } from './limits.ts'
import { checkRecordForm, type Collection, collectionOf, type Field, splitEditKey, type Values } from './records.ts'
import { type Change, type Facts, refuse, type Refusal } from './rules.ts'

/** Who made a record, and whether it is deleted: nothing is ever taken out of the maps. */
export const LIFE_FIELDS = {
  createdAt: { check: isTime, required: true, fixed: true },
  createdBy: { check: isIdValue, required: true, fixed: true },
  deletedAt: { check: isNullOr(isTime) },
} as const satisfies Record<string, Field>

export const WORK_FIELDS = {
  title: { check: isLine(TITLE_LENGTH_MAX), required: true },
  details: { check: isText(DETAILS_BYTES_MAX) },
  dueDate: { check: isNullOr(isDate) },
  assignee: { check: isNullOr(isIdValue) },
  labels: { check: isArrayOf(isLine(LABEL_LENGTH_MAX), LABELS_MAX) },
  ...LIFE_FIELDS,
} as const satisfies Record<string, Field>

/** Inputs of the fields, for operations. */
export const newWork = {
  title: line(TITLE_LENGTH_MAX),
  details: z.optional(lines(DETAILS_BYTES_MAX)),
  dueDate: z.nullish(date),
  assignee: z.nullish(id),
  labels: z.optional(labels),
}
export const changedWork = { ...newWork, title: z.optional(newWork.title) }

export interface Work {
  readonly title: string
  readonly details: string
  readonly dueDate: string | null
  readonly assignee: string | null
  readonly labels: readonly string[]
  readonly createdAt: number
  readonly createdBy: string
}

/** What a reader shows of the fields. */
export const workOf = (values: Values): Work => ({
  title: values['title'] as string,
  details: (values['details'] as string | undefined) ?? '',
  dueDate: (values['dueDate'] as string | undefined) ?? null,
  assignee: (values['assignee'] as string | undefined) ?? null,
  labels: (values['labels'] as readonly string[] | undefined) ?? [],
  createdAt: values['createdAt'] as number,
  createdBy: values['createdBy'] as string,
})

export const isDeleted = (values: Values): boolean => (values['deletedAt'] ?? null) !== null

/** An assignee is a member; who is said to have done something is the writer. */
const checkPerson = (change: Change, field: string, value: unknown, facts: Facts): Refusal | null => {
  if (value === null || value === undefined) return null
  if (field === 'assignee' && !facts.members.has(value as string)) return refuse(change, 'not-a-member')
  if ((field === 'doneBy' || field === 'createdBy') && value !== facts.actor) return refuse(change, 'not-yours')
  return null
}

/** People named in a change of a record, whose form was checked: in one field of an edit, or in any field of a base. */
const checkPeople = (collection: Collection, change: Change, facts: Facts): Refusal | null => {
  const { root, key, value } = change
  if (root === collection.edits) return checkPerson(change, splitEditKey(key)?.field ?? '', value, facts)
  for (const [field, inner] of Object.entries(value as Values)) {
    const refusal = checkPerson(change, field, inner, facts)
    if (refusal) return refusal
  }
  return null
}

/** The rule of lists that all members change: everything of the right form, and nothing is taken out. */
export const checkSharedWork = (collections: readonly Collection[], change: Change, facts: Facts): Refusal | null => {
  const found = collectionOf(collections, change.root)
  if (!found) return refuse(change, 'root-not-allowed')
  if (change.value === undefined) return refuse(change, 'delete-not-allowed')
  return checkRecordForm(found.collection, change) ?? checkPeople(found.collection, change, facts)
}
