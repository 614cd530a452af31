// One open document: the Hocuspocus document, who owns which client id in it, and what of it is not on disk yet.
// Frames that must not leave before the disk has what they depend on wait here, in order (design 4.1).
import type { Document } from '@hocuspocus/server'
import * as Y from 'yjs'
import type { Kind } from '../../shared/registry.ts'

/** Where a frame goes once it may. */
export interface Outlet {
  readonly transmit: (frame: Uint8Array) => void
  /** The frame will never be sent: the commit it waited for has failed. */
  readonly drop?: () => void
}

interface HeldFrame {
  readonly after: number
  readonly to: Outlet
  readonly frame: Uint8Array
}

/** Nothing to send: for waiters that only want to know when. */
const NO_FRAME = new Uint8Array(0)

export class LiveDocument {
  readonly name: string
  readonly kind: Kind
  readonly document: Document
  readonly claims: Map<number, string>
  /** Encoded size, about: exact after each snapshot, then grown by every update. */
  bytes: number
  /** Entries and bytes in the journal that no snapshot covers yet. */
  tailEntries: number
  tailBytes: number
  /** Set when the live doc can no longer be trusted to equal the journal; nothing of it leaves the process then. */
  failed = false
  /** Updates appended, and updates synced to disk, since the document was opened. */
  #appended = 0
  #durable = 0
  #pending: Uint8Array[] = []
  #held: HeldFrame[] = []

  constructor(
    document: Document,
    kind: Kind,
    claims: Map<number, string>,
    stored: { bytes: number; tailEntries: number; tailBytes: number },
  ) {
    this.document = document
    this.name = document.name
    this.kind = kind
    this.claims = claims
    this.bytes = stored.bytes
    this.tailEntries = stored.tailEntries
    this.tailBytes = stored.tailBytes
  }

  get isDurable(): boolean {
    return this.#durable === this.#appended
  }

  /** Whether Yjs holds updates back because something they build on is missing. The verdict makes this impossible. */
  get hasPendingStructs(): boolean {
    const { pendingStructs, pendingDs } = this.document.store
    return pendingStructs !== null || pendingDs !== null
  }

  push(update: Uint8Array): void {
    this.#appended++
    this.#pending.push(update)
    this.bytes += update.byteLength
  }

  /** Takes what the next commit writes. */
  take(): Uint8Array[] {
    const updates = this.#pending
    this.#pending = []
    return updates
  }

  /** Sends `frame` as soon as everything appended until now is on disk: at once when it is. */
  deliver(to: Outlet, frame: Uint8Array): void {
    if (this.failed) to.drop?.()
    else if (this.isDurable && this.#held.length === 0) to.transmit(frame)
    else this.#held.push({ after: this.#appended, to, frame })
  }

  /** Resolves when everything appended until now is on disk; rejects when its commit fails. */
  whenDurable(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.deliver({ transmit: () => resolve(), drop: () => reject(new Error('the commit failed')) }, NO_FRAME)
    return promise
  }

  /** `count` more updates are on disk: lets go of the frames that waited for them. */
  release(count: number): void {
    this.#durable += count
    const held = this.#held
    let sent = 0
    while (sent < held.length && (held[sent] as HeldFrame).after <= this.#durable) sent++
    this.#held = sent === held.length ? [] : held.slice(sent)
    for (let i = 0; i < sent; i++) {
      const { to, frame } = held[i] as HeldFrame
      to.transmit(frame)
    }
  }

  /** The journal could not take what is in memory: drops everything that depends on it. */
  fail(): void {
    this.failed = true
    const held = this.#held
    this.#held = []
    for (const { to } of held) to.drop?.()
  }

  stateVector(): Uint8Array {
    return Y.encodeStateVector(this.document)
  }
}
