// The way out of a socket: a frame that is alone in its turn of the event loop leaves at once, several leave in one system
// call; and an end to readers that do not read.
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

/** `raw` is the connection under `ws`. */
export const createWriter = (ws: WebSocket, raw: Duplex, dialect: Dialect, log: Logger) => {
  let state: 'idle' | 'written' | 'corked' = 'idle'

  const endTurn = (): void => {
    const wasCorked = state === 'corked'
    state = 'idle'
    if (wasCorked) raw.uncork()
  }

  const cork = (more: boolean): void => {
    if (state === 'idle') atEndOfTurn(endTurn)
    if (state !== 'corked' && (more || state === 'written')) {
      state = 'corked'
      raw.cork()
    } else if (state === 'idle') {
      // A broadcast's frame is the only one of its turn: gathering would only delay the first of a thousand readers.
      state = 'written'
    }
  }

  return {
    /** `more`: others of this turn will follow it. */
    transmit: (frame: Uint8Array, more: boolean): void => {
      if (ws.readyState !== ws.OPEN) return
      const message = dialect.unwrap(frame, ws)
      if (!message) return
      if (raw.writableLength > OUT_BYTES_HARD_MAX) {
        // Such a reader resynchronises by state vector when it is back; it loses nothing.
        log.warn('socket.slow-reader', { bufferedBytes: raw.writableLength })
        ws.terminate()
        return
      }
      cork(more)
      // Past `ws`, whose sender would build a head and queue two chunks for each of a thousand readers. It writes its own
      // frames (ping, close) whole and at once, so the two never mix.
      raw.write(message)
    },
    /** Unsent bytes are piling up: large answers should wait, awareness may be left out. */
    isCongested: (): boolean => raw.writableLength > OUT_BYTES_SOFT_MAX,
    whenDrained: (): Promise<void> => new Promise((resolve) => raw.once('drain', resolve)),
  }
}
