// Whether a socket is being read. Not reading is how a client is slowed down: TCP tells it, nothing is lost or refused.
import type { WebSocket } from 'ws'

/** Frames wait for their document to open; repeatable work is over its budget; the journal is behind. */
type Pause = 'waiting' | 'budget' | 'journal'

/** Share of one core that one socket may use up with work it can ask for at will: state requests, refused updates (RT-26). */
const BUDGET_SHARE = 0.1
/** Work that is never charged for: opening a thousand small documents stays below it. */
const BUDGET_BURST_MS = 100

export const createReading = (ws: WebSocket) => {
  const pauses = new Set<Pause>()
  /** A leaky bucket of CPU milliseconds. */
  let level = 0
  let leakedAt = 0

  const pause = (why: Pause): void => {
    if (pauses.size === 0) ws.pause()
    pauses.add(why)
  }
  const resume = (why: Pause): void => {
    if (pauses.delete(why) && pauses.size === 0) ws.resume()
  }
  return {
    pause,
    resume,
    /** Books CPU time; over budget, the socket is read again once the bucket has leaked. */
    charge: (ms: number): void => {
      const now = performance.now()
      level = Math.max(0, level - (now - leakedAt) * BUDGET_SHARE) + ms
      leakedAt = now
      if (level <= BUDGET_BURST_MS || pauses.has('budget')) return
      pause('budget')
      setTimeout(() => resume('budget'), (level - BUDGET_BURST_MS) / BUDGET_SHARE).unref()
    },
  }
}
