// The place of one document on one socket, from the first token to the last frame; reused when it is opened again.
import type { Attachment } from './attachment.ts'

export interface Slot {
  readonly address: string
  readonly name: string
  recovers: boolean
  attachment: Attachment | undefined
  state: 'opening' | 'open' | 'closed'
  /** A frame of this document waits for the disk or the network; later ones wait behind it. */
  isBusy: boolean
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
  isBusy: false,
  isAnswered: false,
  stateRequests: 0,
  waiting: [],
})
