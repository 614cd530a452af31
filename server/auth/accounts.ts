// Accounts: register, log in, stay logged in, log out. Puts the pieces together; each of them knows only its own job.
import { AppError } from '../../shared/errors.ts'
import { idOf, type UserId } from '../../shared/names.ts'
import type { Storage } from '../../storage/open.ts'
import { findUserByEmail, findUserById, findUserByUsername, insertUser, type UserRow } from '../../storage/users.ts'
import type { AccessClaims, AccessTokens } from './access-token.ts'
import { isUsername, normalise } from './credentials.ts'
import type { Passwords } from './password.ts'
import type { Device, Sessions, SessionTokens, SessionView } from './sessions.ts'

export interface UserView {
  readonly id: UserId
  readonly username: string
  readonly email: string | null
  readonly name: string
  readonly createdAt: number
}

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

export interface Accounts {
  /** `created` is false when the same person repeats a registration. */
  readonly register: (input: Registration, device: Device) => Promise<LoggedIn & { readonly created: boolean }>
  readonly login: (input: { identifier: string; password: string }, device: Device) => Promise<LoggedIn>
  readonly refresh: (refreshToken: string, device: Device) => Promise<Tokens>
  readonly logout: (refreshToken: string) => Promise<void>
  readonly logoutAll: (refreshToken: string) => Promise<void>
  readonly me: (actor: AccessClaims) => Promise<UserView>
  readonly sessions: (actor: AccessClaims) => Promise<SessionView[]>
  readonly endSession: (actor: AccessClaims, sessionId: string) => Promise<void>
}

export interface AccountsOptions {
  readonly storage: Storage
  readonly passwords: Passwords
  readonly sessions: Sessions
  readonly accessTokens: AccessTokens
  readonly now: () => number
  readonly newId: () => string
}

/** Field by field, so that a new column is not shown by accident. */
const toView = (row: UserRow): UserView => ({
  id: idOf(row.id),
  username: row.username,
  email: row.email,
  name: row.name,
  createdAt: row.created_at,
})

export const createAccounts = (options: AccountsOptions): Accounts => {
  const { storage, passwords, sessions, accessTokens, now, newId } = options
  const { db } = storage

  const withAccess = async ({ userId, sessionId, refreshToken }: SessionTokens): Promise<Tokens> => {
    const { accessToken, expiresAt } = await accessTokens.sign({ userId, sessionId })
    return { accessToken, refreshToken, expiresAt }
  }

  const startSession = async (user: UserRow, device: Device): Promise<LoggedIn> => {
    const tokens = await db.transaction().execute((trx) => sessions.start(trx, idOf(user.id), device))
    return { user: toView(user), ...(await withAccess(tokens)) }
  }

  /** Somebody whose first answer got lost has the id, the name and the password; anybody else is told what is taken. */
  const repeatRegistration = async (input: Registration, device: Device): Promise<LoggedIn> => {
    const known = input.id === undefined ? null : await findUserById(db, input.id)
    if (known && known.username === input.username && (await passwords.verify(known.password_hash, input.password))) {
      return startSession(known, device)
    }
    if (known) throw new AppError('id/taken', 'this id is in use')
    throw new AppError('auth/name-taken', 'this user name or e-mail is in use')
  }

  const findByIdentifier = async (identifier: string): Promise<UserRow | null> => {
    const name = normalise(identifier)
    if (isUsername(name)) return findUserByUsername(db, name)
    // Control characters are in no address of ours, and a zero byte would be an error to Postgres.
    // oxlint-disable-next-line no-control-regex -- reason: control characters are what this looks for.
    return name.includes('@') && !/[\u0000-\u001f]/.test(name) ? findUserByEmail(db, name) : null
  }

  const ensureExists = async (userId: UserId): Promise<UserRow> => {
    const user = await findUserById(db, userId)
    if (!user) throw new AppError('auth/token-invalid', 'this account is gone')
    return user
  }

  return {
    register: async (input, device) => {
      // Before anything is looked up, so that a taken name takes as long as a free one.
      const passwordHash = await passwords.hash(input.password)
      const user: UserRow = {
        id: input.id ?? newId(),
        username: input.username,
        email: input.email ?? null,
        name: input.name ?? input.username,
        password_hash: passwordHash,
        created_at: now(),
      }
      const tokens = await db.transaction().execute(async (trx) => {
        if (!(await insertUser(trx, user))) return null
        return sessions.start(trx, idOf(user.id), device)
      })
      if (!tokens) return { ...(await repeatRegistration(input, device)), created: false }
      return { user: toView(user), ...(await withAccess(tokens)), created: true }
    },

    login: async ({ identifier, password }, device) => {
      const user = await findByIdentifier(identifier)
      const matches = await passwords.verify(user?.password_hash, password)
      if (!user || !matches) throw new AppError('auth/bad-credentials', 'unknown user or wrong password')
      return startSession(user, device)
    },

    refresh: async (refreshToken, device) => withAccess(await sessions.refresh(refreshToken, device)),

    logout: (refreshToken) => sessions.endFamilyOf(refreshToken),

    logoutAll: async (refreshToken) => {
      const live = await sessions.findLive(refreshToken)
      if (!live) throw new AppError('auth/token-invalid', 'unknown or expired refresh token')
      await sessions.endAll(live.userId)
    },

    me: async ({ userId }) => toView(await ensureExists(userId)),

    sessions: ({ userId, sessionId }) => sessions.list(userId, sessionId),

    endSession: async ({ userId }, sessionId) => {
      if (!(await sessions.endFamily(userId, sessionId))) throw new AppError('access/not-found', 'no such session')
    },
  }
}
