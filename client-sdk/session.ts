// A login as this device keeps it: its tokens, how long the access token is good by this device's own clock, and which
// login it is. Reads what is kept tolerantly, and of an access token only what the server says in it.
import { type ErrorCode, ERRORS } from '../shared/errors.ts'
import { isPlainObject } from '../shared/json.ts'

/** What the server answers to a register, login or refresh. */
export interface TokenAnswer {
  readonly accessToken: string
  readonly refreshToken: string
  /** Milliseconds since the epoch by the server's clock. */
  readonly expiresAt: number
}

export type Tokens = {
  readonly accessToken: string
  readonly refreshToken: string
  /** Milliseconds since the epoch by this device's clock. */
  readonly goodUntil: number
}

export type Session = {
  readonly username: string
  /** The login's id, by which the server tells devices apart; null where the token does not say. */
  readonly sessionId: string | null
  /** Null: the server ended the login, and the person has to log in again. */
  readonly tokens: Tokens | null
}

interface Claims {
  readonly sessionId: string
  readonly lifetimeMs: number
}

/** What stands in a token of the server's; not verified, that is for the server. Null for anything else. */
const readClaims = (accessToken: string): Claims | null => {
  try {
    const payload = accessToken.split('.')[1] ?? ''
    const claims: unknown = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')))
    if (!isPlainObject(claims)) return null
    const { sid, iat, exp } = claims
    if (typeof sid !== 'string' || typeof iat !== 'number' || typeof exp !== 'number') return null
    return { sessionId: sid, lifetimeMs: (exp - iat) * 1_000 }
  } catch {
    return null
  }
}

/**
 * `askedAt` is this device's time before the request: a clock that is wrong by hours would take every fresh token for an
 * old one if it were compared with the server's.
 */
export const toSession = (
  username: string,
  { accessToken, refreshToken, expiresAt }: TokenAnswer,
  askedAt: number,
): Session => {
  const claims = readClaims(accessToken)
  const goodUntil = claims ? askedAt + claims.lifetimeMs : expiresAt
  return { username, sessionId: claims?.sessionId ?? null, tokens: { accessToken, refreshToken, goodUntil } }
}

const readTokens = (value: unknown): Tokens | null => {
  if (!isPlainObject(value)) return null
  const { accessToken, refreshToken, goodUntil } = value
  if (typeof accessToken !== 'string' || typeof refreshToken !== 'string' || typeof goodUntil !== 'number') return null
  return { accessToken, refreshToken, goodUntil }
}

/** Null for what is no session. */
export const readSession = (value: unknown): Session | null => {
  if (!isPlainObject(value)) return null
  const { username, sessionId, tokens } = value
  if (typeof username !== 'string') return null
  return { username, sessionId: typeof sessionId === 'string' ? sessionId : null, tokens: readTokens(tokens) }
}

/** Whether a refusal says that the login is over, as opposed to "not now". */
export const endsLogin = (code: ErrorCode): boolean => ERRORS[code].status === 401
