// One WebSocket: takes frames in, finds the document they speak of, holds them back until it is open, and sends frames
// out. Slows a client down by not reading its socket; closes only what is broken or does not read.
import type { Duplex } from 'node:stream'
import type { Connection, WebSocketLike } from '@hocuspocus/server'
import type { WebSocket } from 'ws'
import { type ErrorCode, ERRORS } from '../../shared/errors.ts'
import { DOCUMENTS_PER_SOCKET_MAX } from '../../shared/limits.ts'
import { AuthType, MessageType, SDK_VERSION_PREFIX } from '../../shared/protocol.ts'
import type { StoredDocument } from '../../storage/updates.ts'
import type { Grant } from '../access.ts'
import { Attachment } from './attachment.ts'
import { type AttachmentDeps, type AttachmentSocket, LOOK_UP_MS } from './attachment-types.ts'
import { answerFromDisk } from './early-answer.ts'
import {
  deniedFrame,
  type FrameHead,
  type Hello,
  isAddress,
  nameOf,
  readHead,
  readHeadOfBroadcast,
  readHello,
  readReason,
} from './frames.ts'
import { createHeartbeat } from './heartbeat.ts'
import type { Host } from './host.ts'
import { createOpenings } from './openings.ts'
import { createReading } from './reading.ts'
import { reviewSlots } from './review.ts'
import { newSlot, type Slot } from './slot.ts'
import { createWriter } from './writer.ts'
import type { Dialect } from './dialect.ts'

/** What Hocuspocus hands back to our hooks: whose socket it is and, once authenticated, what the token allows. */
export interface SocketContext {
  readonly socket: ClientSocket
  readonly grant?: Grant
}

export interface ClientSocketDeps extends AttachmentDeps {
  readonly host: Host<SocketContext>
  /** Whether the journal has more unsynced bytes than it should; the socket then pauses until `resume`. */
  readonly isJournalFull: () => boolean
}

/** Nothing of ours reads it; one serves for all. */
const REQUEST = new Request('http://localhost/')

export class ClientSocket implements AttachmentSocket, WebSocketLike {
  readonly #ws: WebSocket
  readonly #dialect: Dialect
  readonly #deps: ClientSocketDeps
  readonly #slots = new Map<string, Slot>()
  readonly #openings = createOpenings()
  readonly #reading: ReturnType<typeof createReading>
  readonly #writer: ReturnType<typeof createWriter>
  #hocuspocus: ReturnType<Host<SocketContext>['handleConnection']> | undefined
  readonly beat: () => void
  /** Some document was opened on this socket. */
  hasOpened = false

