// Direct messages: the CHAT channel of two people. Its id follows from theirs, so that both make the same one. Inside it is
// a group of another kind, with two members and nobody who manages it.
import { createHash } from 'node:crypto'
import { AppError } from '../../shared/errors.ts'
import { DIRECT_CHANNELS_STARTED_MAX } from '../../shared/limits.ts'
import { insertChannel } from '../../storage/channels.ts'
import { countDirectStartedBy, type DirectChannel, findDirect } from '../../storage/direct.ts'
import { type Created, insertGroup } from '../../storage/groups.ts'
import { insertMember } from '../../storage/members.ts'
import { lockUser } from '../../storage/users.ts'
import { noCode } from './codes.ts'
import { announce, type GroupDeps, memberUnknown, type Trx } from './standing.ts'

const PREFIX = 'dm-'
const HASH_LENGTH = 32

/** Ids that only `directIdOf` makes. */
export const isDirectId = (id: string): boolean => id.startsWith(PREFIX)

/** The same for both, in whatever order they are named. */
export const directIdOf = (userIds: readonly [string, string]): string => {
  const hash = createHash('sha256').update(userIds.toSorted().join('\n')).digest('base64url')
  return PREFIX + hash.slice(0, HASH_LENGTH)
}

const insertDirect = async (trx: Trx, id: string, actor: string, userIds: readonly string[], now: number) => {
  const about = { created_by: actor, created_at: now }
  await insertGroup(trx, {
    ...noCode(id),
    ...about,
    id,
    kind: 'direct',
    name: 'direct',
    description: '',
    timezone: 'UTC',
    check_in_frequency: 'weekly',
    members_max: userIds.length,
  })
  for (const user_id of userIds) await insertMember(trx, { group_id: id, user_id, role: 'member', joined_at: now })
  await insertChannel(trx, { ...about, id, group_id: id, type: 'CHAT', name: 'direct' })
}

/** The channel of the two, made when it is not there yet. */
export const openDirect = async (
  deps: GroupDeps,
  { actor, userId }: { readonly actor: string; readonly userId: string },
): Promise<Created<DirectChannel>> => {
  if (userId === actor) throw new AppError('input/invalid', 'userId: expected somebody else')
  const id = directIdOf([actor, userId])
  const opened = await deps.storage.db.transaction().execute(async (trx) => {
    const userIds = [actor, userId].toSorted()
    for (const one of userIds) if (!(await lockUser(trx, one))) throw memberUnknown()
    const known = await findDirect(trx, id, actor)
    if (known) return { row: known, created: false }
    const max = DIRECT_CHANNELS_STARTED_MAX
    if ((await countDirectStartedBy(trx, actor)) >= max)
      throw new AppError('channel/too-many', `at most ${max} direct-message channels`, { max })
    await insertDirect(trx, id, actor, userIds, deps.now())
    const row = await findDirect(trx, id, actor)
    if (!row) throw new Error('a channel that was just made is missing')
    const details = { type: 'CHAT', with: userId }
    await deps.audit.add(trx, { actor, action: 'channel.created', target: id, details })
    return { row, created: true }
  })
  if (opened.created) await announce(deps, { groupId: id, users: [actor, userId] })
  return opened
}
