// Tokens as the server judged them: says of each at most once that it was rejected, and which one came as its replacement,
// so that a refusal of that one is about the document and not about the token.
import type { Clock, ConnectionOptions } from './connection-types.ts'

/** A token that replaced a rejected one counts as good for so long: far less than tokens live. */
export const FRESH_MS = 60_000

export interface Tokens {
  /** As `ConnectionOptions.token`. */
  readonly ask: () => Promise<string | null>
  readonly reject: (token: string) => void
  /** The token given last was not good enough for the whole socket. */
  readonly rejectLast: () => void
  /** It came instead of a rejected one, just now. */
  readonly isFresh: (token: string) => boolean
}

export const createTokens = ({
  token: askForToken,
  tokenRejected,
  clock,
}: Pick<ConnectionOptions, 'token' | 'tokenRejected'> & { readonly clock: Clock }): Tokens => {
  let last: string | null = null
  let rejected: string | null = null
  let isReplacing = false
  let fresh: { readonly token: string; readonly since: number } | null = null

  const reject = (token: string): void => {
    if (token === rejected) return
    rejected = token
    isReplacing = true
    tokenRejected()
  }
  return {
    ask: async () => {
      const token = await askForToken()
      if (isReplacing && token !== null && token !== rejected) {
        isReplacing = false
        fresh = { token, since: clock.now() }
      }
      last = token
      return token
    },
    reject,
    rejectLast: () => {
      if (last !== null) reject(last)
    },
    isFresh: (token) => fresh?.token === token && clock.now() - fresh.since < FRESH_MS,
  }
}
