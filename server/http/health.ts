// Whether the server and its parts are up, for load balancers: public, bare, and no more than up or down.
import { Hono } from 'hono'
import { sql } from 'kysely'
import type { Storage } from '../../storage/open.ts'
import type { Logger } from '../log.ts'
import type { HttpEnv } from './context.ts'

export const createHealthRoutes = (deps: { readonly storage: Storage; readonly log: Logger }): Hono<HttpEnv> => {
  const routes = new Hono<HttpEnv>()

  routes.get('/', (c) => c.json({ status: 'up' }))

  routes.get('/database', async (c) => {
    try {
      // As raw SQL it goes the way of writes, which is the one that fails first.
      await sql`select 1`.execute(deps.storage.db)
      return c.json({ status: 'up' })
    } catch (error) {
      deps.log.warn('health.database-down', { error })
      return c.json({ status: 'down' }, 503)
    }
  })

  return routes
}
