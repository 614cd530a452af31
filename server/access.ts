// Who is asking, and which documents they may open: tokens, logins and memberships turned into one answer. The two doors,
// HTTP and sockets, both ask here.
import { can, type Role } from '../shared/access.ts'
import { AppError } from '../shared/errors.ts'
import { parseDocumentName, type ParsedDocumentName, type UserId } from '../shared/names.ts'
import { KINDS } from '../shared/registry.ts'
import { findChannelAccess } from '../storage/access.ts'
import type { Storage } from '../storage/open.ts'
import type { AccessClaims, AccessTokens } from './auth/access-token.ts'
import type { Sessions } from './auth/sessions.ts'

export interface Grant {
  readonly userId: UserId
  readonly sessionId: string
  readonly role: Role
  readonly readOnly: boolean
}

export interface Access {
  /**
   * Throws `permission-denied`, the same for a bad token, an unknown document and a forbidden one, or
   * `storage/unavailable` when the database could not be asked.
   */
  readonly openDocument: (token: string, name: string) => Promise<Grant>
  /** Throws `auth/required` without a bearer token, `auth/token-invalid` for one that is not, or no longer, good. */
  readonly actorOf: (authorization: string | undefined) => Promise<AccessClaims>
}

export interface AccessOptions {
  readonly storage: Storage
  readonly accessTokens: AccessTokens
  readonly sessions: Pick<Sessions, 'isLive'>
  readonly now: () => number
}

/** The type a channel must have for a document of its own of this kind; a record's text is there in every channel. */
const CHANNEL_TYPES: Readonly<Record<string, string>> = { document: 'DOC' }

const parseName = (name: string): ParsedDocumentName | null => {
  try {
    return parseDocumentName(name)
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
}

export const createAccess = ({ storage, accessTokens, sessions, now }: AccessOptions): Access => {
  /** The role in the group that the document belongs to; null when there is no such document for this login. */
  const roleIn = async ({ kind, id, part }: ParsedDocumentName, claims: AccessClaims): Promise<Role | null> => {
    if (!KINDS.has(kind) || !(kind in CHANNEL_TYPES)) return null
    const channel = await findChannelAccess(storage.db, { ...claims, now: now() }, id)
    if (!channel || (part === undefined && channel.type !== CHANNEL_TYPES[kind])) return null
    return channel.role
  }

  const grant = async (token: string, name: string): Promise<Grant | null> => {
    const document = parseName(name)
    const claims = await accessTokens.verify(token)
    if (!document || !claims) return null
    const role = await roleIn(document, claims)
    return role && can(role, 'read') ? { ...claims, role, readOnly: !can(role, 'write') } : null
  }

  return {
    openDocument: async (token, name) => {
      let granted: Grant | null
      try {
        granted = await grant(token, name)
      } catch (error) {
        const unavailable = new AppError('storage/unavailable', 'the database does not answer')
        unavailable.cause = error
        throw unavailable
      }
      if (!granted) throw new AppError('permission-denied', 'no such document, or no access to it')
      return granted
    },

    actorOf: async (authorization) => {
      const token = /^Bearer +([^ ]+)$/i.exec(authorization ?? '')?.[1]
      if (!token) throw new AppError('auth/required', 'log in first')
      const claims = await accessTokens.verify(token)
      if (!claims || !(await sessions.isLive(claims.sessionId)))
        throw new AppError('auth/token-invalid', 'unknown, expired or logged out')
      return claims
    },
  }
}
