// What admins do to the channels of their group: make, rename, delete. A channel keeps its type for ever.
import { AppError } from '../../shared/errors.ts'
import { CHANNELS_PER_GROUP_MAX } from '../../shared/limits.ts'
import {
  type ChannelRow,
  countChannels,
  findAnyChannel,
  findChannel,
  insertChannel,
  listShareIds,
  updateChannel,
} from '../../storage/channels.ts'
import type { Created } from '../../storage/groups.ts'
import { listMemberIds } from '../../storage/members.ts'
import { shareClaims } from '../share-links.ts'
import { announce, type GroupDeps, type InGroup, lockStanding, mustBeAble, type Trx } from './standing.ts'

const checkChannelsOf = async (trx: Trx, groupId: string): Promise<void> => {
  const max = CHANNELS_PER_GROUP_MAX
  if ((await countChannels(trx, groupId)) < max) return
  throw new AppError('channel/too-many', `at most ${max} channels in a group`, { max })
}

const taken = (): AppError => new AppError('id/taken', 'this id is in use')

export const createChannel = async (
  deps: GroupDeps,
  { groupId, actor }: InGroup,
  input: { readonly id: string; readonly type: string; readonly name: string },
): Promise<Created<ChannelRow>> => {
  const made = await deps.storage.db.transaction().execute(async (trx) => {
    const { self } = await lockStanding(trx, { groupId, actor })
    mustBeAble(self, 'manage')
    const known = await findAnyChannel(trx, input.id)
    if (known) {
      const isRepeat = known.group_id === groupId && known.created_by === actor && known.deleted_at === null
      if (!isRepeat) throw taken()
      return { row: known, created: false }
    }
    await checkChannelsOf(trx, groupId)
    const row = { ...input, group_id: groupId, created_by: actor, created_at: deps.now() }
    const inserted = await insertChannel(trx, row)
    // Taken since we looked, so in another group: this one is locked.
    if (!inserted) throw taken()
    const details = { group: groupId, type: input.type }
    await deps.audit.add(trx, { actor, action: 'channel.created', target: input.id, details })
    return { row: inserted, created: true }
  })
  if (made.created) await announce(deps, { groupId })
  return made
}

const noSuchChannel = (): AppError => new AppError('access/not-found', 'no such channel')

/** The channel, its group locked, where the actor manages it. */
const lockChannel = async (trx: Trx, channelId: string, actor: string): Promise<ChannelRow> => {
  const seen = await findChannel(trx, channelId, actor)
  if (!seen) throw noSuchChannel()
  // Of the two people of a direct-message channel none manages it.
  mustBeAble({ role: seen.role, can_invite: 0, can_kick: 0 }, 'manage')
  const { self } = await lockStanding(trx, { groupId: seen.group_id, actor })
  mustBeAble(self, 'manage')
  const channel = await findChannel(trx, channelId, actor)
  if (!channel) throw noSuchChannel()
  return channel
}

export const changeChannel = async (
  deps: GroupDeps,
  { channelId, actor }: { readonly channelId: string; readonly actor: string },
  input: { readonly name?: string | undefined; readonly version?: number | undefined },
): Promise<ChannelRow> => {
  const { row, changed } = await deps.storage.db.transaction().execute(async (trx) => {
    const channel = await lockChannel(trx, channelId, actor)
    const { version } = channel
    if (input.version !== undefined && input.version !== version)
      throw new AppError('version/stale', 'somebody else changed it meanwhile', { version })
    if (input.name === undefined || input.name === channel.name) return { row: channel, changed: false }
    const updated = await updateChannel(trx, channelId, { name: input.name })
    const details = { group: channel.group_id }
    await deps.audit.add(trx, { actor, action: 'channel.updated', target: channelId, details })
    return { row: updated, changed: true }
  })
  if (changed) await announce(deps, { groupId: row.group_id })
  return row
}

export const deleteChannel = async (
  deps: GroupDeps,
  { channelId, actor }: { readonly channelId: string; readonly actor: string },
): Promise<void> => {
  const { groupId, rights } = await deps.storage.db.transaction().execute(async (trx) => {
    const channel = await lockChannel(trx, channelId, actor)
    await updateChannel(trx, channelId, { deleted_at: deps.now() })
    const memberIds = await listMemberIds(trx, channel.group_id)
    const visitors = (await listShareIds(trx, [channelId])).map((shareId) => shareClaims(shareId).userId)
    const details = { group: channel.group_id }
    await deps.audit.add(trx, { actor, action: 'channel.deleted', target: channelId, details })
    return { groupId: channel.group_id, rights: [...memberIds, ...visitors] }
  })
  await announce(deps, { groupId, rights })
}
