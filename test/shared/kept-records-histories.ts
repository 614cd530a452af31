// Random histories of record documents for the tests of kept readings: what people do, and what no honest client would
// write, on small pools of ids and values, so that everything meets everything.
import { randomUUID } from 'node:crypto'
import type * as Y from 'yjs'
import { BOARD_KIND } from '../../shared/board/kind.ts'
import { CHAT_KIND } from '../../shared/chat/kind.ts'
import { messageId, reactionKey } from '../../shared/chat/keys.ts'
import { REACTIONS } from '../../shared/chat/model.ts'
import type { Kind } from '../../shared/kind.ts'
import { type Collection, editKey } from '../../shared/records.ts'
import { TASKS_KIND } from '../../shared/tasks/kind.ts'
import type { Random } from '../helpers/random.ts'
import { ANNA, BEN, CARA, NOW } from './device.ts'

const PEOPLE = [ANNA, BEN, CARA]
const numbered = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${name}-${String(index).padStart(10, '0')}`)

const TASK_IDS = numbered('task', 60)
const COLUMN_IDS = numbered('column', 5)
const MESSAGE_IDS = PEOPLE.flatMap((author) => numbered('said', 20).map((id) => messageId(author, id)))
const EMOJI = ['👍', '+1', 'heart']
const POSITIONS = ['a0', 'a0V', 'a1', 'a1V', 'a2', 'Zz', 'b00', 'no position', 7]
const PLACES = ['a0', 'a0V', 'a1', 'b00', ''].flatMap((position) =>
  [...COLUMN_IDS, 'column-unknown'].map((column) => ({ column, position })),
)

/** What fields may be given; some of it is not valid. */
const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  title: ['Milk', 'Bread', 'Salt', '', 7],
  name: ['To do', 'Doing', 'Done', '', null],
  details: ['', 'One line', ['x']],
  dueDate: [null, '2026-02-11', '2026-99-99'],
  assignee: [null, ANNA, BEN, 'x'],
  labels: [[], ['home'], ['home', 'soon'], 'home'],
  position: POSITIONS,
  place: [...PLACES, null],
  doneAt: [null, NOW, 'x'],
  doneBy: [null, ANNA],
  createdAt: [NOW],
  createdBy: PEOPLE,
  deletedAt: [null, null, NOW, NOW + 1, 'x'],
  by: PEOPLE,
  body: ['Hello', 'Bye', 'So long', 7],
  sentAt: [NOW, NOW, NOW + 1, NOW + 2, -1],
  type: ['text', 'poll'],
  editedAt: [null, NOW],
  hidden: [true, false],
  forwarded: [true, false],
  attachments: [[], [ANNA]],
  replyTo: [null, MESSAGE_IDS[0]],
  color: ['red'],
}

export interface World {
  readonly kind: Kind
  readonly ids: (collection: Collection) => readonly string[]
  /** An operation's name and input; most of them can be done. */
  readonly operation: (random: Random) => readonly [name: string, input: Record<string, unknown>]
}

const afterIn = (random: Random, ids: readonly string[]): string | null | undefined =>
  random.pick([null, undefined, random.pick(ids)])

const work = (random: Random) => ({
  title: random.pick(['Milk', 'Bread', 'Salt']),
  dueDate: random.pick([null, '2026-02-11']),
  labels: random.pick([[], ['home'], ['home', 'soon']]),
})

const tasks: World = {
  kind: TASKS_KIND,
  ids: () => TASK_IDS,
  operation: (random) => {
    const id = random.pick(TASK_IDS)
    return random.pick([
      ['task.add', { id: random.chance(0.5) ? id : randomUUID(), ...work(random), after: afterIn(random, TASK_IDS) }],
      ['task.update', { id, ...work(random) }],
      ['task.complete', { id, done: random.chance(0.5) }],
      ['task.move', { id, after: afterIn(random, TASK_IDS) }],
      ['task.delete', { id }],
    ])
  },
}

const board: World = {
  kind: BOARD_KIND,
  ids: ({ name }) => (name === 'columns' ? COLUMN_IDS : TASK_IDS),
  operation: (random) => {
    const [id, column] = [random.pick(TASK_IDS), random.pick(COLUMN_IDS)]
    const after = afterIn(random, TASK_IDS)
    return random.pick([
      ['column.add', { id: column, name: 'New', after: afterIn(random, COLUMN_IDS) }],
      ['column.update', { id: column, name: random.pick(['To do', 'Doing']) }],
      ['column.move', { id: column, after: afterIn(random, COLUMN_IDS) }],
      ['column.delete', { id: column }],
      ['card.add', { id, column, ...work(random), after }],
      ['card.update', { id, ...work(random) }],
      ['card.move', { id, column, after }],
      ['card.move', { id, column, after }],
      ['card.delete', { id }],
    ])
  },
}

const chat: World = {
  kind: CHAT_KIND,
  ids: () => MESSAGE_IDS,
  operation: (random) => {
    const id = random.pick(MESSAGE_IDS)
    const body = random.pick(['Hello', 'Bye'])
    return random.pick([
      ['message.send', { id, body }],
      ['message.edit', { id, body }],
      ['message.delete', { id }],
      ['message.react', { id, emoji: random.pick(EMOJI), on: random.chance(0.6) }],
      ['message.react', { id, emoji: random.pick(EMOJI), on: random.chance(0.6) }],
    ])
  },
}

export const WORLDS: readonly World[] = [tasks, board, chat]

/** A value for a field: nearly always the first few, which are valid. */
const valueFor = (field: string, random: Random): unknown => random.pick(VALUES[field] ?? [])

const validFor = ({ fields }: Collection, field: string, random: Random): unknown =>
  random.pick((VALUES[field] ?? []).filter((value) => fields[field]?.check(value)))

const baseFor = (collection: Collection, random: Random): unknown => {
  if (random.chance(0.05)) return random.pick([null, 'x', 7, [], {}])
  const optional = Object.keys(collection.fields).filter((name) => {
    const { required, editOnly } = collection.fields[name] ?? {}
    return !required && !editOnly && name !== 'deletedAt' && random.chance(0.2)
  })
  const values = [...collection.required, ...optional].map((name) => [name, validFor(collection, name, random)])
  if (random.chance(0.05)) values.push([random.pick(Object.keys(VALUES)), 'odd'])
  return Object.fromEntries(values)
}

const ODD_KEYS = ['x', '', '.title', 'task-0000000001.', 'a.b.c.d', 'task-0000000001.color', '__proto__']

/** Writes one key of one root, past all rules: a base, an edit whether there is a base or not, a reaction, or none of them. */
export const writeRaw = ({ kind, ids }: World, doc: Y.Doc, random: Random): void => {
  const collection = random.pick(kind.collections)
  const id = random.pick(ids(collection))
  const bases = doc.getMap<unknown>(collection.name)
  const edits = doc.getMap<unknown>(collection.edits)
  const field = random.pick([...Object.keys(collection.fields), 'deletedAt', 'position', 'place', 'color'])
  const isChat = kind === CHAT_KIND
  const act = random.int(0, isChat ? 13 : 9)
  if (act === 0) random.pick([bases, edits]).set(random.pick(ODD_KEYS), random.pick([null, true, {}, 'x']))
  else if (act === 1) random.pick([bases, edits]).delete(random.pick([id, editKey(id, field)]))
  else if (act <= 4) bases.set(id, baseFor(collection, random))
  else if (act <= 9) edits.set(editKey(id, field), valueFor(field, random) ?? 'odd')
  else {
    const key = reactionKey({ message: id, emoji: random.pick([...EMOJI, 'NO']), userId: random.pick(PEOPLE) })
    if (random.chance(0.3)) doc.getMap(REACTIONS).delete(key)
    else doc.getMap<unknown>(REACTIONS).set(key, random.pick([true, true, true, false, 'x']))
  }
}

/** Everything there can be, as far as it is valid: lists long enough that one change is few. */
export const fill = ({ kind, ids }: World, doc: Y.Doc, random: Random): void =>
  doc.transact(() => {
    for (const collection of kind.collections)
      for (const id of ids(collection))
        if (random.chance(0.7)) doc.getMap<unknown>(collection.name).set(id, baseFor(collection, random))
  })
