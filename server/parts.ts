// Puts the parts of a server together on an open database: accounts, access, sync, projections, HTTP. Opens no port.
import { createApp } from './http/app.ts'
import type { PublicAddress } from './http/headers.ts'
import { sweepKeptAnswers } from './http/idempotency.ts'
import type { Limited } from './http/rate-limits.ts'
import { type Access, createAccess } from './access.ts'
import { type Audit, createAudit } from './audit.ts'
import { type AccessTokens, createAccessTokens } from './auth/access-token.ts'
import { type Accounts, createAccounts } from './auth/accounts.ts'
import type { Passwords } from './auth/password.ts'
import { createSessions, type Sessions } from './auth/sessions.ts'
import { startSweepingLogins } from './auth/sweep.ts'
import { createThrottle } from './auth/throttle.ts'
import { createTickets, type Tickets } from './auth/tickets.ts'
import type { Changes } from './changes.ts'
import type { Config } from './config.ts'
import { createVersions, type Versions } from './documents/versions.ts'
import { startProjections } from './jobs/projections.ts'
import { startWalls } from './jobs/walls.ts'
import type { Logger } from './log.ts'
import { createRefusals } from './refusals.ts'
import { createSealing, type Sealing } from './sealing.ts'
import type { Secrets } from './secret.ts'
import { createSync, documentsIn, type Sync } from './sync/sync.ts'
import { readPrivacy } from '../shared/privacy.ts'
import type { Storage } from '../storage/open.ts'
import { findUserById } from '../storage/users.ts'
import { findWallGroup } from '../storage/walls.ts'

export interface PartsOptions extends Limited {
  readonly storage: Storage
  readonly secrets: Secrets
  readonly passwords: Passwords
  readonly config: Pick<Config, 'allowedOrigins'> & PublicAddress
  readonly log: Logger
  readonly now: () => number
  readonly newId: () => string
  /** From 0 to 1. */
  readonly random: () => number
}

export interface Parts extends AsyncDisposable {
  readonly app: ReturnType<typeof createApp>
  readonly access: Access
  readonly accessTokens: AccessTokens
  readonly accounts: Accounts
  readonly audit: Audit
  readonly changes: Changes
  readonly sealing: Sealing
  readonly sessions: Sessions
  readonly sync: Sync
  readonly tickets: Tickets
  readonly versions: Versions
}

/** Disposing stops what runs in the background, sockets last; nothing acknowledged is lost. */
export const createParts = async (options: PartsOptions): Promise<Parts> => {
  const { storage, secrets, passwords, config, log, now, newId, random, limits } = options
  const { db } = storage
  await using owned = new AsyncDisposableStack()

  const sealing = createSealing(secrets)
  const audit = createAudit({ key: secrets.auditKey, now })
  const accessTokens = createAccessTokens({ key: secrets.accessTokenKey, now })
  const sessions = createSessions({ db, refreshKey: secrets.refreshKey, now, newId })
  const tickets = createTickets({ db, now })
  const access = createAccess({ storage, accessTokens, sessions, tickets, now })

  // Stopped in reverse.
  const store = documentsIn(storage)
  const refusals = owned.use(createRefusals({ db, audit, log, now }))
  const { allowedOrigins } = config
  const showsLastSeen = async (userId: string): Promise<boolean> => {
    const user = await findUserById(db, userId)
    return user !== null && readPrivacy(user.privacy).profile !== 'private'
  }
  const onRefused = refusals.tell
  const sync = owned.use(createSync({ store, access, allowedOrigins, log, now, onRefused, showsLastSeen }))
  const walls = owned.use(startWalls({ sync, findGroup: (groupId) => findWallGroup(db, groupId), now, log }))
  const projections = owned.use(startProjections({ sync, db, log }))
  let rightsVersion = 0
  const changes: Changes = {
    rights: (userIds) => {
      rightsVersion++
      return sync.review(new Set(userIds))
    },
    rightsVersion: () => rightsVersion,
    group: projections.group,
    user: (userId) => {
      projections.user(userId)
      walls.user(userId)
      void sync.profileChanged(userId)
    },
  }
  const throttle = createThrottle({ db, sealing, now })
  const credentials = { passwords, sessions, accessTokens, throttle }
  const accounts = createAccounts({ storage, ...credentials, audit, changes, now, newId })
  owned.use(startSweepingLogins({ db, now, log }))
  const versions = owned.use(createVersions({ storage, sync, now, newId, log }))
  const parts = { access, accessTokens, accounts, audit, changes, sealing, sessions, sync, tickets, versions }
  owned.use(sweepKeptAnswers({ storage, log, now }))
  const app = createApp({ ...parts, storage, log, config, now, newId, random, limits })

  const kept = owned.move()
  return { ...parts, app, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}
