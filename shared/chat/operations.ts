// What people do in a chat.
import type * as Y from 'yjs'
import * as z from 'zod/mini'
import { AppError } from '../errors.ts'
import { id, line, lines } from '../inputs.ts'
import {
  ATTACHMENTS_PER_MESSAGE_MAX,
  EDIT_MESSAGE_MS_MAX,
  MESSAGE_BYTES_MAX,
  MESSAGE_TYPE_LENGTH_MAX,
  REACTIONS_PER_USER_AND_MESSAGE_MAX,
} from '../limits.ts'
import { defineOperation } from '../define-operation.ts'
import type { Plan } from '../operation.ts'
import { createChange, editChanges, editKey, readRecord, type Values } from '../records.ts'
import type { Change } from '../rules.ts'
import { authorOf, isEmoji, isMessageId, messageId, parseReactionKey, reactionKey } from './keys.ts'
import { MESSAGES, REACTIONS } from './model.ts'

const message = z.string().check(z.refine(isMessageId, 'expected the id of a message, userId.uuid'))

const mustMessage = (doc: Y.Doc, messageKey: string): Values => {
  const found = readRecord(doc, MESSAGES, messageKey)
  if (!found) throw new AppError('record/not-found', 'no such message', { id: messageKey })
  return found
}

/** A message says something, or brings something. */
const mustSay = (body: string, attachments: readonly unknown[]): void => {
  if (body.trim() === '' && attachments.length === 0)
    throw new AppError('input/invalid', 'body: a message without attachments needs text')
}

const send = defineOperation({
  name: 'message.send',
  needs: 'write',
  summary: 'Sends a message. Sending the same id again changes nothing.',
  input: z.strictObject({
    id: z.optional(message),
    body: lines(MESSAGE_BYTES_MAX),
    type: z.optional(line(MESSAGE_TYPE_LENGTH_MAX)),
    replyTo: z.nullish(message),
    forwarded: z.optional(z.boolean()),
    attachments: z.optional(z.array(id).check(z.maxLength(ATTACHMENTS_PER_MESSAGE_MAX))),
  }),
  example: { body: 'Lunch at one?' },
  plan: (doc, { id: given, ...values }, ctx): Plan<{ id: string }> => {
    const key = given ?? messageId(ctx.actor, ctx.newId())
    const result = { id: key }
    mustSay(values.body, values.attachments ?? [])
    if (authorOf(key) === ctx.actor && readRecord(doc, MESSAGES, key)) return { changes: [], result }
    return { changes: [createChange(MESSAGES, key, { ...values, by: ctx.actor, sentAt: ctx.now })], result }
  },
})

const edit = defineOperation({
  name: 'message.edit',
  needs: 'write',
  summary: 'Changes the text of a message of your own, within a day of sending it.',
  input: z.strictObject({ id: message, body: lines(MESSAGE_BYTES_MAX) }),
  example: { id: 'user-0000000001.message-00000001', body: 'Lunch at two?' },
  plan: (doc, { id: key, body }, ctx) => {
    const found = mustMessage(doc, key)
    mustSay(body, (found['attachments'] as readonly string[] | undefined) ?? [])
    if (authorOf(key) === ctx.actor && ctx.now - (found['sentAt'] as number) > EDIT_MESSAGE_MS_MAX)
      throw new AppError('message/too-old', 'a message can be edited for a day', { id: key })
    const isSame = found['body'] === body
    return {
      changes: isSame ? [] : editChanges(MESSAGES, key, found, { body, editedAt: ctx.now }),
      result: { id: key },
    }
  },
})

/** Takes out the message and what its author changed in it. */
const removal = (doc: Y.Doc, key: string): Change[] => {
  const edits = doc.getMap(MESSAGES.edits)
  const own = ['body', 'editedAt'].map((field) => editKey(key, field)).filter((editOf) => edits.has(editOf))
  return [
    { root: MESSAGES.name, key, value: undefined },
    ...own.map((editOf) => ({ root: MESSAGES.edits, key: editOf, value: undefined })),
  ]
}

const remove = defineOperation({
  name: 'message.delete',
  needs: 'write',
  summary: 'Deletes a message of your own for good; a moderator hides one of somebody else.',
  input: z.strictObject({ id: message }),
  example: { id: 'user-0000000001.message-00000001' },
  plan: (doc, { id: key }, ctx) => {
    const found = mustMessage(doc, key)
    const changes =
      authorOf(key) === ctx.actor ? removal(doc, key) : editChanges(MESSAGES, key, found, { hidden: true })
    return { changes, result: { id: key } }
  },
})

/** Different emoji of `userId` on a message. */
const countReactions = (doc: Y.Doc, key: string, userId: string): number => {
  let count = 0
  for (const reaction of doc.getMap(REACTIONS).keys())
    if (reaction.startsWith(`${key}.`) && parseReactionKey(reaction)?.userId === userId) count++
  return count
}

const react = defineOperation({
  name: 'message.react',
  needs: 'write',
  summary: 'Sets or takes back a reaction of yours. Setting what is set already changes nothing.',
  input: z.strictObject({
    id: message,
    emoji: z.string().check(z.refine(isEmoji, 'expected one emoji or a short code such as +1')),
    on: z.boolean(),
  }),
  example: { id: 'user-0000000001.message-00000001', emoji: '👍', on: true },
  plan: (doc, { id: key, emoji, on }, ctx) => {
    mustMessage(doc, key)
    const result = { id: key }
    const reaction = reactionKey({ message: key, emoji, userId: ctx.actor })
    if (doc.getMap(REACTIONS).has(reaction) === on) return { changes: [], result }
    if (on && countReactions(doc, key, ctx.actor) >= REACTIONS_PER_USER_AND_MESSAGE_MAX)
      throw new AppError('message/too-many-reactions', 'too many different reactions', { id: key })
    return { changes: [{ root: REACTIONS, key: reaction, value: on ? true : undefined }], result }
  },
})

export const CHAT_OPERATIONS = [send, edit, remove, react] as const
