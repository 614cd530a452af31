// What the rules of a kind are told on this device: who writes, with which role, who else is in the group. It comes from the
// cached projections `me/{user}` and `group/{id}`; what they do not hold yet is assumed in the author's favour, because the
// server judges again.
import type { Role } from '../shared/access.ts'
import type { GroupProjection } from '../shared/group/model.ts'
import type { Facts, GroupFacts } from '../shared/rules.ts'
import { parseDocumentName } from '../shared/names.ts'
import type { Kind } from '../shared/kind.ts'

/** A group or channel made on this device that no projection shows yet. */
export interface Made {
  readonly groups: ReadonlyMap<string, Pick<GroupFacts, 'timezone' | 'frequency' | 'createdAt'>>
  /** Channels to their groups. */
  readonly channels: ReadonlyMap<string, string>
}

export interface FactsOptions {
  readonly actor: string
  readonly now: () => number
  readonly groups: () => ReadonlyMap<string, GroupProjection>
  readonly made: () => Made
}

export interface FactsSource {
  readonly of: (kind: Kind, document: string) => Facts
  /** Null where no group is known to have this channel. */
  readonly groupOf: (channelId: string) => string | null
  /** How many segments a chat has, as far as is known here. */
  readonly segmentsOf: (channelId: string) => number
}

/** What the server shows of a group, as far as it is needed here. */
interface ShownGroup {
  readonly timezone?: string
  readonly checkInFrequency: GroupFacts['frequency']
  readonly createdAt: number
}

/** Everybody is in it: who really is, the server knows. */
class Everybody extends Set<string> {
  override has(): boolean {
    return true
  }
}

const EVERYBODY: ReadonlySet<string> = new Everybody()
const NOBODY: ReadonlySet<string> = new Set()

export const createFacts = ({ actor, now, groups, made }: FactsOptions): FactsSource => {
  const groupOf = (channelId: string): string | null => {
    for (const [id, { channels }] of groups()) if (channels.some((channel) => channel.id === channelId)) return id
    return made().channels.get(channelId) ?? null
  }

  const segmentsOf = (channelId: string): number => {
    for (const { channels } of groups().values()) {
      const channel = channels.find(({ id }) => id === channelId)
      if (channel) return Math.max(1, channel.segments)
    }
    return 1
  }

  const roleIn = (groupId: string | null): Role => {
    if (groupId !== null && made().groups.has(groupId)) return 'owner'
    const members = groupId === null ? undefined : groups().get(groupId)?.members
    return members?.find(({ userId }) => userId === actor)?.role ?? 'member'
  }

  const membersOf = (groupId: string | null): ReadonlySet<string> => {
    const members = groupId === null ? undefined : groups().get(groupId)?.members
    return members && members.length > 0 ? new Set(members.map(({ userId }) => userId)) : EVERYBODY
  }

  /** For check-ins: the groups one belongs to. */
  const groupFacts = (): ReadonlyMap<string, GroupFacts> => {
    const facts = new Map<string, GroupFacts>()
    for (const [id, own] of made().groups) facts.set(id, { ...own, joinedAt: own.createdAt })
    for (const [id, { group, members }] of groups()) {
      const { timezone, checkInFrequency: frequency, createdAt } = group as unknown as ShownGroup
      if (timezone === undefined) continue
      const joinedAt = members.find(({ userId }) => userId === actor)?.joinedAt ?? createdAt
      facts.set(id, { timezone, frequency, createdAt, joinedAt })
    }
    return facts
  }

  return {
    groupOf,
    segmentsOf,
    of: (kind, document) => {
      const { id, part } = parseDocumentName(document)
      const facts = { actor, now: now(), members: NOBODY, isSealed: false, groups: new Map<string, GroupFacts>() }
      if (kind.scope === 'user')
        return { ...facts, role: 'owner', groups: kind.asks === 'groups' ? groupFacts() : facts.groups }
      const groupId = kind.scope === 'group' ? id : groupOf(id)
      const isSealed = kind.part === 'segment' && Number(part) < segmentsOf(id) - 1
      const members = kind.asks === 'members' ? membersOf(groupId) : NOBODY
      return { ...facts, role: roleIn(groupId), members, isSealed }
    },
  }
}
