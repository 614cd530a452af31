// What must hold in every doc at every moment of a run. The witness keeps its own book of who wrote what, from the
// messages alone, and never asks the rules.
import type * as Y from 'yjs'
import { can } from '../../shared/access.ts'
import { readBoard } from '../../shared/board/model.ts'
import { readChat } from '../../shared/chat/model.ts'
import { readCheckins } from '../../shared/checkins/model.ts'
import type { Kind } from '../../shared/kind.ts'
import { readMarks } from '../../shared/marks/model.ts'
import { byPosition, type Placed } from '../../shared/order.ts'
import { forEachRecord } from '../../shared/records.ts'
import { readTasks } from '../../shared/tasks/model.ts'
import type { Message } from './replica.ts'
import type { User } from './world.ts'

export interface Witness {
  /** A message was made. */
  readonly saw: (message: Message) => void
  /** The server took it. */
  readonly accepted: (message: Message) => void
  /** Throws when `doc` shows what must not be. */
  readonly check: (doc: Y.Doc) => void
  /** Throws when `doc` has lost what the server once took, and whoever wrote it never took out. */
  readonly checkKept: (doc: Y.Doc) => void
}

/** `root/key` → what each user ever wrote there. */
type Book = Map<string, Map<string, unknown[]>>

interface Known {
  readonly kind: Kind
  readonly doc: Y.Doc
  readonly users: readonly User[]
  readonly wroteBy: (root: string, key: string, user: string) => readonly unknown[]
}

const must = (condition: boolean, what: string): void => {
  if (!condition) throw new Error(what)
}

const mustBeSorted = (list: readonly Placed[], what: string): void => {
  for (let at = 1; at < list.length; at++)
    must(byPosition(list[at - 1] as Placed, list[at] as Placed) < 0, `${what} are out of order`)
}

const mustHold = (ids: readonly string[], expected: readonly string[], what: string): void => {
  must(new Set(ids).size === ids.length, `${what}: twice the same`)
  must(ids.length === expected.length && new Set(expected).isSubsetOf(new Set(ids)), `${what}: not all are shown`)
}

/** Ids of the records that have a base and are not deleted, found without the reader. */
const living = (doc: Y.Doc, name: string): string[] =>
  [...doc.getMap(name).keys()].filter((id) => {
    const edits = doc.getMap(`${name}:edits`)
    const created = doc.getMap(name).get(id) as { deletedAt?: unknown }
    const deletedAt = edits.has(`${id}.deletedAt`) ? edits.get(`${id}.deletedAt`) : created.deletedAt
    return typeof deletedAt !== 'number'
  })

const checkTasks = ({ doc }: Known): void => {
  const { tasks } = readTasks(doc)
  mustBeSorted(tasks, 'tasks')
  mustHold(
    tasks.map(({ id }) => id),
    living(doc, 'tasks'),
    'tasks',
  )
}

const checkBoard = ({ doc }: Known): void => {
  const { columns } = readBoard(doc)
  const lanes = columns.filter(({ id }) => id !== 'unsorted')
  const alive = living(doc, 'columns')
  must(columns.length - lanes.length <= 1, 'two unsorted lanes')
  must(columns.length === lanes.length || columns.at(-1)?.id === 'unsorted', 'the unsorted lane is not the last')
  must(columns.at(-1)?.id !== 'unsorted' || columns.at(-1)?.cards.length !== 0, 'an unsorted lane without cards')
  mustBeSorted(lanes as readonly Placed[], 'columns')
  mustHold(
    lanes.map(({ id }) => id),
    alive,
    'columns',
  )
  mustHold(
    columns.flatMap(({ cards }) => cards.map(({ id }) => id)),
    living(doc, 'cards'),
    'cards',
  )
  for (const { id, cards } of columns) {
    mustBeSorted(cards, `cards of ${id}`)
    must(
      cards.every(({ column }) => column === id),
      'a card in a lane that is not its column',
    )
  }
}

