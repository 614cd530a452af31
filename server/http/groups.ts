// The routes of groups: create, list, read, join by code. Who is not a member learns nothing, not even that there is one.
import { randomInt } from 'node:crypto'
import { Hono } from 'hono'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { id, line, lines } from '../../shared/inputs.ts'
import { DESCRIPTION_BYTES_MAX, GROUP_MEMBERS_MAX, GROUP_NAME_LENGTH_MAX } from '../../shared/limits.ts'
import type { UserId } from '../../shared/names.ts'
import { createGroup, findGroup, type GroupOfMember, joinGroup, listGroups } from '../../storage/groups.ts'
import { actorOf, type AppDependencies, type HttpEnv } from './context.ts'
import { success } from './envelope.ts'
import { readBody, readId } from './validate.ts'

/** Crockford's base 32: no I, L, O, U, so that a code survives being read aloud and typed. */
const CODE_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const CODE_LENGTH = 10
const CODE = new RegExp(`^[${CODE_ALPHABET}]{${CODE_LENGTH}}$`)

const newAccessCode = (): string =>
  Array.from({ length: CODE_LENGTH }, () => CODE_ALPHABET.charAt(randomInt(CODE_ALPHABET.length))).join('')

/** As a person may type it. Null when it cannot be a code. */
const readCode = (text: string): string | null => {
  const code = text.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1')
  return CODE.test(code) ? code : null
}

const isTimezone = (name: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

export const groupBody = z.strictObject({
  id: id.optional(),
  name: line(GROUP_NAME_LENGTH_MAX),
  description: lines(DESCRIPTION_BYTES_MAX).default(''),
  timezone: z.string().max(64).refine(isTimezone, 'expected a time zone such as Europe/Berlin').default('UTC'),
  checkInFrequency: z.enum(['daily', 'weekly', 'biweekly']).default('weekly'),
})

export const joinBody = z.strictObject({ accessCode: z.string().max(40) })

const toView = (group: GroupOfMember) => ({
  id: group.id,
  name: group.name,
  description: group.description,
  timezone: group.timezone,
  checkInFrequency: group.check_in_frequency,
  role: group.role,
  accessCode: group.access_code,
  maxMembers: group.members_max,
  createdBy: group.created_by,
  createdAt: group.created_at,
  joinedAt: group.joined_at,
})

/** The group as its member sees it; for everybody else there is none. */
export const mustGroup = async (deps: AppDependencies, text: string, userId: UserId): Promise<GroupOfMember> => {
  const groupId = readId(text)
  const group = groupId && (await findGroup(deps.storage.db, groupId, userId))
  if (!group) throw new AppError('access/not-found', 'no such group')
  return group
}

export const createGroupRoutes = (deps: AppDependencies): Hono<HttpEnv> => {
  const { db } = deps.storage
  const routes = new Hono<HttpEnv>()

  routes.post('/', async (c) => {
    const { userId } = await actorOf(deps, c)
    const { checkInFrequency, ...body } = await readBody(c, groupBody)
    const group = {
      ...body,
      id: body.id ?? deps.newId(),
      check_in_frequency: checkInFrequency,
      members_max: GROUP_MEMBERS_MAX,
      created_by: userId,
      created_at: deps.now(),
    }
    const { row, created } = await createGroup(db, group, newAccessCode)
    return success(c, toView(row), created ? 201 : 200)
  })

  routes.get('/', async (c) => {
    const { userId } = await actorOf(deps, c)
    return success(c, (await listGroups(db, userId)).map(toView))
  })

  routes.post('/join', async (c) => {
    const { userId } = await actorOf(deps, c)
    const accessCode = readCode((await readBody(c, joinBody)).accessCode)
    if (!accessCode) throw new AppError('group/code-unknown', 'no group has this code')
    return success(c, toView(await joinGroup(db, { accessCode, userId, now: deps.now() })))
  })

  routes.get('/:id', async (c) => {
    const { userId } = await actorOf(deps, c)
    return success(c, toView(await mustGroup(deps, c.req.param('id'), userId)))
  })

  return routes
}
