// The way out of a socket: what is given together leaves together and at once; what comes later in the same turn of the
// event loop leaves in one system call at its end. And an end to readers that do not read.
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { OUT_BYTES_HARD_MAX, OUT_BYTES_SOFT_MAX } from '../../shared/limits.ts'
import type { Logger } from '../log.ts'
import type { Dialect } from './dialect.ts'

/** Ends of this turn of the event loop: one callback for all sockets, because a broadcast writes to a thousand. */
let endings: (() => void)[] = []
const atEndOfTurn = (end: () => void): void => {
  if (endings.length === 0) {
    process.nextTick(() => {
      const due = endings
      endings = []
      for (const run of due) run()
    })
  }
  endings.push(end)
}

/** What the last frames became. A commit lets the same go to most of its readers: it is joined once for those in turn. */
let last: { readonly dialect: Dialect; readonly frames: readonly Uint8Array[]; readonly bytes: Buffer } | undefined

const toBytes = (frames: readonly Uint8Array[], dialect: Dialect, ws: WebSocket): Buffer | undefined => {
  const known = last
  const isKnown = known?.dialect === dialect && known.frames.length === frames.length
  if (isKnown && frames.every((frame, at) => frame === known.frames[at])) return known.bytes
  const messages = frames.flatMap((frame) => dialect.unwrap(frame, ws) ?? [])
  const bytes = messages.length > 1 ? Buffer.concat(messages) : messages[0]
  // A frame that is no bytes in this dialect may be something to do instead, each time.
  if (bytes && messages.length === frames.length) last = { dialect, frames, bytes }
  return bytes
}

/** `raw` is the connection under `ws`. */
export const createWriter = (ws: WebSocket, raw: Duplex, dialect: Dialect, log: Logger) => {
  let state: 'idle' | 'written' | 'corked' = 'idle'

  const endTurn = (): void => {
    const wasCorked = state === 'corked'
    state = 'idle'
    if (wasCorked) raw.uncork()
  }

  const cork = (): void => {
    if (state === 'corked') return
    if (state === 'idle') atEndOfTurn(endTurn)
    state = 'corked'
    raw.cork()
  }

  const write = (bytes: Buffer): void => {
    if (state === 'written') cork()
    // A broadcast's frame is the only one of its turn: gathering would only delay the first of a thousand readers.
    else if (state === 'idle') {
      state = 'written'
      atEndOfTurn(endTurn)
    }
    // Past `ws`, whose sender would build a head and queue two chunks for each of a thousand readers. It writes its own
    // frames (ping, close) whole and at once, so the two never mix.
    raw.write(bytes)
  }

  return {
    transmit: (frames: readonly Uint8Array[]): void => {
      if (ws.readyState !== ws.OPEN) return
      const bytes = toBytes(frames, dialect, ws)
      if (!bytes) return
      if (raw.writableLength > OUT_BYTES_HARD_MAX) {
        // Such a reader resynchronises by state vector when it is back; it loses nothing.
        log.warn('socket.slow-reader', { bufferedBytes: raw.writableLength })
        ws.terminate()
        return
      }
      write(bytes)
    },
    /** What is sent from here to the end of this turn leaves together. */
    gather: cork,
    /** Unsent bytes are piling up: large answers should wait, awareness may be left out. */
    isCongested: (): boolean => raw.writableLength > OUT_BYTES_SOFT_MAX,
    whenDrained: (): Promise<void> => new Promise((resolve) => raw.once('drain', resolve)),
  }
}
