// Whether the peer of a socket is still there: asked now and then, dropped when it has not answered the last time.
import type { WebSocket } from 'ws'

/** Returns what asks. */
export const createHeartbeat = (ws: WebSocket): (() => void) => {
  let isAwaitingPong = false
  ws.on('pong', () => (isAwaitingPong = false))
  return () => {
    if (isAwaitingPong) ws.terminate()
    else ws.ping()
    isAwaitingPong = true
  }
}
