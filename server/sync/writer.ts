// The way out of a socket: everything of one turn of the event loop in one system call, and an end to readers that do
// not read.
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { OUT_BYTES_HARD_MAX, OUT_BYTES_SOFT_MAX } from '../../shared/limits.ts'
import type { Logger } from '../log.ts'
import type { Dialect } from './dialect.ts'

/** `raw` is the connection under `ws`. */
export const createWriter = (ws: WebSocket, raw: Duplex, dialect: Dialect, log: Logger) => {
  let isCorked = false

  const uncork = (): void => {
    isCorked = false
    raw.uncork()
  }

  return {
    transmit: (frame: Uint8Array): void => {
      if (ws.readyState !== ws.OPEN) return
      const message = dialect.unwrap(frame, ws)
      if (!message) return
      if (ws.bufferedAmount > OUT_BYTES_HARD_MAX) {
        // Such a reader resynchronises by state vector when it is back; it loses nothing.
        log.warn('socket.slow-reader', { bufferedBytes: ws.bufferedAmount })
        ws.terminate()
        return
      }
      if (!isCorked) {
        isCorked = true
        raw.cork()
        process.nextTick(uncork)
      }
      ws.send(message)
    },
    /** Unsent bytes are piling up: large answers should wait, awareness may be left out. */
    isCongested: (): boolean => ws.bufferedAmount > OUT_BYTES_SOFT_MAX,
    whenDrained: (): Promise<void> => new Promise((resolve) => raw.once('drain', resolve)),
  }
}
