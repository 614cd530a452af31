// One document on one socket: answers state requests, judges and applies updates, refuses. Everything from the frame
// to the queued acknowledgement happens in one synchronous step.
import type { Connection } from '@hocuspocus/server'
import * as Y from 'yjs'
import { AppError, type ErrorCode, ERRORS } from '../../shared/errors.ts'
import { GROUP_KIND } from '../../shared/group/kind.ts'
import { STATE_VECTOR_BYTES_MAX } from '../../shared/limits.ts'
import { MessageType, SyncType } from '../../shared/protocol.ts'
import type { Grant } from '../access.ts'
import { type AttachmentDeps, type AttachmentSlot, type AttachmentSocket, LOOK_UP_MS } from './attachment-types.ts'
import { applyAwareness } from './awareness.ts'
import { readHello, readPayload, refusedFrame, revokedFrame, statusFrame, syncFrame } from './frames.ts'
import type { LiveDocument } from './live-document.ts'
import { startCpuTimer } from './reading.ts'
import { stateAnswer } from './state-answer.ts'
import { judge, type Verdict } from './verdict.ts'

/** What sending an answer costs after it was made, on a slow machine. */
const SENDING_MS = 1
const SENDING_MS_PER_BYTE = 1 / 200_000
/** What an update may take before its socket is charged: far more than honest ones do, far less than crafted ones can. */
const FREE_MS = 2
const FREE_MS_PER_BYTE = 1 / 5_000

type Refused = Extract<Verdict, { verdict: 'refuse' }>

/** A frame that cannot be handled yet makes its attachment wait; `undefined` means it was handled. */
type Wait = Promise<void> | undefined

export class Attachment {
  readonly #address: string
  readonly live: LiveDocument
  readonly #connection: Connection
  #grant: Grant
  readonly #slot: AttachmentSlot
  readonly #socket: AttachmentSocket
  readonly #deps: AttachmentDeps
  readonly #stored: Uint8Array
  /** The client has sent its whole state once; until then updates may refer to edits that only come with it. */
  #isSynced = false
  /** Updates refused for a gap that the client's state will fill. */
  #healing = 0

  constructor(
    address: string,
    live: LiveDocument,
    connection: Connection,
    grant: Grant,
    slot: AttachmentSlot,
    socket: AttachmentSocket,
    deps: AttachmentDeps,
  ) {
    this.#address = address
    this.live = live
    this.#connection = connection
    this.#grant = grant
    this.#slot = slot
    this.#socket = socket
    this.#deps = deps
    this.#stored = statusFrame(address, true)
  }

  get userId(): string {
    return this.#grant.userId
  }

  /** Looks up rights and facts again, at a fresh token or by need; without the rights the document is closed. */
  async #renew(lookUp: () => Promise<Grant>): Promise<void> {
    try {
      const grant = await lookUp()
      if (grant.userId !== this.#grant.userId) throw new AppError('permission-denied', 'another user')
      this.#grant = grant
      this.#connection.readOnly = grant.readOnly
    } catch (error) {
      const code = error instanceof AppError ? error.code : 'storage/unavailable'
      if (ERRORS[code].retry) this.#socket.closeSocket(code)
      else this.close('permission-denied')
    }
    await this.#socket.charge(LOOK_UP_MS)
  }

  /**
   * Looks up rights that may have changed, and tells the client what it lost. False when its login has ended. Not
   * charged: no client can cause it at will.
   */
  async review(): Promise<boolean> {
    const { name } = this.live
    try {
      const grant = await this.#deps.access.openFor(this.#grant, name)
      if (grant.readOnly && !this.#grant.readOnly) this.#tellRevoked('revoked/write')
      this.#grant = grant
      this.#connection.readOnly = grant.readOnly
      return true
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'access/not-found')) {
        this.#socket.closeSocket('storage/unavailable')
        return true
      }
    }
    const isLive = await this.#deps.access.isLive(this.#grant).catch(() => true)
    if (!this.live.document.hasConnection(this.#connection)) return true
    const code = isLive ? 'revoked/access' : 'revoked/session'
    this.#tellRevoked(code)
    this.close(code)
    return isLive
  }

  #tellRevoked(code: ErrorCode): void {
    this.#deps.log.info('document.revoked', { document: this.live.name, user: this.#grant.userId, code })
    this.#send(revokedFrame(this.#address, code))
  }

