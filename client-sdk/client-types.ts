// What apps hold: the client, and handles to documents. Nothing here waits for a server; what a server says shows in `status`.
import type * as Y from 'yjs'
import type { Role } from '../shared/access.ts'
import type { ChannelType } from '../shared/channels.ts'
import type { ErrorCode } from '../shared/errors.ts'
import type { Json } from '../shared/json.ts'
import type { ConnectionState } from './connection-types.ts'

/** How far the edits of one document have come. */
export interface HandleStatus {
  /** Every edit made here is on this device's disk. */
  readonly local: boolean
  /** Every edit of this device is on the server's disk. */
  readonly stored: boolean
  /** Edits of this device that the server has not acknowledged yet. */
  readonly pending: number
  /** Edits in quarantine, because the server refused them. */
  readonly refused: number
  /** The server's state has arrived since this was opened. */
  readonly synced: boolean
  /** `unknown` until the server has said; `denied`: no such document, or no right to it (any more). */
  readonly access: 'unknown' | 'write' | 'read' | 'denied'
  /** The last write to this device's disk failed, and why. */
  readonly error: string | null
}

/** One open document. */
export interface Handle<Value> {
  /** `kind/id[/part]` */
  readonly name: string
  /** The doc behind it, for editors. It is another one after edits were refused: hear of it by `subscribe`. */
  readonly doc: Y.Doc
  /** The document as people read it; the same object until something changes. */
  readonly read: () => Value
  /** Called after each change, whoever made it. Returns its undo. */
  readonly subscribe: (listener: (value: Value) => void) => () => void
  readonly status: HandleStatus
  readonly onStatus: (listener: (status: HandleStatus) => void) => () => void
  /** Resolves when every edit so far is on this device's disk; rejects with `StoreError` when it could not be kept. */
  readonly saved: () => Promise<void>
  /** Resolves when every edit so far is on the server's disk, or in quarantine; waits while offline. */
  readonly stored: () => Promise<void>
  /** Runs an operation of the kind by its name, at once. Throws `AppError`; then nothing was written. */
  readonly run: (operation: string, input: Json) => unknown
  /** Takes back one's own latest operation that can still be taken back; false when there is none. */
  readonly undo: () => boolean
  readonly redo: () => boolean
  readonly canUndo: () => boolean
  readonly canRedo: () => boolean
  /** Stops listening. Edits that are not stored yet are stored all the same. */
  readonly close: () => Promise<void>
  /** Called once it is closed, by `close()` or because somebody else uses this device now. Returns its undo. */
  readonly onClose: (listener: () => void) => () => void
}

/** An edit that the server refused; its author keeps it. */
export interface Quarantined {
  readonly id: string
  readonly document: string
  readonly code: ErrorCode
  /** Where in the document the server saw the fault. */
  readonly path: string
  readonly at: number
  /** What was asked for; null where an editor wrote the shared types itself. */
  readonly operation: { readonly name: string; readonly input: Json } | null
  readonly update: Uint8Array
}

/**
 * The edits of this person that the server refused, on this device, in the order of their refusal. They stay until they are
 * retried or discarded, also over a logout. Both reject with `AppError` `record/not-found` for what is not there (any more),
 * `retry` also with `operation/unknown` for what no operation made: an editor, an undo.
 */
export interface Quarantine {
  readonly list: () => Promise<readonly Quarantined[]>
  /** Runs the operation once more, as a new edit. Throws `AppError` where it cannot; then it stays. */
  readonly retry: (id: string) => Promise<void>
  readonly discard: (id: string) => Promise<void>
  readonly subscribe: (listener: () => void) => () => void
}

/** Who uses this device. There is always somebody: a guest until an account is made or signed in to, and after a logout. */
export interface CurrentUser {
  readonly id: string
  /** Null for a guest: somebody who has no account yet. */
  readonly username: string | null
  readonly isGuest: boolean
}

export interface ClientStatus {
  readonly status: ConnectionState
  readonly onStatus: (listener: (status: ConnectionState) => void) => () => void
}

/** A group as its members see it, also offline. */
export interface GroupView {
  readonly id: string
  readonly name: string
  readonly role: Role
  /** Made or joined here, and not confirmed by the server yet. */
  readonly isPending: boolean
}

/** A channel as its members see it, also offline. */
export interface ChannelView {
  readonly id: string
  readonly groupId: string
  readonly type: ChannelType
  readonly name: string
  readonly isPending: boolean
}
