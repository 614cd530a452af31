// What people do with a task list.
import type * as Y from 'yjs'
import * as z from 'zod/mini'
import { AppError } from '../errors.ts'
import { id } from '../inputs.ts'
import { defineOperation } from '../define-operation.ts'
import type { Plan } from '../operation.ts'
import { isRightAfter, mustPlace, type Placed } from '../order.ts'
import { createChange, editChange, editChanges, readRecord, type Values } from '../records.ts'
import type { Change } from '../rules.ts'
import { changedWork, isDeleted, newWork } from '../work.ts'
import { readTasks, TASKS } from './model.ts'

/** A task that is there; one that was deleted is not, but its id is known. */
const mustTask = (doc: Y.Doc, taskId: string): Values => {
  const task = readRecord(doc, TASKS, taskId)
  if (!task || isDeleted(task)) throw new AppError('record/not-found', 'no such task', { id: taskId })
  return task
}

const reposition = ({ id: taskId, position }: Placed): Change => editChange(TASKS, taskId, 'position', position)

const add = defineOperation({
  name: 'task.add',
  needs: 'write',
  summary: 'Adds a task, at the end or after another one.',
  input: z.strictObject({ id: z.optional(id), ...newWork, after: z.nullish(id) }),
  example: { title: 'Buy milk', dueDate: '2026-02-11' },
  plan: (doc, { id: given, after, ...values }, ctx): Plan<{ id: string }> => {
    const taskId = given ?? ctx.newId()
    const result = { id: taskId }
    const known = readRecord(doc, TASKS, taskId)
    // A repeat of the same creation is a success; somebody else's id is taken.
    if (known?.['createdBy'] === ctx.actor) return { changes: [], result }
    if (known) throw new AppError('id/taken', 'this id is in use', { id: taskId })
    const { position, moved } = mustPlace(readTasks(doc).tasks, taskId, after, ctx.random)
    const record = { ...values, position, createdAt: ctx.now, createdBy: ctx.actor }
    return { changes: [createChange(TASKS, taskId, record), ...moved.map(reposition)], result }
  },
})

const update = defineOperation({
  name: 'task.update',
  needs: 'write',
  summary: 'Changes fields of a task; fields that are left out stay as they are.',
  input: z.strictObject({ id, ...changedWork }),
  example: { id: 'task-0000000001', title: 'Buy oat milk' },
  plan: (doc, { id: taskId, ...values }) => ({
    changes: editChanges(TASKS, taskId, mustTask(doc, taskId), values),
    result: { id: taskId },
  }),
})

const complete = defineOperation({
  name: 'task.complete',
  needs: 'write',
  summary: 'Sets a task to done or not done. Setting what is set already changes nothing.',
  input: z.strictObject({ id, done: z.boolean() }),
  example: { id: 'task-0000000001', done: true },
  plan: (doc, { id: taskId, done }, ctx) => {
    const result = { id: taskId }
    const task = mustTask(doc, taskId)
    const isDone = (task['doneAt'] ?? null) !== null
    if (isDone === done) return { changes: [], result }
    const values = done ? { doneAt: ctx.now, doneBy: ctx.actor } : { doneAt: null, doneBy: null }
    return { changes: editChanges(TASKS, taskId, task, values), result }
  },
})

const move = defineOperation({
  name: 'task.move',
  needs: 'write',
  summary: 'Moves a task after another one; `null` moves it to the top, without `after` it goes to the end.',
  input: z.strictObject({ id, after: z.nullish(id) }),
  example: { id: 'task-0000000001', after: null },
  plan: (doc, { id: taskId, after }, ctx) => {
    mustTask(doc, taskId)
    const result = { id: taskId }
    const { tasks } = readTasks(doc)
    if (isRightAfter(tasks, taskId, after)) return { changes: [], result }
    const { position, moved } = mustPlace(tasks, taskId, after, ctx.random)
    return { changes: [{ id: taskId, position }, ...moved].map(reposition), result }
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
