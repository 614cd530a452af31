// Slows down who guesses passwords: after a few misses a name has to wait, twice as long each time. Names that nobody has
// are counted alike, so waiting tells nothing. A try counts as a miss before its password is looked at; a success takes
// all of them back.
import type { Kysely } from 'kysely'
import { AppError } from '../../shared/errors.ts'
import { LOGIN_DELAY_MS_MAX, LOGIN_DELAY_MS_MIN, LOGIN_MISSES_FREE, LOGIN_MISSES_MS } from '../../shared/limits.ts'
import { deleteLoginFailure, lockLoginFailure, updateLoginFailure } from '../../storage/login-failures.ts'
import type { Database } from '../../storage/schema.ts'
import type { Sealing } from '../sealing.ts'

/** A try that was counted, by the hash that its name is kept under. */
export interface Attempt {
  readonly nameHash: string
}

export interface Throttle {
  /** Counts a try. Throws `auth/locked`, which does not count, while the name has to wait. */
  readonly take: (purpose: 'login' | 'password', name: string) => Promise<Attempt>
  /** It was no miss, and those before it are forgotten. */
  readonly clear: (trx: Kysely<Database>, attempt: Attempt) => Promise<void>
}

export interface ThrottleOptions {
  readonly db: Kysely<Database>
  readonly sealing: Pick<Sealing, 'lookUp'>
  readonly now: () => number
}

/** Doubles from the miss on that is one too many. */
const delayAfter = (misses: number): number =>
  misses < LOGIN_MISSES_FREE ? 0 : Math.min(LOGIN_DELAY_MS_MIN * 2 ** (misses - LOGIN_MISSES_FREE), LOGIN_DELAY_MS_MAX)

export const createThrottle = ({ db, sealing, now }: ThrottleOptions): Throttle => ({
  take: (purpose, name) =>
    db.transaction().execute(async (trx) => {
      // By what was typed, not by the account: a lock that user name and e-mail share would tell whose e-mail it is.
      const nameHash = sealing.lookUp(name, purpose)
      const time = now()
      const row = await lockLoginFailure(trx, nameHash, time)
      if (row.locked_until > time) {
        const retryAfterMs = row.locked_until - time
        throw new AppError('auth/locked', 'too many wrong passwords: wait before the next try', { retryAfterMs })
      }
      const failures = (time - row.last_at > LOGIN_MISSES_MS ? 0 : row.failures) + 1
      const locked_until = time + delayAfter(failures)
      await updateLoginFailure(trx, { name_hash: nameHash, failures, last_at: time, locked_until })
      return { nameHash }
    }),
  clear: (trx, { nameHash }) => deleteLoginFailure(trx, nameHash),
})
