// What the routes are built from, and what a request carries from one handler to the next.
import type { Context } from 'hono'
import type { Storage } from '../../storage/open.ts'
import type { Access } from '../access.ts'
import type { AccessClaims } from '../auth/access-token.ts'
import type { Accounts } from '../auth/accounts.ts'
import type { Config } from '../config.ts'
import type { Logger } from '../log.ts'
import type { Versions } from '../documents/versions.ts'
import type { Sync } from '../sync/sync.ts'

export interface AppDependencies {
  readonly storage: Storage
  readonly accounts: Accounts
  readonly access: Access
  readonly sync: Pick<Sync, 'withDocument'>
  readonly versions: Versions
  readonly log: Logger
  readonly config: Pick<Config, 'allowedOrigins'>
  readonly now: () => number
  readonly newId: () => string
  /** From 0 to 1, for the jitter of positions. */
  readonly random: () => number
}

export interface HttpEnv {
  Variables: {
    requestId: string
    now: () => number
  }
}
export type HttpContext = Context<HttpEnv>

/** Who sends this request; throws `auth/required` or `auth/token-invalid`. */
export const actorOf = ({ access }: Pick<AppDependencies, 'access'>, c: HttpContext): Promise<AccessClaims> =>
  access.actorOf(c.req.header('authorization'))
