// What one document on one socket needs from its socket and from the server.
import type { ErrorCode } from '../../shared/errors.ts'
import type { Access } from '../access.ts'
import type { Logger } from '../log.ts'
import type { Refusal } from '../refusals.ts'
import type { Epochs } from './epochs.ts'
import type { LiveDocument, Outlet } from './live-document.ts'
import type { Presence } from './presence.ts'

/** What looking up a token's rights costs, about. */
export const LOOK_UP_MS = 1

/** What outlives the attachment on its socket: closing and opening again does not wipe it out. */
export interface AttachmentSlot {
  /** The client recovers from a refusal by itself. */
  readonly recovers: boolean
  /** Its first state request since it was opened was answered. */
  isAnswered: boolean
  stateRequests: number
}

export interface AttachmentSocket extends Outlet {
  /** Unsent bytes are piling up: a large answer should wait. */
  readonly isCongested: () => boolean
  readonly whenDrained: () => Promise<void>
  /** Books CPU time that the client could cause at will; over budget, its next frame waits for the promise. */
  readonly charge: (ms: number) => Promise<void> | undefined
  readonly afterWrite: () => void
  readonly closeSocket: (code: ErrorCode) => void
}

export interface AttachmentDeps {
  /** The live doc threw in the middle of an update: it must be thrown away. */
  readonly onBroken: (live: LiveDocument, error: unknown) => void
  /** A write was refused for good. */
  readonly onRefused: (refusal: Refusal) => void
  readonly access: Access
  readonly presence: Pick<Presence, 'hear'>
  readonly epochs: Pick<Epochs, 'part'>
  readonly log: Logger
  readonly now: () => number
}
