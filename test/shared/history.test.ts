// Undo and redo of operations: only one's own, only what is still as one left it.
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { BOARD_KIND } from '../../shared/board/kind.ts'
import { readBoard } from '../../shared/board/model.ts'
import { CHAT_KIND } from '../../shared/chat/kind.ts'
import { readChat } from '../../shared/chat/model.ts'
import { createHistory } from '../../shared/history.ts'
import type { Kind } from '../../shared/kind.ts'
import { UNDO_LENGTH_MAX } from '../../shared/limits.ts'
import { MARKS_KIND } from '../../shared/marks/kind.ts'
import { readMarks } from '../../shared/marks/model.ts'
import type { OperationContext } from '../../shared/operation.ts'
import { TASKS_KIND } from '../../shared/tasks/kind.ts'
import { readTasks } from '../../shared/tasks/model.ts'
import { ANNA, BEN, CARA, contextOf, openDevice, operationOf, ruled, transactionsOf } from './device.ts'

/** A history of Anna’s, and others who work on the same doc. */
const open = (kind: Kind, changed: Partial<OperationContext> = {}) => {
  const doc = new Y.Doc()
  let ctx = contextOf(changed)
  const history = createHistory({ kind: ruled(kind), doc, context: () => ctx })
  return {
    doc,
    ...history,
    run: (name: string, input: unknown) => history.run(operationOf(kind, name), input).result as { id: string },
    become: (more: Partial<OperationContext>) => void (ctx = { ...ctx, ...more }),
    ben: openDevice(kind, { actor: BEN }, doc),
    moderator: openDevice(kind, { actor: CARA, role: 'moderator' }, doc),
  }
}

const task = (doc: Y.Doc) => readTasks(doc).tasks[0]

test('[UN1] undo gives a field back what it showed before, redo what it showed after', () => {
  const { doc, run, undo, redo, canUndo, canRedo } = open(TASKS_KIND)
  const { id } = run('task.add', { title: 'one', dueDate: '2026-02-11' })
  run('task.update', { id, title: 'two', details: 'x', labels: ['a'], assignee: BEN })
  run('task.update', { id, title: 'three', dueDate: null })
  run('task.update', { id, dueDate: '2026-03-01' })
  const shown = () =>
    task(doc) && [task(doc)?.title, task(doc)?.dueDate, task(doc)?.details, task(doc)?.labels, task(doc)?.assignee]
  const states = [
    ['three', '2026-03-01', 'x', ['a'], BEN],
    ['three', null, 'x', ['a'], BEN],
    ['two', '2026-02-11', 'x', ['a'], BEN],
    ['one', '2026-02-11', '', [], null],
    undefined,
  ]
  expect([shown(), canRedo()]).toEqual([states[0], false])
  for (const state of states.slice(1)) expect([undo(), shown()]).toEqual([true, state])
  expect([undo(), canUndo(), canRedo()]).toEqual([false, false, true])
  for (const state of states.toReversed().slice(1)) expect([redo(), shown()]).toEqual([true, state])
  expect([redo(), canUndo(), canRedo()]).toEqual([false, true, false])
})

test('[UN1] a new operation ends what could be redone; one that changes nothing does not', () => {
  const { run, undo, canRedo } = open(TASKS_KIND)
  const { id } = run('task.add', { title: 'one' })
  run('task.update', { id, title: 'two' })
  undo()
  run('task.update', { id, title: 'one' })
  expect(canRedo()).toBe(true)
  run('task.update', { id, title: 'three' })
  expect(canRedo()).toBe(false)
})

test('[UN2] what somebody else has changed since stays, the rest is taken back', () => {
  const { doc, run, undo, redo, ben } = open(TASKS_KIND)
  const { id } = run('task.add', { title: 'one' })
  run('task.update', { id, title: 'two', details: 'mine' })
  ben.run('task.update', { id, title: 'by Ben' })
  expect(undo()).toBe(true)
  expect(task(doc)).toMatchObject({ title: 'by Ben', details: '' })
  expect(redo()).toBe(true)
  expect(task(doc)).toMatchObject({ title: 'by Ben', details: 'mine' })
})

test('[UN2] an operation that is wholly overwritten is passed over', () => {
  const { doc, run, undo, ben } = open(TASKS_KIND)
  const { id } = run('task.add', { title: 'one' })
  run('task.update', { id, details: 'first' })
  run('task.update', { id, title: 'two' })
  ben.run('task.update', { id, title: 'by Ben' })
  expect(undo()).toBe(true)
  expect(task(doc)).toMatchObject({ title: 'by Ben', details: '' })
})

test('[UN3] a creation is undone by deleting, whatever others did to it, and redone with it', () => {
  const { doc, run, undo, redo, ben } = open(TASKS_KIND)
  const { id } = run('task.add', { title: 'one' })
  ben.run('task.update', { id, title: 'by Ben' })
  const base = doc.getMap('tasks').get(id)
  expect([undo(), task(doc)]).toEqual([true, undefined])
  expect(redo()).toBe(true)
  expect(task(doc)?.title).toBe('by Ben')
  expect(doc.getMap('tasks').get(id)).toBe(base)
})

