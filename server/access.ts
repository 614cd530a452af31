// Who is asking, and which documents they may open: tokens, logins and memberships turned into one answer. The two doors,
// HTTP and sockets, both ask here.
import { can, type Role } from '../shared/access.ts'
import { AppError } from '../shared/errors.ts'
import type { Kind } from '../shared/kind.ts'
import {
  type DocumentName,
  documentName,
  isId,
  parseDocumentName,
  type ParsedDocumentName,
  type UserId,
} from '../shared/names.ts'
import { KINDS } from '../shared/registry.ts'
import type { Facts } from '../shared/rules.ts'
import { findChannelAccess, findGroupFacts, findGroupRole, findMembers } from '../storage/access.ts'
import { findShare, findShareBySecret } from '../storage/shares.ts'
import type { Storage } from '../storage/open.ts'
import type { AccessClaims, AccessTokens } from './auth/access-token.ts'
import { hashToken } from './auth/opaque-token.ts'
import type { Sessions } from './auth/sessions.ts'
import { isTicket, type Tickets } from './auth/tickets.ts'
import { isShareSecret, shareIdOf, shareClaims } from './share-links.ts'

/** What the rules of a kind are told besides who writes, and when. */
export type DocumentFacts = Pick<Facts, 'members' | 'isSealed' | 'groups'>

export interface Grant {
  readonly userId: UserId
  readonly sessionId: string
  /** The login stands for the device. */
  readonly deviceId: string
  /** In the group the document belongs to; `owner` in a document of one's own. */
  readonly role: Role
  readonly readOnly: boolean
  /** The document that was opened; it says which segment, where a chat was asked for. */
  readonly name: DocumentName
  readonly facts: DocumentFacts
}

export interface Access {
  /**
   * Throws `permission-denied`, the same for a bad token, an unknown document and a forbidden one, or
   * `storage/unavailable` when the database could not be asked. A ticket is good in place of a token on the `socket` that
   * showed it first.
   */
  readonly openDocument: (token: string, name: string, socket?: object) => Promise<Grant>
  /**
   * The same for somebody whose token was verified. A chat without a part is its newest segment. Throws
   * `access/not-found`, the same for an unknown document and a forbidden one, or what the database threw.
   */
  readonly openFor: (claims: AccessClaims, name: string) => Promise<Grant>
  /** Whether the login, or the link, is still good. */
  readonly isLive: (claims: Pick<AccessClaims, 'sessionId'>) => Promise<boolean>
  /**
   * Of a login or of a share link, which opens one document and nothing else. Throws `auth/required` without a bearer
   * token, `auth/token-invalid` for one that is not, or no longer, good.
   */
  readonly visitorOf: (authorization: string | undefined) => Promise<AccessClaims>
}

export interface AccessOptions {
  readonly storage: Storage
  readonly accessTokens: AccessTokens
  readonly sessions: Pick<Sessions, 'isLive'>
  readonly tickets: Pick<Tickets, 'exchange'>
  readonly now: () => number
}

const NOBODY: ReadonlySet<string> = new Set()
const NO_GROUPS: DocumentFacts['groups'] = new Map()
const NO_FACTS: DocumentFacts = { members: NOBODY, isSealed: false, groups: NO_GROUPS }

/** What a login is to one document. */
type Standing = Pick<Grant, 'role' | 'name' | 'facts'>

const SEGMENT = /^(0|[1-9]\d{0,5})$/
const YEAR = /^\d{4}$/

/** What may stand behind the id. There is one way to write each, so that two names cannot mean one document. */
const IS_PART: Record<Kind['part'], (part: string | undefined) => boolean> = {
  none: (part) => part === undefined,
  record: (part) => part === undefined || isId(part),
  segment: (part) => part === undefined || SEGMENT.test(part),
  year: (part) => part !== undefined && YEAR.test(part),
}

