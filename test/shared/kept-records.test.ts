// Kept readings against readings from scratch: after every transaction of random histories over several replicas the two
// must be equal, and what did not change must be the object it was.
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { BOARD_KEEPER, readBoard } from '../../shared/board/model.ts'
import { keepRecords } from '../../shared/kept-records.ts'
import { AppError } from '../../shared/errors.ts'
import { type OperationContext, planOperation, runOperation } from '../../shared/operation.ts'
import { readTasks, TASK_KEEPER } from '../../shared/tasks/model.ts'
import { TASKS_KIND } from '../../shared/tasks/kind.ts'
import { chooseSeed, createRandom, type Random } from '../helpers/random.ts'
import { ANNA, BEN, contextOf, NOW, openDevice, operationOf, ruled } from './device.ts'
import { fill, type World, WORLDS, writeRaw } from './kept-records-histories.ts'

const SEED = chooseSeed()
const RUNS = 4
const STEPS = 120

interface Counts {
  checks: number
  changed: number
  kept: number
  inside: number
  operations: number
}

type Item = Readonly<Record<string, unknown>> & { readonly id: string }

/** Every object with an id in a value, at whatever depth, by where it stands. */
const itemsIn = (value: unknown, path = ''): [string, Item][] => {
  if (Array.isArray(value)) return value.flatMap((inner) => itemsIn(inner, path))
  if (typeof value !== 'object' || value === null) return []
  const inner = Object.entries(value)
  const { id } = value as Partial<Item>
  const here = typeof id === 'string' ? `${path}/${id}` : path
  const below = inner.flatMap(([, field]) => (Array.isArray(field) ? itemsIn(field, here) : []))
  return typeof id === 'string' ? [[here, value as Item], ...below] : below
}

/** What the doc has taken in: Yjs may hold back what a new doc could take in at once. */
const copyOf = (doc: Y.Doc): Y.Doc => {
  const { store } = doc
  const { pendingStructs, pendingDs } = store
  Object.assign(store, { pendingStructs: null, pendingDs: null })
  const copy = new Y.Doc()
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
  Object.assign(store, { pendingStructs, pendingDs })
  return copy
}

const openReplica = ({ kind }: World, random: Random, counts: Counts) => {
  const doc = new Y.Doc()
  kind.keep?.(doc)
  let last: unknown
  const check = (): void => {
    const value = kind.read?.(doc)
    const whole = kind.read?.(copyOf(doc))
    counts.checks++
    if (doc._transaction) counts.inside++
    if (!isDeepStrictEqual(value, whole)) expect(value).toEqual(whole)
    if (value === last) return
    counts.changed++
    if (isDeepStrictEqual(value, last)) throw new Error('another object for the same value')
    const before = new Map(itemsIn(last))
    for (const [path, item] of itemsIn(value)) {
      const known = before.get(path)
      if (known === item) counts.kept++
      else if (isDeepStrictEqual(known, item)) throw new Error(`another object for the same ${path}`)
    }
    last = value
  }
  // First of all listeners and last: before and after the keeper's own.
  doc.on('beforeObserverCalls', () => void (random.chance(0.1) && check()))
  doc.on('afterTransaction', () => void (random.chance(0.7) && check()))
  return { doc, check }
}

const runOne = (world: World, doc: Y.Doc, random: Random, counts: Counts): void => {
  const [name, input] = world.operation(random)
  const kind = ruled(world.kind)
  const operation = operationOf(kind, name)
  // The same chance for both.
  const context = (): OperationContext => ({
    ...contextOf({ actor: random.pick([ANNA, BEN]) }),
    newId: () => 'made-00000001',
  })
  const ctx = context()
  const again = { ...ctx, random: contextOf().random }
  const planIn = (where: Y.Doc, how: OperationContext): unknown => {
    try {
      return planOperation(kind, operation, where, input, how).changes
    } catch (error) {
      return error instanceof AppError ? error.code : error
    }
  }
  expect(planIn(doc, ctx)).toEqual(planIn(copyOf(doc), again))
  try {
    runOperation(kind, operation, doc, input, context())
    counts.operations++
  } catch (error) {
    if (!(error instanceof AppError)) throw error
  }
}

const play = (world: World, random: Random, counts: Counts): void => {
  const replicas = Array.from({ length: 3 }, () => openReplica(world, random, counts))
  const queues = replicas.map((): Uint8Array[] => [])
  for (const [from, { doc }] of replicas.entries()) {
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== 'network') for (const [to, queue] of queues.entries()) if (to !== from) queue.push(update)
    })
  }
  const first = replicas[0]?.doc as Y.Doc
  fill(world, first, random)
  for (let step = 0; step < STEPS; step++) {
    const at = random.int(0, replicas.length - 1)
    const { doc, check } = replicas[at] as (typeof replicas)[number]
    const queue = queues[at] as Uint8Array[]
    const act = random.int(0, 11)
    if (act <= 3) runOne(world, doc, random, counts)
    else if (act <= 5) writeRaw(world, doc, random)
    else if (act === 6) {
      doc.transact(() => {
        for (let left = random.int(1, 30); left > 0; left--) {
          writeRaw(world, doc, random)
          if (random.chance(0.1)) check()
        }
      })
    } else if (act === 7) {
      // A write by who hears of a write.
      const observer = (): void => writeRaw(world, doc, random)
      const map = doc.getMap(world.kind.collections[0]?.name)
      doc.once('beforeObserverCalls', observer)
      map.set('task-0000000000', { odd: step })
      doc.off('beforeObserverCalls', observer)
    } else if (act === 8) {
      const from = random.pick(replicas).doc
      Y.applyUpdate(doc, Y.encodeStateAsUpdate(from, random.pick([undefined, Y.encodeStateVector(doc)])), 'network')
    } else {
      // Some of what is on its way, in any order: edits come before their records.
      for (let left = random.int(0, queue.length); left > 0; left--) {
        const [update] = queue.splice(random.chance(0.5) ? 0 : random.int(0, queue.length - 1), 1)
        Y.applyUpdate(doc, update as Uint8Array, 'network')
      }
    }
  }
  for (const { doc } of replicas) for (const other of replicas) Y.applyUpdate(other.doc, Y.encodeStateAsUpdate(doc))
  for (const { check } of replicas) check()
}

