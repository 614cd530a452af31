// What must change on a wall so that it shows what its members share now: the smallest change, and none when it is right.
import type * as Y from 'yjs'
import type { Checkin } from '../checkins/model.ts'
import { boundsOf, yearOf } from '../period.ts'
import { changesTo } from '../projection.ts'
import type { Change } from '../rules.ts'
import {
  type PeriodStats,
  readShared,
  type SharedCheckin,
  sharedKey,
  statsOf,
  WALL_CHECKINS,
  WALL_STATS,
} from './model.ts'

export interface WallMember {
  readonly userId: string
  readonly joinedAt: number
}

export interface WallGroup {
  readonly id: string
  readonly timezone: string
  readonly members: readonly WallMember[]
}

/** What the group's other members see of a user's check-ins in a year, by the wall's keys. */
export const sharedOf = (
  userId: string,
  checkins: readonly Checkin[],
  groupId: string,
  year: number,
): Map<string, SharedCheckin> => {
  const shared = new Map<string, SharedCheckin>()
  for (const checkin of checkins) {
    const { period, productive, satisfied, body, care, note, mood, energy, submittedAt, late } = checkin
    if (checkin.groupId !== groupId || yearOf(period) !== year || checkin.private || checkin.retracted) continue
    const value = { userId, period, productive, satisfied, body, care, note, mood, energy, submittedAt, late }
    shared.set(sharedKey(userId, period), value)
  }
  return shared
}

/** Members of now who were members before the period was over, and everybody who took part. */
const countMembers = (period: string, group: WallGroup, participants: ReadonlySet<string>): number => {
  const { endsAt } = boundsOf(period, group.timezone)
  const users = new Set(participants)
  for (const { userId, joinedAt } of group.members) if (joinedAt < endsAt) users.add(userId)
  return users.size
}

const statsOfAll = (shared: Iterable<SharedCheckin>, group: WallGroup): Map<string, PeriodStats> => {
  const stats = new Map<string, PeriodStats>()
  for (const [period, checkins] of Map.groupBy(shared, (checkin) => checkin.period)) {
    const participants = new Set(checkins.map(({ userId }) => userId))
    stats.set(period, statsOf(checkins, countMembers(period, group, participants)))
  }
  return stats
}

/**
 * The changes that make `wall` show `shared` for each user in it. What it shows of users who are not in it stays: they
 * have left the group, and their past is the group's too.
 */
export const planWall = (
  wall: Y.Doc,
  group: WallGroup,
  shared: ReadonlyMap<string, ReadonlyMap<string, SharedCheckin>>,
): Change[] => {
  const wanted = new Map<string, SharedCheckin>()
  for (const [key, checkin] of readShared(wall)) if (!shared.has(checkin.userId)) wanted.set(key, checkin)
  for (const checkins of shared.values()) for (const [key, checkin] of checkins) wanted.set(key, checkin)
  return [...changesTo(wall, WALL_CHECKINS, wanted), ...changesTo(wall, WALL_STATS, statsOfAll(wanted.values(), group))]
}
