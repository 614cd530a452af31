// Removes what has run out and would otherwise stay: logins of people who do not come back, tickets that nobody used,
// misses of long ago.
import type { Kysely } from 'kysely'
import { LOGIN_MISSES_MS, SWEEP_LOGINS_MS } from '../../shared/limits.ts'
import { deleteOldLoginFailures } from '../../storage/login-failures.ts'
import type { Database } from '../../storage/schema.ts'
import { deleteExpiredSessions, listUsersWithExpiredSessions } from '../../storage/sessions.ts'
import { deleteExpiredTickets } from '../../storage/tickets.ts'
import { lockUser } from '../../storage/users.ts'
import type { Logger } from '../log.ts'
import { repeatEvery } from '../repeat.ts'

export interface SweepDeps {
  readonly db: Kysely<Database>
  readonly now: () => number
  readonly log: Logger
}

/** Each on its own: a transaction over all of them would stand in the way of logins, or against one. */
export const sweepLogins = async ({ db, now }: Omit<SweepDeps, 'log'>): Promise<void> => {
  const time = now()
  await deleteExpiredTickets(db, time)
  await deleteOldLoginFailures(db, time - LOGIN_MISSES_MS)
  for (const userId of await listUsersWithExpiredSessions(db, time)) {
    await db.transaction().execute(async (trx) => {
      if (await lockUser(trx, userId)) await deleteExpiredSessions(trx, time, userId)
    })
  }
}

/** Sweeps now and then. Disposing ends that, after a sweep under way. */
export const startSweepingLogins = ({ log, ...deps }: SweepDeps): AsyncDisposable =>
  repeatEvery(SWEEP_LOGINS_MS, () =>
    sweepLogins(deps).catch((error: unknown) => log.warn('logins.sweep-failed', { error: String(error) })),
  )
