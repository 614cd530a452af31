// The two protocols that clients speak, reduced to one: a y-websocket message is a Hocuspocus frame without its address
// (its socket is for one document), and some Hocuspocus messages have no counterpart there.
import type { WebSocket } from 'ws'
import { type ErrorCode, ERRORS } from '../../shared/errors.ts'
import { AuthType, MessageType } from '../../shared/protocol.ts'
import { type FrameHead, readHead, readReason } from './frames.ts'

export interface Dialect {
  /** Makes a frame of an incoming message. */
  readonly wrap: (message: Uint8Array) => Uint8Array
  /** Makes an outgoing message of a frame; null when there is none. May close `ws` instead. */
  readonly unwrap: (frame: Uint8Array, ws: WebSocket) => Uint8Array | null
}

export const hocuspocusDialect: Dialect = { wrap: (message) => message, unwrap: (frame) => frame }

/** Codes 4400–4499 tell a y-websocket client to stay away; it would otherwise repeat a refused edit for ever. */
const closeWith = (ws: WebSocket, reason: string): void => {
  const code = reason in ERRORS ? ERRORS[reason as ErrorCode].close : 1000
  ws.close(code, reason)
}

/** The y-websocket protocol on a socket for the document `name`. */
export const createYWebsocketDialect = (name: string): Dialect => {
  const address = Buffer.from(name, 'latin1')
  const prefix = Buffer.concat([Buffer.of(address.length), address])
  return {
    wrap: (message) => Buffer.concat([prefix, message]),
    unwrap: (frame, ws) => {
      const head = readHead(frame) as FrameHead
      switch (head.type) {
        case MessageType.Sync:
        case MessageType.Awareness:
          return frame.subarray(head.bodyAt)
        case MessageType.Close:
          closeWith(ws, readReason(frame, head))
          return null
        case MessageType.Auth:
          if (frame[head.bodyAt + 1] === AuthType.PermissionDenied) closeWith(ws, readReason(frame, head))
          return null
        default:
          return null
      }
    },
  }
}
