// The rules of the kind `chat`, row by row: who writes which key.
import { describe, expect, test } from 'vitest'
import { CHAT_KIND } from '../../shared/chat/kind.ts'
import { isEmoji } from '../../shared/chat/keys.ts'
import { ANNA, BEN, CARA, openDevice } from './device.ts'

const OWN = `${ANNA}.message-0001`
const FOREIGN = `${BEN}.message-0001`
const sent = { by: ANNA, body: 'x', sentAt: 1 }
const member = openDevice(CHAT_KIND)
const moderator = openDevice(CHAT_KIND, { actor: CARA, role: 'moderator' })
const late = openDevice(CHAT_KIND, { isSealed: true })

describe('[CT2] authors write their own messages, moderators only hide', () => {
  test.each([
    ['a new message', member, 'messages', OWN, sent, null],
    [
      'one with all it may have',
      member,
      'messages',
      OWN,
      { ...sent, type: 'poll', replyTo: FOREIGN, forwarded: true, attachments: [] },
      null,
    ],
    ['one under another’s key', member, 'messages', FOREIGN, sent, 'not-yours'],
    ['one in another’s name', member, 'messages', OWN, { ...sent, by: BEN }, 'not-yours'],
    ['one without text', member, 'messages', OWN, { ...sent, body: '' }, 'value-not-allowed'],
    [
      'one with a file and no text',
      member,
      'messages',
      OWN,
      { ...sent, body: '', attachments: ['media-0000000001'] },
      null,
    ],
    ['one that was edited before it was sent', member, 'messages', OWN, { ...sent, editedAt: 1 }, 'value-not-allowed'],
    [
      'one that is hidden from the start',
      moderator,
      'messages',
      `${CARA}.message-0001`,
      { ...sent, by: CARA, hidden: false },
      'value-not-allowed',
    ],
    ['a key that is no message’s', member, 'messages', ANNA, sent, 'key-not-allowed'],
    ['a key of three parts', member, 'messages', `${OWN}.message-0001`, sent, 'key-not-allowed'],
    ['a new message in a sealed segment', late, 'messages', OWN, sent, 'segment-sealed'],
    ['a deletion in a sealed segment', late, 'messages', OWN, undefined, null],
    ['an edit in a sealed segment', late, 'messages:edits', `${OWN}.body`, 'y', null],
    ['a deletion', member, 'messages', OWN, undefined, null],
    ['a deletion of another’s', member, 'messages', FOREIGN, undefined, 'not-yours'],
    ['a moderator’s deletion of another’s', moderator, 'messages', FOREIGN, undefined, 'not-yours'],
    ['an edit', member, 'messages:edits', `${OWN}.body`, 'y', null],
    ['an edit taken back', member, 'messages:edits', `${OWN}.body`, undefined, null],
    ['an edit of another’s', member, 'messages:edits', `${FOREIGN}.body`, 'y', 'not-yours'],
    ['a moderator’s edit of another’s', moderator, 'messages:edits', `${FOREIGN}.editedAt`, 5, 'not-yours'],
    ['an edit of the author', member, 'messages:edits', `${OWN}.by`, ANNA, 'value-not-allowed'],
    ['an edit of the time', member, 'messages:edits', `${OWN}.sentAt`, 2, 'value-not-allowed'],
    ['hiding', moderator, 'messages:edits', `${FOREIGN}.hidden`, true, null],
    ['showing again', moderator, 'messages:edits', `${FOREIGN}.hidden`, false, null],
    ['taking hidden away', moderator, 'messages:edits', `${FOREIGN}.hidden`, undefined, null],
    ['hiding by a member', member, 'messages:edits', `${FOREIGN}.hidden`, true, 'not-yours'],
    ['showing one’s own again', member, 'messages:edits', `${OWN}.hidden`, false, 'not-yours'],
    ['taking hidden away from one’s own', member, 'messages:edits', `${OWN}.hidden`, undefined, 'not-yours'],
    ['hidden that is no boolean', moderator, 'messages:edits', `${FOREIGN}.hidden`, 1, 'value-not-allowed'],
    ['another root', member, 'marks', OWN, sent, 'root-not-allowed'],
  ] as const)('%s', (_, { rule }, root, key, value, code) => {
    expect(rule(root, key, value)).toBe(code)
  })
})

describe('[CT8] a reaction’s key names message, emoji and the writer', () => {
  test.each([
    ['one’s own', `${FOREIGN}.👍.${ANNA}`, true, null],
    ['one’s own, taken back', `${FOREIGN}.👍.${ANNA}`, undefined, null],
    ['another’s', `${FOREIGN}.👍.${BEN}`, true, 'not-yours'],
    ['another’s, taken back', `${FOREIGN}.👍.${BEN}`, undefined, 'not-yours'],
    ['another value', `${FOREIGN}.👍.${ANNA}`, false, 'value-not-allowed'],
    ['a value as text', `${FOREIGN}.👍.${ANNA}`, 'true', 'value-not-allowed'],
    ['no emoji', `${FOREIGN}.Ω.${ANNA}`, true, 'key-not-allowed'],
    ['no message', `message-0001.👍.${ANNA}`, true, 'key-not-allowed'],
    ['too many parts', `${FOREIGN}.👍.${ANNA}.x`, true, 'key-not-allowed'],
  ] as const)('%s', (_, key, value, code) => {
    expect(member.rule('reactions', key, value)).toBe(code)
  })
})

test('[CT8] an emoji is one emoji or a short code', () => {
  const good = ['👍', '👍🏽', '❤️', '👩‍👩‍👧', '🇪🇺', '1️⃣', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '+1', '-1', 'thumbs_up', 'x'.repeat(32)]
  const bad = ['', '👍👍', '❤', '👍 ', 'Ω', 'UP', 'a b', 'a.b', ':x:', '🇪', 'x'.repeat(33), '\u200d', 'x\n']
  expect(good.filter((text) => !isEmoji(text))).toEqual([])
  expect(bad.filter((text) => isEmoji(text))).toEqual([])
})
