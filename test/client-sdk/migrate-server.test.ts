// Taking over localStorage and a real server: sign-up, sign-in, a second device, the end of the old data, and undo.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Client, createClient } from '../../client-sdk/client.ts'
import { migrateLocalStorage } from '../../client-sdk/migrate-local-storage.ts'
import type { MigrationPlan, Step } from '../../client-sdk/migrate-types.ts'
import { createMemoryDisk } from '../../client-sdk/offline/memory.ts'
import type { Disk } from '../../client-sdk/offline/store.ts'
import { periodAt, previousPeriod } from '../../shared/period.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { PASSWORD } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { createStorage, onlyList, readTitles, TODO_PLAN, todosOf, todoStorage } from './migration-scene.ts'

let server: OwnServer
let people = 0
beforeAll(async () => {
  server = await startOwnServer()
})
afterAll(() => server[Symbol.asyncDispose]())

const open = (disk: Disk = createMemoryDisk()): Promise<Client> => createClient({ url: server.url, storage: { disk } })
const newName = (): string => `mover_${++people}`
const signUp = (client: Client, username = newName()) => client.auth.register({ username, password: PASSWORD })
const signIn = (client: Client, identifier: string) => client.auth.login({ identifier, password: PASSWORD })

const titlesOf = (count: number): string[] =>
  todosOf(count).map(({ title, completed }) => (completed ? `${title} ✓` : title))

/** What another device of the same person sees, once it sees all. */
const seenElsewhere = async (username: string, count: number): Promise<string[]> => {
  await using other = await open()
  await signIn(other, username)
  await eventually(
    () => other.channels.list(other.groups.list()[0]?.id ?? ''),
    (channels) => channels.length === 1,
  )
  const list = await onlyList(other)
  await eventually(
    () => list.read().tasks.length,
    (length) => length >= count,
  )
  return await readTitles(other)
}

test('[MG12] taken over by a guest, offline, it is all on the server after sign-up, and once on a second device', async () => {
  const disk = createMemoryDisk()
  const storage = todoStorage(todosOf(300))
  const username = newName()
  const receipt = await (async () => {
    await using client = await createClient({ url: server.url, storage: { disk }, offline: true })
    return (await migrateLocalStorage(client, TODO_PLAN, { storage })).receipt
  })()
  await using client = await open(disk)
  const again = await migrateLocalStorage(client, TODO_PLAN, { storage })
  expect(again).toMatchObject({ made: 0, present: 302, receipt })
  await expect(again.removeSource()).rejects.toMatchObject({ code: 'storage/unavailable' })
  const stored = again.stored()
  await signUp(client, username)
  await stored
  expect(again.receipt?.storedAt).not.toBeNull()
  expect(await seenElsewhere(username, 300)).toEqual(titlesOf(300))
  expect(await migrateLocalStorage(client, TODO_PLAN, { storage })).toMatchObject({ made: 0, present: 302 })
  expect(await client.quarantine.list()).toEqual([])
  expect(await again.removeSource()).toEqual({ removed: ['todos-a'], kept: [] })
  expect(storage.keys()).toEqual([])
  await expect(again.undo()).rejects.toMatchObject({ code: 'delete-not-allowed' })
})

test('[MG12] two tabs that hear nothing of each other, and a device that comes later: each record once', async () => {
  const disk = createMemoryDisk()
  const storage = todoStorage(todosOf(40))
  const username = newName()
  const guest = await open(disk)
  await using another = await createClient({ url: server.url, storage: { disk }, offline: true })
  const copy = new Map((await disk.open('device').then((device) => device.list('migration/'))).entries())
  expect(copy.size).toBe(0)
  await migrateLocalStorage(guest, TODO_PLAN, { storage })
  // As if it had run at the same moment: it finds no receipt.
  const device = await disk.open('device')
  await device.write({ del: [...(await device.list('migration/')).keys()] })
  expect(await migrateLocalStorage(another, TODO_PLAN, { storage })).toMatchObject({ errors: [] })
  await signUp(guest, username)
  await guest.close()
  await using client = await open(disk)
  const report = await migrateLocalStorage(client, TODO_PLAN, { storage })
  await report.stored()
  expect(await seenElsewhere(username, 40)).toEqual(titlesOf(40))
  expect(await readTitles(client)).toEqual(titlesOf(40))
  expect(await client.quarantine.list()).toEqual([])
})