describe.each(WORLDS.map((world) => [world.kind.name, world] as const))('%s', (name, world) => {
  test(`[RE13] after every transaction a kept reading is a reading from scratch, SEED=${SEED}`, () => {
    const counts: Counts = { checks: 0, changed: 0, kept: 0, inside: 0, operations: 0 }
    const random = createRandom(SEED)
    for (let run = 0; run < RUNS; run++) play(world, random.fork(), counts)
    process.stdout.write(`kept ${name}: ${JSON.stringify(counts)}\n`)
    expect(counts.checks).toBeGreaterThan(RUNS * STEPS)
    expect(counts.changed).toBeGreaterThan(RUNS * 20)
    expect(counts.kept).toBeGreaterThan(counts.changed * 5)
    expect(counts.inside).toBeGreaterThan(RUNS)
    expect(counts.operations).toBeGreaterThan(RUNS * 5)
  })
})

const list = () => {
  const device = openDevice(TASKS_KIND)
  const ids = Array.from({ length: 30 }, (_, index) => `task-${String(index).padStart(10, '0')}`)
  for (const id of ids) device.run('task.add', { id, title: id })
  return { ...device, ids, stop: keepRecords(device.doc, TASK_KEEPER) }
}

describe('what did not change', () => {
  test('[RE14] is the same object: the value, the list, and each record', () => {
    const { doc, run, ids } = list()
    const before = readTasks(doc)
    expect(readTasks(doc)).toBe(before)
    run('task.update', { id: ids[7], title: 'Changed' })
    const after = readTasks(doc)
    expect(after).not.toBe(before)
    const changed = after.tasks.filter((task, index) => task !== before.tasks[index])
    expect(changed.map(({ id, title }) => [id, title])).toEqual([[ids[7], 'Changed']])
    // A value that is written and says the same, a record that is not shown, other roots.
    doc.getMap('tasks:edits').set(`${ids[7]}.title`, 'Changed')
    doc.getMap('tasks:edits').set('task-unknown-1.title', 'Nobody')
    doc.getMap('other').set('key', 1)
    expect(readTasks(doc)).toBe(after)
  })

  test('[RE14] is the same object after a state that brings more than can be mended one by one', () => {
    const { doc, ids } = list()
    const before = readTasks(doc)
    const other = openDevice(TASKS_KIND)
    Y.applyUpdate(other.doc, Y.encodeStateAsUpdate(doc))
    for (const id of ids.slice(0, 20)) other.run('task.complete', { id, done: true })
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(other.doc))
    const { tasks } = readTasks(doc)
    expect(tasks.filter((task, index) => task === before.tasks[index]).map(({ id }) => id)).toEqual(ids.slice(20))
    expect(tasks).toEqual(readTasks(copyOf(doc)).tasks)
  })

  test('[RE14] is the same object where a card goes from one unknown column to another', () => {
    const doc = new Y.Doc()
    keepRecords(doc, BOARD_KEEPER)
    const card = { title: 'Paint', createdAt: NOW, createdBy: ANNA, place: { column: 'column-gone-1', position: 'a0' } }
    doc.getMap('cards').set('card-0000000001', card)
    const before = readBoard(doc)
    expect(before.columns.map(({ id, cards }) => [id, cards.length])).toEqual([['unsorted', 1]])
    doc.getMap('cards:edits').set('card-0000000001.place', { column: 'column-gone-2', position: 'a0' })
    expect(readBoard(doc)).toBe(before)
    doc.getMap('cards:edits').set('card-0000000001.place', { column: 'column-gone-2', position: 'a1' })
    expect(readBoard(doc)).not.toBe(before)
  })
})

describe('keeping', () => {
  test('[RE13] ends with its undo or with the doc: then every reading is from scratch', () => {
    for (const end of ['undo', 'destroy'] as const) {
      const { doc, ids, stop } = list()
      expect(readTasks(doc)).toBe(readTasks(doc))
      if (end === 'undo') stop()
      else doc.destroy()
      expect(readTasks(doc)).not.toBe(readTasks(doc))
      doc.getMap('tasks:edits').set(`${ids[0]}.deletedAt`, NOW)
      expect(readTasks(doc).tasks.map(({ id }) => id)).toEqual(ids.slice(1))
    }
  })

  test('[RE13] may begin in the middle of a transaction, and twice', () => {
    const { doc } = openDevice(TASKS_KIND)
    const task = { title: 'Milk', position: 'a0', createdAt: NOW, createdBy: ANNA }
    doc.transact(() => {
      doc.getMap('tasks').set('task-0000000001', task)
      keepRecords(doc, TASK_KEEPER)
      keepRecords(doc, TASK_KEEPER)
      expect(readTasks(doc).tasks).toHaveLength(1)
      doc.getMap('tasks').set('task-0000000002', task)
      expect(readTasks(doc).tasks).toHaveLength(2)
    })
    expect(readTasks(doc).tasks).toHaveLength(2)
  })
})
