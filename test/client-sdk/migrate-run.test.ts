// Taking over localStorage on one device, offline: what is made, what is left out, dry runs, and the worked examples.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { migrateLocalStorage } from '../../client-sdk/migrate-local-storage.ts'
import type { MigrationPlan, Step } from '../../client-sdk/migrate-types.ts'
import { createMemoryDisk } from '../../client-sdk/offline/memory.ts'
import { chooseSeed } from '../helpers/random.ts'
import { createStorage, openTab, readFixture, readTitles, TODO_PLAN, todoStorage } from './migration-scene.ts'

const planOf = (into: (value: unknown, id: (key: string) => string) => Iterable<Step>): MigrationPlan => ({
  app: 'app',
  sources: [{ key: 'data', into: (value, context) => into(value, context.id) }],
})

const HOME: Step = { group: { key: 'home', name: 'Home' } }

test('[MG1] each value becomes what the plan says, in the order of the plan', async () => {
  await using client = await openTab()
  const storage = createStorage(readFixture('todomvc.json'))
  const report = await migrateLocalStorage(client, TODO_PLAN, { storage })
  const titles = ['Buy milk', 'Water the ferns ✓', 'Ring the piano tuner', 'Return the library books 📚 ✓']
  expect(await readTitles(client)).toEqual(titles)
  expect(report).toMatchObject({ made: 6, present: 0, isDryRun: false, isTakenByAnother: false })
  expect(report.receipt).toMatchObject({ app: 'todomvc', storedAt: null, removedAt: null, undoneAt: null })
  expect(report.receipt?.made.map(({ what }) => what)).toEqual(['group', 'channel', ...Array(4).fill('task.add')])
  expect(storage.keys()).toEqual(Object.keys(readFixture('todomvc.json')))
})

test('[MG1] boards, chats, settings and drafts, and what follows in a record', async () => {
  await using client = await openTab()
  const at = Date.UTC(2020, 1, 2)
  const plan = planOf((_value, id) => [
    HOME,
    { channel: { key: 'board', group: 'home', type: 'KANBAN', name: 'Board' } },
    { channel: { key: 'talk', group: 'home', type: 'CHAT', name: 'Talk' } },
    { operation: { key: 'doing', document: 'board', name: 'column.add', input: { name: 'Doing' } } },
    {
      operation: {
        key: 'fence',
        document: 'board',
        name: 'card.add',
        input: { title: 'Paint', column: id('doing') },
        followedBy: [{ name: 'card.update', input: { title: 'Paint the fence' } }],
      },
    },
    { operation: { key: 'hi', document: 'talk', name: 'message.send', input: { body: 'Hello' }, at } },
    { operation: { key: 'theme', document: 'me', name: 'setting.set', input: { key: 'theme', value: 'dark' } } },
    { operation: { key: 'half', document: 'me', name: 'draft.set', input: { key: 'talk', value: 'Half a' } } },
  ])
  const storage = createStorage({ data: '1' })
  const report = await migrateLocalStorage(client, plan, { storage })
  expect(report.errors).toEqual([])
  const ids = new Map(report.receipt?.made.map(({ key, id }) => [key, id]))
  const board = await client.board(ids.get('board') ?? '')
  expect(board.read().columns).toMatchObject([{ name: 'Doing', cards: [{ title: 'Paint the fence' }] }])
  const talk = await client.chat(ids.get('talk') ?? '')
  const [message] = talk.read().messages
  expect(message).toMatchObject({ body: 'Hello', sentAt: at, by: client.user.id })
  expect(message?.id.startsWith(`${client.user.id}.`)).toBe(true)
  expect((await client.me()).read()).toMatchObject({ settings: { theme: 'dark' }, drafts: { talk: 'Half a' } })
  expect(await migrateLocalStorage(client, plan, { storage })).toMatchObject({ made: 0, present: 8, errors: [] })

  expect(await report.undo()).toEqual({ removed: 8, left: [] })
  expect(client.groups.list()).toEqual([])
  expect((await client.me()).read()).toMatchObject({ settings: {}, drafts: {} })
})

test('[MG2] a dry run writes nothing and says what a run will make', async () => {
  const disk = createMemoryDisk()
  await using client = await openTab(disk)
  const storage = createStorage(readFixture('todomvc.json'))
  const dump = async () => {
    const area = await disk.open(`user-${client.user.id}`)
    return [await area.documents(), await area.list(''), await (await disk.open('device')).list('')]
  }
  const before = await dump()
  const dry = await migrateLocalStorage(client, TODO_PLAN, { storage, dryRun: true })
  expect(await dump()).toEqual(before)
  expect(dry.receipt).toBeNull()
  await expect(dry.stored()).rejects.toMatchObject({ code: 'record/not-found' })
  const run = await migrateLocalStorage(client, TODO_PLAN, { storage })
  expect(dry.sources).toEqual(run.sources)
  expect(dry.errors).toEqual(run.errors)
  const after = await dump()
  expect(await migrateLocalStorage(client, TODO_PLAN, { storage, dryRun: true })).toMatchObject({
    made: 0,
    present: run.made,
    receipt: run.receipt,
  })
  expect(await dump()).toEqual(after)
})