const parseName = (name: string): ParsedDocumentName | null => {
  try {
    return parseDocumentName(name)
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
}

const isReadOnly = ({ writers }: Kind, role: Role): boolean => {
  if (writers === 'members') return !can(role, 'write')
  // A document that belongs to one user is opened by nobody else.
  return writers === 'server'
}

/** Throws `auth/required` where there is none. */
const tokenIn = (authorization: string | undefined): string => {
  const token = /^Bearer +([^ ]+)$/i.exec(authorization ?? '')?.[1]
  if (!token) throw new AppError('auth/required', 'log in first')
  return token
}

export const createAccess = ({ storage, accessTokens, sessions, tickets, now }: AccessOptions): Access => {
  const { db } = storage

  const inChannel = async (kind: Kind, parsed: ParsedDocumentName, claims: AccessClaims): Promise<Standing | null> => {
    const { id, part } = parsed
    const channel = await findChannelAccess(db, { ...claims, now: now() }, id)
    if (!channel) return null
    // The text of a record is there in every channel.
    const isRecordText = kind.part === 'record' && part !== undefined
    if (channel.type !== kind.channelType && !isRecordText) return null
    const { role, groupId } = channel
    if (kind.part === 'segment') {
      const newest = channel.segments - 1
      const segment = part === undefined ? newest : Number(part)
      if (segment > newest) return null
      const name = part === undefined ? documentName(kind.name, id, String(newest)) : parsed.name
      return { role, name, facts: { ...NO_FACTS, isSealed: segment < newest } }
    }
    if (kind.asks !== 'members') return { role, name: parsed.name, facts: NO_FACTS }
    return { role, name: parsed.name, facts: { ...NO_FACTS, members: await findMembers(db, groupId) } }
  }

  const byLink = async (shareId: string, { name }: ParsedDocumentName): Promise<Standing | null> => {
    const share = await findShare(db, shareId, now())
    return share?.document === name ? { role: share.role, name, facts: NO_FACTS } : null
  }

  const ofUser = async (
    kind: Kind,
    { id, name }: ParsedDocumentName,
    claims: AccessClaims,
  ): Promise<Standing | null> => {
    if (id !== claims.userId || !(await sessions.isLive(claims.sessionId))) return null
    if (kind.asks !== 'groups') return { role: 'owner', name, facts: NO_FACTS }
    return { role: 'owner', name, facts: { ...NO_FACTS, groups: await findGroupFacts(db, claims.userId) } }
  }

  const inGroup = async ({ id, name }: ParsedDocumentName, claims: AccessClaims): Promise<Standing | null> => {
    const role = await findGroupRole(db, { ...claims, now: now() }, id)
    return role && { role, name, facts: NO_FACTS }
  }

  /** Null when there is no such document for this login. */
  const grant = async (claims: AccessClaims, text: string): Promise<Grant | null> => {
    const parsed = parseName(text)
    const kind = parsed && KINDS.get(parsed.kind)
    if (!kind || !IS_PART[kind.part](parsed.part)) return null
    let standing: Standing | null
    const shareId = shareIdOf(claims)
    if (shareId !== null) standing = await byLink(shareId, parsed)
    else if (kind.scope === 'channel') standing = await inChannel(kind, parsed, claims)
    else if (kind.scope === 'user') standing = await ofUser(kind, parsed, claims)
    else standing = await inGroup(parsed, claims)
    if (!standing || !can(standing.role, 'read')) return null
    const { userId, sessionId } = claims
    const { role, name, facts } = standing
    return { userId, sessionId, deviceId: sessionId, role, readOnly: isReadOnly(kind, role), name, facts }
  }

  /** Of a login by its access token, of a link by its secret. */
  const claimsOf = async (token: string): Promise<AccessClaims | null> => {
    if (!isShareSecret(token)) return accessTokens.verify(token)
    const share = await findShareBySecret(db, hashToken(token), now())
    return share && shareClaims(share.id)
  }

  const isLive = async (claims: Pick<AccessClaims, 'sessionId'>): Promise<boolean> => {
    const shareId = shareIdOf(claims)
    return shareId === null ? sessions.isLive(claims.sessionId) : (await findShare(db, shareId, now())) !== null
  }

  return {
    isLive,

    openDocument: async (token, name, socket) => {
      let granted: Grant | null
      try {
        const isOfSocket = socket !== undefined && isTicket(token)
        const claims = isOfSocket ? await tickets.exchange(token, socket) : await claimsOf(token)
        granted = claims && (await grant(claims, name))
      } catch (error) {
        const unavailable = new AppError('storage/unavailable', 'the database does not answer')
        unavailable.cause = error
        throw unavailable
      }
      // A socket opens what it names: a chat without its segment would be a document of its own there.
      if (granted?.name !== name) throw new AppError('permission-denied', 'no such document, or no access to it')
      return granted
    },

    openFor: async (claims, name) => {
      const granted = await grant(claims, name)
      if (!granted) throw new AppError('access/not-found', 'no such document')
      return granted
    },

    visitorOf: async (authorization) => {
      const claims = await claimsOf(tokenIn(authorization))
      if (!claims || !(await isLive(claims))) throw new AppError('auth/token-invalid', 'unknown, expired or logged out')
      return claims
    },
  }
}
