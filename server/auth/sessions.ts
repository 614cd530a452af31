// Logins: who has one, how its refresh token rotates, how it ends. The only file that knows lucia; lucia's session id is
// our refresh token, and its adapter here keeps nothing but the token's SHA-256.
import { createHash, createHmac, randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import { type Adapter, Lucia, TimeSpan } from 'lucia'
import { AppError } from '../../shared/errors.ts'
import { REFRESH_GRACE_MS, SESSION_AGE_MS_MAX, SESSION_IDLE_MS } from '../../shared/limits.ts'
import { idOf, type UserId } from '../../shared/names.ts'
import * as rows from '../../storage/sessions.ts'
import type { Database } from '../../storage/schema.ts'
import { lockUser } from '../../storage/users.ts'

interface SessionAttributes {
  readonly familyId: string
  readonly deviceId: string | null
  readonly userAgent: string | null
  readonly loginAt: number
  readonly createdAt: number
  readonly replacedAt: number | null
}

declare module 'lucia' {
  interface Register {
    Lucia: ReturnType<typeof createLucia>
    DatabaseSessionAttributes: SessionAttributes
  }
}

/** What a login hands out. `sessionId` names the login and stays; the refresh token changes with each use. */
export interface SessionTokens {
  readonly userId: UserId
  readonly sessionId: string
  readonly refreshToken: string
}

export interface SessionView {
  readonly id: string
  readonly deviceId: string | null
  readonly userAgent: string | null
  readonly loginAt: number
  readonly lastUsedAt: number
  readonly expiresAt: number
  /** The one that asks. */
  readonly current: boolean
}

/** Where a request comes from, as far as it says. */
export interface Device {
  readonly deviceId: string | null
  readonly userAgent: string | null
}

export interface SessionsOptions {
  readonly db: Kysely<Database>
  readonly refreshKey: Uint8Array
  readonly now: () => number
  readonly newId: () => string
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex')

const createLucia = (db: Kysely<Database>, now: () => number) => {
  /** Lucia compares with the system's clock, we with the one we were given: the difference moves into the date. */
  const toLuciaDate = (time: number): Date => new Date(time - now() + Date.now())
  const toLucia = (id: string, row: rows.SessionRow) => ({
    id,
    userId: row.user_id,
    expiresAt: toLuciaDate(row.expires_at),
    attributes: {
      familyId: row.family_id,
      deviceId: row.device_id,
      userAgent: row.user_agent,
      loginAt: row.login_at,
      createdAt: row.created_at,
      replacedAt: row.replaced_at,
    },
  })
  const adapter: Adapter = {
    getSessionAndUser: async (token) => {
      const row = await rows.findSession(db, hashOf(token))
      return row ? [toLucia(token, row), { id: row.user_id, attributes: {} }] : [null, null]
    },
    getUserSessions: async (userId) =>
      (await rows.listLiveSessions(db, userId, now())).map((row) => toLucia(row.family_id, row)),
    setSession: ({ id, userId, attributes }) =>
      rows.insertSession(db, {
        id_hash: hashOf(id),
        family_id: attributes.familyId,
        user_id: userId,
        device_id: attributes.deviceId,
        user_agent: attributes.userAgent,
        login_at: attributes.loginAt,
        created_at: attributes.createdAt,
        // Not lucia's date: it knows no absolute end.
        expires_at: Math.min(attributes.createdAt + SESSION_IDLE_MS, attributes.loginAt + SESSION_AGE_MS_MAX),
        replaced_at: null,
      }),
    // A token's end is fixed; it is the successor's that lies later.
    updateSessionExpiration: async () => {},
    deleteSession: (token) => rows.deleteSession(db, hashOf(token)),
    deleteUserSessions: (userId) => rows.deleteSessionsOfUser(db, userId),
    deleteExpiredSessions: () => rows.deleteExpiredSessions(db, now()),
  }
  return new Lucia(adapter, {
    sessionExpiresIn: new TimeSpan(SESSION_IDLE_MS, 'ms'),
    getSessionAttributes: (attributes: SessionAttributes) => ({ ...attributes }),
  })
}

export const createSessions = ({ db, refreshKey, now, newId }: SessionsOptions) => {
  /** By HMAC, so that a repeat finds the same successor although no token is stored. */
  const successorOf = (token: string): string => createHmac('sha256', refreshKey).update(token).digest('base64url')

  const start = async (trx: Kysely<Database>, userId: UserId, device: Device): Promise<SessionTokens> => {
    const time = now()
    await lockUser(trx, userId)
    await rows.deleteExpiredSessions(trx, time, userId)
    const refreshToken = randomBytes(32).toString('base64url')
    const attributes = { ...device, familyId: newId(), loginAt: time, createdAt: time, replacedAt: null }
    await createLucia(trx, now).createSession(userId, attributes, { sessionId: refreshToken })
    return { userId, sessionId: attributes.familyId, refreshToken }
  }

  /** The answer got lost if it is early, the same device asks, and nobody has used the successor. */
  const isLostAnswer = async (trx: Kysely<Database>, successor: string, replacedAt: number, device: Device) => {
    if (now() - replacedAt > REFRESH_GRACE_MS) return false
    const row = await rows.findSession(trx, hashOf(successor))
    if (!row || row.replaced_at !== null) return false
    return row.user_agent === device.userAgent && (device.deviceId === null || row.device_id === device.deviceId)
  }

  const rotate = async (trx: Kysely<Database>, token: string, device: Device) => {
    const lucia = createLucia(trx, now)
    const owner = await rows.findSession(trx, hashOf(token))
    // Everything that changes the logins of one user waits here for its turn; what was read before may be old.
    if (!owner || !(await lockUser(trx, owner.user_id))) return 'auth/token-invalid'
    const { session } = await lucia.validateSession(token)
    if (!session) return 'auth/token-invalid'
    const { userId, familyId, replacedAt } = session
    const refreshToken = successorOf(token)
    const tokens: SessionTokens = { userId: idOf(userId), sessionId: familyId, refreshToken }
    if (replacedAt !== null) {
      if (await isLostAnswer(trx, refreshToken, replacedAt, device)) return tokens
      await rows.deleteFamily(trx, userId, familyId)
      return 'auth/token-reused'
    }
    const time = now()
    await rows.deleteExpiredSessions(trx, time, userId)
    await rows.markReplaced(trx, hashOf(token), time)
    const { deviceId, loginAt } = session
    const attributes = { familyId, deviceId, loginAt, createdAt: time, userAgent: device.userAgent, replacedAt: null }
    await lucia.createSession(userId, attributes, { sessionId: refreshToken })
    return tokens
  }

  /** The login behind a token, if the token is its newest and has not expired. */
  const findLive = async (token: string): Promise<{ userId: UserId; sessionId: string } | null> => {
    const { session } = await createLucia(db, now).validateSession(token)
    if (!session || session.replacedAt !== null) return null
    return { userId: idOf(session.userId), sessionId: session.familyId }
  }

  const endFamily = (userId: UserId, sessionId: string): Promise<boolean> =>
    db.transaction().execute(async (trx) => {
      await lockUser(trx, userId)
      return rows.deleteFamily(trx, userId, sessionId)
    })

  return {
    /** Begins a login. Takes the executor, because a registration begins one in its own transaction. */
    start,
    /** Exchanges a refresh token for its successor; throws `auth/token-invalid` or, once the family is ended, `auth/token-reused`. */
    refresh: async (token: string, device: Device): Promise<SessionTokens> => {
      const outcome = await db.transaction().execute((trx) => rotate(trx, token, device))
      // Thrown out here, because a throw inside would roll the end of the family back.
      if (outcome === 'auth/token-reused') throw new AppError(outcome, 'this token was used before: log in again')
      if (outcome === 'auth/token-invalid') throw new AppError(outcome, 'unknown or expired refresh token')
      return outcome
    },
    findLive,
    /** Ends one login; false when the user has no such login. */
    endFamily,
    /** Ends the login that any of its tokens, also a replaced one, belongs to. */
    endFamilyOf: async (token: string): Promise<void> => {
      const row = await rows.findSession(db, hashOf(token))
      if (row) await endFamily(idOf(row.user_id), row.family_id)
    },
    endAll: (userId: UserId): Promise<void> =>
      db.transaction().execute(async (trx) => {
        await lockUser(trx, userId)
        await createLucia(trx, now).invalidateUserSessions(userId)
      }),
    list: async (userId: UserId, currentId?: string): Promise<SessionView[]> => {
      const live = await rows.listLiveSessions(db, userId, now())
      return live.map((row) => ({
        id: row.family_id,
        deviceId: row.device_id,
        userAgent: row.user_agent,
        loginAt: row.login_at,
        lastUsedAt: row.created_at,
        expiresAt: row.expires_at,
        current: row.family_id === currentId,
      }))
    },
    isLive: (sessionId: string): Promise<boolean> => rows.isFamilyLive(db, sessionId, now()),
  }
}

export type Sessions = ReturnType<typeof createSessions>
