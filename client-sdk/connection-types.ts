// What the sync engine and the connection agree on: one socket carries many documents; each document's frames are handed
// over in order. The connection keeps no updates: what is unacknowledged when a socket ends is the engine's to send again.
import type { ErrorCode } from '../shared/errors.ts'
import type { RefusedMessage } from '../shared/protocol.ts'

/**
 * `offline`: no socket, by will or for want of a network; it is tried again unless `goOffline()` was called. `connecting`: one
 * is on its way. `live`: the server is there. `denied`: nobody is logged in, because this is a guest or the login has ended.
 */
export type ConnectionState = 'offline' | 'connecting' | 'live' | 'denied'

/** What happens to one attached document, in the order of the server's frames. */
export interface DocumentListener {
  /** The version vector of what this device has, asked for when the document is opened. */
  readonly stateVector: () => Uint8Array
  /** The server let us in; `readOnly` says whether it takes updates. Sent before the handshake's frames. */
  readonly onOpen: (readOnly: boolean) => void
  /** The server's state vector: from here on it wants what it lacks. */
  readonly onAsked: (stateVector: Uint8Array) => void
  /** An update, or (`isState`) the answer to our state vector, after which the document is synced. */
  readonly onUpdate: (update: Uint8Array, isState: boolean) => void
  /** The next frame that was sent and not answered yet is stored (`true`) or was refused. */
  readonly onStatus: (stored: boolean) => void
  /** Why the frame was refused whose status comes next to this, or came just before. */
  readonly onRefused: (message: RefusedMessage) => void
  /** Any other stateless message of the server. */
  readonly onMessage: (message: { readonly type: string; readonly [field: string]: unknown }) => void
  readonly onAwareness: (update: Uint8Array) => void
  /** The document is not open any more: the socket ended, or the server closed the document and says why. */
  readonly onClosed: (reason: ErrorCode | 'disconnected') => void
}

/** One document on the connection. All frames are dropped while it is not open. */
export interface Attached {
  readonly sendUpdate: (update: Uint8Array) => void
  /** The answer to `onAsked`, acknowledged like an update. */
  readonly sendState: (update: Uint8Array) => void
  readonly sendAwareness: (update: Uint8Array) => void
  readonly sendMessage: (message: { readonly type: string; readonly [field: string]: unknown }) => void
  /** Asks for the document again after the server closed it. */
  readonly reopen: () => void
  readonly detach: () => void
}

export interface Connection extends AsyncDisposable {
  readonly state: ConnectionState
  /** Called after each change of state. Returns its undo. */
  readonly subscribe: (listener: (state: ConnectionState) => void) => () => void
  /** Connects and stays connected; waits and tries again by itself. */
  readonly goOnline: () => void
  readonly goOffline: () => void
  /** Documents are attached in waves; throws when the name is attached already. */
  readonly attach: (name: string, listener: DocumentListener) => Attached
  /** Another login: the socket is closed, and opened again with its token. */
  readonly loginChanged: () => void
}

/** Time and chance are handed in (design R9). */
export interface Clock {
  readonly now: () => number
  /** Runs `run` once after `ms`; returns its undo. */
  readonly after: (ms: number, run: () => void) => () => void
}

export interface ConnectionOptions {
  /** `ws://host/sync` or `wss://host/sync`. */
  readonly url: string
  /** A good access token; null where nobody is logged in (the state becomes `denied` then). Rejects where the server cannot be asked. */
  readonly token: () => Promise<string | null>
  /** The server said that a token it was just given is not good. */
  readonly tokenRejected: () => void
  readonly clock: Clock
  readonly random: () => number
  /** For tests; the platform's own otherwise. */
  readonly WebSocket?: typeof WebSocket
}
