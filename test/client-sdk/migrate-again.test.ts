// Taking over localStorage again and again, and back: repeats, later runs, undo, long lists, and the worked examples.
import { stripTypeScriptTypes } from 'node:module'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { Client } from '../../client-sdk/client.ts'
import { stableId } from '../../client-sdk/migrate-ids.ts'
import { migrateLocalStorage } from '../../client-sdk/migrate-local-storage.ts'
import type { MigrationProgress } from '../../client-sdk/migrate-types.ts'
import { createMemoryDisk } from '../../client-sdk/offline/memory.ts'
import {
  createStorage,
  onlyList,
  openTab,
  readFixture,
  readLists,
  readTitles,
  TODO_PLAN,
  todosOf,
  todoStorage,
} from './migration-scene.ts'

afterEach(() => void vi.unstubAllGlobals())

test('[MG4] the same data taken over three times is there once, and nothing is written the second time', async () => {
  const disk = createMemoryDisk()
  const storage = todoStorage(todosOf(20))
  const open = async <Result>(run: (client: Client) => Promise<Result>): Promise<Result> => {
    await using client = await openTab(disk)
    return await run(client)
  }
  const dump = async () => {
    const device = await disk.open('device')
    const [userId] = [...(await device.list('')).keys()]
      .filter((key) => key.startsWith('migration/'))
      .map((key) => key.split('/')[2])
    return (await disk.open(`user-${userId}`)).documents()
  }
  const first = await open(async (client) => {
    const { receipt } = await migrateLocalStorage(client, TODO_PLAN, { storage })
    return { receipt, lists: await readLists(client) }
  })
  const written = await dump()
  for (let again = 0; again < 2; again++) {
    await open(async (client) => {
      const report = await migrateLocalStorage(client, TODO_PLAN, { storage })
      expect(report).toMatchObject({ made: 0, present: 22, receipt: first.receipt })
      expect(await readLists(client)).toEqual(first.lists)
    })
    expect(await dump()).toEqual(written)
  }
})

test('[MG5] a later run makes what the old app has added, and leaves alone what people did since', async () => {
  await using client = await openTab()
  const storage = todoStorage(todosOf(6))
  await migrateLocalStorage(client, TODO_PLAN, { storage })
  const list = await onlyList(client)
  const [one, two, three] = list.read().tasks
  list.complete({ id: one?.id ?? '', done: false })
  list.update({ id: two?.id ?? '', title: 'renamed' })
  list.delete({ id: three?.id ?? '' })
  storage.setItem('todos-a', JSON.stringify(todosOf(8)))
  expect(await migrateLocalStorage(client, TODO_PLAN, { storage })).toMatchObject({ made: 2, present: 8, errors: [] })
  expect(await readTitles(client)).toEqual(['todo 1', 'renamed', 'todo 4 ✓', 'todo 5', 'todo 6', 'todo 7 ✓', 'todo 8'])
})

