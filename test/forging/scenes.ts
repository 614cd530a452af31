// What a crafted client tries against each kind's own rules: other people's records, forged names, values out of range.
import type * as Y from 'yjs'
import { BOARD_KIND } from '../../shared/board/kind.ts'
import { CHAT_KIND } from '../../shared/chat/kind.ts'
import { CHECKINS_KIND } from '../../shared/checkins/kind.ts'
import { MESSAGE_BYTES_MAX, SETTING_BYTES_MAX, TITLE_LENGTH_MAX } from '../../shared/limits.ts'
import { MARKS_KIND } from '../../shared/marks/kind.ts'
import { ME_KIND } from '../../shared/me/kind.ts'
import { DRAFTS, isSettingKey, PROFILE, SETTINGS } from '../../shared/me/model.ts'
import { TASKS_KIND } from '../../shared/tasks/kind.ts'
import { type Cast, type Forgery, remove, type Scene, set } from './scene.ts'

/** What is in the document under a key, with some of it changed. */
const again =
  (root: string, key: string, changed: object = {}, target = key): Forgery['write'] =>
  (doc: Y.Doc) =>
    void doc.getMap<object>(root).set(target, { ...doc.getMap<object>(root).get(key), ...changed })

const TASK = 'task-0000000001'
const NOBODY = 'user-is-nobody'

/** Fields that tasks and cards share. */
const workForgeries = (root: string, id: string, { victim }: Cast): Forgery[] => [
  { title: 'a record in the victim’s name', code: 'not-yours', write: again(root, id, {}, 'forged-0000001') },
  { title: 'the victim’s record created again', code: 'not-yours', write: again(root, id, { title: 'forged' }) },
  { title: 'another creator', code: 'value-not-allowed', write: set(`${root}:edits`, `${id}.createdBy`, NOBODY) },
  { title: 'another time of creation', code: 'value-not-allowed', write: set(`${root}:edits`, `${id}.createdAt`, 1) },
  { title: 'a stranger as assignee', code: 'not-a-member', write: set(`${root}:edits`, `${id}.assignee`, NOBODY) },
  { title: 'no title', code: 'value-not-allowed', write: set(`${root}:edits`, `${id}.title`, '') },
  {
    title: 'a title that is too long',
    code: 'value-not-allowed',
    write: set(`${root}:edits`, `${id}.title`, 'x'.repeat(TITLE_LENGTH_MAX + 1)),
  },
  { title: 'a title of two lines', code: 'value-not-allowed', write: set(`${root}:edits`, `${id}.title`, 'a\nb') },
  {
    title: 'a day that there is not',
    code: 'value-not-allowed',
    write: set(`${root}:edits`, `${id}.dueDate`, '2026-02-30'),
  },
  {
    title: 'too many labels',
    code: 'value-not-allowed',
    write: set(
      `${root}:edits`,
      `${id}.labels`,
      Array.from({ length: 21 }, () => 'x'),
    ),
  },
  { title: 'a field that there is not', code: 'key-not-allowed', write: set(`${root}:edits`, `${id}.forged`, 1) },
  { title: 'a field of every object', code: 'key-not-allowed', write: set(`${root}:edits`, `${id}.toString`, 1) },
  { title: 'a record with one field too many', write: again(root, id, { createdBy: victim, forged: 1 }) },
  { title: 'deleted, but when?', code: 'value-not-allowed', write: set(`${root}:edits`, `${id}.deletedAt`, true) },
]

const TASKS_SCENE: Scene = {
  kind: TASKS_KIND,
  honest: ({ victim }) => [
    ['victim', 'task.add', { id: TASK, title: 'Buy milk', labels: ['shop'], assignee: victim }],
    ['attacker', 'task.add', { id: 'task-0000000002', title: 'Sell milk' }],
    ['victim', 'task.update', { id: TASK, title: 'Buy oat milk', details: 'Two litres' }],
    ['victim', 'task.complete', { id: TASK, done: true }],
  ],
  after: () => ['task.update', { id: TASK, title: 'Buy rice' }],
  forgeries: (cast) => [
    ...workForgeries('tasks', TASK, cast),
    { title: 'done by the victim', code: 'not-yours', write: set('tasks:edits', `${TASK}.doneBy`, cast.victim) },
    { title: 'no position', code: 'value-not-allowed', write: set('tasks:edits', `${TASK}.position`, '') },
    {
      title: 'a position that is no key',
      code: 'value-not-allowed',
      write: set('tasks:edits', `${TASK}.position`, 'A!'),
    },
  ],
}

const COLUMN = 'column-000000001'
const CARD = 'card-00000000001'

