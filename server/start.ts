// Starts everything in order and stops it in reverse: storage, accounts, HTTP, sync. Knows how the parts fit together
// and nothing else.
import { v7 as newId } from 'uuid'
import { AppError } from '../shared/errors.ts'
import { idOf } from '../shared/names.ts'
import { openStorage, type Storage } from '../storage/open.ts'
import { findWallGroup } from '../storage/walls.ts'
import { type Access, createAccess } from './access.ts'
import { type AccessTokens, createAccessTokens } from './auth/access-token.ts'
import { createAccounts } from './auth/accounts.ts'
import { createPasswords } from './auth/password.ts'
import { createSessions } from './auth/sessions.ts'
import type { Config } from './config.ts'
import { createVersions } from './documents/versions.ts'
import { createApp } from './http/app.ts'
import { listen, type Listening } from './http/listen.ts'
import { startWalls } from './jobs/walls.ts'
import type { Logger } from './log.ts'
import { openSecrets } from './secret.ts'
import { rehearse } from './sync/rehearsal.ts'
import { createSync, documentsIn, type Sync } from './sync/sync.ts'

export interface RunningServer extends AsyncDisposable {
  /** `http://HOST:PORT`, with the port that was really taken. */
  readonly url: string
  readonly sync: Sync
  readonly storage: Storage
}

/** Enough for V8 to compile the way. */
const LOOK_UPS = 30

/** Goes the way of a first opening, so that no user waits for code to be compiled after a restart. */
const warmUp = async (accessTokens: AccessTokens, access: Access, sync: Sync, log: Logger): Promise<void> => {
  const nobody = { userId: idOf<'user'>('nobody-at-all'), sessionId: 'none' }
  const name = `document/${nobody.userId}`
  const { accessToken } = await accessTokens.sign(nobody)
  for (let i = 0; i < LOOK_UPS; i++) {
    const refused = await access.openDocument(accessToken, name).catch((error: unknown) => error)
    if (!(refused instanceof AppError && refused.code === 'permission-denied')) throw refused
  }
  const pinned = await sync.pin(name)
  await pinned.release()
  const missing = await rehearse()
  if (missing > 0) log.warn('server.rehearsal-failed', { missing })
}

/** Starts the server and resolves when it accepts connections. Disposing stops it: nothing acknowledged is lost. */
export const startServer = async (config: Config, log: Logger): Promise<RunningServer> => {
  const now = Date.now
  await using owned = new AsyncDisposableStack()

  const secrets = await openSecrets(config)
  const storage = owned.use(await openStorage(config.database))
  const accessTokens = createAccessTokens({ key: secrets.accessTokenKey, now })
  const sessions = createSessions({ db: storage.db, refreshKey: secrets.refreshKey, now, newId })
  const passwords = createPasswords({ pepper: secrets.passwordPepper })
  const accounts = createAccounts({ storage, passwords, sessions, accessTokens, now, newId })
  const access = createAccess({ storage, accessTokens, sessions, now })

  // Stopped in reverse: no new connections, sockets, running requests, storage.
  let http: Listening | undefined
  owned.defer(() => http?.drain())
  const sync = owned.use(
    createSync({ store: documentsIn(storage), access, allowedOrigins: config.allowedOrigins, log, now }),
  )
  owned.use(startWalls({ sync, findGroup: (groupId) => findWallGroup(storage.db, groupId), now, log }))
  await warmUp(accessTokens, access, sync, log)
  const versions = owned.use(createVersions({ storage, sync, now, newId, log }))
  const app = createApp({ storage, accounts, access, sync, versions, log, config, now, newId, random: Math.random })
  http = await listen(app, config, sync.attach)
  owned.defer(http.stopAccepting)
  const { url } = http
  log.info('server.started', { url, database: 'sqlite' in config.database ? 'sqlite' : 'postgres' })

  const kept = owned.move()
  return { url, sync, storage, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}
