// Who uses this device: a guest at first, then whoever registers or logs in. Keeps the login on the device, hands out good
// access tokens, and says when another person is there. Moves no data: that follows from what it tells.
import { AppError, type ErrorCode } from '../shared/errors.ts'
import { isPlainObject, type Json } from '../shared/json.ts'
import type { SessionInfo } from '../shared/session-info.ts'
import type { Account, AccountEvent, AccountOptions, GuestChoice, KeptGuest, Profile } from './account-types.ts'
import type { CurrentUser } from './client-types.ts'
import { createExclusive } from './exclusive.ts'
import { createHttp } from './http.ts'
import { createListeners } from './listeners.ts'
import type { StoredValue } from './offline/store.ts'
import { endsLogin, readSession, type Session, type TokenAnswer, type Tokens, toSession } from './session.ts'

/** An access token that ends sooner than this is traded for a new one first. */
const RENEW_BEFORE_MS = 30_000
/** How long a logout waits for the server to end the login there too. */
const GOODBYE_MS_MAX = 5_000

const INSTALL = 'install'
const CURRENT = 'current'
const GUESTS = 'guest/'
const sessionKey = (userId: string): string => `session/${userId}`

/** The area of the device's disk that holds everything of a person. */
export const areaOf = (userId: string): string => `user-${userId}`

interface LoginAnswer extends TokenAnswer {
  readonly user: Profile
}

interface Current {
  readonly userId: string
  /** Null: a guest. */
  readonly session: Session | null
}

const toUser = ({ userId, session }: Current): CurrentUser => ({
  id: userId,
  username: session?.username ?? null,
  isGuest: session === null,
})

const currentValue = (userId: string): StoredValue => ({ area: areaOf(userId), userId })

const readGuest = (key: string, value: StoredValue): KeptGuest => {
  const guestId = key.slice(GUESTS.length)
  if (!isPlainObject(value)) return { guestId, plan: null }
  const { userId, choice } = value
  const isPlan = typeof userId === 'string' && (choice === 'merge' || choice === 'discard')
  return { guestId, plan: isPlan ? { userId, choice } : null }
}

