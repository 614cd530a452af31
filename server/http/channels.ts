// The routes of channels: create and list in a group, read one. A channel's answer names the document to open.
import { Hono } from 'hono'
import { z } from 'zod'
import { can } from '../../shared/access.ts'
import { AppError } from '../../shared/errors.ts'
import { id, line } from '../../shared/inputs.ts'
import { CHANNEL_NAME_LENGTH_MAX } from '../../shared/limits.ts'
import { type DocumentName, documentName } from '../../shared/names.ts'
import { type ChannelRow, createChannel, findChannel, listChannels } from '../../storage/groups.ts'
import { actorOf, type AppDependencies, type HttpEnv } from './context.ts'
import { success } from './envelope.ts'
import { mustGroup } from './groups.ts'
import { readBody, readId } from './validate.ts'

export const channelBody = z.strictObject({
  id: id.optional(),
  type: z.enum(['CHAT', 'VOICE', 'TODO', 'DOC', 'KANBAN']),
  name: line(CHANNEL_NAME_LENGTH_MAX),
})

/** The kind of the document that a channel of a type is opened with. */
const MAIN_KINDS: Readonly<Record<string, string>> = { CHAT: 'chat', TODO: 'tasks', DOC: 'document', KANBAN: 'board' }

/** The document a channel is opened with; of a chat its newest segment. A VOICE channel has none. */
export const documentNameOf = ({
  id: channelId,
  type,
  segments,
}: Pick<ChannelRow, 'id' | 'type' | 'segments'>): DocumentName | null => {
  const kind = MAIN_KINDS[type]
  if (kind === undefined) return null
  return documentName(kind, channelId, kind === 'chat' ? String(segments - 1) : undefined)
}

const toView = (channel: ChannelRow) => ({
  id: channel.id,
  groupId: channel.group_id,
  type: channel.type,
  name: channel.name,
  documentName: documentNameOf(channel),
  segments: channel.segments,
  createdAt: channel.created_at,
})

/** Below `/groups/:id/channels`. */
export const createGroupChannelRoutes = (deps: AppDependencies): Hono<HttpEnv> => {
  const { db } = deps.storage
  const routes = new Hono<HttpEnv>()

  routes.get('/:id/channels', async (c) => {
    const { userId } = await actorOf(deps, c)
    const group = await mustGroup(deps, c.req.param('id'), userId)
    return success(c, (await listChannels(db, group.id)).map(toView))
  })

  routes.post('/:id/channels', async (c) => {
    const { userId } = await actorOf(deps, c)
    const group = await mustGroup(deps, c.req.param('id'), userId)
    if (!can(group.role, 'manage')) throw new AppError('access/forbidden', 'only admins of the group create channels')
    const body = await readBody(c, channelBody)
    const channel = {
      ...body,
      id: body.id ?? deps.newId(),
      group_id: group.id,
      created_by: userId,
      created_at: deps.now(),
    }
    const { row, created } = await createChannel(db, channel)
    return success(c, toView(row), created ? 201 : 200)
  })

  return routes
}

/** Below `/channels`. */
export const createChannelRoutes = (deps: AppDependencies): Hono<HttpEnv> => {
  const routes = new Hono<HttpEnv>()

  routes.get('/:id', async (c) => {
    const { userId } = await actorOf(deps, c)
    const channelId = readId(c.req.param('id'))
    const channel = channelId && (await findChannel(deps.storage.db, channelId, userId))
    if (!channel) throw new AppError('access/not-found', 'no such channel')
    return success(c, toView(channel))
  })

  return routes
}