test('[MG13] a guest signs in to an account: the receipt goes along, and nothing is made twice', async () => {
  const username = newName()
  await using first = await open()
  await signUp(first, username)
  const disk = createMemoryDisk()
  await using client = await open(disk)
  const storage = todoStorage(todosOf(30))
  const plan: MigrationPlan = {
    ...TODO_PLAN,
    sources: [
      ...TODO_PLAN.sources,
      {
        key: 'talk',
        *into(): Iterable<Step> {
          yield { group: { key: 'home', name: 'My lists' } }
          yield { channel: { key: 'talk', group: 'home', type: 'CHAT', name: 'talk' } }
          yield { operation: { key: 'hi', document: 'talk', name: 'message.send', input: { body: 'Hello' } } }
        },
      },
    ],
  }
  storage.setItem('talk', '1')
  const report = await migrateLocalStorage(client, plan, { storage })
  const stored = report.stored()
  await signIn(client, username)
  await stored
  const again = await migrateLocalStorage(client, plan, { storage })
  expect(again).toMatchObject({ made: 0, errors: [] })
  expect(again.receipt?.made.find(({ key }) => key === 'hi')?.id).toMatch(new RegExp(`^${client.user.id}\\.`))
  expect(await readTitles(client)).toEqual(titlesOf(30))
  expect(await client.quarantine.list()).toEqual([])
  expect(await again.undo()).toEqual({ removed: 34, left: [] })
  await eventually(
    () => client.groups.list(),
    (groups) => groups.length === 0,
  )
})

test('[MG14] somebody else on the device gets nothing of it unless they ask, and then as records of their own', async () => {
  const disk = createMemoryDisk()
  const storage = todoStorage(todosOf(5))
  await using client = await open(disk)
  await signUp(client)
  await (await migrateLocalStorage(client, TODO_PLAN, { storage })).stored()
  await client.auth.logout()
  const mine = await migrateLocalStorage(client, TODO_PLAN, { storage })
  expect(mine).toMatchObject({ isTakenByAnother: true, made: 0, receipt: null })
  await expect(mine.removeSource()).rejects.toMatchObject({ code: 'auth/required' })
  expect(client.groups.list()).toEqual([])
  const own = await migrateLocalStorage(client, TODO_PLAN, { storage, again: true })
  expect(own).toMatchObject({ isTakenByAnother: false, made: 7 })
  await signUp(client)
  await own.stored()
  expect(await readTitles(client)).toEqual(titlesOf(5))
})

test('[MG15] the source stays when the old app has written since, or a value of it was left out', async () => {
  await using client = await open()
  await signUp(client)
  const storage = createStorage({ 'todos-a': JSON.stringify(todosOf(2)), 'todos-b': JSON.stringify([{ id: 1 }]) })
  const report = await migrateLocalStorage(client, TODO_PLAN, { storage })
  await report.stored()
  storage.setItem('todos-a', JSON.stringify(todosOf(3)))
  await expect(report.removeSource()).rejects.toMatchObject({ code: 'version/stale', details: { keys: ['todos-a'] } })
  storage.setItem('todos-c', '[]')
  const later = await migrateLocalStorage(client, TODO_PLAN, { storage })
  expect(later).toMatchObject({ made: 2 })
  expect(later.receipt?.storedAt).toBeNull()
  await later.stored()
  expect(await report.removeSource()).toEqual({ removed: ['todos-a', 'todos-c'], kept: ['todos-b'] })
  expect(storage.keys()).toEqual(['todos-b'])
  expect(await later.removeSource({ withErrors: true })).toEqual({ removed: ['todos-b'], kept: [] })
})