  /** Handles a frame whose type stands at `bodyAt`; throws on bytes that are no such frame. */
  handle(frame: Uint8Array, type: number, bodyAt: number): Wait {
    switch (type) {
      case MessageType.Sync:
      case MessageType.SyncReply:
        return this.#sync(frame, bodyAt + 1)
      case MessageType.Awareness:
        applyAwareness(this.live, this.#connection, this.#grant.userId, readPayload(frame, bodyAt + 1))
        return undefined
      case MessageType.Auth: {
        const { token } = readHello(frame, bodyAt)
        return this.#renew(() => this.#deps.access.openDocument(token, this.live.name, this.#socket))
      }
      case MessageType.Close:
        this.#connection.close({ code: 1000, reason: 'provider_initiated' })
        return undefined
      case MessageType.Stateless:
        return this.live.kind === GROUP_KIND ? this.#hearPresence(readPayload(frame, bodyAt + 1)) : undefined
      case MessageType.QueryAwareness:
        // Nothing is asked this way; harmless to ignore, as Hocuspocus does.
        return undefined
      default:
        throw new Error('unknown message type')
    }
  }

  /** Closes this document for the client, with a code as reason. */
  close(code: keyof typeof ERRORS): void {
    this.#connection.close({ code: ERRORS[code].close, reason: code })
  }

  #hearPresence(message: Uint8Array): Wait {
    const live = this.live
    const connection = this.#connection
    if (live.failed || !live.document.hasConnection(connection)) return undefined
    // Answers would pile up behind a slow disk.
    if (!live.isDurable) return live.whenDurable().then(() => this.#hearPresence(message))
    const place = { live, connection, userId: this.userId, address: this.#address, socket: this.#socket }
    return this.#socket.charge(this.#deps.presence.hear(place, message))
  }

  #sync(frame: Uint8Array, at: number): Wait {
    const type = frame[at]
    const payload = readPayload(frame, at + 1)
    if (type === SyncType.Step1) return this.#answerState(payload)
    if (type === SyncType.Step2 || type === SyncType.Update) {
      return this.#update(new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength), type)
    }
    throw new Error('unknown sync type')
  }

  #send(frame: Uint8Array): void {
    this.live.deliver(this.#socket, frame)
  }

  /** Asks the client for what the server does not have. */
  askForState(): void {
    this.#send(syncFrame(this.#address, SyncType.Step1, this.live.stateVector()))
  }

  #answerState(stateVector: Uint8Array): Wait {
    // While it waited, the document may have been closed for this client.
    if (!this.live.document.hasConnection(this.#connection)) return undefined
    if (stateVector.byteLength > STATE_VECTOR_BYTES_MAX) throw new Error('state vector too large')
    if (this.live.isOlder(stateVector)) return this.#part(stateVector)
    // Large answers pile up neither behind a slow reader nor behind a slow disk.
    if (this.#socket.isCongested()) return this.#socket.whenDrained().then(() => this.#answerState(stateVector))
    if (!this.live.isDurable) return this.live.whenDurable().then(() => this.#answerState(stateVector))
    const spentMs = startCpuTimer()
    const answer = stateAnswer(this.live, this.#address, stateVector)
    this.#send(answer)
    // Its first request comes with the opening, which asked it already.
    if (this.#slot.isAnswered) this.askForState()
    this.#slot.isAnswered = true
    // Opening a document asks once, a resync now and then; what is beyond that is on the client's account.
    if (++this.#slot.stateRequests <= 2) return undefined
    return this.#socket.charge(spentMs() + SENDING_MS + answer.byteLength * SENDING_MS_PER_BYTE)
  }

  /** The client has structs of an older epoch: nothing of the present one may meet them. */
  async #part(stateVector: Uint8Array): Promise<void> {
    const send = (update: Uint8Array): void => this.#send(syncFrame(this.#address, SyncType.Update, update))
    try {
      const bytes = await this.#deps.epochs.part(this.live, this.#connection, stateVector, send)
      await this.#socket.charge(LOOK_UP_MS + bytes * SENDING_MS_PER_BYTE)
    } catch {
      this.#socket.closeSocket('storage/unavailable')
    }
  }

  #judge(update: Uint8Array): Verdict {
    this.live.measureBefore(update.byteLength)
    const { document: doc, kind, claims, bytes: documentBytes } = this.live
    const { userId: actor, role, facts } = this.#grant
    const readOnly = this.#connection.readOnly
    const isSealed = facts.isSealed || this.live.isSealed
    const { members, groups } = facts
    const now = this.#deps.now()
    return judge({ doc, kind, claims, documentBytes, readOnly, actor, role, now, members, isSealed, groups }, update)
  }

  #update(update: Uint8Array, type: number, isRenewed = false): Wait {
    // While it waited, the document may have been thrown away or closed for this client.
    if (this.live.failed || !this.live.document.hasConnection(this.#connection)) return undefined
    if (this.live.renewal) return this.live.renewal.then(() => this.#update(update, type, isRenewed))
    const spentMs = startCpuTimer()
    const verdict = this.#judge(update)
    if (verdict.verdict === 'refuse') {
      // Somebody may have joined the group since this was opened.
      if (verdict.code === 'not-a-member' && !isRenewed) {
        void this.#socket.charge(spentMs())
        const lookUp = () => this.#deps.access.openFor(this.#grant, this.live.name)
        return this.#renew(lookUp).then(() => this.#update(update, type, true))
      }
      this.#refuse(verdict, type)
      return this.#socket.charge(spentMs())
    }
    if (verdict.verdict === 'accept' && !this.#apply(verdict)) return undefined
    if (type === SyncType.Step2) this.#synced()
    this.#send(this.#stored)
    this.#socket.afterWrite()
    const freeMs = FREE_MS + update.byteLength * FREE_MS_PER_BYTE
    const excess = spentMs(freeMs) - freeMs
    return excess > 0 ? this.#socket.charge(excess) : undefined
  }

  /** The client's whole state is in: so is what its early frames could not bring, and it counts on being told for each. */
  #synced(): void {
    this.#isSynced = true
    for (; this.#healing > 0; this.#healing--) this.#send(this.#stored)
  }

  /** Applies what the verdict accepted. False when Yjs disagreed with the verdict, which is a bug of ours. */
  #apply({ update, claims }: Extract<Verdict, { verdict: 'accept' }>): boolean {
    for (const clientId of claims) this.live.claim(clientId, this.#grant.userId)
    try {
      Y.applyUpdate(this.live.document, update, { source: 'connection', connection: this.#connection })
      if (!this.live.hasPendingStructs) return true
      throw new Error('an accepted update was left pending')
    } catch (error) {
      this.#deps.onBroken(this.live, error)
      return false
    }
  }

  #refuse({ code, path, clientId, clock }: Refused, type: number): void {
    this.#deps.log.debug('update.refused', { document: this.live.name, user: this.#grant.userId, code, path })
    this.#send(statusFrame(this.#address, false))
    // A reconnecting stock client replays frames before it has answered our state request. Those are not refused for good:
    // its answer holds what is missing.
    if (code === 'gap' && type === SyncType.Update && !this.#isSynced && !this.#slot.recovers) {
      this.#healing++
      return
    }
    this.#deps.onRefused({ userId: this.#grant.userId, document: this.live.name, code })
    this.#send(refusedFrame(this.#address, { type: 'refused', code, path, clientId, clock }))
    if (!this.#slot.recovers) this.close(code)
  }
}
