// The wire: message types of the Hocuspocus 4 protocol, and the JSON of our stateless messages.
// A frame is `varString address, varUint type, …`; the address is the document name, or `name\0session`.
import type { ErrorCode } from './errors.ts'

export const MessageType = {
  Sync: 0,
  Awareness: 1,
  Auth: 2,
  QueryAwareness: 3,
  SyncReply: 4,
  Stateless: 5,
  Close: 7,
  SyncStatus: 8,
  Ping: 9,
  Pong: 10,
} as const

export const SyncType = { Step1: 0, Step2: 1, Update: 2 } as const

export const AuthType = { Token: 0, PermissionDenied: 1, Authenticated: 2 } as const

/** Sent before a refused update's document is closed, or left open for a client that can recover. */
export interface RefusedMessage {
  readonly type: 'refused'
  readonly code: ErrorCode
  /** Where in the document, as `root` or `root/key`; empty when it could not be read that far. */
  readonly path: string
  /** The first struct of the refused update that the server did not have; -1 when there is none. */
  readonly clientId: number
  readonly clock: number
}

/** A right was lost while the document was open: it is closed next, or read-only from here on (`revoked/write`). */
export interface RevokedMessage {
  readonly type: 'revoked'
  readonly code: ErrorCode
}

/**
 * The document's history was dropped, and what the client has of it is of an older epoch: it is closed next, and nothing of
 * it may be merged into what the server has now.
 */
export interface EpochMessage {
  readonly type: 'epoch'
  /** The present one. */
  readonly epoch: number
  /** The state vector in which the epoch before it ended, base64; only to those who have been sent all of it. */
  readonly closed?: string
}

/** How a client says in its first frame that it recovers from refusals by itself: the version it announces. */
export const SDK_VERSION_PREFIX = 'syncline/'
