// The routes of groups: create, list, read, change, delete and restore, join by code and leave. Who is not a member learns
// nothing, not even that there is one.
import { Hono } from 'hono'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { id, line, lines } from '../../shared/inputs.ts'
import {
  CODE_USES_MAX,
  DESCRIPTION_BYTES_MAX,
  GROUP_MEMBERS_SETTING_MAX,
  GROUP_MEMBERS_SETTING_MIN,
  GROUP_NAME_LENGTH_MAX,
  SHARE_MS_MAX,
} from '../../shared/limits.ts'
import { idOf, type GroupId, type UserId } from '../../shared/names.ts'
import { parseInput } from '../../shared/define-operation.ts'
import { findGroup, type GroupOfMember, listGroups } from '../../storage/groups.ts'
import { changeCode, joinByCode } from '../groups/codes.ts'
import { createGroup } from '../groups/create.ts'
import { isDirectId } from '../groups/direct.ts'
import { leaveGroup } from '../groups/members.ts'
import { changeGroup, deleteGroup, restoreGroup } from '../groups/settings.ts'
import { groupView } from '../groups/views.ts'
import { isTimezone } from '../timezone.ts'
import { actorOf, type AppDependencies, type HttpContext, type HttpEnv } from './context.ts'
import { success } from './envelope.ts'
import { readBody, readId } from './validate.ts'
import { EXAMPLE_GROUP, type RouteRow } from './route-row.ts'

/** Of a group or a channel: those of direct-message channels are made from their people's, and nobody else's. */
export const freeId = id.check(z.refine((text) => !isDirectId(text), 'expected an id that does not begin with dm-'))

const name = line(GROUP_NAME_LENGTH_MAX)
const description = lines(DESCRIPTION_BYTES_MAX)
const timezone = z.string().max(64).refine(isTimezone, 'expected a time zone such as Europe/Berlin')
const checkInFrequency = z.enum(['daily', 'weekly', 'biweekly'])

const groupBody = z.strictObject({
  id: z.optional(freeId),
  name,
  description: z._default(description, ''),
  timezone: timezone.default('UTC'),
  checkInFrequency: checkInFrequency.default('weekly'),
})

const changeBody = z.strictObject({
  name: z.optional(name),
  description: z.optional(description),
  timezone: timezone.optional(),
  checkInFrequency: checkInFrequency.optional(),
  maxMembers: z.int().min(GROUP_MEMBERS_SETTING_MIN).max(GROUP_MEMBERS_SETTING_MAX).optional(),
  allowMemberInvite: z.boolean().optional(),
  version: z.int().min(1).optional(),
})

const codeBody = z.strictObject({
  /** Milliseconds from now; without it the code has no end. */
  expiresIn: z.int().min(1_000).max(SHARE_MS_MAX).optional(),
  /** How many people it lets in; without it any number. */
  maxUses: z.int().min(1).max(CODE_USES_MAX).optional(),
})

const joinBody = z.strictObject({ accessCode: z.string().max(40) })
const deleteQuery = z.strictObject({ confirm: z.string().max(GROUP_NAME_LENGTH_MAX).optional() })

/** The group as its member sees it; for everybody else there is none. */
export const mustGroup = async (deps: AppDependencies, text: string, userId: UserId): Promise<GroupOfMember> => {
  const groupId = readId(text)
  const group = groupId && (await findGroup(deps.storage.db, groupId, userId))
  if (!group) throw new AppError('access/not-found', 'no such group')
  return group
}

/** Who asks, and the group in the path, of which they are a member. */
export const memberAt = async (
  deps: AppDependencies,
  c: HttpContext,
): Promise<{ readonly group: GroupOfMember; readonly groupId: GroupId; readonly actor: UserId }> => {
  const { userId: actor } = await actorOf(deps, c)
  const group = await mustGroup(deps, c.req.param('id') ?? '', actor)
  return { group, groupId: idOf<'group'>(group.id), actor }
}