  constructor(ws: WebSocket, raw: Duplex, dialect: Dialect, deps: ClientSocketDeps) {
    this.#ws = ws
    this.#dialect = dialect
    this.#deps = deps
    this.#reading = createReading(ws, raw)
    this.#writer = createWriter(ws, raw, dialect, deps.log)
    this.beat = createHeartbeat(ws)
    ws.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) this.#receive(data)
      else this.closeSocket('socket/bad-frame')
    })
    ws.on('error', () => {}) // It closes next, and there is nobody to tell.
    ws.on('close', (code, reason) => {
      this.#hocuspocus?.handleClose({ code, reason: reason.toString() })
      this.#slots.clear()
    })
  }

  #receive(data: Buffer): void {
    // Ping and pong are about the connection: one byte, no address.
    const single = data.length === 1 ? data[0] : undefined
    if (single === MessageType.Ping) this.transmit(Uint8Array.of(MessageType.Pong))
    else if (single !== MessageType.Pong) this.#take(this.#dialect.wrap(data))
  }

  #take(frame: Uint8Array): void {
    const head = readHead(frame)
    if (!head) {
      this.closeSocket('socket/bad-frame')
      return
    }
    if (head.type === MessageType.Auth) this.authenticate(head, frame)
    else this.#enqueue(head, frame)
  }

  /** An Auth frame opens its document through Hocuspocus, which asks our hooks; in an open one it waits its turn. */
  authenticate(head: FrameHead, frame: Uint8Array): void {
    const { address, bodyAt } = head
    let hello: Hello
    try {
      hello = readHello(frame, bodyAt)
    } catch {
      this.closeSocket('socket/bad-frame')
      return
    }
    const slot = this.#slots.get(address) ?? this.#newSlot(address)
    if (!slot) return
    if (slot.state !== 'closed') {
      this.#enqueue(head, frame)
      return
    }
    slot.recovers = hello.version.startsWith(SDK_VERSION_PREFIX)
    slot.isAnswered = false
    slot.isOutdated = false
    slot.state = 'opening'
    this.#reading.count(1, 0)
    const hocuspocus = (this.#hocuspocus ??= this.#deps.host.handleConnection(this, REQUEST, { socket: this }))
    this.#openings.add(() => hocuspocus.handleMessage(frame))
  }

  #newSlot(address: string): Slot | undefined {
    if (this.#slots.size >= DOCUMENTS_PER_SOCKET_MAX) {
      this.closeSocket('socket/too-many-documents')
      return undefined
    }
    // Hocuspocus keys plain objects by name; only names of our grammar may reach it.
    if (!isAddress(address)) {
      this.transmit(deniedFrame(address, 'permission-denied'))
      return undefined
    }
    const slot = newSlot(address, nameOf(address))
    this.#slots.set(address, slot)
    return slot
  }

  #enqueue({ address, type, bodyAt }: FrameHead, frame: Uint8Array): void {
    const slot = this.#slots.get(address)
    // Frames for a document that is not opening are dropped: the handshake after opening brings all they hold.
    if (!slot || slot.state === 'closed') return
    if (slot.state === 'open' && slot.waits === 0) {
      this.#handle(slot, frame, type, bodyAt)
      return
    }
    slot.waiting.push(frame)
    this.#reading.count(1, frame.byteLength)
  }

  #handle(slot: Slot, frame: Uint8Array, type: number, bodyAt: number): void {
    try {
      this.#waitFor(slot, slot.attachment?.handle(frame, type, bodyAt))
    } catch (error) {
      this.#deps.log.debug('socket.bad-frame', { document: slot.name, error: String(error) })
      this.closeSocket('socket/bad-frame')
    }
  }

  /** Later frames of the document wait until `wait` is over. */
  #waitFor(slot: Slot, wait: Promise<unknown> | undefined): void {
    if (!wait) return
    slot.waits++
    const goOn = (): void => {
      slot.waits--
      this.#drain(slot)
    }
    wait.then(goOn, () => {})
  }

  #drain(slot: Slot): void {
    while (slot.state === 'open' && slot.waits === 0) {
      const frame = slot.waiting.shift()
      if (!frame) break
      this.#reading.count(-1, -frame.byteLength)
      const { type, bodyAt } = readHead(frame) as FrameHead
      this.#handle(slot, frame, type, bodyAt)
    }
  }

  /** Closed for this client: what waited is dropped, up to a token that opens it again. */
  #closed(slot: Slot): void {
    if (slot.state === 'opening') this.#reading.count(-1, 0)
    slot.state = 'closed'
    // A place that was never taken is forgotten; names are free to try, memory is not.
    if (!slot.attachment) this.#slots.delete(slot.address)
    const waiting = slot.waiting.splice(0)
    // Not at once: Hocuspocus forgets the document only after it has sent what tells us here.
    queueMicrotask(() => {
      for (const frame of waiting) {
        this.#reading.count(-1, -frame.byteLength)
        this.#take(frame)
      }
    })
  }

  opened(connection: Connection<SocketContext>, grant: Grant): void {
    const slot = this.#slotOf(connection)
    const live = this.#deps.host.liveOf(connection.document)
    if (!slot || !live) {
      // Thrown away in the same moment: a stock client comes back for a closed socket only.
      this.closeSocket('storage/unavailable')
      return
    }
    this.hasOpened = true
    void this.#openings.done()
    this.#reading.loggedIn()
    slot.attachment = new Attachment(connection.messageAddress, live, connection, grant, slot, this, this.#deps)
    slot.state = 'open'
    this.#reading.count(-1, 0)
    slot.attachment.askForState()
    if (slot.isOutdated) this.#waitFor(slot, slot.attachment.review())
    this.#drain(slot)
  }

  /** Looks up again what these users (null: everybody) have open; who has nothing left by it loses the socket too. */
  async review(userIds: ReadonlySet<string> | null): Promise<void> {
    const ended = await reviewSlots(this.#slots.values(), userIds, (slot, wait) => this.#waitFor(slot, wait))
    if (ended.length === 0 || [...this.#slots.values()].some(({ state }) => state !== 'closed')) return
    // What they are told waits for the disk, as everything does. Nobody waits for this.
    void Promise.all(ended.map((live) => live.whenDurable())).then(() => this.closeSocket('revoked/session'))
  }

  async fetched(name: string, stored: StoredDocument): Promise<void> {
    for (const slot of this.#slots.values()) {
      if (slot.name !== name || slot.state !== 'opening') continue
      const answered = await answerFromDisk(slot, stored, this.transmit)
      if (!answered) continue
      slot.isAnswered = true
      this.#reading.count(-1, -answered.byteLength)
    }
  }

  isUsing(live: { readonly name: string }): boolean {
    return [...this.#slots.values()].some(({ name, state }) => name === live.name && state !== 'closed')
  }

  get readyState(): number {
    return this.#ws.readyState
  }

  /** What Hocuspocus sends: broadcasts, answers to a token, CLOSE. Waits its turn behind the document's commits. */
  send(data: Parameters<WebSocketLike['send']>[0]): void {
    const frame = data as Uint8Array
    const head = readHeadOfBroadcast(frame)
    if (!head) return
    const slot = this.#slots.get(head.address)
    if (head.type === MessageType.Auth && frame[head.bodyAt + 1] === AuthType.PermissionDenied) {
      this.#denied(slot, frame, head)
      return
    }
    if (head.type === MessageType.Awareness && this.isCongested()) return
    const live = slot?.attachment?.live
    // Our state request follows the answer to a token.
    if (head.type === MessageType.Auth) this.#writer.gather()
    // Such an answer too: opened again at once, a document may still owe its CLOSE. One that was thrown away owes nothing.
    if (live && !(live.failed && head.type === MessageType.Auth)) live.deliver(this, frame)
    else this.transmit(frame)
    if (head.type === MessageType.Close && slot) this.#closed(slot)
  }

  #denied(slot: Slot | undefined, frame: Uint8Array, head: FrameHead): void {
    const reason = readReason(frame, head)
    // "Denied" would stop a client for good; when the storage is away it shall come back.
    if (reason in ERRORS && ERRORS[reason as ErrorCode].retry) {
      this.closeSocket(reason as ErrorCode)
      return
    }
    this.transmit(frame)
    if (slot) this.#closed(slot)
    void this.#openings.done(this.charge(LOOK_UP_MS))
  }

  readonly #slotOf = ({ messageAddress: at }: Connection) => this.#slots.get(at) ?? this.#slots.get(nameOf(at))
  readonly hasState = (connection: Connection): boolean => this.#slotOf(connection)?.isAnswered ?? false
  readonly transmit = (...frames: Uint8Array[]): void => this.#writer.transmit(frames)
  readonly isCongested = (): boolean => this.#writer.isCongested()
  readonly whenDrained = (): Promise<void> => this.#writer.whenDrained()
  readonly close = (code?: number, reason?: string): void => this.#ws.close(code, reason)
  readonly terminate = (): void => this.#ws.terminate()

  closeSocket(code: ErrorCode): void {
    this.close(ERRORS[code].close, code)
  }

  onceClosed(run: () => void): void {
    this.#ws.once('close', run)
  }

  charge(ms: number): Promise<void> | undefined {
    return this.#reading.charge(ms)
  }

  afterWrite(): void {
    if (this.#deps.isJournalFull()) this.#reading.pause('journal')
  }

  /** The journal has room again. */
  resume(): void {
    this.#reading.resume('journal')
  }
}
