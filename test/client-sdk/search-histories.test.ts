// Search after random edits, against a plain scan of what people read; and what a large document costs, in printed figures.
import { expect, onTestFinished, test } from 'vitest'
import { createSearch, type Search, type SearchHit } from '../../client-sdk/search.ts'
import type { Handle } from '../../client-sdk/client-types.ts'
import type { readTasks, Task } from '../../shared/tasks/model.ts'
import { chooseSeed, createRandom, type Random } from '../helpers/random.ts'
import { openDocument } from './consumer/open-document.ts'

const SERVER = { source: 'server' }

type Tasks = Handle<ReturnType<typeof readTasks>>

/** The subscribers of a document hear of an edit in a microtask. */
const told = (): Promise<void> => new Promise((resolve) => queueMicrotask(resolve))

const newSearch = (): Search => {
  const search = createSearch()
  onTestFinished(search.close)
  return search
}

const openTasks = async (): Promise<Tasks> => (await openDocument<never>('tasks/channel-001')).handle

const ids = (hits: readonly SearchHit[]): string[] => hits.map(({ id }) => id)

const add = (list: Tasks, title: string, more: object = {}): unknown => list.run('task.add', { title, ...more })

const WORDS = [
  'milk',
  'bread',
  'crème',
  'Straße',
  'ferry',
  'nine',
  'harbour',
  'Ångström',
  'a',
  'to',
  'don’t',
  'x-ray',
  '42',
]
const SEPARATORS = [' ', ', ', '. ', '; ', ' — ', ' / ']
const FOLDED = new Intl.Collator('en', { sensitivity: 'base', ignorePunctuation: false })

const phrase = (random: Random, wordsMax: number): string =>
  Array.from({ length: random.int(1, wordsMax) }, () => random.pick(WORDS) + random.pick(SEPARATORS))
    .join('')
    .trim()

/** Words as a person would tell them apart; nothing of the index's own. */
const scan = (tasks: readonly Task[], query: readonly string[]): string[] =>
  tasks
    .filter((task) => {
      const words = [task.title, task.details].join(' ').match(/[\p{L}\p{N}\p{M}]+/gu) ?? []
      return query.every((wanted) => words.some((word) => FOLDED.compare(word, wanted) === 0))
    })
    .map(({ id }) => id)

const edit = (list: Tasks, random: Random): void => {
  const { tasks } = list.read()
  const task = tasks.length > 0 ? random.pick(tasks) : null
  const roll = random.int(0, 9)
  if (!task || roll < 4) add(list, phrase(random, 4), random.chance(0.3) ? { details: phrase(random, 12) } : {})
  else if (roll < 6) list.run('task.update', { id: task.id, title: phrase(random, 4) })
  else if (roll < 7) list.run('task.update', { id: task.id, details: phrase(random, 12) })
  else if (roll < 8) list.run('task.move', { id: task.id, after: null })
  else if (roll < 9) list.run('task.delete', { id: task.id })
  else list.undo()
}

test('[RS16] after any edits it finds every record that a plain scan finds, and none that is not there', async () => {
  const seed = chooseSeed()
  const random = createRandom(seed)
  let found = 0
  let edits = 0
  for (let history = 0; history < 20; history++) {
    const search = newSearch()
    const list = await openTasks()
    for (let count = random.int(0, 600); count > 0; count--) edit(list, random)
    await search.index(list)
    for (let round = 0; round < 20; round++) {
      for (let count = random.int(1, 5); count > 0; count--, edits++) edit(list, random)
      await told()
      await search.index(list)
      const { tasks } = list.read()
      const query = phrase(random, 2)
      const wanted = query.match(/[\p{L}\p{N}\p{M}]+/gu) ?? []
      const hits = search.search(query, { limit: 1_000 })
      const missed = new Set(scan(tasks, wanted)).difference(new Set(ids(hits)))
      expect([...missed], `seed ${seed}: “${query}”`).toEqual([])
      const byId = new Map(tasks.map((task) => [task.id, task]))
      for (const { id, field, text } of hits) expect(byId.get(id)?.[field as 'title'], `seed ${seed}`).toBe(text)
      expect(search.size().records, `seed ${seed}`).toBe(tasks.length)
      found += hits.length
    }
  }
  process.stdout.write(`search: seed ${seed}, ${edits} edits between 400 queries, ${found} hits\n`)
  expect(found).toBeGreaterThan(400)
})

test('[RS17] ten thousand tasks are taken in turn by turn, and the figures are printed', async () => {
  const random = createRandom(chooseSeed())
  const list = await openTasks()
  const count = 10_000
  const work = { position: 'a0', createdAt: 0, createdBy: 'person-0002' }
  list.doc.transact(() => {
    const tasks = list.doc.getMap('tasks')
    for (let number = 0; number < count; number++)
      tasks.set(`task-${number}-of-many`, { title: `${phrase(random, 4)} number${number}`, ...work })
  }, SERVER)
  const search = newSearch()
  let turns = 0
  let isDone = false
  const countTurns = (): void => {
    turns++
    if (!isDone) setTimeout(countTurns)
  }
  setTimeout(countTurns)
  const started = performance.now()
  await search.index(list)
  const indexed = performance.now()
  isDone = true
  expect(search.size()).toMatchObject({ records: count, leftOut: 0 })
  expect(turns).toBeGreaterThan(20)
  // The first edit has the readers start to keep what they have read.
  list.run('task.update', { id: list.read().tasks[1]?.id as string, title: 'pin' })
  await told()
  list.run('task.update', { id: list.read().tasks[0]?.id as string, title: 'needle' })
  const edited = performance.now()
  await told()
  const updated = performance.now()
  expect(search.search('needle')).toHaveLength(1)
  const answered = performance.now()
  const ms = (from: number, to: number): string => `${(to - from).toFixed(1)} ms`
  process.stdout.write(
    `search: ${count} tasks, ${search.size().words} words indexed in ${ms(started, indexed)} over ${turns} turns, ` +
      `an edit in ${ms(edited, updated)}, a query in ${ms(updated, answered)}\n`,
  )
})
