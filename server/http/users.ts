// The routes of people: search and look at those who may be found. Who does not want to be found by somebody is for them
// as unknown as one who does not exist.
import { Hono } from 'hono'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { isShowable } from '../../shared/fields.ts'
import { PERSON_NAME_LENGTH_MAX, SEARCH_LENGTH_MIN, SEARCH_RESULTS_MAX } from '../../shared/limits.ts'
import { parseInput } from '../../shared/define-operation.ts'
import { foldName } from '../../storage/search-terms.ts'
import { findVisibleUser, type FoundUser, searchUsers } from '../../storage/users.ts'
import { actorOf, type AppDependencies, type HttpEnv } from './context.ts'
import { success } from './envelope.ts'
import { EXAMPLE_USER, type RouteRow } from './route-row.ts'
import { readId } from './validate.ts'

const searchQuery = z.strictObject({
  q: z
    .string()
    .max(PERSON_NAME_LENGTH_MAX)
    .refine((text) => isShowable(text, false), 'expected no control characters')
    .transform(foldName)
    .refine((text) => Array.from(text).length >= SEARCH_LENGTH_MIN, `expected at least ${SEARCH_LENGTH_MIN} characters`)
    .meta({ description: 'What the user name, or a word of the name, begins with.', examples: ['olga'] }),
})

const toView = ({ id, username, name, about, avatar }: FoundUser) => ({ id, username, name, about, avatar })

export const createUserRoutes = (deps: AppDependencies): Hono<HttpEnv> => {
  const { db } = deps.storage
  const routes = new Hono<HttpEnv>()

  routes.get('/', async (c) => {
    const { userId: viewer } = await actorOf(deps, c)
    const { q } = parseInput(searchQuery, c.req.query())
    const found = await searchUsers(db, { viewer, folded: q, limit: SEARCH_RESULTS_MAX })
    return success(c, found.map(toView))
  })

  routes.get('/:id', async (c) => {
    const { userId: viewer } = await actorOf(deps, c)
    const userId = readId(c.req.param('id'))
    const user = userId && (await findVisibleUser(db, viewer, userId))
    if (!user) throw new AppError('access/not-found', 'no such user')
    return success(c, toView(user))
  })

  return routes
}

export const USER_ROWS: readonly RouteRow[] = [
  {
    method: 'GET',
    path: '/api/v1/users',
    tag: 'users',
    summary: `Finds people by the beginning of their names; at most ${SEARCH_RESULTS_MAX}.`,
    query: searchQuery,
  },
  {
    method: 'GET',
    path: '/api/v1/users/{id}',
    tag: 'users',
    summary: 'One person.',
    at: { id: EXAMPLE_USER },
  },
]
