// Frames of the Hocuspocus 4 wire protocol as a client reads and writes them, on plain bytes, so that browsers can too.
// What is no frame reads as null; whether it makes sense at this point is the connection's to say.
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { type ErrorCode, ERRORS } from '../shared/errors.ts'
import { AuthType, MessageType, type RefusedMessage, SDK_VERSION_PREFIX, SyncType } from '../shared/protocol.ts'

/** The version in the package's manifest. */
export const SDK_VERSION = '0.1.0'

/** What a stateless message holds; it is JSON. */
export interface Message {
  readonly type: string
  readonly [field: string]: unknown
}

/** What one frame says about the document `name`. */
export type DocumentFrame = { readonly name: string } & (
  | { readonly type: 'authenticated'; readonly readOnly: boolean }
  | { readonly type: 'denied'; readonly reason: string }
  /** The server's state vector. */
  | { readonly type: 'asked'; readonly stateVector: Uint8Array }
  /** `isState`: the answer to our state vector. */
  | { readonly type: 'update'; readonly update: Uint8Array; readonly isState: boolean }
  | { readonly type: 'status'; readonly stored: boolean }
  | { readonly type: 'refused'; readonly message: RefusedMessage }
  | { readonly type: 'message'; readonly message: Message }
  | { readonly type: 'awareness'; readonly update: Uint8Array }
  | { readonly type: 'closed'; readonly reason: string }
  /** Nothing for us: messages of later versions, stateless messages that are no JSON of ours. */
  | { readonly type: 'other' }
)

/** Ping and pong are about the socket: one byte, no document. */
export type Frame = { readonly type: 'ping' } | { readonly type: 'pong' } | DocumentFrame

type Body = DocumentFrame extends infer One ? (One extends unknown ? Omit<One, 'name'> : never) : never

/** The code in a reason; null where it is none of ours. */
export const codeOf = (reason: unknown): ErrorCode | null =>
  typeof reason === 'string' && Object.hasOwn(ERRORS, reason) ? (reason as ErrorCode) : null

const readAuth = (decoder: decoding.Decoder): Body => {
  const type = decoding.readVarUint(decoder)
  if (type === AuthType.PermissionDenied) return { type: 'denied', reason: decoding.readVarString(decoder) }
  if (type !== AuthType.Authenticated) return { type: 'other' }
  // Less is taken for granted than is said: a scope that we do not know is no leave to write.
  return { type: 'authenticated', readOnly: decoding.readVarString(decoder) !== 'read-write' }
}

const readSync = (decoder: decoding.Decoder): Body | null => {
  const type = decoding.readVarUint(decoder)
  const payload = decoding.readVarUint8Array(decoder)
  if (type === SyncType.Step1) return { type: 'asked', stateVector: payload }
  if (type !== SyncType.Step2 && type !== SyncType.Update) return null
  return { type: 'update', update: payload, isState: type === SyncType.Step2 }
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

const isMessage = (value: unknown): value is Message =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'

const numberOr = (value: unknown, otherwise: number): number =>
  Number.isSafeInteger(value) ? Number(value) : otherwise

const readStateless = (text: string): Body => {
  const message = parse(text)
  if (!isMessage(message)) return { type: 'other' }
  if (message.type !== 'refused') return { type: 'message', message }
  // It belongs to a status, so it is told even where a later server says more than we understand.
  const code = codeOf(message['code']) ?? 'internal'
  const path = typeof message['path'] === 'string' ? message['path'] : ''
  const [clientId, clock] = [numberOr(message['clientId'], -1), numberOr(message['clock'], -1)]
  return { type: 'refused', message: { type: 'refused', code, path, clientId, clock } }
}

const readBody = (type: number, decoder: decoding.Decoder): Body | null => {
  switch (type) {
    case MessageType.Sync:
    case MessageType.SyncReply:
      return readSync(decoder)
    case MessageType.Auth:
      return readAuth(decoder)
    case MessageType.Awareness:
      return { type: 'awareness', update: decoding.readVarUint8Array(decoder) }
    case MessageType.Stateless:
      return readStateless(decoding.readVarString(decoder))
    case MessageType.Close:
      return { type: 'closed', reason: decoding.readVarString(decoder) }
    case MessageType.SyncStatus:
      return { type: 'status', stored: decoding.readVarUint(decoder) === 1 }
    default:
      return { type: 'other' }
  }
}

/** Reads one frame; null when the bytes are none. What it returns are views of `bytes`. */
export const readFrame = (bytes: Uint8Array): Frame | null => {
  if (bytes.length === 1 && bytes[0] === MessageType.Ping) return { type: 'ping' }
  if (bytes.length === 1 && bytes[0] === MessageType.Pong) return { type: 'pong' }
  try {
    const decoder = decoding.createDecoder(bytes)
    const name = decoding.readVarString(decoder)
    const body = readBody(decoding.readVarUint(decoder), decoder)
    return body && { name, ...body }
  } catch {
    return null
  }
}

const write = (name: string, type: number, body: (encoder: encoding.Encoder) => void): Uint8Array => {
  const encoder = encoding.createEncoder()
  encoding.writeVarString(encoder, name)
  encoding.writeVarUint(encoder, type)
  body(encoder)
  return encoding.toUint8Array(encoder)
}

const syncFrame = (name: string, type: number, payload: Uint8Array): Uint8Array =>
  write(name, MessageType.Sync, (encoder) => {
    encoding.writeVarUint(encoder, type)
    encoding.writeVarUint8Array(encoder, payload)
  })

export const pingFrame = (): Uint8Array => Uint8Array.of(MessageType.Ping)
export const pongFrame = (): Uint8Array => Uint8Array.of(MessageType.Pong)

/** Opens a document. Our version behind the token says that we recover from refusals by ourselves. */
export const tokenFrame = (name: string, token: string): Uint8Array =>
  write(name, MessageType.Auth, (encoder) => {
    encoding.writeVarUint(encoder, AuthType.Token)
    encoding.writeVarString(encoder, token)
    encoding.writeVarString(encoder, SDK_VERSION_PREFIX + SDK_VERSION)
  })

/** Asks for what we lack. */
export const askFrame = (name: string, stateVector: Uint8Array): Uint8Array =>
  syncFrame(name, SyncType.Step1, stateVector)

/** Answers the server's state vector. */
export const stateFrame = (name: string, update: Uint8Array): Uint8Array => syncFrame(name, SyncType.Step2, update)

export const updateFrame = (name: string, update: Uint8Array): Uint8Array => syncFrame(name, SyncType.Update, update)

export const awarenessFrame = (name: string, update: Uint8Array): Uint8Array =>
  write(name, MessageType.Awareness, (encoder) => encoding.writeVarUint8Array(encoder, update))

export const messageFrame = (name: string, message: Message): Uint8Array =>
  write(name, MessageType.Stateless, (encoder) => encoding.writeVarString(encoder, JSON.stringify(message)))

/** Ends a document on this socket; the server answers with its own. */
export const closeFrame = (name: string): Uint8Array =>
  write(name, MessageType.Close, (encoder) => encoding.writeVarString(encoder, 'detached'))
