// Where sockets come in: the upgrade on `/sync` and `/yjs/…`, the origin check, the heartbeat, and the hooks through
// which Hocuspocus asks who somebody is and tells us that a document is open.
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { AppError, type ErrorCode } from '../../shared/errors.ts'
import { FRAME_BYTES_MAX, HEARTBEAT_MS, HELLO_MS_MAX } from '../../shared/limits.ts'
import type { Access } from '../access.ts'
import type { Logger } from '../log.ts'
import { ClientSocket, type ClientSocketDeps } from './client-socket.ts'
import { createYWebsocketDialect, type Dialect, hocuspocusDialect } from './dialect.ts'
import { readHead, tokenFrame } from './frames.ts'
import { toCloseEvent } from './host.ts'

export interface GatewayDeps extends ClientSocketDeps {
  readonly access: Access
  /** Exact origins besides our own, as a browser sends them. */
  readonly allowedOrigins: readonly string[]
  readonly log: Logger
}

export interface Gateway {
  readonly attach: (server: Server) => void
  readonly sockets: ReadonlySet<ClientSocket>
  /** Looks up again what these users have open. */
  readonly review: (userIds: ReadonlySet<string>) => Promise<void>
  /** The same for everybody, one socket after the other. */
  readonly reviewAll: () => Promise<void>
  /** Closes every socket with `code`; resolves when all are closed. */
  readonly stop: (code: ErrorCode) => Promise<void>
}

const YJS_PREFIX = '/yjs/'

const refuseUpgrade = (socket: Duplex, status: string): void => {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

/**
 * Browsers send an Origin, always; a page of another site must not ride on this one's user. Programs send none. Compared as
 * text, because a browser spells an origin in one way only; whether a proxy in front speaks TLS is not known here.
 */
const isAllowedOrigin = (request: IncomingMessage, allowed: readonly string[]): boolean => {
  const { origin, host } = request.headers
  if (origin === undefined || allowed.includes(origin)) return true
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`)
}

/** A failure of ours closes the socket so that the client comes back; anything else is a plain no. */
const authorize = async <Result>(ask: () => Promise<Result>): Promise<Result> => {
  try {
    return await ask()
  } catch (error) {
    throw toCloseEvent(error instanceof AppError ? error : new AppError('storage/unavailable', String(error)))
  }
}

export const createGateway = (deps: GatewayDeps): Gateway => {
  const { host, access, allowedOrigins, log } = deps
  const wss = new WebSocketServer({ noServer: true, maxPayload: FRAME_BYTES_MAX, perMessageDeflate: false })
  const sockets = new Set<ClientSocket>()
  /** Set by a stop: told whenever a socket has closed. Nobody comes in any more. */
  let closing: (() => void) | null = null

  host.listen({
    onAuthenticate: async ({ token, documentName, connectionConfig, context }) => {
      const grant = await authorize(() => access.openDocument(token, documentName, context.socket))
      connectionConfig.readOnly = grant.readOnly
      return { grant }
    },
    connected: async ({ connection, context }) => {
      const { socket, grant } = context
      if (grant) socket.opened(connection, grant)
    },
  })

  const open = (request: IncomingMessage, raw: Duplex, head: Buffer, dialect: Dialect, hello?: Uint8Array): void => {
    wss.handleUpgrade(request, raw, head, (ws) => {
      const socket = new ClientSocket(ws, raw, dialect, deps)
      sockets.add(socket)
      const deadline = setTimeout(() => {
        if (!socket.hasOpened) socket.closeSocket('socket/no-login')
      }, HELLO_MS_MAX)
      ws.on('close', () => {
        clearTimeout(deadline)
        sockets.delete(socket)
        closing?.()
      })
      const helloHead = hello && readHead(hello)
      if (helloHead) socket.authenticate(helloHead, hello)
    })
  }

  const onUpgrade = (request: IncomingMessage, raw: Duplex, head: Buffer): void => {
    raw.on('error', () => raw.destroy())
    if (!isAllowedOrigin(request, allowedOrigins)) {
      log.warn('socket.foreign-origin', { origin: request.headers.origin?.slice(0, 200) })
      refuseUpgrade(raw, '403 Forbidden')
      return
    }
    if (closing) {
      refuseUpgrade(raw, '503 Service Unavailable')
      return
    }
    const url = URL.parse(request.url ?? '', 'http://localhost')
    if (url?.pathname === '/sync') {
      open(request, raw, head, hocuspocusDialect)
    } else if (url?.pathname.startsWith(YJS_PREFIX)) {
      const name = url.pathname.slice(YJS_PREFIX.length)
      const token = url.searchParams.get('token') ?? ''
      if (/^[\w/-]{1,120}$/.test(name)) {
        open(request, raw, head, createYWebsocketDialect(name), tokenFrame(name, token))
      } else refuseUpgrade(raw, '404 Not Found')
    } else refuseUpgrade(raw, '404 Not Found')
  }

  const heartbeat = setInterval(() => {
    for (const socket of sockets) socket.beat()
  }, HEARTBEAT_MS)
  heartbeat.unref()

  return {
    sockets,
    review: async (userIds) => {
      await Promise.all([...sockets].map((socket) => socket.review(userIds)))
    },
    reviewAll: async () => {
      for (const socket of sockets) await socket.review(null)
    },
    attach: (server) => void server.on('upgrade', onUpgrade),
    stop: async (code) => {
      clearInterval(heartbeat)
      const closed = Promise.withResolvers<void>()
      closing = () => {
        if (sockets.size === 0) closed.resolve()
      }
      for (const socket of sockets) socket.closeSocket(code)
      closing()
      // Peers that do not answer the close are cut off; nothing is lost, all of theirs that was acknowledged is on disk.
      const cutOff = setTimeout(() => {
        for (const socket of sockets) socket.terminate()
      }, 1_000)
      await closed.promise
      clearTimeout(cutOff)
      wss.close()
    },
  }
}
