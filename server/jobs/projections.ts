// Keeps `group/{id}` and the server's part of `me/{id}` as the rows say, so that rosters, roles and channels can be read
// offline. After each command the documents that show it are made again; a crash between the two is closed as for walls:
// the first time one is opened after a start, it is made anew.
import type { Kysely } from 'kysely'
import { documentNameOf } from '../../shared/channels.ts'
import { type GroupProjection, planGroup } from '../../shared/group/model.ts'
import type { Json } from '../../shared/json.ts'
import { type MeProjection, planMe } from '../../shared/me/model.ts'
import { documentName, type DocumentName, parseDocumentName } from '../../shared/names.ts'
import { writeChanges } from '../../shared/operation.ts'
import { readPrivacy } from '../../shared/privacy.ts'
import {
  findGroupIdOfChannel,
  findGroupIdsOf,
  findGroupRows,
  findUserRows,
  type GroupRows,
  type UserRows,
} from '../../storage/projections.ts'
import type { Database } from '../../storage/schema.ts'
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

const toGroup = ({ group, members, channels }: GroupRows): GroupProjection => ({
  group: {
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
  },
  members: members.map((member) => {
    const shows = readPrivacy(member.privacy).profile !== 'private'
    return {
      userId: member.user_id,
      username: member.username,
      name: shows ? member.name : member.username,
      avatar: shows ? member.avatar : null,
      role: member.role,
      canInvite: member.can_invite === 1,
      canKick: member.can_kick === 1,
      joinedAt: member.joined_at,
    }
  }),
  channels: channels.map((channel) => ({
    id: channel.id,
    type: channel.type,
    name: channel.name,
    documentName: documentNameOf(channel),
    segments: channel.segments,
    version: channel.version,
    createdAt: channel.created_at,
  })),
})

const toMe = ({ user, groups }: UserRows): MeProjection => ({
  user: {
    id: user.id,
    username: user.username,
    email: user.email,
    name: user.name,
    about: user.about,
    avatar: user.avatar,
    timezone: user.timezone,
    privacy: { ...readPrivacy(user.privacy) },
    createdAt: user.created_at,
  },
  groups: Object.fromEntries(
    groups.map(({ id, name, avatar, kind, role, joined_at: joinedAt }): [string, Record<string, Json>] => [
      id,
      { id, name, avatar, kind, role, joinedAt },
    ]),
  ),
})

/** Starts the projections. Disposing lets a running one end; it must come before `sync` is disposed. */
export const startProjections = ({ sync, db, log }: ProjectionsDeps): Projections => {
  /** Documents that were opened since the start, and so made anew once. */
  const opened = new Set<DocumentName>()

  const projectGroup = async (name: DocumentName, groupId: string): Promise<void> => {
    const rows = await findGroupRows(db, groupId)
    if (rows) await sync.withDocument(name, (doc) => writeChanges(doc, planGroup(doc, toGroup(rows)), ORIGIN))
  }
  const projectMe = async (name: DocumentName, userId: string): Promise<void> => {
    const rows = await findUserRows(db, userId)
    if (rows) await sync.withDocument(name, (doc) => writeChanges(doc, planMe(doc, toMe(rows)), ORIGIN))
  }

  const queue = createJobQueue({
    run: (job) => {
      const { name, kind, id } = parseDocumentName(job)
      return kind === 'group' ? projectGroup(name, id) : projectMe(name, id)
    },
    onFailed: (job, error, retryMs) => log.warn('projections.failed', { document: job, retryMs, error: String(error) }),
  })
  const group = (groupId: string): void => queue.add(documentName('group', groupId), true)
  const user = (userId: string): void => {
    queue.add(documentName('me', userId), true)
    findGroupIdsOf(db, userId).then(
      (groupIds) => groupIds.forEach(group),
      (error: unknown) => log.warn('projections.failed', { user: userId, error: String(error) }),
    )
  }

  sync.onLoaded((name) => {
    if (!/^(group|me)\//.test(name) || opened.has(name)) return
    opened.add(name)
    queue.add(name)
  })
  sync.onSegmentOpened((channelId) => {
    findGroupIdOfChannel(db, channelId).then(
      (groupId) => groupId !== null && group(groupId),
      (error: unknown) => log.warn('projections.failed', { channel: channelId, error: String(error) }),
    )
  })

  return { group, user, [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose]() }
}
