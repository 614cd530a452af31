// A client that speaks the Hocuspocus wire protocol by hand: many documents on one socket, exact acknowledgements, and
// any bytes a test wants to send. It keeps no document state of its own.
import { once } from 'node:events'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { WebSocket } from 'ws'
import { AuthType, MessageType, SyncType } from '../../shared/protocol.ts'

export interface WireDocument {
  readonly name: string
  /** Positive acknowledgements so far; they come in the order of what was sent. */
  acked: number
  /** Sync status *false* so far. */
  refused: number
  readonly stateless: unknown[]
  /** The reason of the CLOSE frame, once the server closed this document. */
  closedWith: string | undefined
  /** Bytes of updates and states received. */
  receivedBytes: number
  onUpdate: (update: Uint8Array) => void
  /** Called after `onUpdate` with the answer to a state request. */
  onState: () => void
  onAck: (positive: boolean) => void
  onStateVector: (stateVector: Uint8Array) => void
  onClosed: (reason: string) => void
  onAwareness: (update: Uint8Array) => void
  sendUpdate: (update: Uint8Array) => void
  sendStep1: (stateVector: Uint8Array) => void
  sendStep2: (update: Uint8Array) => void
  sendAwareness: (update: Uint8Array) => void
}

export interface WireClient {
  readonly socket: WebSocket
  /** Sends the token; resolves when the server says Authenticated, rejects with its reason when denied. */
  open: (name: string, token: string, version?: string) => Promise<WireDocument>
  /** Close code and reason, once the socket is closed. */
  readonly closed: Promise<{ code: number; reason: string }>
  close: () => void
}

const frame = (name: string, type: number, write: (encoder: encoding.Encoder) => void): Uint8Array => {
  const encoder = encoding.createEncoder()
  encoding.writeVarString(encoder, name)
  encoding.writeVarUint(encoder, type)
  write(encoder)
  return encoding.toUint8Array(encoder)
}

const syncFrame = (name: string, syncType: number, payload: Uint8Array): Uint8Array =>
  frame(name, MessageType.Sync, (encoder) => {
    encoding.writeVarUint(encoder, syncType)
    encoding.writeVarUint8Array(encoder, payload)
  })

/** The frame a stock client sends for one update. */
export const updateFrame = (name: string, update: Uint8Array): Uint8Array => syncFrame(name, SyncType.Update, update)

const createDocument = (name: string, socket: WebSocket): WireDocument => ({
  name,
  acked: 0,
  refused: 0,
  stateless: [],
  closedWith: undefined,
  receivedBytes: 0,
  onUpdate: () => {},
  onState: () => {},
  onAck: () => {},
  onStateVector: () => {},
  onClosed: () => {},
  onAwareness: () => {},
  sendUpdate: (update) => socket.send(updateFrame(name, update)),
  sendStep1: (stateVector) => socket.send(syncFrame(name, SyncType.Step1, stateVector)),
  sendStep2: (update) => socket.send(syncFrame(name, SyncType.Step2, update)),
  sendAwareness: (update) =>
    socket.send(frame(name, MessageType.Awareness, (encoder) => encoding.writeVarUint8Array(encoder, update))),
})

/** Opens a socket to `url` (`ws://host:port/sync`). */
export const connectWire = async (url: string, headers: Record<string, string> = {}): Promise<WireClient> => {
  const socket = new WebSocket(url, { headers, perMessageDeflate: false })
  socket.binaryType = 'nodebuffer'
  const documents = new Map<string, WireDocument>()
  const opening = new Map<string, { resolve: (document: WireDocument) => void; reject: (error: Error) => void }>()

  const { promise: closed, resolve: resolveClosed } = Promise.withResolvers<{ code: number; reason: string }>()
  socket.on('close', (code, reason) => {
    resolveClosed({ code, reason: reason.toString() })
    for (const { reject } of opening.values()) reject(new Error(`socket closed: ${code} ${reason.toString()}`))
    opening.clear()
  })

  const onAuth = (name: string, decoder: decoding.Decoder): void => {
    const waiting = opening.get(name)
    opening.delete(name)
    const type = decoding.readVarUint(decoder)
    const text = decoding.readVarString(decoder)
    if (type === AuthType.PermissionDenied) waiting?.reject(new Error(text))
    if (type === AuthType.Authenticated) waiting?.resolve(documents.get(name) as WireDocument)
  }
  const onSync = (document: WireDocument, decoder: decoding.Decoder): void => {
    const type = decoding.readVarUint(decoder)
    const payload = decoding.readVarUint8Array(decoder)
    if (type === SyncType.Step1) {
      document.onStateVector(payload)
      return
    }
    document.receivedBytes += payload.byteLength
    document.onUpdate(payload)
    if (type === SyncType.Step2) document.onState()
  }
  socket.on('message', (data: Buffer) => {
    const decoder = decoding.createDecoder(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    const name = decoding.readVarString(decoder).split('\0')[0] as string
    const type = decoding.readVarUint(decoder)
    const document = documents.get(name)
    if (!document) return
    if (type === MessageType.Auth) onAuth(name, decoder)
    if (type === MessageType.Sync || type === MessageType.SyncReply) onSync(document, decoder)
    if (type === MessageType.Awareness) document.onAwareness(decoding.readVarUint8Array(decoder))
    if (type === MessageType.Stateless) document.stateless.push(JSON.parse(decoding.readVarString(decoder)))
    if (type === MessageType.SyncStatus) {
      const positive = decoding.readVarUint(decoder) === 1
      document[positive ? 'acked' : 'refused'] += 1
      document.onAck(positive)
    }
    if (type === MessageType.Close) {
      document.closedWith = decoding.readVarString(decoder)
      document.onClosed(document.closedWith)
    }
  })

  await Promise.race([
    once(socket, 'open'),
    closed.then(({ code }) => Promise.reject(new Error(`closed before open: ${code}`))),
  ])
  return {
    socket,
    closed,
    close: () => socket.close(),
    open: (name, token, version = 'wire-client') => {
      const { promise, resolve, reject } = Promise.withResolvers<WireDocument>()
      opening.set(name, { resolve, reject })
      documents.set(name, createDocument(name, socket))
      socket.send(
        frame(name, MessageType.Auth, (encoder) => {
          encoding.writeVarUint(encoder, AuthType.Token)
          encoding.writeVarString(encoder, token)
          encoding.writeVarString(encoder, version)
        }),
      )
      return promise
    },
  }
}
