// The y-websocket server, ported line by line from @y/websocket-server 0.1.1 `src/utils.js` (MIT, Kevin Jahns) without its
// optional LevelDB and HTTP callback. The package itself pulls in leveldown, a native build, even where it is not used.
import type { IncomingMessage } from 'node:http'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { type RawData, WebSocket } from 'ws'
import * as awarenessProtocol from 'y-protocols/awareness'
import * as syncProtocol from 'y-protocols/sync'
import * as Y from 'yjs'

const MESSAGE_SYNC = 0
const MESSAGE_AWARENESS = 1
const PING_MS = 30_000

interface AwarenessChange {
  readonly added: number[]
  readonly updated: number[]
  readonly removed: number[]
}

const send = (doc: SharedDoc, socket: WebSocket, message: Uint8Array): void => {
  if (socket.readyState !== WebSocket.CONNECTING && socket.readyState !== WebSocket.OPEN) closeSocket(doc, socket)
  try {
    socket.send(message, {}, (error) => {
      if (error) closeSocket(doc, socket)
    })
  } catch {
    closeSocket(doc, socket)
  }
}

export class SharedDoc extends Y.Doc {
  readonly name: string
  readonly sockets = new Map<WebSocket, Set<number>>()
  readonly awareness: awarenessProtocol.Awareness

  constructor(name: string) {
    super({ gc: true })
    this.name = name
    this.awareness = new awarenessProtocol.Awareness(this)
    this.awareness.setLocalState(null)
    this.awareness.on('update', ({ added, updated, removed }: AwarenessChange, socket: WebSocket | null) => {
      const changed = [...added, ...updated, ...removed]
      const controlled = socket === null ? undefined : this.sockets.get(socket)
      for (const id of added) controlled?.add(id)
      for (const id of removed) controlled?.delete(id)
      const encoder = encoding.createEncoder()
      encoding.writeVarUint(encoder, MESSAGE_AWARENESS)
      encoding.writeVarUint8Array(encoder, awarenessProtocol.encodeAwarenessUpdate(this.awareness, changed))
      const message = encoding.toUint8Array(encoder)
      for (const other of this.sockets.keys()) send(this, other, message)
    })
    this.on('update', (update: Uint8Array) => {
      const encoder = encoding.createEncoder()
      encoding.writeVarUint(encoder, MESSAGE_SYNC)
      syncProtocol.writeUpdate(encoder, update)
      const message = encoding.toUint8Array(encoder)
      for (const socket of this.sockets.keys()) send(this, socket, message)
    })
  }
}

const docs = new Map<string, SharedDoc>()

export const getDoc = (name: string): SharedDoc => {
  let doc = docs.get(name)
  if (!doc) {
    doc = new SharedDoc(name)
    docs.set(name, doc)
  }
  return doc
}

const onMessage = (socket: WebSocket, doc: SharedDoc, message: Uint8Array): void => {
  const encoder = encoding.createEncoder()
  const decoder = decoding.createDecoder(message)
  const type = decoding.readVarUint(decoder)
  if (type === MESSAGE_SYNC) {
    encoding.writeVarUint(encoder, MESSAGE_SYNC)
    syncProtocol.readSyncMessage(decoder, encoder, doc, socket)
    if (encoding.length(encoder) > 1) send(doc, socket, encoding.toUint8Array(encoder))
  }
  if (type === MESSAGE_AWARENESS) {
    awarenessProtocol.applyAwarenessUpdate(doc.awareness, decoding.readVarUint8Array(decoder), socket)
  }
}

const closeSocket = (doc: SharedDoc, socket: WebSocket): void => {
  const controlled = doc.sockets.get(socket)
  if (controlled) {
    doc.sockets.delete(socket)
    awarenessProtocol.removeAwarenessStates(doc.awareness, [...controlled], null)
  }
  socket.close()
}

const keepAlive = (doc: SharedDoc, socket: WebSocket): void => {
  let answered = true
  const timer = setInterval(() => {
    if (!answered || !doc.sockets.has(socket)) {
      closeSocket(doc, socket)
      clearInterval(timer)
      return
    }
    answered = false
    socket.ping()
  }, PING_MS)
  socket.on('pong', () => {
    answered = true
  })
  socket.on('close', () => {
    closeSocket(doc, socket)
    clearInterval(timer)
  })
}

/** Serves one socket; its path names the document. */
export const setupConnection = (socket: WebSocket, request: IncomingMessage): void => {
  socket.binaryType = 'arraybuffer'
  const doc = getDoc((request.url ?? '').slice(1).split('?')[0] as string)
  doc.sockets.set(socket, new Set())
  socket.on('message', (data: RawData) => onMessage(socket, doc, new Uint8Array(data as ArrayBuffer)))
  keepAlive(doc, socket)
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, MESSAGE_SYNC)
  syncProtocol.writeSyncStep1(encoder, doc)
  send(doc, socket, encoding.toUint8Array(encoder))
}
