// The kind `board`: reader, operations, rules, and two devices that move cards apart.
import { expect, test } from 'vitest'
import { BOARD_KIND } from '../../shared/board/kind.ts'
import { readBoard } from '../../shared/board/model.ts'
import { ANNA, BEN, type Device, meet, NOW, openDevice, transactionsOf } from './device.ts'

const open = (actor = ANNA): Device => openDevice(BOARD_KIND, { actor })

/** `todo: a b | done:` */
const show = ({ doc }: Device): string =>
  readBoard(doc)
    .columns.map(({ name, cards }) => `${name}:${cards.map(({ title }) => ` ${title}`).join('')}`)
    .join(' | ')

const TODO = 'column-todo1'
const DONE = 'column-done1'
const card = (title: string): string => `card-of-name-${title}`

/** Two devices with `todo: a b | done: c`. */
const openTwo = () => {
  const [anna, ben] = [open(), open(BEN)]
  anna.run('column.add', { id: TODO, name: 'todo' })
  anna.run('column.add', { id: DONE, name: 'done' })
  for (const [title, column] of [
    ['a', TODO],
    ['b', TODO],
    ['c', DONE],
  ] as const)
    anna.run('card.add', { id: card(title), column, title })
  meet(anna, ben)
  return { anna, ben }
}

test('[BD1] columns and their cards stand in the order they were put', () => {
  const { anna } = openTwo()
  expect(show(anna)).toBe('todo: a b | done: c')
  anna.run('column.add', { name: 'doing', after: TODO })
  anna.run('column.move', { id: DONE, after: null })
  anna.run('card.add', { column: DONE, title: 'd', after: null })
  anna.run('card.move', { id: card('a'), column: TODO })
  anna.run('card.move', { id: card('b'), column: DONE, after: card('c') })
  anna.run('column.update', { id: TODO, name: 'later' })
  expect(show(anna)).toBe('done: d c b | later: a | doing:')
  expect(anna.refusal('card.add', { column: TODO, title: 'x', after: card('b') })).toBe('record/not-found')
})

test('[BD1] a card is shown with all it holds, a column with its name and place', () => {
  const { anna } = openTwo()
  const fields = { title: 'A', details: 'x', dueDate: '2026-02-11', assignee: BEN, labels: ['y'] }
  anna.run('card.update', { id: card('a'), ...fields })
  const [lane] = readBoard(anna.doc).columns
  expect(lane).toEqual({ id: TODO, name: 'todo', position: lane?.position, cards: lane?.cards })
  const [shown] = lane?.cards ?? []
  const made = { createdAt: NOW, createdBy: ANNA }
  expect(shown).toEqual({ id: card('a'), ...fields, ...made, column: TODO, position: shown?.position })
})

test('[BD2] a card that two devices move to two columns is in one of them, the same for both', () => {
  const { anna, ben } = openTwo()
  const third = anna.run('column.add', { name: 'third' }).id
  meet(anna, ben)
  anna.run('card.move', { id: card('a'), column: DONE, after: null })
  ben.run('card.move', { id: card('a'), column: third })
  meet(anna, ben)
  expect(['todo: b | done: a c | third:', 'todo: b | done: c | third: a']).toContain(show(anna))
  expect(show(ben)).toBe(show(anna))
})

test('[BD3] a card that is moved into a column while another device deletes it is in the lane unsorted, then anywhere', () => {
  const { anna, ben } = openTwo()
  anna.run('card.move', { id: card('a'), column: DONE })
  ben.run('column.delete', { id: DONE })
  expect(show(ben)).toBe('todo: a b | Unsorted: c')
  meet(anna, ben)
  for (const device of [anna, ben]) expect(show(device)).toBe('todo: b | Unsorted: c a')
  const lane = readBoard(anna.doc).columns.at(-1)
  expect(Object.keys(lane ?? {})).toEqual(['id', 'name', 'cards'])
  expect(lane?.cards.map(({ column }) => column)).toEqual(['unsorted', 'unsorted'])
  ben.run('card.move', { id: card('c'), column: TODO, after: null })
  ben.run('card.move', { id: card('a'), column: TODO })
  expect(show(ben)).toBe('todo: c b a')
})