const BOARD_SCENE: Scene = {
  kind: BOARD_KIND,
  honest: () => [
    ['victim', 'column.add', { id: COLUMN, name: 'Open' }],
    ['victim', 'card.add', { id: CARD, column: COLUMN, title: 'Paint the shed' }],
    ['attacker', 'column.add', { id: 'column-000000002', name: 'Done' }],
    ['victim', 'card.update', { id: CARD, details: 'Green' }],
    ['victim', 'card.move', { id: CARD, column: 'column-000000002' }],
  ],
  after: () => ['card.update', { id: CARD, title: 'Paint the house' }],
  forgeries: (cast) => [
    ...workForgeries('cards', CARD, cast),
    {
      title: 'a column in the victim’s name',
      code: 'not-yours',
      write: again('columns', COLUMN, {}, 'column-forged-1'),
    },
    ...[
      { column: COLUMN },
      { position: 'a0' },
      { column: 'x', position: 'a0' },
      { column: COLUMN, position: 'a0', y: 1 },
    ].map((place, index) => ({
      title: `a place that is none, ${index + 1}`,
      code: 'value-not-allowed',
      write: set('cards:edits', `${CARD}.place`, place),
    })),
  ],
}

const CHAT_SCENE: Scene = {
  kind: CHAT_KIND,
  honest: ({ victim, attacker }) => [
    ['victim', 'message.send', { id: `${victim}.message-000001`, body: 'Lunch at one?' }],
    ['attacker', 'message.send', { id: `${attacker}.message-000002`, body: 'Yes.' }],
    ['victim', 'message.edit', { id: `${victim}.message-000001`, body: 'Lunch at two?' }],
    ['victim', 'message.react', { id: `${attacker}.message-000002`, emoji: '👍', on: true }],
    ['attacker', 'message.react', { id: `${victim}.message-000001`, emoji: '👍', on: true }],
  ],
  after: ({ victim }) => ['message.edit', { id: `${victim}.message-000001`, body: 'Lunch at three?' }],
  deletable: ({ victim, attacker }) => [
    `messages/${attacker}.message-000002`,
    `reactions/${victim}.message-000001.👍.${attacker}`,
  ],
  forgeries: ({ victim, attacker }) => {
    const [theirs, mine] = [`${victim}.message-000001`, `${attacker}.message-000002`]
    const fresh = (changed: object = {}) => again('messages', mine, changed, `${attacker}.message-forged`)
    return [
      {
        title: 'a message under the victim’s name',
        code: 'not-yours',
        write: again('messages', theirs, {}, `${victim}.message-forged`),
      },
      {
        title: 'a message under the victim’s key',
        code: 'not-yours',
        write: again('messages', mine, {}, `${victim}.message-forged`),
      },
      { title: 'a message by the victim under one’s own key', code: 'not-yours', write: fresh({ by: victim }) },
      { title: 'the victim’s message again', code: 'not-yours', write: again('messages', theirs, { body: 'forged' }) },
      {
        title: 'an edit of the victim’s message',
        code: 'not-yours',
        write: set('messages:edits', `${theirs}.body`, 'forged'),
      },
      { title: 'when the victim edited it', code: 'not-yours', write: set('messages:edits', `${theirs}.editedAt`, 1) },
      { title: 'another author', code: 'value-not-allowed', write: set('messages:edits', `${mine}.by`, victim) },
      {
        title: 'another time of sending',
        code: 'value-not-allowed',
        write: set('messages:edits', `${mine}.sentAt`, 1),
      },
      {
        title: 'the victim’s message hidden',
        code: 'not-yours',
        write: set('messages:edits', `${theirs}.hidden`, true),
      },
      {
        title: 'a reaction in the victim’s name',
        code: 'not-yours',
        write: set('reactions', `${mine}.🎉.${victim}`, true),
      },
      {
        title: 'a reaction that is none',
        code: 'value-not-allowed',
        write: set('reactions', `${mine}.🎉.${attacker}`, 5),
      },
      {
        title: 'a reaction with a word',
        code: 'key-not-allowed',
        write: set('reactions', `${mine}.Not An Emoji.${attacker}`, true),
      },
      { title: 'a message without a word', write: fresh({ body: '' }) },
      {
        title: 'too long a message',
        code: 'value-not-allowed',
        write: fresh({ body: 'x'.repeat(MESSAGE_BYTES_MAX + 1) }),
      },
      { title: 'a control character', code: 'value-not-allowed', write: fresh({ body: 'a\u0000b' }) },
      { title: 'a message that was hidden from the start', write: fresh({ hidden: true }) },
      { title: 'a message to a sealed segment', code: 'segment-sealed', facts: { isSealed: true }, write: fresh() },
      {
        title: 'somebody else’s message among one’s own',
        code: 'not-yours',
        write: (doc) => {
          fresh()(doc, 0)
          set('messages:edits', `${mine}.body`, 'fine')(doc, 0)
          set('messages:edits', `${theirs}.body`, 'forged')(doc, 0)
        },
      },
    ]
  },
}