test('[UN3] a deletion is undone; one that somebody else did is not', () => {
  const { doc, run, undo, ben } = open(TASKS_KIND)
  const { id } = run('task.add', { title: 'one' })
  run('task.delete', { id })
  undo()
  expect(task(doc)?.title).toBe('one')
  ben.run('task.delete', { id })
  expect([undo(), task(doc)]).toEqual([false, undefined])
})

test('[UN3] a column that comes back brings its cards; a card goes back to its place', () => {
  const { doc, run, undo } = open(BOARD_KIND)
  const [from, to] = ['from', 'to'].map((name) => run('column.add', { name }).id)
  const { id } = run('card.add', { column: from, title: 'card' })
  const show = () => readBoard(doc).columns.map(({ name, cards }) => `${name} ${cards.length}`)
  run('card.move', { id, column: to })
  run('column.delete', { id: to })
  expect(show()).toEqual(['from 0', 'Unsorted 1'])
  undo()
  expect(show()).toEqual(['from 0', 'to 1'])
  undo()
  expect(show()).toEqual(['from 1', 'to 0'])
})

test('[UN4] undoing a message deletes it for good; a deleted one never comes back', () => {
  const { doc, run, undo, redo, canUndo, canRedo } = open(CHAT_KIND)
  const first = run('message.send', { body: 'first' })
  run('message.send', { body: 'second' })
  run('message.delete', { id: first.id })
  const bodies = () => readChat(doc).messages.map(({ body }) => body)
  expect([undo(), bodies()]).toEqual([true, []])
  expect([canRedo(), redo(), undo(), canUndo(), bodies()]).toEqual([false, false, false, false, []])
})

test('[UN4] undoing a message takes its edits along, but not that it is hidden', () => {
  const { doc, run, undo, moderator } = open(CHAT_KIND)
  const { id } = run('message.send', { body: 'one' })
  run('message.edit', { id, body: 'two' })
  run('message.edit', { id, body: 'three' })
  const shown = () => readChat(doc).messages.map(({ body, editedAt }) => [body, editedAt === null])
  expect([undo(), shown()]).toEqual([true, [['two', false]]])
  expect([undo(), shown()]).toEqual([true, [['one', true]]])
  moderator.run('message.delete', { id })
  expect([undo(), shown()]).toEqual([true, []])
  expect([...doc.getMap('messages:edits').keys()]).toEqual([`${id}.hidden`])
})

test('[UN4] an edit of a message that is gone is not undone', () => {
  const { doc, run, undo } = open(CHAT_KIND)
  const { id } = run('message.send', { body: 'one' })
  run('message.edit', { id, body: 'two' })
  // Deleted on a device that did not know of the edit.
  doc.getMap('messages').delete(id)
  expect(transactionsOf(doc, () => expect(undo()).toBe(false))).toBe(0)
})

test('[UN4] a moderator can undo hiding, and reactions go back and forth', () => {
  const { doc, run, undo, redo, ben } = open(CHAT_KIND, { role: 'moderator' })
  const { id } = ben.run('message.send', { body: 'by Ben' })
  run('message.delete', { id })
  undo()
  expect(readChat(doc).messages).toMatchObject([{ body: 'by Ben', hidden: false }])
  run('message.react', { id, emoji: '👍', on: true })
  const reactions = () => Object.keys(readChat(doc).messages[0]?.reactions ?? {})
  expect([undo(), reactions(), redo(), reactions()]).toEqual([true, [], true, ['👍']])
})

test('[UN5] undo asks the rules: what may not be written is left as it is', () => {
  const { doc, run, undo, canUndo, ben, become } = open(TASKS_KIND)
  const { id } = ben.run('task.add', { title: 'one', assignee: CARA })
  ben.run('task.complete', { id, done: true })
  run('task.complete', { id, done: false })
  undo()
  // Who completed it was Ben, and only Ben can say so.
  expect(task(doc)).toMatchObject({ done: true, doneBy: null })
  run('task.update', { id, assignee: BEN, title: 'two' })
  become({ members: new Set([ANNA, BEN]) })
  undo()
  expect(task(doc)).toMatchObject({ assignee: BEN, title: 'one' })
  run('task.update', { id, title: 'three' })
  become({ role: 'guest' })
  expect(transactionsOf(doc, () => expect([undo(), canUndo()]).toEqual([false, false]))).toBe(0)
})

test('[UN5] a mark is never taken away', () => {
  const { doc, run, undo } = open(MARKS_KIND)
  run('mark.read', { upTo: 5 })
  expect([undo(), Object.values(readMarks(doc).marks)]).toEqual([false, [5]])
})

test('[UN6] a history holds a hundred operations', () => {
  const { doc, run, undo } = open(TASKS_KIND)
  const { id } = run('task.add', { title: 'title 0' })
  for (let index = 1; index <= UNDO_LENGTH_MAX + 5; index++) run('task.update', { id, title: `title ${index}` })
  let undone = 0
  while (undo()) undone++
  expect([undone, task(doc)?.title]).toEqual([UNDO_LENGTH_MAX, 'title 5'])
})
