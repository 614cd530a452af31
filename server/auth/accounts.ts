// Accounts: register, log in, stay logged in, log out, change the password. Puts the pieces together; each of them knows
// only its own job.
import { AppError } from '../../shared/errors.ts'
import { idOf, type UserId } from '../../shared/names.ts'
import type { SessionInfo } from '../../shared/session-info.ts'
import type { Storage } from '../../storage/open.ts'
import {
  findUserByEmail,
  findUserById,
  findUserByUsername,
  insertUser,
  markActive,
  markLogin,
  replacePasswordHash,
  type UserRow,
} from '../../storage/users.ts'
import type { Audit, AuditEntry } from '../audit.ts'
import type { Changes } from '../changes.ts'
import type { AccessClaims, AccessTokens } from './access-token.ts'
import { isUsername, normalise } from './credentials.ts'
import type { Passwords } from './password.ts'
import { changeProfile, type ProfileChange } from './profile.ts'
import type { Device, LoginOf, Sessions, SessionTokens } from './sessions.ts'
import type { Attempt, Throttle } from './throttle.ts'
import { toUserView, type UserView } from './user-view.ts'

export interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string
  /** When the access token ends; the refresh token lives longer. */
  readonly expiresAt: number
}

export interface LoggedIn extends Tokens {
  readonly user: UserView
}

/** As checked by the schemas of `credentials.ts`. */
export interface Registration {
  readonly id?: string | undefined
  readonly username: string
  readonly password: string
  readonly email?: string | undefined
  readonly name?: string | undefined
}

/** Every end of a login closes its sockets before it resolves. */
export interface Accounts {
  /** `created` is false when the same person repeats a registration. */
  readonly register: (input: Registration, device: Device) => Promise<LoggedIn & { readonly created: boolean }>
  /** Throws `auth/bad-credentials`, or `auth/locked` after too many misses. */
  readonly login: (input: { identifier: string; password: string }, device: Device) => Promise<LoggedIn>
  readonly refresh: (refreshToken: string, device: Device) => Promise<Tokens>
  readonly logout: (refreshToken: string) => Promise<void>
  readonly logoutAll: (refreshToken: string) => Promise<void>
  /** Ends every login of the user and begins a new one for who asks. Throws `auth/password-wrong` or `auth/locked`. */
  readonly changePassword: (
    actor: AccessClaims,
    input: { password: string; newPassword: string },
    device: Device,
  ) => Promise<Tokens>
  readonly me: (actor: AccessClaims) => Promise<UserView>
  readonly changeProfile: (actor: AccessClaims, change: ProfileChange) => Promise<UserView>
  readonly sessions: (actor: AccessClaims) => Promise<SessionInfo[]>
  readonly endSession: (actor: AccessClaims, sessionId: string) => Promise<void>
}

export interface AccountsOptions {
  readonly storage: Storage
  readonly passwords: Passwords
  readonly sessions: Sessions
  readonly accessTokens: AccessTokens
  readonly throttle: Throttle
  readonly audit: Audit
  readonly changes: Pick<Changes, 'rights' | 'user'>
  readonly now: () => number
  readonly newId: () => string
}

const ABOUT = 'Hey there! I am using Taar.'

const gone = (): AppError => new AppError('auth/token-invalid', 'this account is gone')
const badToken = (): AppError => new AppError('auth/token-invalid', 'unknown or expired refresh token')

