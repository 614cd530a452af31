// The segments of a chat: which one takes new messages.
import { documentName, parseDocumentName } from '../shared/names.ts'
import type { Clock } from './connection-types.ts'
import type { Roster } from './roster.ts'

/** The server seals a segment a moment before the group's document says that there is another. */
const WAIT_MS_MAX = 10_000

/** The newest segment of the chat that `document` is a sealed one of; null where none is known in time. */
export const newestSegment = async (
  document: string,
  segmentsOf: (channelId: string) => number,
  roster: () => Roster | null,
  clock: Clock,
): Promise<string | null> => {
  const { kind, id, part } = parseDocumentName(document)
  if (kind !== 'chat') return null
  const sealed = Number(part)
  const { promise, resolve } = Promise.withResolvers<void>()
  const look = (): void => {
    if (segmentsOf(id) - 1 > sealed) resolve()
  }
  const undo = roster()?.onChange(look)
  const cancel = clock.after(WAIT_MS_MAX, resolve)
  look()
  await promise
  undo?.()
  cancel()
  const newest = segmentsOf(id) - 1
  return newest > sealed ? documentName(kind, id, String(newest)) : null
}
