// What the routes are built from, and what a request carries from one handler to the next.
import type { Context } from 'hono'
import { AppError, ERRORS } from '../../shared/errors.ts'
import type { Storage } from '../../storage/open.ts'
import type { Access } from '../access.ts'
import type { AccessClaims } from '../auth/access-token.ts'
import type { Audit } from '../audit.ts'
import type { Accounts } from '../auth/accounts.ts'
import type { Changes } from '../changes.ts'
import type { Config } from '../config.ts'
import type { Logger } from '../log.ts'
import type { Versions } from '../documents/versions.ts'
import type { Tickets } from '../auth/tickets.ts'
import type { Sealing } from '../sealing.ts'
import type { PublicAddress } from './headers.ts'
import { shareIdOf } from '../share-links.ts'
import type { Sync } from '../sync/sync.ts'

export interface AppDependencies {
  readonly storage: Storage
  readonly accounts: Accounts
  readonly access: Access
  readonly tickets: Pick<Tickets, 'issue'>
  readonly sync: Pick<Sync, 'withDocument'>
  readonly versions: Versions
  readonly changes: Changes
  readonly audit: Audit
  readonly sealing: Sealing
  readonly log: Logger
  readonly config: Pick<Config, 'allowedOrigins'> & PublicAddress
  readonly now: () => number
  readonly newId: () => string
  /** From 0 to 1, for the jitter of positions. */
  readonly random: () => number
}

export interface HttpEnv {
  Variables: {
    requestId: string
    now: () => number
    /** Whose token the request has; asked once, by `visitorOf`. */
    visitor?: Promise<AccessClaims>
  }
}
export type HttpContext = Context<HttpEnv>

/** Of whoever is at the other end of the connection, or of the proxy there; null where there is no connection. */
export const addressOf = (c: HttpContext): string | null => {
  const env = c.env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined
  return env?.incoming?.socket?.remoteAddress ?? null
}

type Asking = Pick<AppDependencies, 'access'>

/** Who sends a request about a document: somebody with an account, or with a share link. */
export const visitorOf = ({ access }: Asking, c: HttpContext): Promise<AccessClaims> => {
  const known = c.get('visitor')
  if (known) return known
  const asked = access.visitorOf(c.req.header('authorization'))
  c.set('visitor', asked)
  return asked
}

/** Who sends this request; throws `auth/required` or `auth/token-invalid`. */
export const actorOf = async (deps: Asking, c: HttpContext): Promise<AccessClaims> => {
  const claims = await visitorOf(deps, c)
  // What a link opens is one document, by the routes of documents.
  if (shareIdOf(claims) !== null) throw new AppError('auth/token-invalid', 'unknown, expired or logged out')
  return claims
}

/** The same for what is done for everybody, only differently for those with a good token; null for all others. */
export const findVisitor = async (deps: Asking, c: HttpContext): Promise<AccessClaims | null> => {
  try {
    return await visitorOf(deps, c)
  } catch (error) {
    if (error instanceof AppError && ERRORS[error.code].status === 401) return null
    throw error
  }
}
