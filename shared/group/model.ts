// The kind `group`: a group with its members and channels, as its members read it offline. The server alone writes it,
// out of rows.
import type * as Y from 'yjs'
import type { Role } from '../access.ts'
import type { Json } from '../json.ts'
import type { Change } from '../rules.ts'
import { changesTo } from '../projection.ts'

export const GROUP = 'group'
export const MEMBERS = 'members'
export const CHANNELS = 'channels'

export interface GroupMember {
  readonly userId: string
  readonly username: string
  /** The user name where the person does not show more. */
  readonly name: string
  readonly avatar: string | null
  readonly role: Role
  readonly canInvite: boolean
  readonly canKick: boolean
  readonly joinedAt: number
}

export interface GroupChannel {
  readonly id: string
  readonly type: string
  readonly name: string
  readonly documentName: string | null
  /** Chat: how many segments there are. */
  readonly segments: number
  readonly version: number
  readonly createdAt: number
}

/** What is stored, by root. The group's own fields are keys of their own. */
export interface GroupProjection {
  readonly group: Readonly<Record<string, Json>>
  readonly members: readonly GroupMember[]
  readonly channels: readonly GroupChannel[]
}

export const planGroup = (doc: Y.Doc, { group, members, channels }: GroupProjection): Change[] => [
  ...changesTo(doc, GROUP, new Map(Object.entries(group))),
  ...changesTo(doc, MEMBERS, new Map(members.map((member) => [member.userId, member]))),
  ...changesTo(doc, CHANNELS, new Map(channels.map((channel) => [channel.id, channel]))),
]

const byAge = (a: { at: number; id: string }, b: { at: number; id: string }): number =>
  a.at - b.at || (a.id < b.id ? -1 : Number(a.id > b.id))

/** The group, its members in the order of their joining, its channels in that of their making. */
export const readGroup = (doc: Y.Doc): GroupProjection => ({
  group: Object.fromEntries([...doc.getMap<Json>(GROUP).entries()].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  members: [...doc.getMap<GroupMember>(MEMBERS).values()].toSorted((a, b) =>
    byAge({ at: a.joinedAt, id: a.userId }, { at: b.joinedAt, id: b.userId }),
  ),
  channels: [...doc.getMap<GroupChannel>(CHANNELS).values()].toSorted((a, b) =>
    byAge({ at: a.createdAt, id: a.id }, { at: b.createdAt, id: b.id }),
  ),
})
