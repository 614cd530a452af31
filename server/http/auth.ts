// The routes of accounts and logins: check the body, call the account, shape the answer.
import { Hono } from 'hono'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { id, line } from '../../shared/inputs.ts'
import {
  DEVICE_NAME_LENGTH_MAX,
  EMAIL_LENGTH_MAX,
  PERSON_NAME_LENGTH_MAX,
  USER_AGENT_LENGTH_MAX,
} from '../../shared/limits.ts'
import { readAddress } from '../auth/address.ts'
import { accountId, anyPassword, email, newPassword, username } from '../auth/credentials.ts'
import { profileBody } from '../auth/profile.ts'
import type { Device } from '../auth/sessions.ts'
import { actorOf, type AppDependencies, type HttpContext, type HttpEnv } from './context.ts'
import { success } from './envelope.ts'
import { readBody, readId } from './validate.ts'
import type { RouteRow } from './route-row.ts'

const device = { deviceId: z.optional(id), deviceName: z.optional(line(DEVICE_NAME_LENGTH_MAX)) }

const registerBody = z.strictObject({
  id: z.optional(accountId),
  username,
  password: newPassword,
  email: email.optional(),
  name: z.optional(line(PERSON_NAME_LENGTH_MAX)),
  ...device,
})

const loginBody = z.strictObject({
  identifier: z.string().max(EMAIL_LENGTH_MAX),
  password: anyPassword,
  ...device,
})

/** Ours have 43 characters. */
const REFRESH_TOKEN_LENGTH_MAX = 100
const refreshToken = z.string().max(REFRESH_TOKEN_LENGTH_MAX)
const refreshBody = z.strictObject({ refreshToken, deviceId: z.optional(id) })
const logoutBody = z.strictObject({ refreshToken })

const passwordBody = z.strictObject({ password: anyPassword, newPassword })

/** What the request came over; there is none where it came from a function call. */
interface Connection {
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } }
}

const deviceOf = (
  c: HttpContext,
  { deviceId, deviceName }: { deviceId?: string | undefined; deviceName?: string | undefined } = {},
): Device => ({
  deviceId: deviceId ?? null,
  deviceName: deviceName ?? null,
  userAgent: c.req.header('user-agent')?.slice(0, USER_AGENT_LENGTH_MAX) ?? null,
  ip: readAddress((c.env as Connection | undefined)?.incoming?.socket?.remoteAddress),
})

export const createAuthRoutes = (deps: AppDependencies): Hono<HttpEnv> => {
  const { accounts, tickets } = deps
  const routes = new Hono<HttpEnv>()

  routes.post('/register', async (c) => {
    const { deviceId, deviceName, ...input } = await readBody(c, registerBody)
    const { created, ...loggedIn } = await accounts.register(input, deviceOf(c, { deviceId, deviceName }))
    return success(c, loggedIn, created ? 201 : 200)
  })

  routes.post('/login', async (c) => {
    const { deviceId, deviceName, ...input } = await readBody(c, loginBody)
    return success(c, await accounts.login(input, deviceOf(c, { deviceId, deviceName })))
  })

  routes.post('/refresh', async (c) => {
    const { deviceId, refreshToken } = await readBody(c, refreshBody)
    return success(c, await accounts.refresh(refreshToken, deviceOf(c, { deviceId })))
  })

  routes.post('/logout', async (c) => {
    const { refreshToken } = await readBody(c, logoutBody)
    await accounts.logout(refreshToken)
    return c.body(null, 204)
  })

  routes.post('/logout-all', async (c) => {
    const { refreshToken } = await readBody(c, logoutBody)
    await accounts.logoutAll(refreshToken)
    return c.body(null, 204)
  })

  routes.post('/password', async (c) => {
    const actor = await actorOf(deps, c)
    const input = await readBody(c, passwordBody)
    return success(c, await accounts.changePassword(actor, input, deviceOf(c)))
  })

  routes.post('/ticket', async (c) => success(c, await tickets.issue(await actorOf(deps, c)), 201))

  routes.get('/me', async (c) => success(c, await accounts.me(await actorOf(deps, c))))

  routes.put('/me', async (c) => {
    const actor = await actorOf(deps, c)
    return success(c, await accounts.changeProfile(actor, await readBody(c, profileBody)))
  })

  routes.get('/sessions', async (c) => success(c, await accounts.sessions(await actorOf(deps, c))))

  routes.delete('/sessions/:id', async (c) => {
    const actor = await actorOf(deps, c)
    const sessionId = readId(c.req.param('id'))
    if (!sessionId) throw new AppError('access/not-found', 'no such session')
    await accounts.endSession(actor, sessionId)
    return c.body(null, 204)
  })

  return routes
}

const PUBLIC = { tag: 'accounts', isPublic: true } as const
const password = 'a quiet violet kettle'
const exampleToken = 'the-refresh-token-of-the-last-answer'

export const AUTH_ROWS: readonly RouteRow[] = [
  {
    ...PUBLIC,
    method: 'POST',
    path: '/api/v1/auth/register',
    summary: 'Makes an account and logs in. A repeat with the same id and password answers 200.',
    body: registerBody,
    example: { id: 'user-0000000002', username: 'ada', password, name: 'Ada' },
    status: 201,
  },
  {
    ...PUBLIC,
    method: 'POST',
    path: '/api/v1/auth/login',
    summary: 'Logs in by user name or e-mail.',
    body: loginBody,
    example: { identifier: 'ada', password },
  },
  {
    ...PUBLIC,
    method: 'POST',
    path: '/api/v1/auth/refresh',
    summary: 'Trades a refresh token for a new pair of tokens.',
    body: refreshBody,
    example: { refreshToken: exampleToken },
  },
  {
    ...PUBLIC,
    method: 'POST',
    path: '/api/v1/auth/logout',
    summary: 'Ends this login.',
    body: logoutBody,
    example: { refreshToken: exampleToken },
    status: 204,
  },
  {
    ...PUBLIC,
    method: 'POST',
    path: '/api/v1/auth/logout-all',
    summary: 'Ends every login of the user.',
    body: logoutBody,
    example: { refreshToken: exampleToken },
    status: 204,
  },
  {
    method: 'POST',
    path: '/api/v1/auth/password',
    tag: 'accounts',
    summary: 'Changes the password, ends every login and answers tokens of a new one.',
    body: passwordBody,
    example: { password, newPassword: 'a loud orange teapot' },
  },
  {
    method: 'POST',
    path: '/api/v1/auth/ticket',
    tag: 'accounts',
    summary: 'A ticket that opens one socket within a minute, in place of an access token.',
    status: 201,
  },
  { method: 'GET', path: '/api/v1/auth/me', tag: 'accounts', summary: 'Who am I.' },
  {
    method: 'PUT',
    path: '/api/v1/auth/me',
    tag: 'accounts',
    summary: 'Changes what I say of myself; what is left out stays as it is.',
    body: profileBody,
    example: { name: 'Ada L.', about: 'Counting.', timezone: 'Europe/London', privacy: { profile: 'public' } },
  },
  { method: 'GET', path: '/api/v1/auth/sessions', tag: 'accounts', summary: 'Where am I logged in.' },
  {
    method: 'DELETE',
    path: '/api/v1/auth/sessions/{id}',
    tag: 'accounts',
    summary: 'Ends one login.',
    at: { id: 'session-0000000001' },
    status: 204,
  },
]
