// Walls follow their members' check-ins: over a fake sync that can fail and forget, and over the real server.
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { startWalls } from '../../server/jobs/walls.ts'
import { createLogger } from '../../server/log.ts'
import { AppError } from '../../shared/errors.ts'
import { type DocumentName, documentName } from '../../shared/names.ts'
import { readWall, type Wall } from '../../shared/wall/model.ts'
import { createDevice, GROUP, NOW, SCORES } from '../checkins/world.ts'
import { eventually, nextTurn } from '../helpers/eventually.ts'

const [ALICE, BOB] = ['user-0000000001', 'user-0000000002'] as const
const WALL = documentName('wall', GROUP, '2026')

/** Documents in memory; the test says when one is stored. */
const openWorld = () => {
  const docs = new Map<string, Y.Doc>()
  const stored: ((name: DocumentName) => void)[] = []
  const loaded: ((name: DocumentName) => void)[] = []
  const world = { failures: 0, members: [ALICE, BOB] as readonly string[], calls: [] as string[] }
  const docOf = (name: string): Y.Doc => {
    const doc = docs.get(name) ?? new Y.Doc()
    if (!docs.has(name)) {
      docs.set(name, doc)
      for (const listener of loaded) listener(name as DocumentName)
    }
    return doc
  }
  const walls = startWalls({
    sync: {
      withDocument: async (name, use) => {
        world.calls.push(name)
        await nextTurn()
        if (world.failures > 0) {
          world.failures--
          throw new AppError('storage/unavailable', 'away')
        }
        return use(docOf(name))
      },
      onStored: (listener) => void stored.push(listener),
      onLoaded: (listener) => void loaded.push(listener),
    },
    findGroup: async (id) => {
      const members = world.members.map((userId) => ({ userId, joinedAt: 0, sharesScores: true }))
      return id === GROUP ? { id, timezone: 'UTC', createdAt: Date.UTC(2026, 0, 1), members } : null
    },
    now: () => NOW,
    log: createLogger({ level: 'error', write: () => {} }),
    after: (_ms, run) => {
      setImmediate(run)
      return () => {}
    },
  })
  return {
    ...walls,
    world,
    docOf,
    /** A check-in that is on disk; `tell` as the server does after the commit. */
    submit: (userId: string, more: object = {}, { tell = true } = {}): void => {
      const device = createDevice()
      Y.applyUpdate(device.doc, Y.encodeStateAsUpdate(docOf(`checkins/${userId}`)))
      device.run('checkin.submit', { groupId: GROUP, ...SCORES, ...more })
      const name = documentName('checkins', userId)
      Y.applyUpdate(docOf(name), Y.encodeStateAsUpdate(device.doc))
      if (tell) for (const listener of stored) listener(name)
    },
    read: (): Wall => readWall(docs.get(WALL) ?? new Y.Doc()),
    /** As when somebody opens the wall that nobody had open. */
    open: (): void => {
      const isNew = !docs.has(WALL)
      docOf(WALL)
      if (!isNew) for (const listener of loaded) listener(WALL)
    },
  }
}

const usersOn = ({ checkins }: Wall): string[] => checkins.map(({ userId }) => userId).sort()

test('[WA8] a stored check-in appears on the wall of its group and year, also after failures of the storage', async () => {
  const { submit, read, world, docOf } = openWorld()
  world.failures = 3
  submit(ALICE)
  submit(BOB, { private: true })
  submit(BOB, { period: '2026-W06' })
  await eventually(read, (wall) => wall.checkins.length === 2)
  expect(read().checkins.map(({ userId, period }) => [userId, period])).toEqual([
    [ALICE, '2026-W07'],
    [BOB, '2026-W06'],
  ])
  expect(docOf('wall/group-0000000001/2025').share.size).toBe(0)
})

test('[WA9] a check-in whose projection a crash took is there once the wall is opened', async () => {
  const { submit, read, open } = openWorld()
  submit(ALICE, {}, { tell: false })
  submit(BOB, {}, { tell: false })
  await nextTurn()
  expect(usersOn(read())).toEqual([])
  open()
  await eventually(read, (wall) => usersOn(wall).length === 2)
  expect(usersOn(read())).toEqual([ALICE, BOB])
})

test('[WA9] a wall is made anew once, however often it is opened, and no wall of a year that cannot be', async () => {
  const { world, docOf, open, submit, read } = openWorld()
  open()
  await eventually(
    () => world.calls.length,
    (count) => count === 3,
  )
  submit(ALICE)
  await eventually(read, (wall) => wall.checkins.length === 1)
  const before = world.calls.length
  open()
  docOf(`wall/${GROUP}/9999`)
  docOf(`wall/group-0000000009/2026`)
  for (let turn = 0; turn < 20; turn++) await nextTurn()
  expect(world.calls).toHaveLength(before)
})

test('[WA10] who is no member (any more) appears on no wall, and who left stays where they were', async () => {
  const { world, submit, read } = openWorld()
  submit(BOB, { period: '2026-W06' })
  // The member’s check-ins, the wall; and once anew: both members’, the wall.
  await eventually(
    () => world.calls.length,
    (count) => count === 5,
  )
  await eventually(read, (wall) => wall.checkins.length === 1)
  world.members = [ALICE]
  submit(BOB)
  submit(ALICE)
  await eventually(read, (wall) => wall.checkins.length === 2)
  for (let turn = 0; turn < 20; turn++) await nextTurn()
  expect(read().checkins.map(({ userId, period }) => [userId, period])).toEqual([
    [ALICE, '2026-W07'],
    [BOB, '2026-W06'],
  ])
})
