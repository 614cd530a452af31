// Taking over localStorage in two tabs at once, and with a crash at every step: whatever happens, each record is there once.
import { afterEach, expect, test, vi } from 'vitest'
import type { Client } from '../../client-sdk/client.ts'
import { migrateLocalStorage } from '../../client-sdk/migrate-local-storage.ts'
import { createMemoryDisk } from '../../client-sdk/offline/memory.ts'
import type { Disk } from '../../client-sdk/offline/store.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { createDeath, Killed } from './device.ts'
import { commandsOn, openTab, readLists, TODO_PLAN, todosOf, todoStorage } from './migration-scene.ts'

afterEach(() => void vi.unstubAllGlobals())

const TODOS = todosOf(12)
/** Enough for a rest in between. */
const MANY = todosOf(210)

/** The disk of a device that dies at a step, or never. */
const dyingDisk = (disk: Disk, at: number) => {
  const death = createDeath(at)
  const dying: Disk = { ...disk, open: async (area) => death.store(await disk.open(area)) }
  return { disk: dying, isDead: death.isDead }
}

/** What a tab does until it is killed; false: it was not. */
const isKilled = async (disk: Disk, run: (client: Client) => Promise<unknown>): Promise<boolean> => {
  let client: Client | null = null
  try {
    client = await openTab(disk)
    await run(client)
    return false
  } catch (error) {
    if (error instanceof Killed) return true
    throw error
  } finally {
    await client?.close().catch(() => {})
  }
}

/** Titles, and whether done, in order; ids and places are in `readLists`. */
const textsOf = (lists: Record<string, unknown>): unknown[] =>
  Object.values(lists).map((tasks) => (tasks as [string, string, boolean][]).map(([, title, done]) => [title, done]))

const takeOver = (disk: Disk, todos = TODOS) =>
  isKilled(disk, (client) => migrateLocalStorage(client, TODO_PLAN, { storage: todoStorage(todos) }))

const look = async (disk: Disk) => {
  await using client = await openTab(disk)
  const commands = await commandsOn(disk, client)
  return { lists: await readLists(client), commands }
}

const expected = (todos = TODOS) => [todos.map(({ title, completed }) => [title, completed])]

test.each([
  ['any', TODOS, 1],
  ['many a', MANY, 19],
])(
  '[MG10] a crash at %s step, and a run again: each to-do is there once, in their order',
  async (_what, todos, every) => {
    let crashes = 0
    for (let at = 1; ; at += every) {
      const disk = createMemoryDisk()
      const wasKilled = await takeOver(dyingDisk(disk, at).disk, todos)
      if (wasKilled) crashes++
      await takeOver(disk, todos)
      const before = await look(disk)
      expect([at, ...textsOf(before.lists)]).toEqual([at, ...expected(todos)])
      expect(before.commands).toBe(2)
      // A third run finds nothing to do.
      await takeOver(disk, todos)
      expect(await look(disk)).toEqual(before)
      if (!wasKilled) break
    }
    process.stdout.write(`${crashes} crashes\n`)
    expect(crashes).toBeGreaterThan(8)
  },
)

test('[MG10] a crash at any step of an undo, and an undo again: nothing is left, and a run makes it all again', async () => {
  let crashes = 0
  for (let at = 1; ; at++) {
    const disk = createMemoryDisk()
    await takeOver(disk)
    const undo = (of: Disk) =>
      isKilled(of, async (client) => {
        const options = { storage: todoStorage(TODOS), dryRun: true }
        const report = await migrateLocalStorage(client, TODO_PLAN, options)
        if (report.receipt?.undoneAt === null) await report.undo()
      })
    const wasKilled = await undo(dyingDisk(disk, at).disk)
    if (wasKilled) crashes++
    await undo(disk)
    expect([at, await look(disk)]).toEqual([at, { lists: {}, commands: 0 }])
    await takeOver(disk)
    expect([at, ...textsOf((await look(disk)).lists)]).toEqual([at, ...expected()])
    if (!wasKilled) break
  }
  expect(crashes).toBeGreaterThan(3)
})

test('[MG11] two tabs at once make each record once', async () => {
  const disk = createMemoryDisk()
  const storage = todoStorage(MANY)
  {
    await using one = await openTab(disk)
    await using two = await openTab(disk)
    const reports = await Promise.all([one, two].map((tab) => migrateLocalStorage(tab, TODO_PLAN, { storage })))
    // The second one waited for the first.
    expect(reports.map(({ made }) => made).toSorted((a, b) => a - b)).toEqual([0, 212])
  }
  expect(textsOf((await look(disk)).lists)).toEqual(expected(MANY))
})

test('[MG11] so do tabs that cannot wait for each other, three of them, some of which die', async () => {
  const seed = chooseSeed()
  process.stdout.write(`SEED=${seed}\n`)
  const random = createRandom(seed)
  // No locks: what one tab does, the others do not know of.
  vi.stubGlobal('navigator', {})
  let deaths = 0
  for (let round = 0; round < 12; round++) {
    const disk = createMemoryDisk()
    await openTab(disk).then((client) => client.close())
    const tabs = Array.from({ length: 3 }, () =>
      dyingDisk(disk, random.chance(0.6) ? random.int(1, 30) : Number.POSITIVE_INFINITY),
    )
    const outcomes = await Promise.all(tabs.map((tab) => takeOver(tab.disk, MANY)))
    deaths += outcomes.filter(Boolean).length
    await takeOver(disk, MANY)
    const seen = await look(disk)
    expect([round, ...textsOf(seen.lists)]).toEqual([round, ...expected(MANY)])
    expect(seen.commands).toBe(2)
    await isKilled(disk, async (client) => {
      const report = await migrateLocalStorage(client, TODO_PLAN, { storage: todoStorage(MANY) })
      expect([round, await report.undo()]).toEqual([round, { removed: 212, left: [] }])
    })
    expect(await look(disk)).toEqual({ lists: {}, commands: 0 })
  }
  process.stdout.write(`${deaths} deaths in 12 rounds\n`)
  expect(deaths).toBeGreaterThan(5)
})
