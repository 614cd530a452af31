// Opens the port: a Node server in front of the Hono app, whose upgrades belong to the sockets.
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'
import type { HttpEnv } from './context.ts'

export interface Listening {
  /** `http://HOST:PORT`, with the port that was really taken. */
  readonly url: string
  /** Takes no new connections; those that are open stay. */
  readonly stopAccepting: () => void
  readonly closeConnections: () => void
}

/** Listens on `host:port`; `onServer` gets the server before the first connection. */
export const listen = async (
  app: Hono<HttpEnv>,
  { host, port }: { readonly host: string; readonly port: number },
  onServer: (server: Server) => void,
): Promise<Listening> => {
  const server = createAdaptorServer({ fetch: app.fetch }) as Server
  onServer(server)
  server.listen(port, host)
  await once(server, 'listening')
  const { address, family, port: taken } = server.address() as AddressInfo
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`,
    stopAccepting: () => void server.close(),
    closeConnections: () => server.closeAllConnections(),
  }
}