const MARKS_SCENE: Scene = {
  kind: MARKS_KIND,
  honest: () => [
    ['victim', 'mark.read', { upTo: 1_770_800_000_000 }],
    ['attacker', 'mark.read', { upTo: 1_770_800_000_000 }],
  ],
  after: () => ['mark.read', { upTo: 1_770_800_000_001 }],
  forgeries: ({ victim, attacker }) => {
    const mark = { upTo: 1_770_900_000_000, at: 1_770_900_000_000 }
    return [
      { title: 'a mark of the victim', code: 'not-yours', write: set('marks', `${victim}.device-00001`, mark) },
      { title: 'a mark of nobody', code: 'not-yours', write: set('marks', `${NOBODY}.device-00001`, mark) },
      {
        title: 'a mark without a time',
        code: 'value-not-allowed',
        write: set('marks', `${attacker}.device-00001`, { upTo: 1 }),
      },
      {
        title: 'a mark in words',
        code: 'value-not-allowed',
        write: set('marks', `${attacker}.device-00001`, { ...mark, upTo: 'now' }),
      },
      {
        title: 'a mark with more in it',
        code: 'value-not-allowed',
        write: set('marks', `${attacker}.device-00001`, { ...mark, x: 1 }),
      },
      {
        title: 'a mark after the end of time',
        write: set('marks', `${attacker}.device-00001`, { ...mark, upTo: 1e15 }),
      },
    ]
  },
}

const SCORES = { productive: 8, satisfied: 7, body: 6, care: 9 }

/** The check-in that is in the document; there is one. */
const checkin = (doc: Y.Doc): string => [...doc.getMap('checkins').keys()][0] as string

const CHECKINS_SCENE: Scene = {
  kind: CHECKINS_KIND,
  honest: ({ group }) => [
    ['victim', 'checkin.submit', { groupId: group, ...SCORES, note: 'A quiet week' }],
    ['attacker', 'checkin.update', { groupId: group, care: 5 }],
  ],
  after: ({ group }) => ['checkin.update', { groupId: group, care: 4 }],
  forgeries: ({ group }) => {
    const to = (id: string) => (doc: Y.Doc) => again('checkins', checkin(doc), {}, id)(doc, 0)
    const edit = (field: string, value: unknown) => (doc: Y.Doc) =>
      set('checkins:edits', `${checkin(doc)}.${field}`, value)(doc, 0)
    return [
      ...[0, 11, 5.5, '5', null, [5]].map((value) => ({
        title: `a score of ${JSON.stringify(value)}`,
        code: 'value-not-allowed',
        write: edit('productive', value),
      })),
      { title: 'a check-in without a score', write: (doc) => again('checkins', checkin(doc), { care: null })(doc, 0) },
      { title: 'energy 6', code: 'value-not-allowed', write: edit('energy', 6) },
      { title: 'a total of one’s own', code: 'key-not-allowed', write: edit('total', 29) },
      { title: 'a group that one is not in', code: 'not-a-member', write: to(`group-0of-others.2026-W30`) },
      { title: 'a period that is none', code: 'key-not-allowed', write: to(`${group}.2026-W99`) },
      { title: 'a period of another frequency', code: 'key-not-allowed', write: to(`${group}.2026-02-11`) },
      { title: 'a period to come', code: 'period-closed', write: to(`${group}.2099-W07`) },
      { title: 'a period from before one joined', code: 'not-a-member', write: to(`${group}.2019-W07`) },
      {
        title: 'a check-in taken out',
        code: 'delete-not-allowed',
        write: (doc) => remove('checkins', checkin(doc))(doc, 0),
      },
    ]
  },
}

const ME_SCENE: Scene = {
  kind: ME_KIND,
  honest: () => [
    ['victim', 'setting.set', { key: 'app.theme', value: { dark: true } }],
    ['attacker', 'draft.set', { key: 'chat-0000000001', value: 'Half a sentence' }],
  ],
  isSettled: (doc) => doc.getMap(PROFILE).has('user'),
  after: () => ['setting.set', { key: 'app.theme', value: 'light' }],
  forgeries: () => [
    { title: 'a profile of one’s own', code: 'read-only', write: set(PROFILE, 'user', { username: 'forged' }) },
    {
      title: 'a group of one’s own',
      code: 'read-only',
      write: set(PROFILE, 'group.group-0000000001', { role: 'owner' }),
    },
    { title: 'a key with a space', code: 'key-not-allowed', write: set(SETTINGS, 'a key', 1) },
    { title: 'a key that is too long', code: 'key-not-allowed', write: set(DRAFTS, 'k'.repeat(129), 1) },
    {
      title: 'a value that is too large',
      code: 'value-not-allowed',
      write: set(SETTINGS, 'app.large', 'x'.repeat(SETTING_BYTES_MAX)),
    },
  ],
  free: { roots: [SETTINGS, DRAFTS], isKey: isSettingKey },
  deletable: () => [`${SETTINGS}/app.theme`, `${DRAFTS}/chat-0000000001`],
}

export const SCENES: readonly Scene[] = [TASKS_SCENE, BOARD_SCENE, CHAT_SCENE, MARKS_SCENE, CHECKINS_SCENE, ME_SCENE]
