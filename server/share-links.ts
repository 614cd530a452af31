// Share links: the secret in one, and who holds it in the eyes of the rules. Whoever opens a document by a link is a
// visitor of its own, so what is written by it is bound to it like anybody's.
import { idOf } from '../shared/names.ts'
import type { AccessClaims } from './auth/access-token.ts'
import { newOpaqueToken } from './auth/opaque-token.ts'

const SECRET_PREFIX = 'share_'
/** No account may have an id that begins so. */
export const VISITOR_PREFIX = 'share-'

export const newShareSecret = (): string => SECRET_PREFIX + newOpaqueToken()

export const isShareSecret = (token: string): boolean => token.startsWith(SECRET_PREFIX)

/** The user id and the login of whoever holds the link. */
export const shareClaims = (shareId: string): AccessClaims => ({
  userId: idOf<'user'>(VISITOR_PREFIX + shareId),
  sessionId: VISITOR_PREFIX + shareId,
})

/** Which link claims come from; null for those of a login. */
export const shareIdOf = ({ sessionId }: Pick<AccessClaims, 'sessionId'>): string | null =>
  sessionId.startsWith(VISITOR_PREFIX) ? sessionId.slice(VISITOR_PREFIX.length) : null
