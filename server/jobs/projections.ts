// Keeps `group/{id}` and the server's part of `me/{id}` as the rows say, so that rosters, roles and channels can be read
// offline. After each command the documents that show it are made again; a crash between the two is closed as for walls:
// the first time one is opened after a start, it is made anew.
import type { Kysely } from 'kysely'
import { planGroup } from '../../shared/group/model.ts'
import type { Json } from '../../shared/json.ts'
import { planMe } from '../../shared/me/model.ts'
import { documentName, type DocumentName, parseDocumentName } from '../../shared/names.ts'
import { writeChanges } from '../../shared/operation.ts'
import { readPrivacy } from '../../shared/privacy.ts'
import { findAnyChannel, listChannels } from '../../storage/channels.ts'
import { findAnyGroup, type GroupRow } from '../../storage/groups.ts'
import { listMembers } from '../../storage/members.ts'
import { listOwnGroups, type OwnGroup } from '../../storage/projections.ts'
import type { Database } from '../../storage/schema.ts'
import { findUserById, type UserRow } from '../../storage/users.ts'
import { channelFacts, memberView } from '../groups/views.ts'
import type { Logger } from '../log.ts'
import type { Sync } from '../sync/sync.ts'
import { createJobQueue } from './queue.ts'

const ORIGIN = { source: 'job', job: 'projections' }

export interface ProjectionsDeps {
  readonly sync: Pick<Sync, 'withDocument' | 'onLoaded' | 'onSegmentOpened'>
  readonly db: Kysely<Database>
  readonly log: Logger
}

export interface Projections extends AsyncDisposable {
  readonly group: (groupId: string) => void
  /** Of the user, and of all groups that show them. */
  readonly user: (userId: string) => void
}

const groupFields = (group: GroupRow): Record<string, Json> => ({
  id: group.id,
  name: group.name,
  description: group.description,
  avatar: group.avatar,
  timezone: group.timezone,
  checkInFrequency: group.check_in_frequency,
  maxMembers: group.members_max,
  allowMemberInvite: group.allow_member_invite === 1,
  createdBy: group.created_by,
  createdAt: group.created_at,
  deletedAt: group.deleted_at,
  version: group.version,
})

const userFields = (user: UserRow): Record<string, Json> => ({
  id: user.id,
  username: user.username,
  email: user.email,
  name: user.name,
  about: user.about,
  avatar: user.avatar,
  timezone: user.timezone,
  privacy: { ...readPrivacy(user.privacy) },
  createdAt: user.created_at,
})

const ownGroupFields = ({ id, name, avatar, kind, role, joined_at: joinedAt }: OwnGroup): Record<string, Json> => ({
  id,
  name,
  avatar,
  kind,
  role,
  joinedAt,
})

/** Starts the projections. Disposing lets a running one end; it must come before `sync` is disposed. */
export const startProjections = ({ sync, db, log }: ProjectionsDeps): Projections => {
  /** Documents that were opened since the start, and so made anew once. */
  const opened = new Set<DocumentName>()

  const projectGroup = async (name: DocumentName, groupId: string): Promise<void> => {
    const row = await findAnyGroup(db, groupId)
    if (!row) return
    const members = (await listMembers(db, groupId)).map(memberView)
    const channels = (await listChannels(db, groupId)).map(channelFacts)
    const projection = { group: groupFields(row), members, channels }
    await sync.withDocument(name, (doc) => writeChanges(doc, planGroup(doc, projection), ORIGIN))
  }
  const projectMe = async (name: DocumentName, userId: string): Promise<void> => {
    const row = await findUserById(db, userId)
    if (!row) return
    const groups = Object.fromEntries((await listOwnGroups(db, userId)).map((one) => [one.id, ownGroupFields(one)]))
    const projection = { user: userFields(row), groups }
    await sync.withDocument(name, (doc) => writeChanges(doc, planMe(doc, projection), ORIGIN))
  }

  /** Documents by their names; `user` and `channel` stand for the groups that show them. */
  const run = async (job: string): Promise<void> => {
    const { name, kind, id } = parseDocumentName(job)
    if (kind === 'group') await projectGroup(name, id)
    else if (kind === 'me') await projectMe(name, id)
    else if (kind === 'user') for (const { id: groupId } of await listOwnGroups(db, id)) group(groupId)
    else {
      const channel = await findAnyChannel(db, id)
      if (channel) group(channel.group_id)
    }
  }
  const queue = createJobQueue({
    run,
    onFailed: (job, error, retryMs) => log.warn('projections.failed', { document: job, retryMs, error: String(error) }),
  })
  const group = (groupId: string): void => queue.add(documentName('group', groupId), true)
  const user = (userId: string): void => {
    queue.add(documentName('me', userId), true)
    queue.add(documentName('user', userId), true)
  }

  sync.onLoaded((name) => {
    if (!/^(group|me)\//.test(name) || opened.has(name)) return
    opened.add(name)
    queue.add(name)
  })
  sync.onSegmentOpened((channelId) => queue.add(documentName('channel', channelId), true))

  return { group, user, [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose]() }
}