const checkChat = ({ doc, users, wroteBy }: Known): void => {
  const { messages } = readChat(doc)
  mustHold(
    messages.map(({ id }) => id),
    [...doc.getMap('messages').keys()],
    'messages',
  )
  for (const [at, message] of messages.entries()) {
    const { id, by, body, hidden, reactions } = message
    const author = id.split('.')[0] as string
    must(at === 0 || (messages[at - 1]?.sentAt ?? 0) <= message.sentAt, 'messages are out of order')
    must(by === author, `${id} says it is by ${by}`)
    const bodies = [
      ...wroteBy('messages', id, author).map((value) => (value as { body?: unknown } | undefined)?.body),
      ...wroteBy('messages:edits', `${id}.body`, author),
    ]
    must(hidden || bodies.includes(body), `${id} shows what its author never wrote`)
    const moderators = users.filter(({ role }) => can(role, 'moderate'))
    const hid = moderators.some((user) => wroteBy('messages:edits', `${id}.hidden`, user.id).includes(true))
    must(!hidden || (hid && body === ''), `${id} is hidden by nobody who may`)
    for (const [emoji, reactors] of Object.entries(reactions))
      for (const user of reactors)
        must(wroteBy('reactions', `${id}.${emoji}.${user}`, user).includes(true), `${user} never reacted with ${emoji}`)
  }
}

const checkMarks = ({ doc, users, wroteBy }: Known): void => {
  for (const [user, upTo] of Object.entries(readMarks(doc).marks)) {
    must(
      users.some(({ id }) => id === user),
      'a mark of nobody',
    )
    const own = [...doc.getMap('marks').keys()].filter((key) => key.startsWith(`${user}.`))
    const wrote = own.flatMap((key) => wroteBy('marks', key, user)) as { upTo?: number }[]
    must(
      wrote.some((mark) => mark?.upTo === upTo),
      `${user} never read up to ${upTo}`,
    )
  }
}

const checkCheckins = ({ doc }: Known): void => {
  const { checkins } = readCheckins(doc)
  mustHold(
    checkins.map(({ id }) => id),
    [...doc.getMap('checkins').keys()],
    'check-ins',
  )
  for (const { productive, satisfied, body, care, total } of checkins) {
    const scores = [productive, satisfied, body, care]
    must(
      scores.every((score) => Number.isInteger(score) && score >= 1 && score <= 10),
      'a score out of range',
    )
    must(total === productive + satisfied + body - care, 'a wrong total')
  }
}

const CHECKS: Readonly<Record<string, (known: Known) => void>> = {
  tasks: checkTasks,
  board: checkBoard,
  chat: checkChat,
  marks: checkMarks,
  checkins: checkCheckins,
}

export const createWitness = (kind: Kind, users: readonly User[]): Witness => {
  const book: Book = new Map()
  const kept = new Map<string, { readonly root: string; readonly key: string; readonly user: string }>()
  const wroteBy = (root: string, key: string, user: string): readonly unknown[] =>
    book.get(`${root}/${key}`)?.get(user) ?? []
  return {
    saw: ({ user, changes }) => {
      for (const { root, key, value } of changes) {
        const place = `${root}/${key}`
        const users = book.get(place) ?? new Map<string, unknown[]>()
        users.set(user.id, [...(users.get(user.id) ?? []), value])
        book.set(place, users)
      }
    },
    accepted: ({ user, changes }) => {
      for (const { root, key, value } of changes)
        if (value !== undefined) kept.set(`${root}/${key}`, { root, key, user: user.id })
    },
    checkKept: (doc) => {
      for (const { root, key, user } of kept.values()) {
        // What hides a message is any moderator's.
        if (doc.getMap(root).has(key) || key.endsWith('.hidden')) continue
        must(wroteBy(root, key, user).includes(undefined), `${root}/${key} is gone, and ${user} never took it out`)
      }
    },
    check: (doc) => {
      kind.read?.(doc)
      CHECKS[kind.name]?.({ kind, doc, users, wroteBy })
      for (const collection of kind.collections)
        forEachRecord(doc, collection, (values, id) =>
          must(
            collection.isId(id) && collection.required.every((field) => Object.hasOwn(values, field)),
            `${collection.name}/${id} is no whole record`,
          ),
        )
    },
  }
}
