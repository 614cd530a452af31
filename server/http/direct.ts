// The routes of direct messages: open the channel of oneself and somebody else, list those that there are.
import { Hono } from 'hono'
import { z } from 'zod'
import { id } from '../../shared/inputs.ts'
import { listDirects } from '../../storage/direct.ts'
import { openDirect } from '../groups/direct.ts'
import { directView } from '../groups/views.ts'
import { actorOf, type AppDependencies, type HttpEnv } from './context.ts'
import { success } from './envelope.ts'
import { EXAMPLE_OTHER } from './members.ts'
import type { RouteRow } from './route-row.ts'
import { readBody } from './validate.ts'

const directBody = z.strictObject({ userId: id })

/** Below `/direct`. */
export const createDirectRoutes = (deps: AppDependencies): Hono<HttpEnv> => {
  const routes = new Hono<HttpEnv>()

  routes.get('/', async (c) => {
    const { userId } = await actorOf(deps, c)
    return success(c, (await listDirects(deps.storage.db, userId)).map(directView))
  })

  routes.post('/', async (c) => {
    const { userId: actor } = await actorOf(deps, c)
    const { userId } = await readBody(c, directBody)
    const { row, created } = await openDirect(deps, { actor, userId })
    return success(c, directView(row), created ? 201 : 200)
  })

  return routes
}

const DIRECT = { path: '/api/v1/direct', tag: 'direct' }

export const DIRECT_ROWS: readonly RouteRow[] = [
  { ...DIRECT, method: 'GET', summary: 'My direct-message channels, newest first.' },
  {
    ...DIRECT,
    method: 'POST',
    summary: 'Opens the CHAT channel of oneself and somebody else. Where it is there already the answer is 200.',
    body: directBody,
    example: { userId: EXAMPLE_OTHER },
    status: 201,
  },
]
