// The place of one document on one socket, from the first token to the last frame; reused when it is opened again.
import type { Attachment } from './attachment.ts'

export interface Slot {
  readonly address: string
  readonly name: string
  recovers: boolean
  attachment: Attachment | undefined
  state: 'opening' | 'open' | 'closed'
  /** How much a frame of this document waits for: the disk, the network, a look-up. Later ones wait behind it. */
  waits: number
  /** Rights changed while it was being opened: what was looked up for that may be old. */
  isOutdated: boolean
  /** The first state request since the opening was answered, perhaps before the document was open (`early-answer.ts`). */
  isAnswered: boolean
  /** Times the client asked for the state, over all openings. */
  stateRequests: number
  readonly waiting: Uint8Array[]
}

export const newSlot = (address: string, name: string): Slot => ({
  address,
  name,
  recovers: false,
  attachment: undefined,
  state: 'closed',
  waits: 0,
  isOutdated: false,
  isAnswered: false,
  stateRequests: 0,
  waiting: [],
})
