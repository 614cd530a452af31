// The two protocols that clients speak, reduced to one: a y-websocket message is a Hocuspocus frame without its address
// (its socket is for one document), and some Hocuspocus messages have no counterpart there.
import type { WebSocket } from 'ws'
import { type ErrorCode, ERRORS } from '../../shared/errors.ts'
import { AuthType, MessageType } from '../../shared/protocol.ts'
import { readHead, readReason } from './frames.ts'

export interface Dialect {
  /** Makes a frame of an incoming message. */
  readonly wrap: (message: Uint8Array) => Uint8Array
  /** Makes of a frame the bytes that go onto the connection; null when there are none. May close `ws` instead. */
  readonly unwrap: (frame: Uint8Array, ws: WebSocket) => Buffer | null
}

/** First byte of a WebSocket message: final, binary. */
const FINAL_BINARY = 0x82

/** A whole WebSocket message, unmasked as a server sends it (RFC 6455, 5.2). */
const toMessage = (payload: Uint8Array): Buffer => {
  const { length } = payload
  const headLength = length < 126 ? 2 : length < 0x10000 ? 4 : 10
  const message = Buffer.allocUnsafe(headLength + length)
  message[0] = FINAL_BINARY
  if (headLength === 2) message[1] = length
  else if (headLength === 4) {
    message[1] = 126
    message.writeUInt16BE(length, 2)
  } else {
    message[1] = 127
    message.writeUIntBE(0, 2, 2)
    message.writeUIntBE(length, 4, 6)
  }
  message.set(payload, headLength)
  return message
}

/** A broadcast hands the same frame to every connection: its message is made once. */
const remembering = (make: (frame: Uint8Array) => Buffer) => {
  let last: Uint8Array | undefined
  let message: Buffer | undefined
  return (frame: Uint8Array): Buffer => {
    if (frame !== last || !message) {
      message = make(frame)
      last = frame
    }
    return message
  }
}

export const hocuspocusDialect: Dialect = { wrap: (message) => message, unwrap: remembering(toMessage) }

const withoutAddress = remembering((frame) => toMessage(frame.subarray(readHead(frame)?.bodyAt)))

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
      const head = readHead(frame)
      if (!head) return null
      switch (head.type) {
        case MessageType.Sync:
        case MessageType.Awareness:
          return withoutAddress(frame)
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