const createExistence = (deps: AppDependencies, routes: Hono<HttpEnv>): void => {
  routes.post('/', async (c) => {
    const { userId } = await actorOf(deps, c)
    const body = await readBody(c, groupBody)
    const { row, created } = await createGroup(deps, userId, { ...body, id: body.id ?? deps.newId() })
    return success(c, groupView(deps, row), created ? 201 : 200)
  })

  routes.delete('/:id', async (c) => {
    const at = await memberAt(deps, c)
    const { confirm } = parseInput(deleteQuery, c.req.query())
    await deleteGroup(deps, at, confirm)
    return c.body(null, 204)
  })

  routes.post('/:id/restore', async (c) => {
    const { userId: actor } = await actorOf(deps, c)
    return success(c, groupView(deps, await restoreGroup(deps, { groupId: c.req.param('id'), actor })))
  })
}

const createEntrance = (deps: AppDependencies, routes: Hono<HttpEnv>): void => {
  routes.post('/join', async (c) => {
    const { userId } = await actorOf(deps, c)
    const { accessCode: code } = await readBody(c, joinBody)
    return success(c, groupView(deps, await joinByCode(deps, { code, userId })))
  })

  routes.post('/:id/leave', async (c) => {
    await leaveGroup(deps, await memberAt(deps, c))
    return c.body(null, 204)
  })

  routes.post('/:id/code', async (c) => {
    const at = await memberAt(deps, c)
    return success(c, groupView(deps, await changeCode(deps, at, await readBody(c, codeBody))), 201)
  })

  routes.delete('/:id/code', async (c) => {
    await changeCode(deps, await memberAt(deps, c), null)
    return c.body(null, 204)
  })
}

export const createGroupRoutes = (deps: AppDependencies): Hono<HttpEnv> => {
  const routes = new Hono<HttpEnv>()
  createExistence(deps, routes)
  createEntrance(deps, routes)

  routes.get('/', async (c) => {
    const { userId } = await actorOf(deps, c)
    return success(
      c,
      (await listGroups(deps.storage.db, userId)).map((group) => groupView(deps, group)),
    )
  })

  routes.get('/:id', async (c) => success(c, groupView(deps, (await memberAt(deps, c)).group)))

  routes.put('/:id', async (c) => {
    const at = await memberAt(deps, c)
    return success(c, groupView(deps, await changeGroup(deps, at, await readBody(c, changeBody))))
  })

  return routes
}

const GROUPS = '/api/v1/groups'
const ONE = { path: `${GROUPS}/{id}`, tag: 'groups', at: { id: EXAMPLE_GROUP } }

export const GROUP_ROWS: readonly RouteRow[] = [
  {
    method: 'POST',
    path: GROUPS,
    tag: 'groups',
    summary: 'Makes a group. A repeat with the same id answers 200.',
    body: groupBody,
    example: { name: 'Friday club', timezone: 'Europe/Berlin' },
    status: 201,
  },
  { method: 'GET', path: GROUPS, tag: 'groups', summary: 'My groups.' },
  { ...ONE, method: 'GET', summary: 'One group.' },
  {
    ...ONE,
    method: 'PUT',
    summary: 'Changes the settings of a group. With the version it is based on, a change made meanwhile refuses it.',
    body: changeBody,
    example: { name: 'Saturday club', maxMembers: 50 },
  },
  {
    ...ONE,
    method: 'DELETE',
    summary: 'Deletes a group; its owner can restore it for thirty days. `confirm` is its name, typed.',
    query: deleteQuery,
    status: 204,
  },
  { ...ONE, method: 'POST', path: `${GROUPS}/{id}/restore`, summary: 'Restores a group that was deleted.' },
  {
    ...ONE,
    method: 'POST',
    path: `${GROUPS}/{id}/leave`,
    summary: 'Leaves a group. Its owner hands over first.',
    status: 204,
  },
  {
    ...ONE,
    method: 'POST',
    path: `${GROUPS}/{id}/code`,
    summary: 'Gives a group a new access code, perhaps with an end; the one before opens nothing any more.',
    body: codeBody,
    example: { expiresIn: 86_400_000, maxUses: 10 },
    status: 201,
  },
  { ...ONE, method: 'DELETE', path: `${GROUPS}/{id}/code`, summary: 'Takes the access code back.', status: 204 },
  {
    method: 'POST',
    path: `${GROUPS}/join`,
    tag: 'groups',
    summary: 'Joins a group by its access code.',
    body: joinBody,
    example: { accessCode: 'THE-CODE-00' },
  },
]
