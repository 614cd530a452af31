// The keys of a chat. A message's id begins with its author's user id, a reaction's key ends with the user who reacted:
// whose it is can be told from the key alone (design 3.1).
import { isId } from '../names.ts'

const EMOJI = /^(?:\p{RGI_Emoji}|[a-z0-9_+\-]{1,32})$/v

/** One emoji that is recommended for general interchange, or a short code such as `+1`. */
export const isEmoji = (text: string): boolean => EMOJI.test(text)

/** `userId.uuid` */
export const isMessageId = (text: string): boolean => {
  const parts = text.split('.')
  return parts.length === 2 && parts.every(isId)
}

export const messageId = (author: string, id: string): string => `${author}.${id}`

export const authorOf = (message: string): string => message.slice(0, message.indexOf('.'))

export interface Reaction {
  readonly message: string
  readonly emoji: string
  readonly userId: string
}

export const reactionKey = ({ message, emoji, userId }: Reaction): string => `${message}.${emoji}.${userId}`

/** Null when `key` is not one of a reaction. */
export const parseReactionKey = (key: string): Reaction | null => {
  const [author, id, emoji, userId, ...rest] = key.split('.')
  if (author === undefined || id === undefined || emoji === undefined || userId === undefined || rest.length > 0)
    return null
  return isId(author) && isId(id) && isEmoji(emoji) && isId(userId)
    ? { message: messageId(author, id), emoji, userId }
    : null
}