test('[MG3] a bad value is left out and reported with its place; the rest goes on', async () => {
  await using client = await openTab()
  const todo = (id: number, title: unknown) => ({ id, title, completed: false })
  const storage = createStorage({
    'todos-a': JSON.stringify([
      todo(1, 'good'),
      todo(2, 'x'.repeat(501)),
      todo(3, 7),
      todo(1, 'twice'),
      todo(4, 'last'),
    ]),
    'todos-b': '[{"id":1,',
    'todos-c': '{"not":"a list"}',
    'todos-d': JSON.stringify([todo(1, 'before'), null, todo(2, 'after')]),
  })
  const { errors, sources } = await migrateLocalStorage(client, TODO_PLAN, { storage })
  expect(errors.map(({ source, index, key, code }) => [source, index, key, code])).toEqual([
    ['todos-b', -1, null, 'input/not-json'],
    ['todos-c', 2, null, 'input/invalid'],
    ['todos-d', 3, null, 'input/invalid'],
    ['todos-a', 3, 'todos-a/2', 'input/invalid'],
    ['todos-a', 4, 'todos-a/3', 'input/invalid'],
    ['todos-a', 5, 'todos-a/1', 'id/taken'],
  ])
  expect(sources.map(({ made, present, errors: wrong }) => [made, present, wrong])).toEqual([
    [4, 0, 3],
    [0, 0, 1],
    [1, 1, 1],
    [2, 1, 1],
  ])
  expect(await readTitles(client)).toEqual(['good', 'last', 'before'])
})

const WRONG: [what: string, step: unknown, code: string][] = [
  [
    'a channel without its group',
    { channel: { key: 'c', group: 'none', type: 'TODO', name: 'c' } },
    'record/not-found',
  ],
  ['a group without a name', { group: { key: 'g', name: ' ' } }, 'input/invalid'],
  ['a record without its channel', task({ document: 'none' }), 'record/not-found'],
  ['an operation of another kind', task({ name: 'card.add' }), 'operation/unknown'],
  ['an operation that makes nothing', task({ name: 'task.delete' }), 'operation/unknown'],
  [
    'a place in the list that follows',
    task({ followedBy: [{ name: 'task.move', input: { after: null } }] }),
    'operation/unknown',
  ],
  [
    'what follows and is wrong',
    task({ followedBy: [{ name: 'task.complete', input: { done: 'yes' } }] }),
    'input/invalid',
  ],
  ['a time that has not come', task({ at: Date.now() + 1e9 }), 'input/invalid'],
  ['an empty key', task({ key: '' }), 'input/invalid'],
  ['no input', task({ input: undefined }), 'input/invalid'],
  ['what the app says itself', { problem: { key: 'p', message: 'not ours' } }, 'input/invalid'],
  ['no step at all', null, 'input/invalid'],
  ['a step of another name', { removal: { key: 'x' } }, 'input/invalid'],
]

function task(fields: object): unknown {
  return { operation: { key: 't', document: 'list', name: 'task.add', input: { title: 't' }, ...fields } }
}

test.each(WRONG)('[MG3] %s is reported and nothing of it is made', async (_what, step, code) => {
  await using client = await openTab()
  const list: Step = { channel: { key: 'list', group: 'home', type: 'TODO', name: 'List' } }
  const good = task({ key: 'good', input: { title: 'good' } }) as Step
  const { errors } = await migrateLocalStorage(
    client,
    planOf(() => [HOME, list, step as Step, good]),
    {
      storage: createStorage({ data: '1' }),
    },
  )
  expect(errors).toMatchObject([{ index: 2, code }])
  expect(await readTitles(client)).toEqual(['good'])
})

test('[MG3] where the plan says stop, one bad value and nothing is made', async () => {
  await using client = await openTab()
  const storage = createStorage(readFixture('todomvc.json'))
  const running = migrateLocalStorage(client, { ...TODO_PLAN, onInvalid: 'stop' }, { storage })
  await expect(running).rejects.toMatchObject({ code: 'input/invalid', details: { errors: [{}, {}] } })
  expect(client.groups.list()).toEqual([])
  await expect(migrateLocalStorage(client, { ...TODO_PLAN, app: 'a/b' }, { storage })).rejects.toMatchObject({
    code: 'input/invalid',
  })
})

test('[MG3] whatever is in the list, each value is made or reported', async () => {
  const seed = chooseSeed()
  process.stdout.write(`SEED=${seed}\n`)
  let madeInAll = 0
  const title = fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 600 }), fc.jsonValue())
  const entry = fc.oneof(fc.record({ id: fc.nat(30), title, completed: fc.boolean() }), fc.record({ id: fc.nat(30) }))
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { minLength: 5, maxLength: 40 }), async (entries) => {
      await using client = await openTab()
      const storage = todoStorage(entries)
      const dry = await migrateLocalStorage(client, TODO_PLAN, { storage, dryRun: true })
      const run = await migrateLocalStorage(client, TODO_PLAN, { storage })
      expect(run.made + run.errors.length).toBe(entries.length + 2)
      expect(await readTitles(client)).toHaveLength(run.made - 2)
      expect(dry.errors).toEqual(run.errors)
      madeInAll += run.made - 2
    }),
    { seed, numRuns: 30 },
  )
  expect(madeInAll).toBeGreaterThan(30)
})
