// How often one may ask. Counted in the memory of this process and in fixed windows: a limit is there to stop floods and
// guessing, and what a restart forgets or the edge of a window lets through twice stops neither less.
import type { MiddlewareHandler } from 'hono'
import { createMiddleware } from 'hono/factory'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { AppError } from '../../shared/errors.ts'
import { addressOf, type AppDependencies, findVisitor, type HttpContext, type HttpEnv } from './context.ts'
import { routeOf } from './facade-routes.ts'
import { FACADES } from './facades.ts'

export interface RateLimit {
  readonly requests: number
  readonly seconds: number
}

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export const RATE_LIMITS = {
  /** Everything that somebody with a good token does. */
  user: { requests: 6_000, seconds: MINUTE },
  register: { requests: 1_000, seconds: HOUR },
  login: { requests: 600, seconds: HOUR },
  refresh: { requests: 6_000, seconds: HOUR },
  /** Codes that let nobody in: guesses. */
  joinMisses: { requests: 10, seconds: HOUR },
  userSearch: { requests: 30, seconds: MINUTE },
  messages: { requests: 20, seconds: 10 },
  invites: { requests: 200, seconds: DAY },
} as const satisfies Record<string, RateLimit>

export type RateLimits = Readonly<Record<keyof typeof RATE_LIMITS, RateLimit>>

interface Row {
  readonly limit: keyof RateLimits
  readonly method: 'GET' | 'POST'
  /** Below the API's base, as the router writes it. */
  readonly path: string
  readonly per: 'user' | 'address'
  /** Who succeeds gets the point back. */
  readonly countsMisses?: true
}

const messageRoutes = [
  '/documents/chat/:id/operations/message.send',
  '/documents/chat/:id/:part/operations/message.send',
  ...FACADES.filter((facade) => 'operation' in facade && facade.operation === 'message.send').map(({ path }) =>
    routeOf(path),
  ),
]

export const LIMITED_ROUTES: readonly Row[] = [
  { limit: 'register', method: 'POST', path: '/auth/register', per: 'address' },
  { limit: 'login', method: 'POST', path: '/auth/login', per: 'address' },
  { limit: 'refresh', method: 'POST', path: '/auth/refresh', per: 'address' },
  { limit: 'joinMisses', method: 'POST', path: '/groups/join', per: 'user', countsMisses: true },
  { limit: 'userSearch', method: 'GET', path: '/users', per: 'user' },
  { limit: 'invites', method: 'POST', path: '/groups/:id/invites', per: 'user' },
  ...messageRoutes.map((path): Row => ({ limit: 'messages', method: 'POST', path, per: 'user' })),
]

const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/

/** The first 64 bits of an IPv6 address are one network, which has all the rest to choose from. */
const networkOf = (address: string): string => {
  if (!address.includes(':') || address.includes('.')) return address
  const [head = '', tail] = address.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail ? tail.split(':') : []
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - front.length - back.length }, () => '0')
  return [...front, ...zeros, ...back].slice(0, 4).join(':')
}

/**
 * Null: not limited. Loopback is not, because behind a reverse proxy on this machine everybody has that address, and one
 * who floods would lock out all others. Headers that name another address are not believed: anyone can send them.
 */
const networkIn = (c: HttpContext): string | null => {
  const address = addressOf(c)
  return address === null || LOOPBACK.test(address) ? null : networkOf(address)
}

const createCounter = ({ requests, seconds }: RateLimit) => {
  const limiter = new RateLimiterMemory({ points: requests, duration: seconds })
  return {
    /** Throws `rate/too-many`. */
    take: async (key: string): Promise<void> => {
      try {
        await limiter.consume(key)
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error
        const details = { retryAfterMs: Math.max(1, error.msBeforeNext) }
        throw new AppError('rate/too-many', `at most ${requests} in ${seconds} s: try again later`, details)
      }
    },
    giveBack: (key: string) => limiter.reward(key),
  }
}

type Limiting = Pick<AppDependencies, 'access'>

export interface Limited {
  /** Instead of the usual ones: tests and measurements ask more often than people do. */
  readonly limits?: Partial<RateLimits> | undefined
}

type Counter = ReturnType<typeof createCounter>

const limitUsers = (deps: Limiting, counter: Counter): MiddlewareHandler<HttpEnv> =>
  createMiddleware<HttpEnv>(async (c, next) => {
    const visitor = await findVisitor(deps, c)
    if (visitor) await counter.take(visitor.userId)
    await next()
  })

const limitRoute = (deps: Limiting, { method, per, countsMisses }: Row, counter: Counter): MiddlewareHandler<HttpEnv> =>
  createMiddleware<HttpEnv>(async (c, next) => {
    if (c.req.method !== method) return next()
    const key = per === 'address' ? networkIn(c) : (await findVisitor(deps, c))?.userId
    if (!key) return next()
    await counter.take(key)
    await next()
    // A failure of ours is no guess either.
    if (countsMisses && (c.res.status < 400 || c.res.status >= 500)) await counter.giveBack(key)
  })

/** Middleware in the order in which they are asked, each with the path that it is for. */
export const limitRates = (
  deps: Limiting & Limited,
): readonly (readonly [path: string, middleware: MiddlewareHandler<HttpEnv>])[] => {
  const limits = { ...RATE_LIMITS, ...deps.limits }
  const counters = Object.fromEntries(
    Object.entries(limits).map(([name, limit]) => [name, createCounter(limit)]),
  ) as Record<keyof RateLimits, Counter>
  return [
    ['/*', limitUsers(deps, counters.user)],
    ...LIMITED_ROUTES.map((row) => [row.path, limitRoute(deps, row, counters[row.limit])] as const),
  ]
}
