// The routes of invites: those of a group, for who may invite; and one's own, to accept or decline.
import { Hono } from 'hono'
import { z } from 'zod'
import { ROLES } from '../../shared/access.ts'
import { AppError } from '../../shared/errors.ts'
import { id } from '../../shared/inputs.ts'
import { listInvitesOfGroup, listInvitesOfUser } from '../../storage/invites.ts'
import { acceptInvite, declineInvite, invite, takeBackInvite } from '../groups/invites.ts'
import { forbidden, mayInvite } from '../groups/standing.ts'
import { groupView, inviteView } from '../groups/views.ts'
import { actorOf, type AppDependencies, type HttpContext, type HttpEnv } from './context.ts'
import { success } from './envelope.ts'
import { memberAt } from './groups.ts'
import { EXAMPLE_OTHER } from './members.ts'
import { EXAMPLE_GROUP, type RouteRow } from './route-row.ts'
import { readBody, readId } from './validate.ts'

const inviteBody = z.strictObject({ id: z.optional(id), userId: id, role: z.enum(ROLES).default('member') })

const inviteIdIn = (c: HttpContext, parameter: string): string => {
  const inviteId = readId(c.req.param(parameter) ?? '')
  if (!inviteId) throw new AppError('access/not-found', 'no such invite')
  return inviteId
}

/** Below `/groups/:id/invites`. */
export const createGroupInviteRoutes = (deps: AppDependencies): Hono<HttpEnv> => {
  const { newId, now, storage } = deps
  const routes = new Hono<HttpEnv>()

  routes.get('/:id/invites', async (c) => {
    const { group, groupId } = await memberAt(deps, c)
    if (!mayInvite(group, group)) throw forbidden('only members who may invite see invites')
    return success(c, (await listInvitesOfGroup(storage.db, groupId, now())).map(inviteView))
  })

  routes.post('/:id/invites', async (c) => {
    const { groupId, actor } = await memberAt(deps, c)
    const body = await readBody(c, inviteBody)
    const { row, created } = await invite(deps, { groupId, actor, ...body, id: body.id ?? newId() })
    return success(c, inviteView(row), created ? 201 : 200)
  })

  routes.delete('/:id/invites/:invite', async (c) => {
    const at = await memberAt(deps, c)
    await takeBackInvite(deps, at, inviteIdIn(c, 'invite'))
    return c.body(null, 204)
  })

  return routes
}

/** Below `/invites`. */
export const createInviteRoutes = (deps: AppDependencies): Hono<HttpEnv> => {
  const routes = new Hono<HttpEnv>()

  routes.get('/', async (c) => {
    const { userId } = await actorOf(deps, c)
    return success(c, (await listInvitesOfUser(deps.storage.db, userId, deps.now())).map(inviteView))
  })

  routes.post('/:id/accept', async (c) => {
    const { userId: actor } = await actorOf(deps, c)
    return success(c, groupView(deps, await acceptInvite(deps, { inviteId: inviteIdIn(c, 'id'), actor })))
  })

  routes.post('/:id/decline', async (c) => {
    const { userId: actor } = await actorOf(deps, c)
    await declineInvite(deps, { inviteId: inviteIdIn(c, 'id'), actor })
    return c.body(null, 204)
  })

  return routes
}

const EXAMPLE_INVITE = 'invite-000000001'
const OF_GROUP = { path: '/api/v1/groups/{id}/invites', tag: 'invites', at: { id: EXAMPLE_GROUP } }
const MINE = { path: '/api/v1/invites', tag: 'invites' }
const ONE_OF_MINE = { tag: 'invites', at: { id: EXAMPLE_INVITE } }

export const INVITE_ROWS: readonly RouteRow[] = [
  { ...OF_GROUP, method: 'GET', summary: 'The invites of a group that nobody has answered.' },
  {
    ...OF_GROUP,
    method: 'POST',
    summary: 'Asks somebody into a group. Who was asked already stays asked, and the answer is 200.',
    body: inviteBody,
    example: { userId: EXAMPLE_OTHER, role: 'member' },
    status: 201,
  },
  {
    ...OF_GROUP,
    method: 'DELETE',
    path: `${OF_GROUP.path}/{invite}`,
    summary: 'Takes an invite back.',
    at: { id: EXAMPLE_GROUP, invite: EXAMPLE_INVITE },
    status: 204,
  },
  { ...MINE, method: 'GET', summary: 'My invites.' },
  { ...ONE_OF_MINE, method: 'POST', path: `${MINE.path}/{id}/accept`, summary: 'Accepts an invite: joins its group.' },
  { ...ONE_OF_MINE, method: 'POST', path: `${MINE.path}/{id}/decline`, summary: 'Declines an invite.', status: 204 },
]
