// The kind `chat`: reader, operations, and two devices that talk apart.
import { expect, test } from 'vitest'
import { CHAT_KIND } from '../../shared/chat/kind.ts'
import { type Message, readChat } from '../../shared/chat/model.ts'
import {
  ATTACHMENTS_PER_MESSAGE_MAX,
  EDIT_MESSAGE_MS_MAX,
  MESSAGE_BYTES_MAX,
  REACTIONS_PER_USER_AND_MESSAGE_MAX,
} from '../../shared/limits.ts'
import type { OperationContext } from '../../shared/operation.ts'
import { ANNA, BEN, CARA, type Device, meet, NOW, openDevice, transactionsOf } from './device.ts'

const open = (actor = ANNA, more: Partial<OperationContext> = {}): Device => openDevice(CHAT_KIND, { actor, ...more })
const messages = ({ doc }: Device): readonly Message[] => readChat(doc).messages
const bodies = (device: Device): string[] => messages(device).map(({ body }) => body)
const reactions = (device: Device) => messages(device)[0]?.reactions

/** Anna’s and Ben’s devices and a moderator’s, with one message of Anna’s. */
const openThree = () => {
  const [anna, ben, cara] = [open(), open(BEN), open(CARA, { role: 'moderator' })]
  const { id } = anna.run('message.send', { body: 'hello' })
  meet(anna, ben, cara)
  return { anna, ben, cara, id }
}

test('[CT1] messages are shown oldest first, with all they hold', () => {
  const [anna, ben] = [open(), open(BEN, { now: NOW - 1 })]
  const { id } = ben.run('message.send', { body: 'first' })
  meet(anna, ben)
  const extra = { type: 'poll', replyTo: id, forwarded: true, attachments: ['media-0000000001'] }
  const sent = anna.run('message.send', { body: 'second', ...extra })
  anna.run('message.react', { id, emoji: '👍', on: true })
  expect(messages(anna)).toEqual([
    {
      id,
      by: BEN,
      body: 'first',
      sentAt: NOW - 1,
      editedAt: null,
      type: 'text',
      replyTo: null,
      forwarded: false,
      attachments: [],
      hidden: false,
      reactions: { '👍': [ANNA] },
    },
    { id: sent.id, by: ANNA, body: 'second', sentAt: NOW, editedAt: null, ...extra, hidden: false, reactions: {} },
  ])
  expect(sent.id.startsWith(`${ANNA}.`)).toBe(true)
})

test('[CT1] messages of one millisecond stand by their ids, everywhere', () => {
  const [anna, ben] = [open(), open(BEN)]
  ben.run('message.send', { body: 'b' })
  anna.run('message.send', { body: 'a' })
  meet(anna, ben)
  expect([bodies(anna), bodies(ben)]).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ])
})

test('[CT2] only the author edits a message, and everybody sees when', () => {
  const { anna, ben, cara, id } = openThree()
  const later = open(ANNA, { now: NOW + 5 })
  meet(anna, later)
  later.run('message.edit', { id, body: 'hello all' })
  expect(messages(later)[0]).toMatchObject({ body: 'hello all', editedAt: NOW + 5, sentAt: NOW })
  expect([ben.refusal('message.edit', { id, body: 'x' }), cara.refusal('message.edit', { id, body: 'x' })]).toEqual([
    'not-yours',
    'not-yours',
  ])
  expect(transactionsOf(anna.doc, () => anna.run('message.edit', { id, body: 'hello' }))).toBe(0)
  expect(ben.refusal('message.send', { id: `${ANNA}.somebody-else`, body: 'as Anna' })).toBe('not-yours')
})

test('[CT3] a message its author deletes is gone with its edits, and no late edit brings it back', () => {
  const { anna, ben, id } = openThree()
  const tablet = open(ANNA, { deviceId: 'device-00002' })
  anna.run('message.edit', { id, body: 'hello all' })
  meet(anna, tablet)
  anna.run('message.delete', { id })
  expect([...anna.doc.getMap('messages').keys(), ...anna.doc.getMap('messages:edits').keys()]).toEqual([])
  tablet.run('message.edit', { id, body: 'late' })
  meet(anna, ben, tablet)
  for (const device of [anna, ben, tablet]) expect(messages(device)).toEqual([])
  expect(ben.refusal('message.react', { id, emoji: '👍', on: true })).toBe('record/not-found')
  expect(anna.refusal('message.delete', { id })).toBe('record/not-found')
})

test('[CT4] a moderator hides a message of somebody else, text and attachments; nobody else does', () => {
  const { anna, ben, cara } = openThree()
  const { id } = anna.run('message.send', { body: 'secret', attachments: ['media-0000000001'] })
  meet(anna, ben, cara)
  expect(ben.refusal('message.delete', { id })).toBe('not-yours')
  cara.run('message.delete', { id })
  expect(transactionsOf(cara.doc, () => cara.run('message.delete', { id }))).toBe(0)
  anna.run('message.edit', { id, body: 'louder' })
  meet(anna, ben, cara)
  for (const device of [anna, ben, cara])
    expect(messages(device).find((message) => message.id === id)).toMatchObject({
      body: '',
      attachments: [],
      hidden: true,
    })
})

test('[CT4] a moderator deletes a message of their own like everybody', () => {
  const cara = open(CARA, { role: 'moderator' })
  const { id } = cara.run('message.send', { body: 'x' })
  cara.run('message.delete', { id })
  expect([messages(cara), cara.doc.getMap('messages:edits').size]).toEqual([[], 0])
})

