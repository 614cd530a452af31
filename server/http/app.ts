// The HTTP side as one function from request to response: what holds for every route, then the routes. Opens no port.
import { Hono } from 'hono'
import { cors } from 'hono/cors'
import { createMiddleware } from 'hono/factory'
import { requestId } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import { AppError } from '../../shared/errors.ts'
import { createAuthRoutes } from './auth.ts'
import { createChannelRoutes, createGroupChannelRoutes } from './channels.ts'
import type { AppDependencies, HttpEnv } from './context.ts'
import { createDocsRoutes } from './docs.ts'
import { createDocumentVersionRoutes } from './document-versions.ts'
import { createDocumentRoutes } from './documents.ts'
import { failure, toAppError } from './envelope.ts'
import { createFacadeRoutes } from './facade-routes.ts'
import { createGroupRoutes } from './groups.ts'
import { createHealthRoutes } from './health.ts'
import { limitBody } from './validate.ts'

const API = '/api/v1'
const REQUEST_ID_LENGTH_MAX = 64
const PREFLIGHT_SECONDS = 600

/** The API answers data only, so a browser that is shown an answer as a page may do nothing with it. */
const headers = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  xFrameOptions: 'DENY',
  referrerPolicy: 'no-referrer',
})

const noStore = createMiddleware(async (c, next) => {
  await next()
  c.header('Cache-Control', 'no-store')
})

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

export const createApp = (deps: AppDependencies): Hono<HttpEnv> => {
  const { config, log, now, newId } = deps
  const app = new Hono<HttpEnv>()

  app.use(async (c, next) => {
    c.set('now', now)
    await next()
  })
  app.use(requestId({ generator: newId, limitLength: REQUEST_ID_LENGTH_MAX }))
  app.route('/', createDocsRoutes())
  app.use(headers)
  app.route('/health', createHealthRoutes(deps))

  app.use(`${API}/*`, logRequests(deps))
  app.use(`${API}/*`, noStore)
  app.use(
    `${API}/*`,
    cors({
      origin: (origin) => (config.allowedOrigins.includes(origin) ? origin : null),
      allowMethods: ['GET', 'POST', 'PUT', 'DELETE'],
      allowHeaders: ['Authorization', 'Content-Type', 'Idempotency-Key', 'X-Request-Id'],
      exposeHeaders: ['X-Request-Id'],
      maxAge: PREFLIGHT_SECONDS,
    }),
  )
  app.use(`${API}/*`, limitBody)
  app.route(`${API}/auth`, createAuthRoutes(deps))
  app.route(`${API}/groups`, createGroupRoutes(deps))
  app.route(`${API}/groups`, createGroupChannelRoutes(deps))
  app.route(`${API}/channels`, createChannelRoutes(deps))
  app.route(API, createFacadeRoutes(deps))
  app.route(`${API}/documents`, createDocumentVersionRoutes(deps))
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