test('[MG15] nor does it go while a command or an edit was refused', async () => {
  await using client = await open()
  await signUp(client)
  const storage = todoStorage(todosOf(3))
  const [source] = TODO_PLAN.sources
  const plan: MigrationPlan = {
    app: 'todomvc',
    sources: [
      {
        key: 'todos-a',
        *into(value, context): Iterable<Step> {
          for (const step of source?.into(value, context) ?? []) {
            const isSecond = 'operation' in step && step.operation.key === 'todos-a/2'
            // Nobody of this id is in the group; this device cannot know.
            const input = { title: 'two', assignee: 'nobody-0000000001' }
            yield isSecond ? { operation: { ...step.operation, input } } : step
          }
        },
      },
    ],
  }
  const report = await migrateLocalStorage(client, plan, { storage })
  expect(report.errors).toEqual([])
  await expect(report.stored()).rejects.toMatchObject({ code: 'not-a-member' })
  await expect(report.removeSource()).rejects.toMatchObject({ code: 'not-a-member' })
  // One refused edit costs itself only.
  expect(await client.quarantine.list()).toHaveLength(1)
  expect(await readTitles(client)).toEqual(['todo 1 ✓', 'todo 3'])
  const [refused] = await client.quarantine.list()
  await client.quarantine.discard(refused?.id ?? '')
  await report.stored()
  expect(await report.removeSource()).toEqual({ removed: ['todos-a'], kept: [] })
})

test('[MG16] what was taken back before sign-up never reaches the server', async () => {
  const disk = createMemoryDisk()
  await using client = await open(disk)
  const now = Date.now()
  const week = periodAt(now, { timezone: 'UTC', frequency: 'weekly', createdAt: now })
  const scores = { productive: 5, satisfied: 5, body: 5, care: 5 }
  const checkIn = (context: { id: (key: string) => string }, period: string): Step => ({
    operation: {
      key: `in/${period}`,
      document: 'checkIns',
      name: 'checkin.submit',
      input: { groupId: context.id('choir'), period, ...scores },
    },
  })
  const plan: MigrationPlan = {
    app: 'weekly',
    sources: [
      {
        key: 'weeks',
        into: (_value, context) => [
          { group: { key: 'choir', name: 'Choir' } },
          checkIn(context, week),
          checkIn(context, previousPeriod(week)),
        ],
      },
    ],
  }
  const storage = createStorage({ weeks: '1' })
  const own = await client.groups.create({ name: 'Own' })
  const checkIns = await client.checkIns()
  const report = await migrateLocalStorage(client, plan, { storage })
  expect(report.errors).toMatchObject([{ code: 'not-a-member' }])
  // After those of the import, so that it builds on them.
  checkIns.submit({ groupId: own.id, ...scores })
  expect(await report.undo()).toEqual({ removed: 2, left: [] })
  expect(checkIns.read().checkins).toMatchObject([{ groupId: own.id, retracted: false }])
  await signUp(client)
  await checkIns.stored()
  expect(await client.quarantine.list()).toEqual([])
  await eventually(
    () => client.groups.list(),
    (groups) => groups.length === 1 && groups[0]?.isPending === false,
  )
  // And once more, for good.
  const later = await migrateLocalStorage(client, plan, { storage })
  await later.stored()
  expect(checkIns.read().checkins).toHaveLength(2)
  expect(await client.quarantine.list()).toEqual([])
})

test('[MG17] an undo takes groups and channels off the server, where they hold nothing else', async () => {
  await using client = await open()
  await signUp(client)
  const storage = todoStorage(todosOf(20))
  const report = await migrateLocalStorage(client, TODO_PLAN, { storage })
  await report.stored()
  const list = await onlyList(client)
  const id = list.add({ title: 'mine' })
  const undone = await report.undo()
  expect(undone.left.map(({ key }) => key)).toEqual(['home', 'todos-a'])
  expect(await readTitles(client)).toEqual(['mine'])
  list.delete({ id })
  await list.stored()
  expect(await report.undo()).toEqual({ removed: 2, left: [] })
  await eventually(
    () => client.groups.list(),
    (groups) => groups.length === 0,
  )
  await (await migrateLocalStorage(client, TODO_PLAN, { storage })).stored()
  expect(await readTitles(client)).toEqual(titlesOf(20))
  expect(await client.quarantine.list()).toEqual([])
})