test('[CT5] sending a known id again is a success and changes nothing', () => {
  const { anna, id } = openThree()
  const writes = transactionsOf(anna.doc, () => expect(anna.run('message.send', { id, body: 'again' })).toEqual({ id }))
  expect([writes, bodies(anna)]).toEqual([0, ['hello']])
})

test('[CT6] a sealed segment takes no new message, but edits, reactions and deletions', () => {
  const { anna, id } = openThree()
  const sealed = openDevice(CHAT_KIND, { isSealed: true }, anna.doc)
  expect(sealed.refusal('message.send', { body: 'new' })).toBe('segment-sealed')
  expect(sealed.refusal('message.send', { id, body: 'again' })).toBeNull()
  sealed.run('message.edit', { id, body: 'hi' })
  sealed.run('message.react', { id, emoji: '+1', on: true })
  expect(messages(sealed)).toMatchObject([{ body: 'hi', reactions: { '+1': [ANNA] } }])
  sealed.run('message.delete', { id })
  expect(messages(sealed)).toEqual([])
})

test('[CT7] a message can be edited for a day after it was sent', () => {
  const { anna, id } = openThree()
  const at = (ms: number) => openDevice(CHAT_KIND, { now: NOW + ms }, anna.doc)
  expect(at(EDIT_MESSAGE_MS_MAX).refusal('message.edit', { id, body: 'in time' })).toBeNull()
  expect(at(EDIT_MESSAGE_MS_MAX + 1).refusal('message.edit', { id, body: 'late' })).toBe('message/too-old')
  expect(at(EDIT_MESSAGE_MS_MAX + 1).refusal('message.delete', { id })).toBeNull()
})

test('[CT8] a reaction is set or not, however often it was', () => {
  const { anna, ben, id } = openThree()
  for (const emoji of ['👍', '__proto__', '👍']) anna.run('message.react', { id, emoji, on: true })
  ben.run('message.react', { id, emoji: '👍', on: true })
  meet(anna, ben)
  expect(Object.entries(reactions(anna) ?? {})).toEqual([
    ['__proto__', [ANNA]],
    ['👍', [ANNA, BEN]],
  ])
  expect(JSON.stringify(messages(anna))).toBe(JSON.stringify(messages(ben)))
  expect(transactionsOf(anna.doc, () => anna.run('message.react', { id, emoji: '👍', on: true }))).toBe(0)
  anna.run('message.react', { id, emoji: '👍', on: false })
  expect(transactionsOf(anna.doc, () => anna.run('message.react', { id, emoji: '👍', on: false }))).toBe(0)
  expect(reactions(anna)?.['👍']).toEqual([BEN])
})

test('[CT8] a reaction that one device sets and another takes back at once is one of both, everywhere', () => {
  const { anna, ben, id } = openThree()
  const tablet = open(ANNA, { deviceId: 'device-00002' })
  anna.run('message.react', { id, emoji: '👍', on: true })
  meet(anna, tablet)
  anna.run('message.react', { id, emoji: '👍', on: false })
  tablet.run('message.react', { id, emoji: '👍', on: false })
  tablet.run('message.react', { id, emoji: '👍', on: true })
  meet(anna, ben, tablet)
  expect([{}, { '👍': [ANNA] }]).toContainEqual(reactions(anna))
  for (const device of [ben, tablet]) expect(reactions(device)).toEqual(reactions(anna))
})

test('[CT8] a user has at most twenty different reactions on a message', () => {
  const { anna, ben, id } = openThree()
  for (let index = 0; index < REACTIONS_PER_USER_AND_MESSAGE_MAX; index++)
    anna.run('message.react', { id, emoji: `e${index}`, on: true })
  const more = { id, emoji: 'more', on: true }
  expect(anna.refusal('message.react', more)).toBe('message/too-many-reactions')
  meet(anna, ben)
  expect(ben.refusal('message.react', more)).toBeNull()
  anna.run('message.react', { id, emoji: 'e0', on: false })
  expect(anna.refusal('message.react', more)).toBeNull()
})

test('[CT9] a message has text or an attachment, and neither too much', () => {
  const anna = open()
  const media = (count: number) =>
    Array.from({ length: count }, (_, index) => `media-${String(index).padStart(10, '0')}`)
  const refusals: [input: object, code: string | null][] = [
    [{ body: '' }, 'input/invalid'],
    [{ body: ' \n ' }, 'input/invalid'],
    [{ body: '', attachments: [] }, 'input/invalid'],
    [{ body: '', attachments: media(ATTACHMENTS_PER_MESSAGE_MAX) }, null],
    [{ body: 'x', attachments: media(ATTACHMENTS_PER_MESSAGE_MAX + 1) }, 'input/invalid'],
    [{ body: 'ä'.repeat(MESSAGE_BYTES_MAX / 2) }, null],
    [{ body: `${'ä'.repeat(MESSAGE_BYTES_MAX / 2)}x` }, 'input/invalid'],
    [{ body: 'x', replyTo: 'not-a-message' }, 'input/invalid'],
    [{ body: 'x', type: 'x'.repeat(21) }, 'input/invalid'],
    [{ id: 'not-a-message', body: 'x' }, 'input/invalid'],
  ]
  for (const [input, code] of refusals) expect([input, anna.refusal('message.send', input)]).toEqual([input, code])
  const [withMedia] = messages(anna)
  expect(anna.refusal('message.edit', { id: withMedia?.id, body: '' })).toBe(
    withMedia?.body === '' ? null : 'input/invalid',
  )
})
