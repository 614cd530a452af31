// The routes of accounts and logins: check the body, call the account, shape the answer.
import { Hono } from 'hono'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { id, line } from '../../shared/inputs.ts'
import { EMAIL_LENGTH_MAX, PERSON_NAME_LENGTH_MAX, USER_AGENT_LENGTH_MAX } from '../../shared/limits.ts'
import { anyPassword, email, newPassword, username } from '../auth/credentials.ts'
import type { Device } from '../auth/sessions.ts'
import { actorOf, type AppDependencies, type HttpContext, type HttpEnv } from './context.ts'
import { success } from './envelope.ts'
import { readBody, readId } from './validate.ts'

export const registerBody = z.strictObject({
  id: id.optional(),
  username,
  password: newPassword,
  email: email.optional(),
  name: line(PERSON_NAME_LENGTH_MAX).optional(),
  deviceId: id.optional(),
})

export const loginBody = z.strictObject({
  identifier: z.string().max(EMAIL_LENGTH_MAX),
  password: anyPassword,
  deviceId: id.optional(),
})

/** Ours have 43 characters. */
const REFRESH_TOKEN_LENGTH_MAX = 100
const refreshToken = z.string().max(REFRESH_TOKEN_LENGTH_MAX)
export const refreshBody = z.strictObject({ refreshToken, deviceId: id.optional() })
export const logoutBody = z.strictObject({ refreshToken })

const deviceOf = (c: HttpContext, deviceId: string | undefined): Device => ({
  deviceId: deviceId ?? null,
  userAgent: c.req.header('user-agent')?.slice(0, USER_AGENT_LENGTH_MAX) ?? null,
})

export const createAuthRoutes = (deps: AppDependencies): Hono<HttpEnv> => {
  const { accounts } = deps
  const routes = new Hono<HttpEnv>()

  routes.post('/register', async (c) => {
    const { deviceId, ...input } = await readBody(c, registerBody)
    const { created, ...loggedIn } = await accounts.register(input, deviceOf(c, deviceId))
    return success(c, loggedIn, created ? 201 : 200)
  })

  routes.post('/login', async (c) => {
    const { deviceId, ...input } = await readBody(c, loginBody)
    return success(c, await accounts.login(input, deviceOf(c, deviceId)))
  })

  routes.post('/refresh', async (c) => {
    const { deviceId, refreshToken } = await readBody(c, refreshBody)
    return success(c, await accounts.refresh(refreshToken, deviceOf(c, deviceId)))
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

  routes.get('/me', async (c) => success(c, await accounts.me(await actorOf(deps, c))))

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
