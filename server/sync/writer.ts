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
      if (raw.writableLength > OUT_BYTES_HARD_MAX) {
        // Such a reader resynchronises by state vector when it is back; it loses nothing.
        log.warn('socket.slow-reader', { bufferedBytes: raw.writableLength })
        ws.terminate()
        return
      }
      if (!isCorked) {
        isCorked = true
        raw.cork()
        process.nextTick(uncork)
      }
      // Past `ws`, whose sender would build a head and queue two chunks for each of a thousand readers. It writes its own
      // frames (ping, close) whole and at once, so the two never mix.
      raw.write(message)
    },
    /** Unsent bytes are piling up: large answers should wait, awareness may be left out. */
    isCongested: (): boolean => raw.writableLength > OUT_BYTES_SOFT_MAX,
    whenDrained: (): Promise<void> => new Promise((resolve) => raw.once('drain', resolve)),
  }
}
