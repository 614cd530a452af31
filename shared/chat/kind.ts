// The kind `chat`: each CHAT channel has a row of such documents, its segments.
import { keepRecords } from '../kept-records.ts'
import { type Kind, rootsOf } from '../kind.ts'
import { CHAT_COLLECTIONS, CHAT_KEEPER, checkChatChange, REACTIONS, readChat } from './model.ts'
import { CHAT_OPERATIONS } from './operations.ts'

export const CHAT_KIND: Kind = {
  name: 'chat',
  scope: 'channel',
  channelType: 'CHAT',
  part: 'segment',
  writers: 'members',
  roots: [...rootsOf(CHAT_COLLECTIONS), REACTIONS],
  rule: checkChatChange,
  collections: CHAT_COLLECTIONS,
  operations: CHAT_OPERATIONS,
  read: readChat,
  keep: (doc) => keepRecords(doc, CHAT_KEEPER),
}
