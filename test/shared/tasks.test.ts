// The kind `tasks`: reader, operations, rules, and two devices that work apart.
import { expect, test } from 'vitest'
import { TITLE_LENGTH_MAX } from '../../shared/limits.ts'
import { TASKS_KIND } from '../../shared/tasks/kind.ts'
import { readTasks } from '../../shared/tasks/model.ts'
import { ANNA, BEN, type Device, meet, NOW, openDevice, transactionsOf } from './device.ts'

const titles = ({ doc }: Device): string[] => readTasks(doc).tasks.map(({ title }) => title)
const open = (actor = ANNA, more = {}): Device => openDevice(TASKS_KIND, { actor, ...more })

/** Anna’s and Ben’s devices, both with the same tasks. */
const openTwo = (...names: readonly string[]) => {
  const [anna, ben] = [open(), open(BEN)]
  const ids = names.map((title) => anna.run('task.add', { title }).id)
  meet(anna, ben)
  return { anna, ben, ids, id: ids[0] as string }
}

test('[TK1] a task is shown with all it holds; what was never given is empty', () => {
  const anna = open()
  const { id } = anna.run('task.add', { title: '  Milk ' })
  const task = readTasks(anna.doc).tasks[0]
  expect(task).toEqual({
    id,
    title: 'Milk',
    details: '',
    dueDate: null,
    assignee: null,
    labels: [],
    position: task?.position,
    done: false,
    doneAt: null,
    doneBy: null,
    createdAt: NOW,
    createdBy: ANNA,
  })
  const fields = { title: 'Oat milk', details: 'two\nlines', dueDate: '2026-02-11', assignee: BEN, labels: ['a', 'b'] }
  anna.run('task.update', { id, ...fields })
  expect(readTasks(anna.doc).tasks[0]).toMatchObject(fields)
})

test('[TK1] tasks stand in the order they were put', () => {
  const { anna, ids } = openTwo('a', 'b', 'c')
  anna.run('task.add', { title: 'top', after: null })
  anna.run('task.add', { title: 'after a', after: ids[0] })
  expect(titles(anna)).toEqual(['top', 'a', 'after a', 'b', 'c'])
  anna.run('task.move', { id: ids[2], after: ids[0] })
  anna.run('task.move', { id: ids[0] })
  expect(titles(anna)).toEqual(['top', 'c', 'after a', 'b', 'a'])
  expect(anna.refusal('task.move', { id: ids[0], after: ids[0] })).toBe('record/not-found')
  expect(transactionsOf(anna.doc, () => anna.run('task.move', { id: ids[0] }))).toBe(0)
})

test('[RE2] the title and the due date of one task, changed on two devices that are offline, are both kept', () => {
  const { anna, ben, id } = openTwo('milk')
  anna.run('task.update', { id, title: 'oat milk' })
  ben.run('task.update', { id, dueDate: '2026-02-11' })
  meet(anna, ben)
  for (const device of [anna, ben])
    expect(readTasks(device.doc).tasks).toMatchObject([{ id, title: 'oat milk', dueDate: '2026-02-11' }])
})

test('[TK2] a task that two devices complete is complete, and completing it again changes nothing', () => {
  const { anna, ben, id } = openTwo('milk')
  anna.run('task.complete', { id, done: true })
  ben.run('task.complete', { id, done: true })
  meet(anna, ben)
  const [task] = readTasks(anna.doc).tasks
  expect(task).toMatchObject({ done: true, doneAt: NOW })
  expect(readTasks(ben.doc).tasks).toEqual([task])
  expect(transactionsOf(anna.doc, () => anna.run('task.complete', { id, done: true }))).toBe(0)
  ben.run('task.complete', { id, done: false })
  expect(readTasks(ben.doc).tasks[0]).toMatchObject({ done: false, doneAt: null, doneBy: null })
})