test('[MG6] an id is always the same for a key, and another for every other key, app, device, person and generation', () => {
  const scope = { install: 'i', app: 'a', scope: '', generation: 0 }
  const others = [{}, { install: 'j' }, { app: 'b' }, { scope: 'u' }, { generation: 1 }]
  const ids = others.flatMap((other) => ['k', 'l'].map((key) => stableId({ ...scope, ...other }, key)))
  expect(new Set(ids).size).toBe(10)
  expect(stableId({ ...scope }, 'k')).toBe(ids[0])
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('[MG7] an undo takes back all that nobody has changed, and a later run makes it again', async () => {
  await using client = await openTab()
  const storage = todoStorage(todosOf(8))
  const report = await migrateLocalStorage(client, TODO_PLAN, { storage })
  expect(await report.undo()).toEqual({ removed: 10, left: [] })
  expect(client.groups.list()).toEqual([])
  expect(report.receipt).toMatchObject({ made: [], storedAt: null })
  expect(await migrateLocalStorage(client, TODO_PLAN, { storage })).toMatchObject({ made: 10, present: 0 })
  const list = await onlyList(client)
  const [one, two] = list.read().tasks
  list.update({ id: one?.id ?? '', title: 'mine' })
  list.complete({ id: two?.id ?? '', done: true })
  list.add({ title: 'new' })
  const undone = await report.undo()
  expect(undone.left.map(({ key, code }) => [key, code])).toEqual([
    ['todos-a/2', 'version/stale'],
    ['todos-a/1', 'version/stale'],
    ['home', 'version/stale'],
    ['todos-a', 'version/stale'],
  ])
  expect(await readTitles(client)).toEqual(['mine ✓', 'todo 2 ✓', 'new'])
  // What was left is known again by its key; the others are new.
  expect(await migrateLocalStorage(client, TODO_PLAN, { storage })).toMatchObject({ made: 6, present: 4 })
  expect((await readTitles(client)).toSorted()).toEqual(
    ['mine ✓', 'new', 'todo 2 ✓', 'todo 3', 'todo 4 ✓', 'todo 5', 'todo 6', 'todo 7 ✓', 'todo 8'].toSorted(),
  )
})

test('[MG8] ten thousand to-dos: progress is told, others have their turn, and each is there once', async () => {
  await using client = await openTab()
  const storage = todoStorage(todosOf(10_000))
  const progress: MigrationProgress[] = []
  let turns = 0
  const timer = setInterval(() => turns++, 0)
  const startedAt = performance.now()
  const report = await migrateLocalStorage(client, TODO_PLAN, { storage, onProgress: (one) => void progress.push(one) })
  clearInterval(timer)
  process.stdout.write(`10,000 to-dos taken over in ${Math.round(performance.now() - startedAt)} ms\n`)
  expect(report).toMatchObject({ made: 10_002, errors: [] })
  expect(progress).toHaveLength(51)
  expect(progress.at(-1)).toEqual({ done: 10_002, total: 10_002 })
  expect(turns).toBeGreaterThan(25)
  const list = await onlyList(client)
  expect(list.read().tasks.map(({ title }) => title)).toEqual(todosOf(10_000).map(({ title }) => title))
})

const EXAMPLES = [
  ...readFileSync(join(import.meta.dirname, '../../docs/migrating.md'), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms),
].map((match) => match[1] as string)

/** Runs code of the docs as it stands; what it imports is handed in. */
const runExample = (code: string, client: Client, results: string): Promise<Record<string, never>> => {
  const body = stripTypeScriptTypes(code).replace(/^import (\{.*?\}) from '@syncline\/client'$/m, 'const $1 = sdk')
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  const run = new AsyncFunction('client', 'sdk', `${body}\nreturn ${results}`) as unknown as (
    ...given: unknown[]
  ) => Promise<Record<string, never>>
  return run(client, { migrateLocalStorage })
}

test('[MG9] the example of a to-do list in docs/migrating.md runs as it stands', async () => {
  vi.stubGlobal('localStorage', createStorage(readFixture('todomvc.json')))
  const lines: string[] = []
  vi.stubGlobal('console', { ...console, log: (line: string) => void lines.push(line) })
  await using client = await openTab()
  await runExample(EXAMPLES[0] as string, client, '{}')
  expect(lines).toHaveLength(3)
  expect(lines[0]).toBe('6 things made, 2 values left out')
  expect(await readTitles(client)).toHaveLength(4)
})

test('[MG9] the example of a check-in app in docs/migrating.md runs as it stands', async () => {
  const storage = createStorage(readFixture('weekly.json'))
  vi.stubGlobal('localStorage', storage)
  // A Thursday in week 7.
  const clock = { now: () => Date.UTC(2026, 1, 12, 12), after: realAfter }
  await using client = await openTab(createMemoryDisk(), { clock })
  const { preview, weekly } = await runExample([EXAMPLES[0], EXAMPLES[1]].join('\n'), client, '{ preview, weekly }')
  expect(weekly).toMatchObject({ made: 7, present: 0 })
  expect(preview).toMatchObject({ made: 7, isDryRun: true })
  const { errors } = weekly as unknown as { errors: { key: string; code: string }[] }
  expect(errors.map(({ key, code }) => [key, code])).toEqual([
    ['g-1/u-23/2026-W07', 'input/invalid'],
    ['g-2/u-17/2026-W07', 'input/invalid'],
  ])
  const { checkins } = (await client.checkIns()).read()
  expect(checkins).toMatchObject([{ period: '2026-W07', total: 21, note: 'A quiet week', timezone: 'Europe/Berlin' }])
  expect((await client.me()).read().settings).toMatchObject({
    'weekly/theme': 'dark',
    'weekly/g-1/2026-W05': { body: 5, care: 4, note: 'Rain all week' },
  })
  expect(client.groups.list().map(({ name }) => name)).toEqual(['Choir', 'Kitchen table'])
})

const realAfter = (ms: number, run: () => void): (() => void) => {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}
