// The kind `chat`: one segment of a channel's messages, and the reactions to them. Reader and rules. Everybody writes
// what is their own; moderators hide what is not.
import type * as Y from 'yjs'
import { can } from '../access.ts'
import { isArrayOf, isBoolean, isIdValue, isLine, isNullOr, isText, isTime } from '../fields.ts'
import { ATTACHMENTS_PER_MESSAGE_MAX, MESSAGE_BYTES_MAX, MESSAGE_TYPE_LENGTH_MAX } from '../limits.ts'
import {
  checkRecordForm,
  collectionOf,
  defineCollection,
  forEachRecord,
  splitEditKey,
  type Values,
} from '../records.ts'
import { type Change, type Facts, refuse, type Refusal } from '../rules.ts'
import { authorOf, isMessageId, parseReactionKey } from './keys.ts'

export const MESSAGES = defineCollection({
  name: 'messages',
  isId: isMessageId,
  fields: {
    by: { check: isIdValue, required: true, fixed: true },
    body: { check: isText(MESSAGE_BYTES_MAX), required: true },
    sentAt: { check: isTime, required: true, fixed: true },
    type: { check: isLine(MESSAGE_TYPE_LENGTH_MAX), fixed: true },
    replyTo: { check: isNullOr((value) => typeof value === 'string' && isMessageId(value)), fixed: true },
    forwarded: { check: isBoolean, fixed: true },
    /** Ids of media. */
    attachments: { check: isArrayOf(isIdValue, ATTACHMENTS_PER_MESSAGE_MAX), fixed: true },
    editedAt: { check: isNullOr(isTime), editOnly: true },
    hidden: { check: isBoolean, editOnly: true },
  },
})

export const CHAT_COLLECTIONS = [MESSAGES] as const

/** Root of the reactions: `messageId.emoji.userId` → true. */
export const REACTIONS = 'reactions'

const checkReaction = (change: Change, facts: Facts): Refusal | null => {
  const reaction = parseReactionKey(change.key)
  if (!reaction) return refuse(change, 'key-not-allowed')
  if (reaction.userId !== facts.actor) return refuse(change, 'not-yours')
  return change.value === undefined || change.value === true ? null : refuse(change, 'value-not-allowed')
}

const checkNewMessage = (change: Change, facts: Facts): Refusal | null => {
  const { by, body, attachments } = change.value as Values
  if (by !== facts.actor) return refuse(change, 'not-yours')
  if (body === '' && ((attachments as readonly string[] | undefined) ?? []).length === 0)
    return refuse(change, 'value-not-allowed')
  return facts.isSealed ? refuse(change, 'segment-sealed') : null
}

/**
 * Authors create, edit and delete their own messages; a sealed segment takes no new ones. Moderators and above set
 * `hidden`, nobody else. Reactions are set and taken back by whom they name.
 */
export const checkChatChange = (change: Change, facts: Facts): Refusal | null => {
  if (change.root === REACTIONS) return checkReaction(change, facts)
  const found = collectionOf(CHAT_COLLECTIONS, change.root)
  if (!found) return refuse(change, 'root-not-allowed')
  const malformed = checkRecordForm(MESSAGES, change)
  if (malformed) return malformed
  const edit = found.isEdits ? splitEditKey(change.key) : null
  if (edit?.field === 'hidden') return can(facts.role, 'moderate') ? null : refuse(change, 'not-yours')
  if (authorOf(change.key) !== facts.actor) return refuse(change, 'not-yours')
  return edit || change.value === undefined ? null : checkNewMessage(change, facts)
}

export interface Message {
  readonly id: string
  readonly by: string
  readonly body: string
  /** Milliseconds since the epoch. */
  readonly sentAt: number
  readonly editedAt: number | null
  readonly type: string
  readonly replyTo: string | null
  readonly forwarded: boolean
  readonly attachments: readonly string[]
  readonly hidden: boolean
  /** Emoji to ids of users, both in alphabetical order. */
  readonly reactions: Readonly<Record<string, readonly string[]>>
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b))

/** The users behind each emoji, by message. */
const readReactions = (doc: Y.Doc): Map<string, Map<string, string[]>> => {
  const reactions = new Map<string, Map<string, string[]>>()
  doc.getMap<unknown>(REACTIONS).forEach((value, key) => {
    const reaction = value === true ? parseReactionKey(key) : null
    if (!reaction) return
    let emojis = reactions.get(reaction.message)
    if (!emojis) reactions.set(reaction.message, (emojis = new Map()))
    const users = emojis.get(reaction.emoji)
    if (users) users.push(reaction.userId)
    else emojis.set(reaction.emoji, [reaction.userId])
  })
  return reactions
}

/** What a hidden message said is not shown. */
const toMessage = (id: string, values: Values, emojis: ReadonlyMap<string, string[]> | undefined): Message => {
  const hidden = values['hidden'] === true
  return {
    id,
    by: values['by'] as string,
    body: hidden ? '' : (values['body'] as string),
    sentAt: values['sentAt'] as number,
    editedAt: (values['editedAt'] as number | undefined) ?? null,
    type: (values['type'] as string | undefined) ?? 'text',
    replyTo: (values['replyTo'] as string | undefined) ?? null,
    forwarded: values['forwarded'] === true,
    attachments: hidden ? [] : ((values['attachments'] as readonly string[] | undefined) ?? []),
    hidden,
    reactions: Object.fromEntries(
      [...(emojis ?? [])].sort(([a], [b]) => compare(a, b)).map(([emoji, users]) => [emoji, users.sort(compare)]),
    ),
  }
}

/** The messages of the segment, oldest first; by id where they were sent in the same millisecond. */
export const readChat = (doc: Y.Doc): { readonly messages: readonly Message[] } => {
  const reactions = readReactions(doc)
  const messages: Message[] = []
  forEachRecord(doc, MESSAGES, (values, id) => messages.push(toMessage(id, values, reactions.get(id))))
  return { messages: messages.sort((a, b) => a.sentAt - b.sentAt || compare(a.id, b.id)) }
}
