// Starts everything in order and stops it in reverse: storage, accounts, HTTP, sync. Knows how the parts fit together
// and nothing else.
import { v7 as newId } from 'uuid'
import { AppError } from '../shared/errors.ts'
import { idOf } from '../shared/names.ts'
import { openStorage, type Storage } from '../storage/open.ts'
import { keepAnchor } from './audit-anchor.ts'
import { createPasswords } from './auth/password.ts'
import type { Config } from './config.ts'
import { listen, type Listening } from './http/listen.ts'
import type { Limited } from './http/rate-limits.ts'
import type { Logger } from './log.ts'
import { createParts, type Parts } from './parts.ts'
import { openSecrets } from './secret.ts'
import { rehearse } from './sync/rehearsal.ts'
import type { Sync } from './sync/sync.ts'

export interface RunningServer extends AsyncDisposable {
  /** `http://HOST:PORT`, with the port that was really taken. */
  readonly url: string
  readonly sync: Sync
  readonly storage: Storage
}

/** Enough for V8 to compile the way. */
const LOOK_UPS = 30

/** Goes the way of a first opening, so that no user waits for code to be compiled after a restart. */
const warmUp = async ({ accessTokens, access, sync }: Parts, log: Logger): Promise<void> => {
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
export const startServer = async (config: Config, log: Logger, { limits }: Limited = {}): Promise<RunningServer> => {
  await using owned = new AsyncDisposableStack()

  const secrets = await openSecrets(config)
  const storage = owned.use(await openStorage(config.database))
  const passwords = createPasswords({ pepper: secrets.passwordPepper })

  // Stopped in reverse: no new connections, sockets, running requests, the audit log's anchor, storage.
  owned.use(keepAnchor({ db: storage.db, key: secrets.auditKey, dataDir: config.dataDir, log }))
  let http: Listening | undefined
  owned.defer(() => http?.drain())
  const random = Math.random
  const parts = owned.use(
    await createParts({ storage, secrets, passwords, config, log, now: Date.now, newId, random, limits }),
  )
  await warmUp(parts, log)
  const { app, sync } = parts
  http = await listen(app, config, sync.attach)
  owned.defer(http.stopAccepting)
  const { url } = http
  log.info('server.started', { url, database: 'sqlite' in config.database ? 'sqlite' : 'postgres' })

  const kept = owned.move()
  return { url, sync, storage, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}
