// The REST routes of the source systems: a table from (method, path) to an operation or a reader. No logic of its own.
import { splitCheckinId } from '../../shared/checkins/model.ts'
import type { Json } from '../../shared/json.ts'
import {
  CHECKIN_PAGE,
  COMPARISON,
  CURRENT_CHECKINS,
  GROUP_STATISTICS,
  GROUP_WALL,
  INSIGHTS,
  PERSONAL_TRENDS,
} from './checkin-views.ts'
import { DOCUMENT_TEXT } from './document-view.ts'
import { CHAT_PAGE, CHAT_SEARCH } from './pages.ts'
import type { View } from './view.ts'

interface Row {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below the API's base. Parts in braces are parameters; each is a field of the operation's input or `document`. */
  readonly path: string
  readonly kind: string
  /**
   * The parameter that names the document. It is a part of the path or else of the query: the ids of records are made by
   * clients, so they say nothing of the document a record is in. `me`: the caller's own document.
   */
  readonly document: 'channel' | 'group' | 'me'
  /** Values for the path in examples, where the operation's own example has none. */
  readonly at?: Readonly<Record<string, string>>
}

/** Runs an operation; its input is the body, with the parameters and `fixed` over it. */
export interface OperationFacade extends Row {
  readonly operation: string
  readonly fixed?: Readonly<Record<string, Json>>
  /** Answers 201 when something was made, 200 for the repeat of it. */
  readonly creates?: true
  /** The fields that the id of the path is made of; null for what is no id. */
  readonly split?: (id: string) => Readonly<Record<string, Json>> | null
}

/** Answers what the document's reader says. */
export interface ReaderFacade extends Row {
  readonly summary: string
  /** Answers the record with the id of the path, out of the reader's lists of these names, one inside the other. */
  readonly lists?: readonly string[]
}

/** Answers a view. */
export interface ViewFacade extends Row {
  readonly view: View
}

export type Facade = OperationFacade | ReaderFacade | ViewFacade

const TASKS = { kind: 'tasks', document: 'channel' } as const
const BOARD = { kind: 'board', document: 'channel' } as const
const CHAT = { kind: 'chat', document: 'channel' } as const
const MARKS = { kind: 'marks', document: 'channel' } as const
const CHECKINS = { kind: 'checkins', document: 'me' } as const
/** The id of a check-in says its group and its period. */
const ONE_CHECKIN = { ...CHECKINS, split: splitCheckinId, at: { id: 'group-0000000001.2026-W07' } } as const
const WALL = { kind: 'wall', document: 'group' } as const
const DOCUMENT = { kind: 'document', document: 'channel' } as const

const ONE_TASK = { summary: 'One task.', lists: ['tasks'], at: { id: 'task-0000000001' } }
const ONE_CARD = { summary: 'One card.', lists: ['columns', 'cards'], at: { id: 'card-0000000001' } }
const ONE_MESSAGE = {
  summary: 'One message.',
  lists: ['messages'],
  at: { id: 'user-0000000001.message-00000001' },
}

