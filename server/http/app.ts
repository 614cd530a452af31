// The HTTP side as one function from request to response: what holds for every route, then the routes. Opens no port.
import { Hono } from 'hono'
import { cors } from 'hono/cors'
import { createMiddleware } from 'hono/factory'
import { requestId } from 'hono/request-id'
import { AppError } from '../../shared/errors.ts'
import { createAuthRoutes } from './auth.ts'
import { createChannelRoutes, createGroupChannelRoutes } from './channels.ts'
import type { AppDependencies, HttpEnv } from './context.ts'
import { createDirectRoutes } from './direct.ts'
import { createDocsRoutes } from './docs.ts'
import { createDocumentVersionRoutes } from './document-versions.ts'
import { createDocumentRoutes } from './documents.ts'
import { failure, toAppError } from './envelope.ts'
import { createFacadeRoutes } from './facade-routes.ts'
import { createGroupRoutes } from './groups.ts'
import { compressReads, noStore, securityHeaders } from './headers.ts'
import { createHealthRoutes } from './health.ts'
import { createGroupInviteRoutes, createInviteRoutes } from './invites.ts'
import { createMemberRoutes } from './members.ts'
import { keepAnswers } from './idempotency.ts'
import { type Limited, limitRates } from './rate-limits.ts'
import { createShareRoutes } from './shares.ts'
import { createUserRoutes } from './users.ts'
import { limitBody } from './validate.ts'

const API = '/api/v1'
const REQUEST_ID_LENGTH_MAX = 64
const PREFLIGHT_SECONDS = 600

/** The API answers data only, so a browser that is shown an answer as a page may do nothing with it. */
const NOTHING = { defaultSrc: ["'none'"], frameAncestors: ["'none'"] }

/** The path without its query: a query may hold a token. */
const logRequests = ({ log, now }: AppDependencies) =>
  createMiddleware<HttpEnv>(async (c, next) => {
    const startedAt = now()
    await next()
    const { method, path } = c.req
    log.info('http.request', {
      requestId: c.get('requestId'),
      method,
      path,
      status: c.res.status,
      ms: now() - startedAt,
    })
  })

export const createApp = (deps: AppDependencies & Limited): Hono<HttpEnv> => {
  const { config, log, now, newId } = deps
  const app = new Hono<HttpEnv>()

  app.use(async (c, next) => {
    c.set('now', now)
    await next()
  })
  app.use(requestId({ generator: newId, limitLength: REQUEST_ID_LENGTH_MAX }))
  app.route('/', createDocsRoutes(config))
  app.use(securityHeaders(config, NOTHING))
  app.route('/health', createHealthRoutes(deps))

  app.use(`${API}/*`, logRequests(deps))
  app.use(`${API}/*`, noStore)
  app.use(`${API}/*`, compressReads)
  app.use(
    `${API}/*`,
    cors({
      origin: (origin) => (config.allowedOrigins.includes(origin) ? origin : null),
      allowMethods: ['GET', 'POST', 'PUT', 'DELETE'],
      allowHeaders: ['Authorization', 'Content-Type', 'Idempotency-Key', 'X-Request-Id'],
      exposeHeaders: ['X-Request-Id', 'Retry-After', 'ETag', 'Idempotency-Replayed'],
      maxAge: PREFLIGHT_SECONDS,
    }),
  )
  for (const [path, middleware] of limitRates(deps)) app.use(`${API}${path}`, middleware)
  app.use(`${API}/*`, limitBody)
  app.use(`${API}/*`, keepAnswers(deps))
  app.route(`${API}/auth`, createAuthRoutes(deps))
  app.route(`${API}/groups`, createGroupRoutes(deps))
  app.route(`${API}/groups`, createGroupChannelRoutes(deps))
  app.route(`${API}/groups`, createMemberRoutes(deps))
  app.route(`${API}/groups`, createGroupInviteRoutes(deps))
  app.route(`${API}/invites`, createInviteRoutes(deps))
  app.route(`${API}/direct`, createDirectRoutes(deps))
  app.route(`${API}/channels`, createChannelRoutes(deps))
  app.route(`${API}/users`, createUserRoutes(deps))
  app.route(API, createFacadeRoutes(deps))
  app.route(`${API}/documents`, createDocumentVersionRoutes(deps))
  app.route(`${API}/documents/document`, createShareRoutes(deps))
  app.route(`${API}/documents`, createDocumentRoutes(deps))

  app.notFound((c) => failure(c, new AppError('http/no-route', 'no such route')))
  app.onError((error, c) => {
    const known = toAppError(error)
    const fields = { requestId: c.get('requestId'), method: c.req.method, path: c.req.path, code: known.code }
    if (known.code === 'internal') log.error('http.failed', { ...fields, error })
    else if (known.code === 'storage/unavailable') log.warn('http.storage-unavailable', { ...fields, error })
    return failure(c, known)
  })
  return app
}
