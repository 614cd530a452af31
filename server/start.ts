// Starts everything in order and stops it in reverse: storage, accounts, HTTP, sync. Knows how the parts fit together
// and nothing else.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { openStorage, type Storage } from '../storage/open.ts'
import { createAccess } from './access.ts'
import { createAccessTokens } from './auth/access-token.ts'
import { createAccounts } from './auth/accounts.ts'
import { createPasswords } from './auth/password.ts'
import { createSessions } from './auth/sessions.ts'
import type { Config } from './config.ts'
import { createApp } from './http/app.ts'
import type { Logger } from './log.ts'
import { openSecrets } from './secret.ts'
import { createSync, type Sync } from './sync/sync.ts'

export interface RunningServer extends AsyncDisposable {
  /** `http://HOST:PORT`, with the port that was really taken. */
  readonly url: string
  readonly sync: Sync
  readonly storage: Storage
}

const listen = async (server: Server, port: number, host: string): Promise<string> => {
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${name}:${address.port}`
}

/** Starts the server and resolves when it accepts connections. Disposing stops it: nothing acknowledged is lost. */
export const startServer = async (config: Config, log: Logger): Promise<RunningServer> => {
  const now = Date.now
  const newId = randomUUID
  await using owned = new AsyncDisposableStack()

  const secrets = await openSecrets(config)
  const storage = owned.use(await openStorage(config.database))
  const accessTokens = createAccessTokens({ key: secrets.accessTokenKey, now })
  const sessions = createSessions({ db: storage.db, refreshKey: secrets.refreshKey, now, newId })
  const passwords = createPasswords({ pepper: secrets.passwordPepper })
  const accounts = createAccounts({ storage, passwords, sessions, accessTokens, now, newId })
  const access = createAccess({ storage, accessTokens, sessions })
  const app = createApp({ storage, accounts, access, log, config, now, newId })

  const server = createAdaptorServer({ fetch: app.fetch }) as Server
  owned.defer(async () => {
    server.close()
    server.closeAllConnections()
  })
  const sync = owned.use(createSync({ storage, access, allowedOrigins: config.allowedOrigins, log }))
  sync.attach(server)
  // Stops accepting before anything else stops.
  owned.defer(() => void server.close())
  const url = await listen(server, config.port, config.host)
  log.info('server.started', { url, database: 'sqlite' in config.database ? 'sqlite' : 'postgres' })

  const kept = owned.move()
  return { url, sync, storage, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}
