// Stock clients as their makers ship them: HocuspocusProvider and y-websocket's WebsocketProvider, with a record of what
// happened to them. Nothing of the protocols is done here.
import { HocuspocusProvider, HocuspocusProviderWebsocket, WebSocketStatus } from '@hocuspocus/provider'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import type { Person } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import type { Addresses } from './servers.ts'

/** The root that tests type into. */
export const ROOT_NAME = 'text'

/** Retries sooner than a person would mind, so that tests need not wait for the defaults of 1 to 30 s. */
export const FAST_RECONNECT = { delay: 150, minDelay: 100, maxDelay: 500 } as const

const SYNC_MS_MAX = 120_000

export interface SocketClose {
  readonly code: number
  readonly reason: string
}

/** What all stock clients have in common. */
export interface StockClient extends Disposable {
  readonly doc: Y.Doc
  readonly text: Y.Text
  /** Resolves once the handshake of the present connection is complete. */
  readonly synced: () => Promise<void>
  /** Resolves when the socket is closed. */
  readonly goOffline: () => Promise<void>
  readonly goOnline: () => Promise<void>
}

export interface HocuspocusClient extends StockClient {
  readonly provider: HocuspocusProvider
  /** Reasons with which the server closed the document. */
  readonly closes: string[]
  /** How its sockets ended. */
  readonly socketCloses: SocketClose[]
  /** Reasons with which opening was denied. */
  readonly denials: string[]
  readonly stateless: unknown[]
  /** Resolves when the provider shows no unsynced change. */
  readonly stored: () => Promise<void>
}

export interface HocuspocusOptions {
  readonly document?: Y.Doc
  /** Shares this socket instead of opening one. */
  readonly socket?: HocuspocusProviderWebsocket
  readonly token?: () => string
  readonly flushDelay?: number
  readonly sessionAwareness?: boolean
}

export const openHocuspocus = (
  { syncUrl }: Addresses,
  { accessToken }: Pick<Person, 'accessToken'>,
  name: string,
  { socket, ...options }: HocuspocusOptions = {},
): HocuspocusClient => {
  const doc = options.document ?? new Y.Doc()
  const closes: string[] = []
  const denials: string[] = []
  const socketCloses: SocketClose[] = []
  const stateless: unknown[] = []
  const settings = {
    token: accessToken,
    onAuthenticationFailed: ({ reason }: { reason: string }) => denials.push(reason),
    onStateless: ({ payload }: { payload: string }) => stateless.push(JSON.parse(payload)),
    ...options,
    name,
    document: doc,
  }
  const provider = new HocuspocusProvider(
    socket ? { ...settings, websocketProvider: socket } : { ...FAST_RECONNECT, ...settings, url: syncUrl },
  )
  if (socket) provider.attach()
  // Both kinds of closing arrive as one event; only the socket's ends the connection.
  provider.on('disconnect', ({ event }: { event: SocketClose }) => {
    socketCloses.push({ code: event.code, reason: event.reason })
  })
  provider.on('close', ({ event }: { event: SocketClose & { type?: string } }) => {
    if (event.type === undefined) closes.push(event.reason)
  })
  const describe = () => ({
    synced: provider.synced,
    unsynced: provider.unsyncedChanges,
    closes,
    socketCloses,
    denials,
  })
  const synced = async (): Promise<void> => {
    await eventually(describe, (seen) => seen.synced, { msMax: SYNC_MS_MAX, what: `synced ${name}` })
  }
  return {
    doc,
    text: doc.getText(ROOT_NAME),
    provider,
    closes,
    socketCloses,
    denials,
    stateless,
    synced,
    stored: async () => {
      await eventually(describe, (seen) => seen.synced && seen.unsynced === 0, {
        msMax: SYNC_MS_MAX,
        what: `stored ${name}`,
      })
    },
    goOffline: async () => {
      provider.disconnect()
      await eventually(
        () => provider.configuration.websocketProvider.status,
        (status) => status === WebSocketStatus.Disconnected,
      )
    },
    goOnline: async () => {
      void provider.connect()
      await synced()
    },
    [Symbol.dispose]: () => provider.destroy(),
  }
}

export const openSocket = ({ syncUrl }: Addresses): HocuspocusProviderWebsocket & Disposable => {
  const socket = new HocuspocusProviderWebsocket({ ...FAST_RECONNECT, url: syncUrl })
  return Object.assign(socket, { [Symbol.dispose]: () => socket.destroy() })
}

export interface YWebsocketClient extends StockClient {
  readonly provider: WebsocketProvider
  /** Close codes and reasons of its sockets. */
  readonly socketCloses: SocketClose[]
}

export const openYWebsocket = (
  { yjsUrl }: Addresses,
  { accessToken }: Pick<Person, 'accessToken'>,
  name: string,
  doc = new Y.Doc(),
): YWebsocketClient => {
  const socketCloses: SocketClose[] = []
  // BroadcastChannel would carry edits between the providers of this process, past the server.
  const provider = new WebsocketProvider(yjsUrl, name, doc, { params: { token: accessToken }, disableBc: true })
  provider.on('connection-close', (event) => event && socketCloses.push({ code: event.code, reason: event.reason }))
  const describe = () => ({ synced: provider.synced, connected: provider.wsconnected, socketCloses })
  const synced = async (): Promise<void> => {
    await eventually(describe, (seen) => seen.synced, { msMax: SYNC_MS_MAX, what: `synced ${name}` })
  }
  return {
    doc,
    text: doc.getText(ROOT_NAME),
    provider,
    socketCloses,
    synced,
    goOffline: async () => {
      provider.disconnect()
    },
    goOnline: async () => {
      provider.connect()
      await synced()
    },
    [Symbol.dispose]: () => provider.destroy(),
  }
}

/** Opens the document anew and resolves with its text: what the server has, seen through nobody's cache. */
export const readFresh = async (addresses: Addresses, person: Person, name: string): Promise<string> => {
  using client = openHocuspocus(addresses, person, name)
  await client.synced()
  return client.text.toJSON()
}
