// Socket tickets: what a browser may put into the address of a socket, where a token would end up in logs. A ticket is
// good for a minute and for one socket; there it may be shown for one document after the other.
import type { Kysely } from 'kysely'
import { TICKET_MS, TICKETS_PER_SOCKET_MAX } from '../../shared/limits.ts'
import { idOf } from '../../shared/names.ts'
import type { Database } from '../../storage/schema.ts'
import { insertTicket, takeTicket } from '../../storage/tickets.ts'
import type { AccessClaims } from './access-token.ts'
import { hashToken, newOpaqueToken } from './opaque-token.ts'

const PREFIX = 'ticket_'

export interface Tickets {
  readonly issue: (claims: AccessClaims) => Promise<{ ticket: string; expiresAt: number }>
  /** Whose ticket it is, on the first socket that shows it; null on any other, and for what is none. */
  readonly exchange: (ticket: string, socket: object) => Promise<AccessClaims | null>
}

type Exchanged = Map<string, Promise<AccessClaims | null>>

export const isTicket = (token: string): boolean => token.startsWith(PREFIX)

export const createTickets = ({ db, now }: { readonly db: Kysely<Database>; readonly now: () => number }): Tickets => {
  /** What tickets were exchanged for, for as long as their socket is there. */
  const exchanged = new WeakMap<object, Exchanged>()

  const take = async (ticket: string): Promise<AccessClaims | null> => {
    const row = await takeTicket(db, hashToken(ticket), now())
    return row && { userId: idOf<'user'>(row.user_id), sessionId: row.family_id }
  }

  return {
    issue: async ({ userId, sessionId }) => {
      const ticket = PREFIX + newOpaqueToken()
      const expiresAt = now() + TICKET_MS
      await insertTicket(db, {
        id_hash: hashToken(ticket),
        family_id: sessionId,
        user_id: userId,
        expires_at: expiresAt,
      })
      return { ticket, expiresAt }
    },

    exchange: async (ticket, socket) => {
      const ofSocket: Exchanged = exchanged.get(socket) ?? new Map()
      exchanged.set(socket, ofSocket)
      const known = ofSocket.get(ticket)
      if (known) return known
      const taking = take(ticket)
      // At once, so that documents that are opened side by side share the one exchange.
      ofSocket.set(ticket, taking)
      let claims: AccessClaims | null = null
      try {
        claims = await taking
      } finally {
        if (!claims) ofSocket.delete(ticket)
      }
      if (ofSocket.size > TICKETS_PER_SOCKET_MAX) ofSocket.delete(ofSocket.keys().next().value as string)
      return claims
    },
  }
}