export const createAccounts = (options: AccountsOptions): Accounts => {
  const { storage, passwords, sessions, accessTokens, throttle, audit, changes, now, newId } = options
  const { db } = storage

  const withAccess = async ({ userId, sessionId, refreshToken }: SessionTokens): Promise<Tokens> => {
    const { accessToken, expiresAt } = await accessTokens.sign({ userId, sessionId })
    return { accessToken, refreshToken, expiresAt }
  }

  const addEntry = (entry: AuditEntry): Promise<void> => db.transaction().execute((trx) => audit.add(trx, entry))

  const startSession = async (userId: UserId, device: Device, attempt: Attempt): Promise<LoggedIn> => {
    const { user, tokens } = await db.transaction().execute(async (trx) => {
      const started = await sessions.start(trx, userId, device)
      const row = await markLogin(trx, userId, now())
      await throttle.clear(trx, attempt)
      const { sessionId } = started
      await audit.add(trx, { actor: userId, action: 'login.succeeded', target: userId, details: { sessionId } })
      return { user: row, tokens: started }
    })
    if (!user) throw gone()
    return { user: toUserView(user), ...(await withAccess(tokens)) }
  }

  /** Whether it is this user's password, as a try that counts. A miss is in the log, without what was typed. */
  const matches = async (user: UserRow | null, password: string, { nameHash }: Attempt): Promise<boolean> => {
    if (await passwords.verify(user?.password_hash, password)) return true
    const details = { identifier: nameHash }
    await addEntry({ actor: null, action: 'login.failed', target: user?.id ?? null, details })
    return false
  }

  /** Somebody whose first answer got lost has the id, the name and the password; anybody else is told what is taken. */
  const repeatRegistration = async (input: Registration, device: Device): Promise<LoggedIn> => {
    const known = input.id === undefined ? null : await findUserById(db, input.id)
    if (known?.username === input.username) {
      // Ids are no secret: this is one more place to guess a password at.
      const attempt = await throttle.take('login', input.username)
      if (await matches(known, input.password, attempt)) return startSession(idOf(known.id), device, attempt)
    }
    if (known) throw new AppError('id/taken', 'this id is in use')
    throw new AppError('auth/name-taken', 'this user name or e-mail is in use')
  }

  const findByName = async (name: string): Promise<UserRow | null> => {
    if (isUsername(name)) return findUserByUsername(db, name)
    // Control characters are in no address of ours, and a zero byte would be an error to Postgres.
    // oxlint-disable-next-line no-control-regex -- reason: control characters are what this looks for.
    return name.includes('@') && !/[\u0000-\u001f]/.test(name) ? findUserByEmail(db, name) : null
  }

  const ensureExists = async (userId: UserId): Promise<UserRow> => {
    const user = await findUserById(db, userId)
    if (!user) throw gone()
    return user
  }

  /** False when there is no such login. */
  const endLogin = async (login: LoginOf): Promise<boolean> => {
    const { userId, sessionId } = login
    const hasEnded = await db.transaction().execute(async (trx) => {
      if (!(await sessions.end(trx, login))) return false
      await audit.add(trx, { actor: userId, action: 'session.ended', target: userId, details: { sessionId } })
      return true
    })
    if (hasEnded) await changes.rights([userId])
    return hasEnded
  }

  return {
    register: async (input, device) => {
      // Before anything is looked up, so that a taken name takes as long as a free one.
      const passwordHash = await passwords.hash(input.password)
      const time = now()
      const user = {
        id: input.id ?? newId(),
        username: input.username,
        email: input.email ?? null,
        name: input.name ?? input.username,
        about: ABOUT,
        password_hash: passwordHash,
        created_at: time,
        last_login_at: time,
        last_active_at: time,
      }
      const registered = await db.transaction().execute(async (trx) => {
        const row = await insertUser(trx, user)
        if (!row) return null
        const tokens = await sessions.start(trx, idOf(row.id), device)
        const { sessionId } = tokens
        await audit.add(trx, { actor: row.id, action: 'account.registered', target: row.id, details: { sessionId } })
        return { row, tokens }
      })
      if (!registered) return { ...(await repeatRegistration(input, device)), created: false }
      const { row, tokens } = registered
      return { user: toUserView(row), ...(await withAccess(tokens)), created: true }
    },

    login: async ({ identifier, password }, device) => {
      const name = normalise(identifier)
      const attempt = await throttle.take('login', name)
      const user = await findByName(name)
      const isRight = await matches(user, password, attempt)
      if (!user || !isRight) throw new AppError('auth/bad-credentials', 'unknown user or wrong password')
      return startSession(idOf(user.id), device, attempt)
    },

    refresh: async (refreshToken, device) => {
      const refreshed = await db.transaction().execute(async (trx) => {
        const outcome = await sessions.refresh(trx, refreshToken, device)
        if (outcome.outcome === 'rotated') await markActive(trx, outcome.tokens.userId, now())
        if (outcome.outcome === 'reused') {
          const { userId, sessionId } = outcome
          await audit.add(trx, { actor: null, action: 'token.reused', target: userId, details: { sessionId } })
        }
        return outcome
      })
      if (refreshed.outcome === 'rotated') return withAccess(refreshed.tokens)
      // Thrown out here, because a throw inside would roll the end of the login back.
      if (refreshed.outcome === 'invalid') throw badToken()
      await changes.rights([refreshed.userId])
      throw new AppError('auth/token-reused', 'this token was used before: log in again')
    },

    logout: async (refreshToken) => {
      const login = await sessions.findLogin(refreshToken)
      if (login) await endLogin(login)
    },

    logoutAll: async (refreshToken) => {
      const live = await sessions.findLive(refreshToken)
      if (!live) throw badToken()
      const { userId } = live
      await db.transaction().execute(async (trx) => {
        await sessions.endAll(trx, userId)
        await audit.add(trx, { actor: userId, action: 'sessions.ended', target: userId })
      })
      await changes.rights([userId])
    },

    changePassword: async (actor, { password, newPassword }, device) => {
      const { userId } = actor
      const attempt = await throttle.take('password', userId)
      const user = await ensureExists(userId)
      const wrong = new AppError('auth/password-wrong', 'this is not your password')
      if (!(await matches(user, password, attempt))) throw wrong
      const to = await passwords.hash(newPassword)
      const tokens = await db.transaction().execute(async (trx) => {
        // Changed by somebody else meanwhile, it is not the password any more.
        if (!(await replacePasswordHash(trx, { id: userId, from: user.password_hash, to }))) throw wrong
        const started = await sessions.startOver(trx, actor, device)
        if (!started) throw new AppError('auth/token-invalid', 'unknown, expired or logged out')
        await throttle.clear(trx, attempt)
        const { sessionId } = started
        await audit.add(trx, { actor: userId, action: 'password.changed', target: userId, details: { sessionId } })
        return started
      })
      await changes.rights([userId])
      return withAccess(tokens)
    },

    me: async ({ userId }) => toUserView(await ensureExists(userId)),

    changeProfile: ({ userId }, change) => changeProfile({ storage, audit, changes }, userId, change),

    sessions: ({ userId, sessionId }) => sessions.list(userId, sessionId),

    endSession: async ({ userId }, sessionId) => {
      if (!(await endLogin({ userId, sessionId }))) throw new AppError('access/not-found', 'no such session')
    },
  }
}
