// What people do with a task list.
import type * as Y from 'yjs'
import { z } from 'zod'
import { AppError } from '../errors.ts'
import { date, id, labels, line, lines } from '../inputs.ts'
import type { Json } from '../json.ts'
import { DETAILS_BYTES_MAX, TITLE_LENGTH_MAX } from '../limits.ts'
import { defineOperation, type OperationContext, type Plan } from '../operation.ts'
import { placeAfter } from '../order.ts'
import { createChange, editChange, readRecord, type Values } from '../records.ts'
import { readTasks, TASKS } from './model.ts'

/** A task that is there; one that was deleted is not, but its id is known. */
const mustTask = (doc: Y.Doc, taskId: string): Values => {
  const task = readRecord(doc, TASKS, taskId)
  if (!task || (task['deletedAt'] ?? null) !== null)
    throw new AppError('record/not-found', 'no such task', { id: taskId })
  return task
}

const place = (doc: Y.Doc, taskId: string, after: string | null | undefined, ctx: OperationContext) => {
  const others = readTasks(doc).tasks.filter((task) => task.id !== taskId)
  const placement = placeAfter(others, after, ctx.random)
  if (!placement) throw new AppError('record/not-found', 'no such task to come after', { id: after })
  return {
    position: placement.position,
    moves: placement.moved.map(({ id: other, position }) => editChange(TASKS, other, 'position', position)),
  }
}

/** An edit for each field that was given. */
const editsOf = (taskId: string, fields: Readonly<Record<string, Json | undefined>>) =>
  Object.entries(fields).flatMap(([field, value]) =>
    value === undefined ? [] : [editChange(TASKS, taskId, field, value)],
  )

const fields = {
  details: lines(DETAILS_BYTES_MAX),
  dueDate: date.nullable(),
  assignee: id.nullable(),
  labels,
}

const add = defineOperation({
  name: 'task.add',
  needs: 'write',
  summary: 'Adds a task, at the end or after another one.',
  input: z.strictObject({
    id: id.optional(),
    title: line(TITLE_LENGTH_MAX),
    details: fields.details.optional(),
    dueDate: fields.dueDate.optional(),
    assignee: fields.assignee.optional(),
    labels: fields.labels.optional(),
    after: id.nullish(),
  }),
  example: { title: 'Buy milk', dueDate: '2026-02-11' },
  plan: (doc, { id: given, after, ...values }, ctx): Plan<{ id: string }> => {
    const taskId = given ?? ctx.newId()
    const result = { id: taskId }
    const known = readRecord(doc, TASKS, taskId)
    // A repeat of the same creation is a success; somebody else's id is taken.
    if (known?.['createdBy'] === ctx.actor) return { changes: [], result }
    if (known) throw new AppError('id/taken', 'this id is in use', { id: taskId })
    const { position, moves } = place(doc, taskId, after, ctx)
    const record = { ...values, position, createdAt: ctx.now, createdBy: ctx.actor }
    return { changes: [createChange(TASKS, taskId, record), ...moves], result }
  },
})

const update = defineOperation({
  name: 'task.update',
  needs: 'write',
  summary: 'Changes fields of a task; fields that are left out stay as they are.',
  input: z.strictObject({
    id,
    title: line(TITLE_LENGTH_MAX).optional(),
    details: fields.details.optional(),
    dueDate: fields.dueDate.optional(),
    assignee: fields.assignee.optional(),
    labels: fields.labels.optional(),
  }),
  example: { id: 'task-0000000001', title: 'Buy oat milk' },
  plan: (doc, { id: taskId, ...values }) => {
    mustTask(doc, taskId)
    return { changes: editsOf(taskId, values), result: { id: taskId } }
  },
})

const complete = defineOperation({
  name: 'task.complete',
  needs: 'write',
  summary: 'Sets a task to done or not done. Setting what is set already changes nothing.',
  input: z.strictObject({ id, done: z.boolean() }),
  example: { id: 'task-0000000001', done: true },
  plan: (doc, { id: taskId, done }, ctx) => {
    const result = { id: taskId }
    const isDone = (mustTask(doc, taskId)['doneAt'] ?? null) !== null
    if (isDone === done) return { changes: [], result }
    return {
      changes: editsOf(taskId, done ? { doneAt: ctx.now, doneBy: ctx.actor } : { doneAt: null, doneBy: null }),
      result,
    }
  },
})

const move = defineOperation({
  name: 'task.move',
  needs: 'write',
  summary: 'Moves a task after another one; `null` moves it to the top.',
  input: z.strictObject({ id, after: id.nullish() }),
  example: { id: 'task-0000000001', after: null },
  plan: (doc, { id: taskId, after }, ctx) => {
    mustTask(doc, taskId)
    const { position, moves } = place(doc, taskId, after, ctx)
    return { changes: [editChange(TASKS, taskId, 'position', position), ...moves], result: { id: taskId } }
  },
})

const remove = defineOperation({
  name: 'task.delete',
  needs: 'write',
  summary: 'Deletes a task. It can be restored for 30 days.',
  input: z.strictObject({ id }),
  example: { id: 'task-0000000001' },
  plan: (doc, { id: taskId }, ctx) => {
    mustTask(doc, taskId)
    return { changes: [editChange(TASKS, taskId, 'deletedAt', ctx.now)], result: { id: taskId } }
  },
})

export const TASK_OPERATIONS = [add, update, complete, move, remove] as const