/** Opens the account of this device; makes a guest at the very first start. Needs no server. */
export const createAccount = async (options: AccountOptions): Promise<Account> => {
  const { url, device, clock, newId } = options
  const exclusive = createExclusive(options.locks)
  const server = new URL(url).origin
  const listeners = createListeners<AccountEvent>()
  /** Access tokens that are not good any more, whatever their time says: the newest of them. */
  let rejected: string | null = null
  /** New tokens that the disk did not take; the old ones are used up. */
  let unsaved: { readonly after: string; readonly session: Session } | null = null
  let renewing: Promise<void> | null = null
  let stopRenewing = new AbortController()

  const readCurrent = async (): Promise<Current | null> => {
    const value = await device.get(CURRENT)
    const userId = isPlainObject(value) ? value['userId'] : undefined
    if (typeof userId !== 'string') return null
    return { userId, session: readSession(await device.get(sessionKey(userId))) }
  }

  const start = async (): Promise<{ readonly deviceId: string; readonly first: Current }> => {
    const [known, install] = await Promise.all([readCurrent(), device.get(INSTALL)])
    if (known && typeof install === 'string') return { deviceId: install, first: known }
    const deviceId = typeof install === 'string' ? install : newId()
    const first = known ?? { userId: newId(), session: null }
    await device.write({ put: { [INSTALL]: deviceId, [CURRENT]: currentValue(first.userId) } })
    return { deviceId, first }
  }

  // Of two tabs that start on an empty device, one makes the guest.
  const { deviceId, first } = await exclusive(`syncline-account/${server}`, start)
  let current = first

  const become = (to: Current): void => {
    const from = current
    current = to
    const hasSwitched = from.userId !== to.userId || (from.session?.tokens ?? null) === null
    if (hasSwitched) listeners.tell({ type: 'switched', from: toUser(from), to: toUser(to) })
  }

  /** Takes over what another tab has written. */
  const reload = async (): Promise<void> => {
    const kept = await readCurrent()
    if (!kept) return
    const had = current.session?.tokens
    const has = kept.session?.tokens
    if (kept.userId !== current.userId || (has && !had)) return become(kept)
    current = kept
    if (had && !has) listeners.tell({ type: 'ended', code: 'auth/token-invalid' })
  }

  /** Whatever changes a login of the current user happens one at a time, over all tabs. */
  const inTurn = <Result>(run: () => Promise<Result>): Promise<Result> =>
    exclusive(`syncline-refresh/${server}/${current.userId}`, run)

  const isGood = ({ accessToken, goodUntil }: Tokens): boolean =>
    accessToken !== rejected && clock.now() < goodUntil - RENEW_BEFORE_MS

  const endLogin = async (userId: string, session: Session, code: ErrorCode): Promise<void> => {
    const ended = { ...session, tokens: null }
    await device.write({ put: { [sessionKey(userId)]: ended } })
    current = { userId, session: ended }
    listeners.tell({ type: 'ended', code })
  }

  /** On the disk before anybody uses it: the refresh token before it is worth nothing any more. */
  const keep = async (userId: string, { session }: NonNullable<typeof unsaved>): Promise<Session> => {
    await device.write({ put: { [sessionKey(userId)]: session } })
    unsaved = null
    current = { userId, session }
    return session
  }

  /** The server answers a repeat within 10 s as it did before, so a lost answer is no lost login. */
  const askForNew = async (username: string, { refreshToken }: Tokens): Promise<NonNullable<typeof unsaved>> => {
    const askedAt = clock.now()
    const answer = await http.request<TokenAnswer>('POST', '/auth/refresh', {
      isPublic: true,
      body: { refreshToken, deviceId },
      signal: stopRenewing.signal,
    })
    unsaved = { after: refreshToken, session: toSession(username, answer, askedAt) }
    return unsaved
  }

  const renew = async (): Promise<void> => {
    await reload()
    const { userId } = current
    let { session } = current
    if (session?.tokens && unsaved?.after === session.tokens.refreshToken) session = await keep(userId, unsaved)
    // Another tab was faster, or another user is there.
    if (!session?.tokens || isGood(session.tokens)) return
    try {
      await keep(userId, await askForNew(session.username, session.tokens))
    } catch (error) {
      if (!(error instanceof AppError && endsLogin(error.code))) throw error
      const kept = await readCurrent()
      // Where tabs cannot lock each other out, one may have used the token that this one was about to use.
      const isStillOurs = kept?.session?.tokens?.refreshToken === session.tokens.refreshToken
      await (isStillOurs ? endLogin(userId, session, error.code) : reload())
    }
  }

  const token = async (as: string = current.userId): Promise<string | null> => {
    const mustBe = (): void => {
      if (as !== current.userId) throw new AppError('auth/required', 'somebody else is logged in here')
    }
    mustBe()
    const tokens = current.session?.tokens
    if (!tokens) return null
    if (isGood(tokens)) return tokens.accessToken
    renewing ??= inTurn(renew).finally(() => (renewing = null))
    await renewing
    mustBe()
    return current.session?.tokens?.accessToken ?? null
  }

  const tokenRejected = (accessToken = current.session?.tokens?.accessToken): void => {
    if (accessToken !== undefined && accessToken === current.session?.tokens?.accessToken) rejected = accessToken
  }

  const http = createHttp({ url, token, tokenRejected, clock, ...(options.fetch && { fetch: options.fetch }) })

  /** Ends a login on the server, if it can be told now. Nobody has its tokens any more, so that it ends anyway. */
  const sayGoodbye = async ({ tokens }: Session): Promise<void> => {
    if (!tokens) return
    const body = { refreshToken: tokens.refreshToken }
    await http.request('POST', '/auth/logout', { isPublic: true, body, msMax: GOODBYE_MS_MAX }).catch(() => {})
  }

  /** Logs in whom the server named, in place of whoever is there. */
  const enter = async (answer: LoginAnswer, askedAt: number, choice: GuestChoice): Promise<CurrentUser> => {
    const session = toSession(answer.user.username, answer, askedAt)
    const { id: userId } = answer.user
    const left = await inTurn(async () => {
      await reload()
      const from = current
      const put: Record<string, StoredValue> = { [CURRENT]: currentValue(userId), [sessionKey(userId)]: session }
      const isAnother = from.userId !== userId
      const plan = choice === 'keep' ? { choice } : { userId, choice }
      if (isAnother && from.session === null) put[GUESTS + from.userId] = plan
      await device.write({
        put,
        del: [...(isAnother && from.session ? [sessionKey(from.userId)] : []), GUESTS + userId],
      })
      become({ userId, session })
      return isAnother ? from.session : null
    })
    if (left) await sayGoodbye(left)
    return toUser(current)
  }

  const enterBy = async (path: string, body: Record<string, Json>, choice: GuestChoice): Promise<CurrentUser> => {
    const askedAt = clock.now()
    const answer = await http.request<LoginAnswer>('POST', path, { isPublic: true, body: { ...body, deviceId } })
    return enter(answer, askedAt, choice)
  }

  const guests = async (): Promise<readonly KeptGuest[]> =>
    [...(await device.list(GUESTS))].map(([key, value]) => readGuest(key, value))

  const leave = async (): Promise<Session | null> => {
    await reload()
    const { userId, session } = current
    if (!session) return null
    const kept = (await guests()).find(({ plan }) => plan === null)
    const guestId = kept?.guestId ?? newId()
    await device.write({ del: [sessionKey(userId), GUESTS + guestId], put: { [CURRENT]: currentValue(guestId) } })
    become({ userId: guestId, session: null })
    return session
  }

  return {
    get user() {
      return toUser(current)
    },
    get state() {
      if (current.session === null) return 'guest'
      return current.session.tokens ? 'logged-in' : 'needs-login'
    },
    get area() {
      return areaOf(current.userId)
    },
    get sessionId() {
      return current.session?.sessionId ?? null
    },
    deviceId,
    http,
    token,
    tokenRejected,
    subscribe: listeners.add,
    reload,
    guests,
    register: async ({ username, password, email, name }) => {
      const { userId: id, session } = current
      if (session) throw new AppError('id/taken', 'the current user has an account: log out first')
      const body = {
        id,
        username,
        password,
        ...(email !== undefined && { email }),
        ...(name !== undefined && { name }),
      }
      return enterBy('/auth/register', body, 'keep')
    },
    login: ({ identifier, password, guest = 'merge' }) => enterBy('/auth/login', { identifier, password }, guest),
    logout: async () => {
      // A refresh that hangs must not keep anybody logged in.
      stopRenewing.abort()
      stopRenewing = new AbortController()
      const session = await inTurn(leave)
      if (session) await sayGoodbye(session)
    },
    refresh: async () => {
      tokenRejected()
      if ((await token()) === null) throw new AppError('auth/required', 'log in first')
    },
    me: () => http.request<Profile>('GET', '/auth/me'),
    sessions: () => http.request<readonly SessionInfo[]>('GET', '/auth/sessions'),
    endSession: async (id) => {
      const { userId, session } = current
      await http.request('DELETE', `/auth/sessions/${encodeURIComponent(id)}`, { as: userId })
      if (session?.sessionId !== id) return
      await inTurn(async () => {
        if (current.userId === userId && current.session?.tokens) await endLogin(userId, session, 'revoked/session')
      })
    },
    planGuest: async (guestId, choice) => {
      await device.write({ put: { [GUESTS + guestId]: { userId: current.userId, choice } } })
    },
    guestDone: async (guestId) => {
      await device.write({ del: [GUESTS + guestId] })
    },
    [Symbol.asyncDispose]: async () => {
      await renewing?.catch(() => {})
    },
  }
}
