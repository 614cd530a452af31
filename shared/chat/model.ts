// The kind `chat`: one segment of a channel's messages, and the reactions to them. Reader and rules. Everybody writes
// what is their own; moderators hide what is not.
import type * as Y from 'yjs'
import { can } from '../access.ts'
import { isArrayOf, isBoolean, isIdValue, isLine, isNullOr, isText, isTime } from '../fields.ts'
import { ATTACHMENTS_PER_MESSAGE_MAX, MESSAGE_BYTES_MAX, MESSAGE_TYPE_LENGTH_MAX } from '../limits.ts'
import {
  type ChangedKeys,
  type Keeper,
  keepItems,
  mendOrder,
  readItems,
  readKept,
  type Shown,
} from '../kept-records.ts'
import { checkRecordForm, collectionOf, defineCollection, splitEditKey, type Values } from '../records.ts'
import { type Change, type Facts, refuse, type Refusal } from '../rules.ts'
import { authorOf, isMessageId, parseReactionKey, type Reaction } from './keys.ts'

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

/** Reactions by message, each under its own key. */
type Reactions = Map<string, Map<string, Reaction>>

/** Brings some keys up to date; ids of the messages that they are about. */
const noteReactions = (doc: Y.Doc, reactions: Reactions, keys: Iterable<string>): string[] => {
  const map = doc.getMap<unknown>(REACTIONS)
  const messages: string[] = []
  for (const key of keys) {
    const reaction = parseReactionKey(key)
    if (!reaction) continue
    const known = reactions.get(reaction.message)
    if (map.get(key) !== true) known?.delete(key)
    else if (known) known.set(key, reaction)
    else reactions.set(reaction.message, new Map([[key, reaction]]))
    messages.push(reaction.message)
  }
  return messages
}

const readReactions = (doc: Y.Doc): Reactions => {
  const reactions: Reactions = new Map()
  noteReactions(doc, reactions, doc.getMap(REACTIONS).keys())
  return reactions
}

/** Emoji to ids of users, both in alphabetical order. */
const usersByEmoji = (reactions: Iterable<Reaction>): Record<string, string[]> => {
  const users = new Map<string, string[]>()
  for (const { emoji, userId } of reactions) {
    const others = users.get(emoji)
    if (others) others.push(userId)
    else users.set(emoji, [userId])
  }
  return Object.fromEntries(
    [...users].sort(([a], [b]) => compare(a, b)).map(([emoji, ids]) => [emoji, ids.sort(compare)]),
  )
}

/** What a hidden message said is not shown. */
const toMessage = (id: string, values: Values, reactions: Iterable<Reaction>): Message => {
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
    reactions: usersByEmoji(reactions),
  }
}

export interface Chat {
  readonly messages: readonly Message[]
}

const byTime = (a: Message, b: Message): number => a.sentAt - b.sentAt || compare(a.id, b.id)

const shownWith = (reactions: Reactions): Shown<Message> => ({
  collection: MESSAGES,
  toItem: (id, values) => toMessage(id, values, reactions.get(id)?.values() ?? []),
})

const openChat = (doc: Y.Doc) => {
  const reactions: Reactions = new Map()
  const mend = keepItems(doc, shownWith(reactions))
  let chat: Chat = { messages: [] }

  return (changed: ChangedKeys | null): Chat => {
    const reactedTo = noteReactions(
      doc,
      reactions,
      changed ? (changed.get(REACTIONS) ?? []) : doc.getMap(REACTIONS).keys(),
    )
    const messages = mendOrder(chat.messages, mend(changed, reactedTo), byTime)
    if (messages !== chat.messages) chat = { messages }
    return chat
  }
}

export const CHAT_KEEPER: Keeper<Chat> = { roots: [MESSAGES.name, MESSAGES.edits, REACTIONS], open: openChat }

/** The messages of the segment, oldest first; by id where they were sent in the same millisecond. */
export const readChat = (doc: Y.Doc): Chat =>
  readKept(doc, CHAT_KEEPER) ?? { messages: readItems(doc, shownWith(readReactions(doc))).sort(byTime) }