test('[RE9] one key created by one user on two devices is one record, whole, and takes edits', () => {
  const [phone, laptop] = [open(), open(ANNA, { deviceId: 'device-00002' })]
  phone.run('task.add', { id: 'task-0000000001', title: 'phone', details: 'from the phone' })
  laptop.run('task.add', { id: 'task-0000000001', title: 'laptop', details: 'from the laptop' })
  meet(phone, laptop)
  const [task, ...others] = readTasks(phone.doc).tasks
  expect(others).toEqual([])
  expect(task?.details).toBe(`from the ${task?.title}`)
  expect(readTasks(laptop.doc).tasks).toEqual([task])
  laptop.run('task.update', { id: 'task-0000000001', title: 'both' })
  meet(phone, laptop)
  expect(titles(phone)).toEqual(['both'])
})

test('[RE10] creating the same again is a success that changes nothing; the id of somebody else is taken', () => {
  const { anna, ben, id } = openTwo('milk')
  expect(transactionsOf(anna.doc, () => anna.run('task.add', { id, title: 'other' }))).toBe(0)
  expect(ben.refusal('task.add', { id, title: 'mine' })).toBe('id/taken')
  anna.run('task.delete', { id })
  anna.run('task.add', { id, title: 'again' })
  expect(titles(anna)).toEqual([])
})

test('[TK3] a deleted task is gone for everybody, edits that were made meanwhile or not', () => {
  const { anna, ben, id } = openTwo('milk', 'bread')
  anna.run('task.delete', { id })
  ben.run('task.update', { id, title: 'oat milk' })
  meet(anna, ben)
  expect([titles(anna), titles(ben)]).toEqual([['bread'], ['bread']])
  for (const [name, more] of [
    ['task.update', {}],
    ['task.complete', { done: true }],
    ['task.move', {}],
    ['task.delete', {}],
  ] as const)
    expect(anna.refusal(name, { id, ...more })).toBe('record/not-found')
  expect(anna.refusal('task.add', { title: 'x', after: id })).toBe('record/not-found')
})

test('[RE5] an operation that is refused has written nothing', () => {
  const { anna, id } = openTwo('milk')
  const guest = openDevice(TASKS_KIND, { role: 'guest' }, anna.doc)
  const writes = transactionsOf(anna.doc, () => {
    expect(anna.refusal('task.update', { id, title: 'new', assignee: 'user-nobody-1' })).toBe('not-a-member')
    expect(anna.refusal('task.update', { id, title: 'x'.repeat(TITLE_LENGTH_MAX + 1) })).toBe('input/invalid')
    expect(anna.refusal('task.update', { id, titel: 'new' })).toBe('input/invalid')
    expect(anna.refusal('task.add', { title: 'x', dueDate: '2026-02-30' })).toBe('input/invalid')
    expect(guest.refusal('task.add', { title: 'x' })).toBe('access/forbidden')
  })
  expect(writes).toBe(0)
  expect(titles(anna)).toEqual(['milk'])
})

test('[TK4] members change everything in the right form; nothing is taken out, nobody is named who is not there', () => {
  const { rule } = open()
  const task = { title: 'x', position: 'a0', createdAt: 1, createdBy: ANNA }
  const key = 'task-0000000001'
  expect(rule('tasks', key, task)).toBeNull()
  expect(rule('tasks', key, undefined)).toBe('delete-not-allowed')
  expect(rule('tasks', 'short', task)).toBe('key-not-allowed')
  expect(rule('tasks', key, { ...task, createdBy: BEN })).toBe('not-yours')
  expect(rule('tasks', key, { ...task, assignee: 'user-nobody-1' })).toBe('not-a-member')
  expect(rule('tasks', key, { ...task, position: 'a00' })).toBe('value-not-allowed')
  expect(rule('other', key, task)).toBe('root-not-allowed')
  expect(rule('tasks:edits', `${key}.title`, 'y')).toBeNull()
  expect(rule('tasks:edits', `${key}.title`, undefined)).toBe('delete-not-allowed')
  expect(rule('tasks:edits', `${key}.assignee`, BEN)).toBeNull()
  expect(rule('tasks:edits', `${key}.assignee`, null)).toBeNull()
  expect(rule('tasks:edits', `${key}.assignee`, 'user-nobody-1')).toBe('not-a-member')
  expect(rule('tasks:edits', `${key}.doneBy`, BEN)).toBe('not-yours')
  expect(rule('tasks:edits', `${key}.createdBy`, ANNA)).toBe('value-not-allowed')
})
