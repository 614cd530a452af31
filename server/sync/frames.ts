// Reading and writing single frames of the Hocuspocus wire protocol: `varString address, varUint type, …`.
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { ErrorCode } from '../../shared/errors.ts'
import { DOCUMENT_NAME_LENGTH_MAX, isDocumentName } from '../../shared/names.ts'
import type { PresenceMessage } from '../../shared/presence.ts'
import {
  AuthType,
  MessageType,
  type RefusedMessage,
  type RevokedMessage,
  type SyncType,
} from '../../shared/protocol.ts'

/** Document name, or document name, NUL, session id. */
const ADDRESS_LENGTH_MAX = DOCUMENT_NAME_LENGTH_MAX + 1 + 64

export interface FrameHead {
  readonly address: string
  /** Where the type stands. */
  readonly bodyAt: number
  readonly type: number
}

/** Reads address and type; null when the bytes are no frame. */
export const readHead = (frame: Uint8Array): FrameHead | null => {
  // Addresses are ASCII and shorter than 2¹⁴, so the length takes one byte or two.
  const first = frame[0]
  if (first === undefined) return null
  const long = first >= 0x80
  const length = long ? (first & 0x7f) + (frame[1] ?? 0x80) * 0x80 : first
  const start = long ? 2 : 1
  const bodyAt = start + length
  const type = frame[bodyAt]
  if (length > ADDRESS_LENGTH_MAX || type === undefined || type >= 0x80) return null
  const buffer = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
  return { address: buffer.toString('latin1', start, bodyAt), bodyAt, type }
}

let lastFrame: Uint8Array | undefined
let lastHead: FrameHead | null = null

/** The same; a broadcast hands the same frame to every connection, and its head is read once. */
export const readHeadOfBroadcast = (frame: Uint8Array): FrameHead | null => {
  if (frame !== lastFrame) {
    lastHead = readHead(frame)
    lastFrame = frame
  }
  return lastHead
}

/** The document's name without the session that a session-aware provider appends. */
export const nameOf = (address: string): string => {
  const end = address.indexOf('\0')
  return end === -1 ? address : address.slice(0, end)
}

const SESSION = /^[\x21-\x7e]{1,64}$/

/** Whether a client may open a document at this address: a name of our grammar, and perhaps a printable session. */
export const isAddress = (address: string): boolean => {
  const session = address.slice(nameOf(address).length)
  return isDocumentName(nameOf(address)) && (session === '' || SESSION.test(session.slice(1)))
}

/** The varUint8Array at `at`, as a view; throws when it is cut short or something follows. */
export const readPayload = (frame: Uint8Array, at: number): Uint8Array => {
  const decoder = decoding.createDecoder(frame)
  decoder.pos = at
  const payload = decoding.readVarUint8Array(decoder)
  if (decoding.hasContent(decoder)) throw new Error('bytes after the payload')
  return payload
}

export interface Hello {
  readonly token: string
  /** The version a client announces behind its token, or ''. */
  readonly version: string
}

/** What an Auth frame says, whose type stands at `bodyAt`; throws when it says no token. */
export const readHello = (frame: Uint8Array, bodyAt: number): Hello => {
  const decoder = decoding.createDecoder(frame)
  decoder.pos = bodyAt + 1
  if (decoding.readVarUint(decoder) !== AuthType.Token) throw new Error('no token')
  const token = decoding.readVarString(decoder)
  return { token, version: decoding.hasContent(decoder) ? decoding.readVarString(decoder) : '' }
}

const write = (address: string, type: number, body: (encoder: encoding.Encoder) => void): Uint8Array => {
  const encoder = encoding.createEncoder()
  encoding.writeVarString(encoder, address)
  encoding.writeVarUint(encoder, type)
  body(encoder)
  return encoding.toUint8Array(encoder)
}

export const syncFrame = (address: string, type: (typeof SyncType)[keyof typeof SyncType], payload: Uint8Array) =>
  write(address, MessageType.Sync, (encoder) => {
    encoding.writeVarUint(encoder, type)
    encoding.writeVarUint8Array(encoder, payload)
  })

/** The acknowledgement: `true` means on disk. */
export const statusFrame = (address: string, stored: boolean): Uint8Array =>
  write(address, MessageType.SyncStatus, (encoder) => encoding.writeVarUint(encoder, stored ? 1 : 0))

const statelessFrame = (address: string, message: RefusedMessage | RevokedMessage | PresenceMessage): Uint8Array =>
  write(address, MessageType.Stateless, (encoder) => encoding.writeVarString(encoder, JSON.stringify(message)))

export const refusedFrame = (address: string, message: RefusedMessage): Uint8Array => statelessFrame(address, message)

/** Sent before a document is closed, or becomes read-only, because a right was lost. */
export const revokedFrame = (address: string, code: ErrorCode): Uint8Array =>
  statelessFrame(address, { type: 'revoked', code })

export const presenceFrame = (address: string, message: PresenceMessage): Uint8Array => statelessFrame(address, message)

export const deniedFrame = (address: string, reason: string): Uint8Array =>
  write(address, MessageType.Auth, (encoder) => {
    encoding.writeVarUint(encoder, AuthType.PermissionDenied)
    encoding.writeVarString(encoder, reason)
  })

/** The frame a client opens a document with. */
export const tokenFrame = (address: string, token: string): Uint8Array =>
  write(address, MessageType.Auth, (encoder) => {
    encoding.writeVarUint(encoder, AuthType.Token)
    encoding.writeVarString(encoder, token)
  })

/** The reason in a CLOSE or PermissionDenied frame whose type stands at `bodyAt`. */
export const readReason = (frame: Uint8Array, { type, bodyAt }: FrameHead): string => {
  const decoder = decoding.createDecoder(frame)
  decoder.pos = bodyAt + 1
  if (type === MessageType.Auth) decoding.readVarUint(decoder)
  return decoding.readVarString(decoder)
}
