// The routes of a group's members and of who is banned from it.
import { Hono } from 'hono'
import { z } from 'zod'
import { ROLES } from '../../shared/access.ts'
import { AppError } from '../../shared/errors.ts'
import { id } from '../../shared/inputs.ts'
import { BANNED, listMembers } from '../../storage/members.ts'
import { banUser, liftBan } from '../groups/bans.ts'
import { addMember, changeMember, kickMember, type OnMember } from '../groups/members.ts'
import { mustBeAble } from '../groups/standing.ts'
import { banView, memberView } from '../groups/views.ts'
import type { AppDependencies, HttpContext, HttpEnv } from './context.ts'
import { success } from './envelope.ts'
import { memberAt } from './groups.ts'
import { EXAMPLE_GROUP, type RouteRow } from './route-row.ts'
import { readBody, readId } from './validate.ts'

const role = z.enum(ROLES)
const addBody = z.strictObject({ userId: id, role: role.default('member') })
const changeBody = z.strictObject({
  role: role.optional(),
  canInvite: z.boolean().optional(),
  canKick: z.boolean().optional(),
})
const banBody = z.strictObject({ userId: id })

/** Below `/groups/:id/members` and `/groups/:id/bans`. */
export const createMemberRoutes = (deps: AppDependencies): Hono<HttpEnv> => {
  const { db } = deps.storage
  const routes = new Hono<HttpEnv>()

  /** Who asks, and the person in the path. */
  const personAt = async (c: HttpContext): Promise<OnMember> => {
    const at = await memberAt(deps, c)
    const userId = readId(c.req.param('user') ?? '')
    if (!userId) throw new AppError('group/member-unknown', 'there is no such person here')
    return { ...at, userId }
  }

  routes.get('/:id/members', async (c) => {
    const { groupId } = await memberAt(deps, c)
    return success(c, (await listMembers(db, groupId)).map(memberView))
  })

  routes.post('/:id/members', async (c) => {
    const at = await memberAt(deps, c)
    const { row, created } = await addMember(deps, { ...at, ...(await readBody(c, addBody)) })
    return success(c, memberView(row), created ? 201 : 200)
  })

  routes.put('/:id/members/:user', async (c) => {
    const at = await personAt(c)
    return success(c, memberView(await changeMember(deps, at, await readBody(c, changeBody))))
  })

  routes.delete('/:id/members/:user', async (c) => {
    await kickMember(deps, await personAt(c))
    return c.body(null, 204)
  })

  routes.get('/:id/bans', async (c) => {
    const { group, groupId } = await memberAt(deps, c)
    mustBeAble(group, 'moderate')
    return success(c, (await listMembers(db, groupId, BANNED)).map(banView))
  })

  routes.post('/:id/bans', async (c) => {
    const at = await memberAt(deps, c)
    const { row, created } = await banUser(deps, { ...at, ...(await readBody(c, banBody)) })
    return success(c, banView(row), created ? 201 : 200)
  })

  routes.delete('/:id/bans/:user', async (c) => {
    await liftBan(deps, await personAt(c))
    return c.body(null, 204)
  })

  return routes
}

/** Somebody else, in the examples. */
export const EXAMPLE_OTHER = 'user-0000000002'

const MEMBERS = { path: '/api/v1/groups/{id}/members', tag: 'members', at: { id: EXAMPLE_GROUP } }
const BANS = { ...MEMBERS, path: '/api/v1/groups/{id}/bans' }
const MEMBER = { ...MEMBERS, path: `${MEMBERS.path}/{user}`, at: { id: EXAMPLE_GROUP, user: EXAMPLE_OTHER } }
const BAN = { ...MEMBER, path: `${BANS.path}/{user}` }

export const MEMBER_ROWS: readonly RouteRow[] = [
  { ...MEMBERS, method: 'GET', summary: 'The members of a group, with their roles and rights.' },
  {
    ...MEMBERS,
    method: 'POST',
    summary: 'Makes somebody a member. Who is one already stays what they are, and the answer is 200.',
    body: addBody,
    example: { userId: EXAMPLE_OTHER, role: 'member' },
    status: 201,
  },
  {
    ...MEMBER,
    method: 'PUT',
    summary: 'Changes the role or the rights of a member. The role `owner` hands the group over.',
    body: changeBody,
    example: { role: 'moderator', canInvite: true },
  },
  { ...MEMBER, method: 'DELETE', summary: 'Removes a member, at once; oneself: leaves the group.', status: 204 },
  { ...BANS, method: 'GET', summary: 'Who is banned from a group.' },
  {
    ...BANS,
    method: 'POST',
    summary: 'Bans somebody, whether a member or not: no code, invite or admin lets them in until the ban is lifted.',
    body: banBody,
    example: { userId: EXAMPLE_OTHER },
    status: 201,
  },
  { ...BAN, method: 'DELETE', summary: 'Lifts a ban. It makes nobody a member again.', status: 204 },
]
