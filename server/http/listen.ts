// Opens the port: a Node server in front of the Hono app, whose upgrades belong to the sockets.
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'
import type { HttpEnv } from './context.ts'

/** Time for a request's head, and for all of it (reliability.md 5.3). */
const HEADERS_MS_MAX = 10_000
const REQUEST_MS_MAX = 30_000
/** A request still running this long after the stop began is cut off. */
const DRAIN_MS_MAX = 2_000

export interface Listening {
  /** `http://HOST:PORT`, with the port that was really taken. */
  readonly url: string
  /** Takes no new connections; those that are open stay. */
  readonly stopAccepting: () => void
  /** Lets running requests end, for a while, and closes every connection. */
  readonly drain: () => Promise<void>
}

/** Listens on `host:port`; `onServer` gets the server before the first connection. */
export const listen = async (
  app: Hono<HttpEnv>,
  { host, port }: { readonly host: string; readonly port: number },
  onServer: (server: Server) => void,
): Promise<Listening> => {
  const server = createAdaptorServer({
    fetch: app.fetch,
    serverOptions: { headersTimeout: HEADERS_MS_MAX, requestTimeout: REQUEST_MS_MAX },
  }) as Server
  onServer(server)
  server.listen(port, host)
  await once(server, 'listening')
  const { address, family, port: taken } = server.address() as AddressInfo
  const closed = once(server, 'close')
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`,
    stopAccepting: () => void server.close(),
    drain: async () => {
      server.closeIdleConnections()
      const cutOff = setTimeout(() => server.closeAllConnections(), DRAIN_MS_MAX)
      await closed
      clearTimeout(cutOff)
    },
  }
}