export const FACADES: readonly Facade[] = [
  { ...TASKS, method: 'GET', path: '/tasks/channels/{channel}', summary: 'The tasks of a channel, in order.' },
  { ...TASKS, method: 'POST', path: '/tasks/channels/{channel}', operation: 'task.add', creates: true },
  { ...TASKS, method: 'PUT', path: '/tasks/channels/{channel}/reorder', operation: 'task.move' },
  { ...TASKS, method: 'GET', path: '/tasks/{id}', ...ONE_TASK },
  { ...TASKS, method: 'PUT', path: '/tasks/{id}', operation: 'task.update' },
  { ...TASKS, method: 'DELETE', path: '/tasks/{id}', operation: 'task.delete' },
  { ...TASKS, method: 'POST', path: '/tasks/{id}/complete', operation: 'task.complete' },

  {
    ...BOARD,
    method: 'GET',
    path: '/kanban/channels/{channel}/board',
    summary: 'The board: columns with their cards.',
  },
  { ...BOARD, method: 'POST', path: '/kanban/channels/{channel}/columns', operation: 'column.add', creates: true },
  { ...BOARD, method: 'PUT', path: '/kanban/channels/{channel}/columns/reorder', operation: 'column.move' },
  { ...BOARD, method: 'PUT', path: '/kanban/columns/{id}', operation: 'column.update' },
  { ...BOARD, method: 'DELETE', path: '/kanban/columns/{id}', operation: 'column.delete' },
  { ...BOARD, method: 'POST', path: '/kanban/columns/{column}/cards', operation: 'card.add', creates: true },
  { ...BOARD, method: 'PUT', path: '/kanban/columns/{column}/cards/reorder', operation: 'card.move' },
  { ...BOARD, method: 'GET', path: '/kanban/cards/{id}', ...ONE_CARD },
  { ...BOARD, method: 'PUT', path: '/kanban/cards/{id}', operation: 'card.update' },
  { ...BOARD, method: 'DELETE', path: '/kanban/cards/{id}', operation: 'card.delete' },

  { ...CHAT, method: 'GET', path: '/messages/channels/{channel}', view: CHAT_PAGE },
  { ...CHAT, method: 'POST', path: '/messages/channels/{channel}', operation: 'message.send', creates: true },
  { ...CHAT, method: 'GET', path: '/messages/search/{channel}', view: CHAT_SEARCH },
  { ...CHAT, method: 'GET', path: '/messages/{id}', ...ONE_MESSAGE },
  { ...CHAT, method: 'PUT', path: '/messages/{id}', operation: 'message.edit' },
  { ...CHAT, method: 'DELETE', path: '/messages/{id}', operation: 'message.delete' },
  { ...CHAT, method: 'POST', path: '/messages/{id}/reactions', operation: 'message.react', fixed: { on: true } },
  {
    ...CHAT,
    method: 'DELETE',
    path: '/messages/{id}/reactions/{emoji}',
    operation: 'message.react',
    fixed: { on: false },
  },
  { ...CHAT, method: 'GET', path: '/chats/{channel}/messages', view: CHAT_PAGE },
  { ...CHAT, method: 'POST', path: '/chats/{channel}/messages', operation: 'message.send', creates: true },
  { ...MARKS, method: 'GET', path: '/chats/{channel}/read', summary: 'How far everybody has read.' },
  { ...MARKS, method: 'PUT', path: '/chats/{channel}/read', operation: 'mark.read' },

  { ...DOCUMENT, method: 'GET', path: '/documents/channels/{channel}', view: DOCUMENT_TEXT },
  { ...DOCUMENT, method: 'PUT', path: '/documents/channels/{channel}', operation: 'document.replace' },

  { ...CHECKINS, method: 'POST', path: '/checkins', operation: 'checkin.submit', creates: true },
  { ...CHECKINS, method: 'GET', path: '/checkins', view: CHECKIN_PAGE },
  { ...CHECKINS, method: 'GET', path: '/checkins/history', view: CHECKIN_PAGE },
  { ...CHECKINS, method: 'GET', path: '/checkins/current', view: CURRENT_CHECKINS },
  { ...ONE_CHECKIN, method: 'PUT', path: '/checkins/{id}', operation: 'checkin.update' },
  { ...ONE_CHECKIN, method: 'DELETE', path: '/checkins/{id}', operation: 'checkin.retract' },
  { ...WALL, method: 'GET', path: '/checkins/group/{group}', view: GROUP_WALL },
  { ...CHECKINS, method: 'GET', path: '/analytics/personal', view: PERSONAL_TRENDS },
  { ...WALL, method: 'GET', path: '/analytics/group/{group}', view: GROUP_STATISTICS },
  { ...CHECKINS, method: 'GET', path: '/analytics/comparison', view: COMPARISON },
  { ...CHECKINS, method: 'GET', path: '/analytics/insights', view: INSIGHTS },
]
