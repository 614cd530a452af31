// One benchmark client of one document: opens it as a stock provider does, then counts acknowledgements and hands out
// what it receives. It never applies an update. Speaks Hocuspocus, or y-websocket when it is given no document name.
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { AuthType, MessageType, SyncType } from '../../../shared/protocol.ts'
import { type Address, connectRaw } from './raw-socket.ts'

export interface Target extends Address {
  /** The document name on the wire; null: y-websocket, where the path names it. */
  readonly document: string | null
  readonly token: string
}

export interface ClientOptions {
  readonly clientId: number
  /** What the client holds already: answers the server's first state vector. Empty by default. */
  readonly offlineUpdate?: Uint8Array
  readonly stateVector?: Uint8Array
  readonly onFail: (error: Error) => void
  /** A view of a received update or state; valid during the call only. */
  readonly onUpdate?: (update: Uint8Array, at: number) => void
}

export interface LoadClient {
  /**
   * One sent update is acknowledged. y-websocket has no acknowledgements: there it is the echo of the client's own
   * update, which says that the server relayed it.
   */
  onAck: (at: number) => void
  onUpdate: (update: Uint8Array, at: number) => void
  sendUpdate: (update: Uint8Array) => void
  close: () => void
  receivedFrames: number
  receivedBytes: number
  /** When the first frame was sent, when the state came, when the offline edits were acknowledged. */
  readonly times: { authSent: number; stateAt: number; offlineAckedAt: number }
}

const NOTHING = new Uint8Array(0)
/** An empty state vector, and an empty update. */
const EMPTY_VECTOR = Uint8Array.of(0)
const EMPTY_UPDATE = Uint8Array.of(0, 0)

const encoded = (write: (encoder: encoding.Encoder) => void): Uint8Array => {
  const encoder = encoding.createEncoder()
  write(encoder)
  return encoding.toUint8Array(encoder)
}

const varUint = (value: number): Uint8Array => encoded((encoder) => encoding.writeVarUint(encoder, value))

/** The bytes before a sync payload: address, type, kind, length. */
const syncHead = (address: Uint8Array, syncType: number, length: number): Uint8Array =>
  encoded((encoder) => {
    encoding.writeUint8Array(encoder, address)
    encoding.writeVarUint(encoder, MessageType.Sync)
    encoding.writeVarUint(encoder, syncType)
    encoding.writeVarUint(encoder, length)
  })

const authFrame = (address: Uint8Array, token: string): Uint8Array =>
  encoded((encoder) => {
    encoding.writeUint8Array(encoder, address)
    encoding.writeVarUint(encoder, MessageType.Auth)
    encoding.writeVarUint(encoder, AuthType.Token)
    encoding.writeVarString(encoder, token)
    encoding.writeVarString(encoder, '4.8.0')
  })

/** Whether `update` holds one client's structs only, and that client's id is encoded as `id`. */
const isOf = (id: Uint8Array, update: Uint8Array): boolean =>
  update[0] === 1 && id.every((byte, index) => update[index + 2] === byte)

/** Connects, authenticates and exchanges states; resolves once the state came and the offline edits are acknowledged. */
export const openClient = async (target: Target, options: ClientOptions): Promise<LoadClient> => {
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>()
  const { document } = target
  const isHocuspocus = document !== null
  const address = isHocuspocus ? encoded((encoder) => encoding.writeVarString(encoder, document)) : NOTHING
  const ownId = varUint(options.clientId)
  const offlineUpdate = options.offlineUpdate ?? EMPTY_UPDATE
  const times = { authSent: 0, stateAt: 0, offlineAckedAt: 0 }

  const fail = (message: string): void => {
    const error = new Error(message)
    reject(error)
    options.onFail(error)
  }
  const sendSync = (syncType: number, payload: Uint8Array): void =>
    socket.send(syncHead(address, syncType, payload.length), payload)
  const finishOpening = (): void => {
    if (times.stateAt > 0 && times.offlineAckedAt > 0) resolve()
  }
  const acknowledge = (at: number): void => {
    if (times.offlineAckedAt > 0) {
      client.onAck(at)
      return
    }
    times.offlineAckedAt = at
    finishOpening()
  }
  const onSync = (decoder: decoding.Decoder, at: number): void => {
    const syncType = decoding.readVarUint(decoder)
    const payload = decoding.readVarUint8Array(decoder)
    if (syncType === SyncType.Step1) {
      sendSync(SyncType.Step2, offlineUpdate)
      // y-websocket acknowledges nothing.
      if (!isHocuspocus) acknowledge(at)
      return
    }
    client.receivedFrames += 1
    client.receivedBytes += payload.length
    if (times.stateAt === 0 && syncType === SyncType.Step2) {
      times.stateAt = at
      finishOpening()
    }
    client.onUpdate(payload, at)
    if (!isHocuspocus && syncType === SyncType.Update && isOf(ownId, payload)) client.onAck(at)
  }
  const onAuth = (decoder: decoding.Decoder): void => {
    const authType = decoding.readVarUint(decoder)
    if (authType === AuthType.Authenticated) sendSync(SyncType.Step1, options.stateVector ?? EMPTY_VECTOR)
    else fail(`not authenticated: ${decoding.readVarString(decoder)}`)
  }
  const onMessage = (bytes: Buffer, start: number, end: number, at: number): void => {
    const decoder = decoding.createDecoder(new Uint8Array(bytes.buffer, bytes.byteOffset, end))
    decoder.pos = start + address.length
    const type = decoding.readVarUint(decoder)
    if (type === MessageType.Sync || type === MessageType.SyncReply) onSync(decoder, at)
    else if (type === MessageType.SyncStatus) {
      if (decoding.readVarUint(decoder) === 1) acknowledge(at)
      else fail('an update was refused')
    } else if (isHocuspocus && type === MessageType.Auth) onAuth(decoder)
    else if (type === MessageType.Close) fail(`the document was closed: ${decoding.readVarString(decoder)}`)
  }

  const client: LoadClient = {
    onAck: () => {},
    onUpdate: options.onUpdate ?? (() => {}),
    sendUpdate: (update) => sendSync(SyncType.Update, update),
    close: () => socket.destroy(),
    receivedFrames: 0,
    receivedBytes: 0,
    times,
  }
  const early: { bytes: Buffer; at: number }[] = []
  let deliver = (bytes: Buffer, start: number, end: number, at: number): void => {
    early.push({ bytes: Buffer.from(bytes.subarray(start, end)), at })
  }
  const socket = await connectRaw(target, {
    onMessage: (bytes, start, end, at) => deliver(bytes, start, end, at),
    onClosed: fail,
  })
  deliver = onMessage
  times.authSent = performance.now()
  if (isHocuspocus) socket.send(authFrame(address, target.token), NOTHING)
  else sendSync(SyncType.Step1, options.stateVector ?? EMPTY_VECTOR)
  for (const { bytes, at } of early) onMessage(bytes, 0, bytes.length, at)
  await ready
  return client
}
