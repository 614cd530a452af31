// Ends a chat's segment when it is full: the next one is opened in the rows first, and only then does this one refuse new
// messages. What arrives in between still goes in, so a segment may grow a little beyond its size; nothing is lost.
import { MESSAGES_PER_SEGMENT, SEGMENT_BYTES } from '../../shared/limits.ts'
import { parseDocumentName } from '../../shared/names.ts'
import type { Logger } from '../log.ts'
import type { LiveDocument } from './live-document.ts'

export interface SegmentDeps {
  /** Opens the segment after `sealed` durably, unless it is there; whether this call did it. */
  readonly openNext: (channelId: string, sealed: number) => Promise<boolean>
  readonly onOpened: (channelId: string) => void
  readonly log: Logger
}

export interface Segments {
  /** Called after each commit. Cheap for all but full segments. */
  readonly consider: (live: LiveDocument) => void
  /** Resolves when no segment is being sealed. */
  readonly idle: () => Promise<void>
}

/** The root that new messages go to. */
const MESSAGES = 'messages'

/** Deleted messages count: what is left of them takes room, and their ids are never used again. */
const isFull = (live: LiveDocument): boolean => {
  const { document } = live
  const messages = document.share.get(MESSAGES)
  if (messages && messages._map.size >= MESSAGES_PER_SEGMENT) return true
  if (live.bytes < SEGMENT_BYTES) return false
  // `bytes` counts every update whole; measured, it is what a reader loads.
  live.measure()
  return live.bytes >= SEGMENT_BYTES
}

export const createSegments = ({ openNext, onOpened, log }: SegmentDeps): Segments => {
  const sealing = new Map<LiveDocument, Promise<void>>()

  const seal = async (live: LiveDocument): Promise<void> => {
    const { id, part } = parseDocumentName(live.name)
    try {
      const isNew = await openNext(id, Number(part))
      // Also when it was there before: this one is sealed since then.
      live.isSealed = true
      if (!isNew) return
      log.info('segment.sealed', { document: live.name })
      onOpened(id)
    } catch (error) {
      // The next commit tries again.
      log.warn('segment.seal-failed', { document: live.name, error: String(error) })
    } finally {
      sealing.delete(live)
    }
  }

  return {
    consider: (live) => {
      if (live.kind.part !== 'segment' || live.isSealed || live.failed || sealing.has(live) || !isFull(live)) return
      sealing.set(live, seal(live))
    },
    idle: async () => {
      await Promise.all(sealing.values())
    },
  }
}
