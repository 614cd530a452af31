// What tests of the SDK's connection stand on: a device with docs that records all it is told, clocks, a TCP proxy that can
// go silent, and a server of one's own words for what an honest one never says.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type WebSocket as ServerSocket, WebSocketServer } from 'ws'
import * as Y from 'yjs'
import { createConnection } from '../../client-sdk/connection.ts'
import { systemClock } from '../../client-sdk/system-clock.ts'
import type {
  Attached,
  Clock,
  Connection,
  ConnectionOptions,
  DocumentListener,
} from '../../client-sdk/connection-types.ts'
import type { Person } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'

export interface ManualClock extends Clock {
  /** Lets time pass; what falls due meanwhile runs in its order. */
  readonly advance: (ms: number) => void
  /** How long until each timer, shortest first. */
  readonly timers: () => readonly number[]
}

export const createManualClock = (): ManualClock => {
  let now = 1_000_000
  const due = new Set<{ readonly at: number; readonly run: () => void }>()
  const sorted = () => [...due].toSorted((a, b) => a.at - b.at)
  return {
    now: () => now,
    after: (ms, run) => {
      const timer = { at: now + ms, run }
      due.add(timer)
      return () => void due.delete(timer)
    },
    advance: (ms) => {
      const until = now + ms
      for (let next = sorted()[0]; next && next.at <= until; next = sorted()[0]) {
        due.delete(next)
        now = next.at
        next.run()
      }
      now = until
    },
    timers: () => sorted().map(({ at }) => at - now),
  }
}

/** One document of a device: a doc, and what its listener was told. */
export interface PeerDocument {
  readonly name: string
  readonly doc: Y.Doc
  readonly attached: Attached
  /** What was told, in order: `open`, `asked`, `state`, `update`, `stored`, `not stored`, `refused <code>`, … */
  readonly log: string[]
  readonly isOpen: () => boolean
  readonly count: (told: string) => number
}

export interface Peer extends AsyncDisposable {
  readonly connection: Connection
  readonly states: string[]
  /** Attaches a document that answers the server's question with all it has, and sends each edit of its doc. */
  readonly open: (name: string, overrides?: Partial<DocumentListener>) => PeerDocument
}

export type PeerOptions = Partial<Omit<ConnectionOptions, 'token'>> & {
  readonly url: string
  readonly token: string | ConnectionOptions['token']
}

export const createPeer = ({ token, ...options }: PeerOptions): Peer => {
  const connection = createConnection({
    clock: systemClock,
    random: Math.random,
    tokenRejected: () => {},
    ...options,
    token: typeof token === 'function' ? token : async () => token,
  })
  const states: string[] = []
  connection.subscribe((state) => states.push(state))
  const open: Peer['open'] = (name, overrides = {}) => {
    const doc = new Y.Doc()
    const log: string[] = []
    const told = (what: string): void => void log.push(what)
    const attached = connection.attach(name, {
      stateVector: () => Y.encodeStateVector(doc),
      onOpen: (readOnly) => told(readOnly ? 'open to read' : 'open'),
      onAsked: (stateVector) => {
        told('asked')
        attached.sendState(Y.encodeStateAsUpdate(doc, stateVector))
      },
      onUpdate: (update, isState) => {
        told(isState ? 'state' : 'update')
        Y.applyUpdate(doc, update, 'server')
      },
      onStatus: (stored) => told(stored ? 'stored' : 'not stored'),
      onRefused: ({ code }) => told(`refused ${code}`),
      onMessage: (message) => told(`message ${JSON.stringify(message)}`),
      onAwareness: () => told('awareness'),
      onClosed: (reason) => told(`closed ${reason}`),
      ...overrides,
    })
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== 'server') attached.sendUpdate(update)
    })
    return {
      name,
      doc,
      attached,
      log,
      isOpen: () => {
        const last = log.findLast((one) => one.startsWith('open') || one.startsWith('closed'))
        return last?.startsWith('open') ?? false
      },
      count: (what) => log.filter((one) => one === what).length,
    }
  }
  return { connection, states, open, [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose]() }
}

export interface Proxy extends AsyncDisposable {
  readonly url: string
  /** Connections that were made to it. */
  readonly connections: () => number
  /** From now on nothing is forwarded, and nobody is told; new connections are taken and stay silent too. */
  readonly stall: () => void
  /** Ends every connection. */
  readonly cut: () => void
  /** New connections work again; those that stalled stay silent. */
  readonly heal: () => void
}

/** A device of this person that wants to be online. */
export const openPeer = (
  { syncUrl }: { readonly syncUrl: string },
  { accessToken }: Pick<Person, 'accessToken'>,
  options: Partial<PeerOptions> = {},
): Peer => {
  const peer = createPeer({ url: syncUrl, token: accessToken, ...options })
  peer.connection.goOnline()
  return peer
}

/** Both states have gone over, and ours is stored. */
export const handshake = (document: PeerDocument): Promise<unknown> =>
  eventually(
    () => document.log,
    (log) => log.includes('state') && log.includes('stored'),
    { what: 'handshake' },
  )

export const textOf = ({ doc }: { doc: Y.Doc }): Y.Text => doc.getText('text')

/** Forwards bytes to the server at `target` (`ws://…`), until it does not. */
export const startProxy = async (target: string): Promise<Proxy> => {
  const { hostname, port, pathname } = new URL(target)
  const sockets = new Set<Socket>()
  let isStalled = false
  let connections = 0
  const server = createServer((client) => {
    connections++
    const upstream = connect({ host: hostname, port: Number(port) })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
    }
    client.on('close', () => upstream.destroy())
    if (isStalled) return
    client.pipe(upstream)
    upstream.pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
    connections: () => connections,
    stall: () => {
      isStalled = true
      for (const socket of sockets) {
        socket.unpipe()
      }
    },
    cut: () => {
      for (const socket of sockets) socket.destroy()
      sockets.clear()
    },
    heal: () => {
      isStalled = false
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

export interface OwnWords extends AsyncDisposable {
  readonly url: string
  readonly sockets: ServerSocket[]
  /** Frames received, over all sockets. */
  readonly received: Uint8Array[]
}

/** A socket server that answers each frame as `answer` says. */
export const startOwnWords = async (
  answer: (frame: Uint8Array, socket: ServerSocket) => void = () => {},
): Promise<OwnWords> => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const sockets: ServerSocket[] = []
  const received: Uint8Array[] = []
  server.on('connection', (socket) => {
    sockets.push(socket)
    socket.on('message', (data: Buffer) => {
      const frame = new Uint8Array(data)
      received.push(frame)
      answer(frame, socket)
    })
  })
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/sync`,
    sockets,
    received,
    [Symbol.asyncDispose]: async () => {
      for (const socket of server.clients) socket.terminate()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
