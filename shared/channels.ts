// Channels: their types, and the document that each is opened with.
import { type DocumentName, documentName } from './names.ts'

export const CHANNEL_TYPES = ['CHAT', 'VOICE', 'TODO', 'DOC', 'KANBAN'] as const
export type ChannelType = (typeof CHANNEL_TYPES)[number]

/** The kind of the document that a channel of a type is opened with; `marks` is beside a chat. */
const MAIN_KINDS: Readonly<Record<string, string>> = { CHAT: 'chat', TODO: 'tasks', DOC: 'document', KANBAN: 'board' }

/** The document a channel is opened with; of a chat its newest segment. A VOICE channel has none. */
export const documentNameOf = ({
  id,
  type,
  segments,
}: {
  readonly id: string
  readonly type: string
  readonly segments: number
}): DocumentName | null => {
  const kind = MAIN_KINDS[type]
  if (kind === undefined) return null
  return documentName(kind, id, kind === 'chat' ? String(segments - 1) : undefined)
}
