// One open document: the Hocuspocus document, who owns which client id in it, and what of it is not on disk yet.
// Frames that must not leave before the disk has what they depend on wait here, in order (design 4.1).
import type { Document } from '@hocuspocus/server'
import * as Y from 'yjs'
import { AppError } from '../../shared/errors.ts'
import { DOCUMENT_BYTES_MAX } from '../../shared/limits.ts'
import type { Kind } from '../../shared/kind.ts'
import { NOBODY } from '../../storage/epochs.ts'
import type { Claim } from '../../storage/updates.ts'

/** Where a frame goes once it may. */
export interface Outlet {
  /** Sends frames, in order; several given together leave together. */
  readonly transmit: (...frames: Uint8Array[]) => void
  /** The frame will never leave: the disk could not take what it depends on. */
  readonly dropped?: () => void
}

interface HeldFrame {
  readonly after: number
  readonly to: Outlet
  readonly frame: Uint8Array
}

/** Encoding a document of the largest size takes a tenth of a second; it pays once per so much growth. */
const MEASURE_AFTER_BYTES = 64 * 1024

/** Shared by the documents that nobody has written to: most of a thousand open ones. */
const NO_CLAIMS: ReadonlyMap<number, string> = new Map()

/** Nothing to send: for those who only want to know when. */
const NO_FRAME = new Uint8Array(0)

/** The first `count` frames by where they go; who comes first in the queue comes first here. */
const byOutlet = (held: readonly HeldFrame[], count: number): Map<Outlet, Uint8Array[]> => {
  const frames = new Map<Outlet, Uint8Array[]>()
  for (let i = 0; i < count; i++) {
    const { to, frame } = held[i] as HeldFrame
    const others = frames.get(to)
    if (others) others.push(frame)
    else frames.set(to, [frame])
  }
  return frames
}

export class LiveDocument {
  readonly kind: Kind
  readonly document: Document
  /** Encoded size, at most: exact after each snapshot, then grown by every update, also one that replaces a value. */
  bytes: number
  #measuredBytes = 0
  /** Entries and bytes in the journal that no snapshot covers yet. */
  tailEntries: number
  tailBytes: number
  /** Set when the live doc can no longer be trusted to equal the journal; nothing of it leaves the process then. */
  failed = false
  /** While a new epoch is being made: updates wait for it, and find the document closed, or as it was. */
  renewal: Promise<unknown> | null = null
  /** Chat: the segment was sealed while it was open here; what was known when it was opened no longer counts. */
  isSealed = false
  /** Updates appended, and updates synced to disk, since the document was opened. */
  #appended = 0
  #durable = 0
  // Null when empty, for the same reason.
  #pending: Uint8Array[] | null = null
  #newClaims: Claim[] | null = null
  #held: HeldFrame[] | null = null
  #claims: Map<number, string> | null
  readonly #isRenewed: boolean

  constructor(
    document: Document,
    kind: Kind,
    claims: Map<number, string>,
    stored: { bytes: number; tailEntries: number; tailBytes: number },
  ) {
    this.document = document
    this.kind = kind
    this.#claims = claims.size > 0 ? claims : null
    this.#isRenewed = [...claims.values()].includes(NOBODY)
    this.bytes = stored.bytes
    this.tailEntries = stored.tailEntries
    this.tailBytes = stored.tailBytes
  }

  get name(): string {
    return this.document.name
  }

  /** Owner of each claimed client id. */
  get claims(): ReadonlyMap<number, string> {
    return this.#claims ?? NO_CLAIMS
  }

  /** Whether a client with this state has structs of an older epoch. */
  isOlder(stateVector: Uint8Array): boolean {
    if (!this.#isRenewed) return false
    return [...Y.decodeStateVector(stateVector).keys()].some((clientId) => this.claims.get(clientId) === NOBODY)
  }

  /** Gives a client id that nobody owns to a user; the commit of what they write with it stores that too. */
  claim(clientId: number, userId: string): void {
    this.#claims ??= new Map()
    this.#claims.set(clientId, userId)
    this.#newClaims ??= []
    this.#newClaims.push({ clientId, userId })
  }

  /** Takes the claims that the next commit writes. */
  takeClaims(): readonly Claim[] {
    const claims = this.#newClaims ?? []
    this.#newClaims = null
    return claims
  }

  /** Another number after each update. */
  get version(): number {
    return this.#appended
  }

  get isDurable(): boolean {
    return this.#durable === this.#appended
  }

  /** Whether Yjs holds updates back because something they build on is missing. The verdict makes this impossible. */
  get hasPendingStructs(): boolean {
    const { pendingStructs, pendingDs } = this.document.store
    return pendingStructs !== null || pendingDs !== null
  }

  /** Makes sure `bytes` is right where it would decide: a document may not be refused for what it no longer holds. */
  measureBefore(growth: number): void {
    if (this.bytes + growth <= DOCUMENT_BYTES_MAX || this.bytes - this.#measuredBytes < MEASURE_AFTER_BYTES) return
    this.measure()
  }

  /** Makes `bytes` exact; takes about a tenth of a second for the largest documents. */
  measure(): void {
    this.bytes = Y.encodeStateAsUpdate(this.document).byteLength
    this.#measuredBytes = this.bytes
  }

  push(update: Uint8Array): void {
    this.#appended++
    this.#pending ??= []
    this.#pending.push(update)
    this.bytes += update.byteLength
  }

  /** Takes what the next commit writes. */
  take(): readonly Uint8Array[] {
    const updates = this.#pending ?? []
    this.#pending = null
    return updates
  }

  /** Sends `frame` as soon as everything appended until now is on disk: at once when it is. */
  deliver(to: Outlet, frame: Uint8Array): void {
    if (this.failed) {
      to.dropped?.()
      return
    }
    if (this.isDurable && !this.#held) {
      to.transmit(frame)
      return
    }
    this.#held ??= []
    this.#held.push({ after: this.#appended, to, frame })
  }

  /** Resolves when everything appended until now is on disk; never, if its commit fails. */
  whenDurable(): Promise<void> {
    return new Promise((resolve) => this.deliver({ transmit: () => resolve() }, NO_FRAME))
  }

  /** The same, but rejects with `storage/unavailable` when the commit fails. */
  mustBeDurable(): Promise<void> {
    return new Promise((resolve, reject) => {
      const dropped = (): void => reject(new AppError('storage/unavailable', 'the change could not be stored'))
      this.deliver({ transmit: () => resolve(), dropped }, NO_FRAME)
    })
  }

  /** `count` more updates are on disk: lets go of the frames that waited for them. */
  release(count: number): void {
    this.#durable += count
    const held = this.#held
    if (!held) return
    let sent = 0
    while (sent < held.length && (held[sent] as HeldFrame).after <= this.#durable) sent++
    this.#held = sent === held.length ? null : held.slice(sent)
    for (const [to, frames] of byOutlet(held, sent)) to.transmit(...frames)
  }

  /** The journal could not take what is in memory: drops everything that depends on it. */
  fail(): void {
    this.failed = true
    const held = this.#held
    this.#held = null
    for (const { to } of held ?? []) to.dropped?.()
  }

  stateVector(): Uint8Array {
    return Y.encodeStateVector(this.document)
  }
}
