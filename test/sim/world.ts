// Who takes part in one simulated run, and what time it is. All of it comes from the seed.
import { type Role, ROLES } from '../../shared/access.ts'
import type { Kind } from '../../shared/kind.ts'
import type { OperationContext } from '../../shared/operation.ts'
import type { GroupFacts } from '../../shared/rules.ts'
import type { Random } from '../helpers/random.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** A Wednesday noon in Europe, in a week with a change of daylight saving time on its Sunday. */
const START = Date.UTC(2026, 9, 21, 10)

export interface User {
  readonly id: string
  readonly role: Role
}

export interface World {
  readonly random: Random
  readonly users: readonly User[]
  readonly groups: ReadonlyMap<string, GroupFacts>
  now: number
  isSealed: boolean
}

const createGroups = (random: Random): Map<string, GroupFacts> => {
  const group = (timezone: string): GroupFacts => ({
    timezone,
    frequency: random.pick(['daily', 'weekly', 'biweekly'] as const),
    createdAt: START - 30 * DAY_MS,
    joinedAt: START - 10 * DAY_MS,
  })
  return new Map([
    ['group-berlin', group('Europe/Berlin')],
    ['group-chatham', group('Pacific/Chatham')],
  ])
}

export const createWorld = (kind: Kind, random: Random): World => {
  // A document of one user has one writer, on several devices.
  const count = kind.writers === 'user' ? 1 : random.int(2, 5)
  const users = Array.from({ length: count }, (_, index) => ({
    id: `user-00000000${index}`,
    role: index === 0 ? 'owner' : random.chance(0.4) ? 'member' : random.pick(ROLES),
  }))
  return { random, users, groups: createGroups(random), now: START, isSealed: false }
}

/** Mostly moments, now and then hours, seldom days. */
export const passTime = (world: World): void => {
  const { random } = world
  world.now += random.chance(0.97) ? random.int(0, 2_000) : random.int(0, random.chance(0.9) ? 9 * HOUR_MS : 3 * DAY_MS)
}

/** What `user` knows on one device. Clocks of devices differ; the news that a segment is sealed may not have come yet. */
export const contextOf = (
  world: World,
  user: User,
  device: { readonly id: string; readonly skewMs: number; readonly knowsSealed: boolean },
): OperationContext => ({
  actor: user.id,
  role: user.role,
  now: world.now + device.skewMs,
  members: new Set(world.users.map(({ id }) => id)),
  isSealed: world.isSealed && device.knowsSealed,
  groups: world.groups,
  deviceId: device.id,
  newId: () => `new-${world.random.int(1_000_000, 9_999_999)}-0000`,
  random: () => world.random.int(0, 999) / 1_000,
})
