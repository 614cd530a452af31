// Logins: who has one, how its refresh token rotates, how it ends. The only file that knows lucia; lucia's session id is
// our refresh token, and its adapter here keeps nothing but the token's SHA-256.
import { createHmac } from 'node:crypto'
import type { Kysely } from 'kysely'
import { type Adapter, Lucia, TimeSpan } from 'lucia'
import { REFRESH_GRACE_MS, SESSION_AGE_MS_MAX, SESSION_IDLE_MS } from '../../shared/limits.ts'
import { idOf, type UserId } from '../../shared/names.ts'
import type { SessionInfo } from '../../shared/session-info.ts'
import * as rows from '../../storage/sessions.ts'
import type { Database } from '../../storage/schema.ts'
import { hashToken, newOpaqueToken } from './opaque-token.ts'
import { lockUser } from '../../storage/users.ts'
import { addressAfter, toSessionInfo } from './session-view.ts'

interface SessionAttributes {
  readonly familyId: string
  readonly deviceId: string | null
  readonly userAgent: string | null
  readonly loginAt: number
  readonly createdAt: number
  readonly replacedAt: number | null
  /** Where the login happened. */
  readonly ip: string | null
  readonly deviceName: string | null
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

/** Where a request comes from, as far as it says. */
export interface Device {
  readonly deviceId: string | null
  readonly userAgent: string | null
  readonly ip?: string | null
  /** What its owner calls it. */
  readonly deviceName?: string | null
}

/** What became of a refresh token that was shown. */
export type Refreshed =
  | { readonly outcome: 'rotated'; readonly tokens: SessionTokens }
  | { readonly outcome: 'reused'; readonly userId: UserId; readonly sessionId: string }
  | { readonly outcome: 'invalid' }

/** Which login of whom. */
export type LoginOf = Pick<SessionTokens, 'userId' | 'sessionId'>

export interface SessionsOptions {
  readonly db: Kysely<Database>
  readonly refreshKey: Uint8Array
  readonly now: () => number
  readonly newId: () => string
}

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
      ip: row.ip,
      deviceName: row.device_name,
    },
  })
  const adapter: Adapter = {
    getSessionAndUser: async (token) => {
      const row = await rows.findSession(db, hashToken(token))
      return row ? [toLucia(token, row), { id: row.user_id, attributes: {} }] : [null, null]
    },
    getUserSessions: async (userId) =>
      (await rows.listLiveSessions(db, userId, now())).map((row) => toLucia(row.family_id, row)),
    setSession: ({ id, userId, attributes }) =>
      rows.insertSession(db, {
        id_hash: hashToken(id),
        family_id: attributes.familyId,
        user_id: userId,
        device_id: attributes.deviceId,
        user_agent: attributes.userAgent,
        login_at: attributes.loginAt,
        created_at: attributes.createdAt,
        // Not lucia's date: it knows no absolute end.
        expires_at: Math.min(attributes.createdAt + SESSION_IDLE_MS, attributes.loginAt + SESSION_AGE_MS_MAX),
        replaced_at: null,
        ip: attributes.ip,
        device_name: attributes.deviceName,
      }),
    // A token's end is fixed; it is the successor's that lies later.
    updateSessionExpiration: async () => {},
    deleteSession: (token) => rows.deleteSession(db, hashToken(token)),
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
    const refreshToken = newOpaqueToken()
    const times = { loginAt: time, createdAt: time, replacedAt: null }
    const attributes = { ip: null, deviceName: null, ...device, ...times, familyId: newId() }
    await createLucia(trx, now).createSession(userId, attributes, { sessionId: refreshToken })
    return { userId, sessionId: attributes.familyId, refreshToken }
  }

  /** The answer got lost if it is early, the same device asks, and nobody has used the successor. */
  const isLostAnswer = async (trx: Kysely<Database>, successor: string, replacedAt: number, device: Device) => {
    if (now() - replacedAt > REFRESH_GRACE_MS) return false
    const row = await rows.findSession(trx, hashToken(successor))
    if (!row || row.replaced_at !== null) return false
    return row.user_agent === device.userAgent && (device.deviceId === null || row.device_id === device.deviceId)
  }

  const refresh = async (trx: Kysely<Database>, token: string, device: Device): Promise<Refreshed> => {
    const lucia = createLucia(trx, now)
    const owner = await rows.findSession(trx, hashToken(token))
    // Everything that changes the logins of one user waits here for its turn; what was read before may be old.
    if (!owner || !(await lockUser(trx, owner.user_id))) return { outcome: 'invalid' }
    const { session } = await lucia.validateSession(token)
    if (!session) return { outcome: 'invalid' }
    const { familyId, replacedAt } = session
    const userId = idOf<'user'>(session.userId)
    const refreshToken = successorOf(token)
    const tokens: SessionTokens = { userId, sessionId: familyId, refreshToken }
    if (replacedAt !== null) {
      if (await isLostAnswer(trx, refreshToken, replacedAt, device)) return { outcome: 'rotated', tokens }
      await rows.deleteFamily(trx, userId, familyId)
      return { outcome: 'reused', userId, sessionId: familyId }
    }
    const time = now()
    await rows.deleteExpiredSessions(trx, time, userId)
    await rows.markReplaced(trx, hashToken(token), time)
    const { deviceId, loginAt, deviceName, ip } = session
    const kept = { familyId, deviceId, loginAt, deviceName, ip: addressAfter(ip, time - loginAt) }
    const attributes = { ...kept, createdAt: time, userAgent: device.userAgent, replacedAt: null }
    await lucia.createSession(userId, attributes, { sessionId: refreshToken })
    return { outcome: 'rotated', tokens }
  }

  /** The login behind a token, if the token is its newest and has not expired. */
  const findLive = async (token: string): Promise<LoginOf | null> => {
    const { session } = await createLucia(db, now).validateSession(token)
    if (!session || session.replacedAt !== null) return null
    return { userId: idOf(session.userId), sessionId: session.familyId }
  }

  const endAll = async (trx: Kysely<Database>, userId: UserId): Promise<void> => {
    await lockUser(trx, userId)
    await createLucia(trx, now).invalidateUserSessions(userId)
  }

  return {
    /** Begins a login. */
    start,
    /** Exchanges a refresh token for its successor. A token that was used before ends its login. */
    refresh,
    findLive,
    /** The login that any of its tokens, also a replaced one, belongs to. */
    findLogin: async (token: string): Promise<LoginOf | null> => {
      const row = await rows.findSession(db, hashToken(token))
      return row && { userId: idOf(row.user_id), sessionId: row.family_id }
    },
    /** Ends one login; false when the user has no such login. */
    end: async (trx: Kysely<Database>, { userId, sessionId }: LoginOf): Promise<boolean> => {
      await lockUser(trx, userId)
      return rows.deleteFamily(trx, userId, sessionId)
    },
    endAll,
    /** Ends all logins of the user and begins one for the device of this one; null when this one has ended already. */
    startOver: async (trx: Kysely<Database>, login: LoginOf, device: Device): Promise<SessionTokens | null> => {
      const { userId, sessionId } = login
      await lockUser(trx, userId)
      const row = await rows.findLiveFamily(trx, userId, sessionId, now())
      if (!row) return null
      await endAll(trx, userId)
      return start(trx, userId, { ...device, deviceId: row.device_id, deviceName: row.device_name })
    },
    list: async (userId: UserId, currentId?: string): Promise<SessionInfo[]> => {
      const live = await rows.listLiveSessions(db, userId, now())
      return live.map((row) => toSessionInfo(row, now(), currentId))
    },
    isLive: (sessionId: string): Promise<boolean> => rows.isFamilyLive(db, sessionId, now()),
  }
}

export type Sessions = ReturnType<typeof createSessions>