test('[BD3] a card whose column has not come yet waits in the lane unsorted', () => {
  const anna = open()
  anna.doc.getMap('cards').set(card('x'), {
    title: 'x',
    place: { column: 'column-later', position: 'a0' },
    createdAt: 1,
    createdBy: ANNA,
  })
  expect(show(anna)).toBe('Unsorted: x')
  anna.run('column.add', { id: 'column-later', name: 'later' })
  expect(show(anna)).toBe('later: x')
})

test('[BD4] cards go to columns that are there; unsorted is none', () => {
  const { anna } = openTwo()
  anna.run('column.delete', { id: DONE })
  const writes = transactionsOf(anna.doc, () => {
    for (const column of [DONE, 'column-never'])
      for (const [name, input] of [
        ['card.add', { title: 'x' }],
        ['card.move', { id: card('a') }],
      ] as const)
        expect(anna.refusal(name, { ...input, column })).toBe('record/not-found')
    expect(anna.refusal('card.move', { id: card('a'), column: 'unsorted' })).toBe('input/invalid')
    expect(anna.refusal('column.delete', { id: 'unsorted' })).toBe('input/invalid')
    for (const name of ['column.update', 'column.move', 'column.delete'])
      expect(anna.refusal(name, { id: DONE })).toBe('record/not-found')
    anna.run('card.move', { id: card('b'), column: TODO })
    anna.run('column.move', { id: TODO, after: null })
  })
  expect(writes).toBe(0)
})

test('[BD4] a card that is deleted is in no lane and takes no changes; its id stays known', () => {
  const { anna, ben } = openTwo()
  anna.run('card.delete', { id: card('a') })
  expect(show(anna)).toBe('todo: b | done: c')
  for (const [name, more] of [
    ['card.update', {}],
    ['card.move', { column: DONE }],
    ['card.delete', {}],
  ] as const)
    expect(anna.refusal(name, { id: card('a'), ...more })).toBe('record/not-found')
  expect(transactionsOf(anna.doc, () => anna.run('card.add', { id: card('a'), column: TODO, title: 'a' }))).toBe(0)
  expect(ben.refusal('card.add', { id: card('b'), column: TODO, title: 'x' })).toBe('id/taken')
  expect(ben.refusal('column.add', { id: TODO, name: 'x' })).toBe('id/taken')
})

test('[BD5] members change everything in the right form; nothing is taken out, nobody is named who is not there', () => {
  const { rule } = open()
  const made = { createdAt: 1, createdBy: ANNA }
  const place = { column: TODO, position: 'a0' }
  expect(rule('columns', TODO, { name: 'x', position: 'a0', ...made })).toBeNull()
  expect(rule('columns', TODO, { name: 'x', position: 'a0', createdAt: 1, createdBy: BEN })).toBe('not-yours')
  expect(rule('columns', 'unsorted', { name: 'x', position: 'a0', ...made })).toBe('key-not-allowed')
  expect(rule('columns', TODO, undefined)).toBe('delete-not-allowed')
  expect(rule('columns:edits', `${TODO}.position`, 'a')).toBe('value-not-allowed')
  expect(rule('cards', card('a'), { title: 'x', place, ...made })).toBeNull()
  expect(rule('cards', card('a'), { title: 'x', place: { ...place, column: 'unsorted' }, ...made })).toBe(
    'value-not-allowed',
  )
  expect(rule('cards', card('a'), { title: 'x', place, assignee: 'user-nobody-1', ...made })).toBe('not-a-member')
  expect(rule('cards:edits', `${card('a')}.place`, place)).toBeNull()
  expect(rule('cards:edits', `${card('a')}.place`, { ...place, more: 1 })).toBe('value-not-allowed')
  expect(rule('cards:edits', `${card('a')}.column`, TODO)).toBe('key-not-allowed')
  expect(rule('cards:edits', `${card('a')}.place`, undefined)).toBe('delete-not-allowed')
  expect(rule('tasks', card('a'), {})).toBe('root-not-allowed')
})
