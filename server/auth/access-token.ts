// Access tokens: short-lived JWTs that say who and in which login. They prove nothing about the login still being open;
// whoever takes one asks the sessions too.
import { errors, jwtVerify, SignJWT } from 'jose'
import { ACCESS_TOKEN_MS, CLOCK_SKEW_MS_MAX } from '../../shared/limits.ts'
import { idOf, isId, type UserId } from '../../shared/names.ts'

const ALGORITHM = 'HS256'
const TYPE = 'at+jwt'
const ISSUER = 'syncline'
const AUDIENCE = 'syncline'

export interface AccessClaims {
  readonly userId: UserId
  /** The login, `sid` in the token. */
  readonly sessionId: string
}

export interface AccessTokens {
  readonly sign: (claims: AccessClaims) => Promise<{ accessToken: string; expiresAt: number }>
  /** Null for anything that is not a token of ours that is good now. */
  readonly verify: (token: string) => Promise<AccessClaims | null>
}

const seconds = (ms: number): number => Math.floor(ms / 1000)

/** Tokens remembered as verified: one opens every document of a socket, and a socket may open a thousand. */
const VERIFIED_MAX = 10_000

export const createAccessTokens = (options: { readonly key: Uint8Array; readonly now: () => number }): AccessTokens => {
  const { key, now } = options
  const verified = new Map<
    string,
    { readonly claims: AccessClaims; readonly goodFrom: number; readonly goodUntil: number }
  >()

  const remember = (token: string, claims: AccessClaims, goodFrom: number, goodUntil: number): void => {
    if (verified.size >= VERIFIED_MAX) verified.delete(verified.keys().next().value as string)
    verified.set(token, { claims, goodFrom, goodUntil })
  }

  return {
    sign: async ({ userId, sessionId }) => {
      const issuedAt = seconds(now())
      const expiresAt = issuedAt + seconds(ACCESS_TOKEN_MS)
      const accessToken = await new SignJWT({ sid: sessionId })
        .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(userId)
        .setIssuedAt(issuedAt)
        .setExpirationTime(expiresAt)
        .sign(key)
      return { accessToken, expiresAt: expiresAt * 1000 }
    },
    verify: async (token) => {
      const known = verified.get(token)
      if (known && now() >= known.goodFrom && now() < known.goodUntil) return known.claims
      verified.delete(token)
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: [ALGORITHM],
          typ: TYPE,
          issuer: ISSUER,
          audience: AUDIENCE,
          requiredClaims: ['sub', 'sid', 'iat', 'exp'],
          // Also refuses a token from the future.
          maxTokenAge: seconds(ACCESS_TOKEN_MS),
          clockTolerance: seconds(CLOCK_SKEW_MS_MAX),
          currentDate: new Date(now()),
        })
        const { sub, sid, iat, exp } = payload
        if (sub === undefined || iat === undefined || exp === undefined) return null
        if (!isId(sub) || typeof sid !== 'string') return null
        const claims = { userId: idOf<'user'>(sub), sessionId: sid }
        remember(token, claims, iat * 1000, exp * 1000)
        return claims
      } catch (error) {
        if (error instanceof errors.JOSEError) return null
        throw error
      }
    },
  }
}
