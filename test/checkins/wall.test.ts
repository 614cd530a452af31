// The wall: what of members' check-ins it shows, its statistics, and that it is changed by no more than it must be.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import type { Checkin } from '../../shared/checkins/model.ts'
import { KINDS } from '../../shared/registry.ts'
import { writeChanges } from '../../shared/operation.ts'
import { boundsOf } from '../../shared/period.ts'
import { readWall, statsOf } from '../../shared/wall/model.ts'
import { planWall, sharedOf, type WallGroup } from '../../shared/wall/projection.ts'
import { chooseSeed } from '../helpers/random.ts'
import { createDevice, GROUP, SCORES, WEEKLY } from './world.ts'

const seed = chooseSeed()
process.stdout.write(`walls: SEED=${seed}\n`)

const YEAR = 2026
const USERS = ['user-0000000001', 'user-0000000002', 'user-0000000003', 'user-0000000004'] as const
const [ALICE, BOB, CAROL, DAVE] = USERS

const groupOf = (members: readonly string[] = USERS): WallGroup => ({
  id: GROUP,
  timezone: WEEKLY.timezone,
  members: members.map((userId) => ({ userId, joinedAt: 0 })),
})

const submitted = (more: object = {}): readonly Checkin[] => {
  const device = createDevice()
  device.run('checkin.submit', { groupId: GROUP, ...SCORES, ...more })
  return device.read()
}

/** Brings a wall up to date and returns how many keys were written. */
const project = (wall: Y.Doc, checkins: Readonly<Record<string, readonly Checkin[]>>, group = groupOf()): number => {
  const shared = Object.entries(checkins).map(
    ([userId, list]) => [userId, sharedOf(userId, list, GROUP, YEAR)] as const,
  )
  const changes = planWall(wall, group, new Map(shared))
  writeChanges(wall, changes, null)
  return changes.length
}

test('[WA1] the wall shows what members share, newest period first, with totals', () => {
  const wall = new Y.Doc()
  project(wall, {
    [ALICE]: submitted({ note: 'quiet', mood: '🙂', energy: 3 }),
    [BOB]: submitted({ period: '2026-W06' }),
  })
  const { checkins } = readWall(wall)
  expect(checkins.map(({ userId, period, total }) => [userId, period, total])).toEqual([
    [ALICE, '2026-W07', 12],
    [BOB, '2026-W06', 12],
  ])
  expect(checkins[0]).toMatchObject({ ...SCORES, note: 'quiet', mood: '🙂', energy: 3, late: false })
})

test('[WA2] private and retracted check-ins are not on it, and one that becomes so disappears, from the statistics too', () => {
  for (const [name, input] of [
    ['checkin.update', { groupId: GROUP, private: true }],
    ['checkin.retract', { groupId: GROUP }],
  ] as const) {
    const wall = new Y.Doc()
    const device = createDevice()
    device.run('checkin.submit', { groupId: GROUP, ...SCORES, note: 'secret' })
    project(wall, { [ALICE]: device.read(), [BOB]: submitted({ private: true, note: 'secret' }) })
    expect(readWall(wall).stats['2026-W07']).toMatchObject({ participants: 1 })
    device.run(name, input)
    project(wall, { [ALICE]: device.read() })
    expect(readWall(wall)).toEqual({ checkins: [], stats: {} })
    expect(Buffer.from(Y.encodeStateAsUpdate(wall)).includes('secret')).toBe(false)
  }
})

test('[WA3] averages are withheld below three participants; participation is a fraction of the members', () => {
  const wall = new Y.Doc()
  project(wall, { [ALICE]: submitted(), [BOB]: submitted({ care: 1 }) })
  expect(readWall(wall).stats).toEqual({
    '2026-W07': { participants: 2, members: 4, participation: 0.5, averages: null },
  })
  project(wall, { [CAROL]: submitted({ care: 5 }) })
  expect(readWall(wall).stats['2026-W07']).toEqual({
    participants: 3,
    members: 4,
    participation: 0.75,
    averages: { productive: 8, satisfied: 7, body: 6, care: 5, total: 16 },
  })
  expect(statsOf([], 0)).toEqual({ participants: 0, members: 0, participation: 0, averages: null })
})

test('[WA4] who joined after a period is not counted for it; who left keeps their place in it', () => {
  const wall = new Y.Doc()
  const { endsAt } = boundsOf('2026-W07', WEEKLY.timezone)
  const group = { ...groupOf(), members: [...groupOf([ALICE, BOB]).members, { userId: DAVE, joinedAt: endsAt }] }
  project(wall, { [ALICE]: submitted(), [BOB]: submitted() }, group)
  expect(readWall(wall).stats['2026-W07']).toMatchObject({ participants: 2, members: 2, participation: 1 })
  project(wall, { [ALICE]: submitted() }, groupOf([ALICE]))
  expect(readWall(wall).checkins.map(({ userId }) => userId)).toEqual([ALICE, BOB])
  expect(readWall(wall).stats['2026-W07']).toMatchObject({ participants: 2, members: 2, participation: 1 })
})

test('[WA5] only the keys that differ are written, and none when all is right', () => {
  const wall = new Y.Doc()
  const first = { [ALICE]: submitted(), [BOB]: submitted({ period: '2026-W06' }) }
  expect(project(wall, first)).toBe(4)
  const state = Y.encodeStateAsUpdate(wall)
  expect(project(wall, first)).toBe(0)
  expect(Y.encodeStateAsUpdate(wall)).toEqual(state)
  // One check-in and the statistics of its period.
  expect(project(wall, { [CAROL]: submitted() })).toBe(2)
})

test('[WA5] a wall that was brought up to date one by one is the one that is made anew', () => {
  const inputs = fc.record({
    user: fc.constantFrom(...USERS),
    name: fc.constantFrom('checkin.submit', 'checkin.update', 'checkin.retract'),
    period: fc.constantFrom('2026-W06', '2026-W07'),
    care: fc.integer({ min: 1, max: 10 }),
    private: fc.boolean(),
  })
  let shown = 0
  fc.assert(
    fc.property(fc.array(inputs, { maxLength: 30 }), (steps) => {
      const devices = new Map(USERS.map((user) => [user, createDevice()]))
      const wall = new Y.Doc()
      for (const { user, name, period, care, private: isPrivate } of steps) {
        const device = devices.get(user)
        const more = name === 'checkin.retract' ? {} : { ...SCORES, care, private: isPrivate }
        try {
          device?.run(name, { groupId: GROUP, period, ...more })
        } catch {
          continue
        }
        project(wall, { [user]: device?.read() ?? [] })
      }
      const all = Object.fromEntries([...devices].map(([user, device]) => [user, device.read()]))
      const anew = new Y.Doc()
      project(anew, all)
      expect(readWall(wall)).toEqual(readWall(anew))
      shown += readWall(wall).checkins.length
    }),
    { seed, numRuns: 200 },
  )
  expect(shown).toBeGreaterThan(100)
})

test('[WA6] nobody but the server writes a wall', () => {
  expect(KINDS.get('wall')).toMatchObject({ writers: 'server', scope: 'group', part: 'year', operations: [] })
})

test('[WA7] what is not valid on a wall is left out', () => {
  const wall = new Y.Doc()
  project(wall, { [ALICE]: submitted() })
  wall.getMap('checkins').set('x', { userId: BOB, period: 'never' })
  wall.getMap('stats').set('never', {})
  expect(readWall(wall).checkins).toHaveLength(1)
  expect(Object.keys(readWall(wall).stats)).toEqual(['2026-W07'])
})
