// The routes of channels: create and list in a group; read, rename, delete one. A channel's answer names the document to
// open.
import { Hono } from 'hono'
import { z } from 'zod'
import { CHANNEL_TYPES } from '../../shared/channels.ts'
import { AppError } from '../../shared/errors.ts'
import { line } from '../../shared/inputs.ts'
import { CHANNEL_NAME_LENGTH_MAX } from '../../shared/limits.ts'
import { type ChannelOfMember, findChannel, listChannels } from '../../storage/channels.ts'
import { changeChannel, createChannel, deleteChannel } from '../groups/channels.ts'
import { mustBeAble } from '../groups/standing.ts'
import { channelView } from '../groups/views.ts'
import { actorOf, type AppDependencies, type HttpContext, type HttpEnv } from './context.ts'
import { success } from './envelope.ts'
import { freeId, memberAt } from './groups.ts'
import { readBody, readId } from './validate.ts'
import { EXAMPLE_GROUP, exampleChannel, type RouteRow } from './route-row.ts'

const name = line(CHANNEL_NAME_LENGTH_MAX)
const channelBody = z.strictObject({ id: z.optional(freeId), type: z.enum(CHANNEL_TYPES), name })
const changeBody = z.strictObject({ name: z.optional(name), version: z.int().min(1).optional() })

/** Below `/groups/:id/channels`. */
export const createGroupChannelRoutes = (deps: AppDependencies): Hono<HttpEnv> => {
  const { db } = deps.storage
  const routes = new Hono<HttpEnv>()

  routes.get('/:id/channels', async (c) => {
    const { groupId } = await memberAt(deps, c)
    return success(c, (await listChannels(db, groupId)).map(channelView))
  })

  routes.post('/:id/channels', async (c) => {
    const { group, ...at } = await memberAt(deps, c)
    mustBeAble(group, 'manage')
    const body = await readBody(c, channelBody)
    const { row, created } = await createChannel(deps, at, { ...body, id: body.id ?? deps.newId() })
    return success(c, channelView(row), created ? 201 : 200)
  })

  return routes
}

/** Below `/channels`. */
export const createChannelRoutes = (deps: AppDependencies): Hono<HttpEnv> => {
  const routes = new Hono<HttpEnv>()

  /** Who asks, and the channel in the path, which they may see. */
  const channelAt = async (c: HttpContext) => {
    const { userId: actor } = await actorOf(deps, c)
    const channelId = readId(c.req.param('id') ?? '')
    const channel: ChannelOfMember | null = channelId && (await findChannel(deps.storage.db, channelId, actor))
    if (!channel) throw new AppError('access/not-found', 'no such channel')
    return { channel, channelId: channel.id, actor }
  }

  routes.get('/:id', async (c) => success(c, channelView((await channelAt(c)).channel)))

  routes.put('/:id', async (c) => {
    const at = await channelAt(c)
    return success(c, channelView(await changeChannel(deps, at, await readBody(c, changeBody))))
  })

  routes.delete('/:id', async (c) => {
    await deleteChannel(deps, await channelAt(c))
    return c.body(null, 204)
  })

  return routes
}

const LIST = { path: '/api/v1/groups/{id}/channels', tag: 'channels', at: { id: EXAMPLE_GROUP } }
const ONE = { path: '/api/v1/channels/{id}', tag: 'channels', at: { id: exampleChannel('tasks') } }

export const CHANNEL_ROWS: readonly RouteRow[] = [
  { ...LIST, method: 'GET', summary: 'The channels of a group.' },
  {
    ...LIST,
    method: 'POST',
    summary: 'Makes a channel. A repeat with the same id answers 200.',
    body: channelBody,
    example: { type: 'DOC', name: 'Minutes' },
    status: 201,
  },
  { ...ONE, method: 'GET', summary: 'One channel, with the name of its document.' },
  {
    ...ONE,
    method: 'PUT',
    summary: 'Renames a channel. With the version it is based on, a change made meanwhile refuses it.',
    body: changeBody,
    example: { name: 'Shopping', version: 1 },
  },
  { ...ONE, method: 'DELETE', summary: 'Deletes a channel: nobody opens its documents any more.', status: 204 },
]
