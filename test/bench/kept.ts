// `node test/bench/kept.ts`: what an edit of a list of 10,000 tasks costs a device that shows it, from the operation to the
// new value, with the reading kept and without. Prints milliseconds, p50 and p95.
import { writeSync } from 'node:fs'
import * as Y from 'yjs'
import { keepRecords } from '../../shared/kept-records.ts'
import { isRightAfter, mustPlace } from '../../shared/order.ts'
import { type Operation, type OperationContext, runOperation, writeChanges } from '../../shared/operation.ts'
import { editChange } from '../../shared/records.ts'
import { TASKS_KIND } from '../../shared/tasks/kind.ts'
import { checkTaskChange, readTasks, TASK_COLLECTIONS, TASK_KEEPER, TASKS } from '../../shared/tasks/model.ts'
import { encodeTasks } from './records.ts'
import { createRandom, quantile } from './statistics.ts'

const ROUNDS_KEPT = 300
const ROUNDS_WHOLE = 30
/** Not measured: until the code is compiled. */
const WARM_UP = 20

const KIND = { collections: TASK_COLLECTIONS, rule: checkTaskChange }
const random = createRandom(1)

let made = 0
const ctx: OperationContext = {
  actor: 'user-0000000001',
  role: 'member',
  now: 1_770_900_000_000,
  members: new Set(['user-0000000001']),
  isSealed: false,
  groups: new Map(),
  deviceId: 'device-00001',
  newId: () => `made-${String(++made).padStart(10, '0')}`,
  random,
}

const milliseconds = (act: () => void): number => {
  const startedAt = performance.now()
  act()
  return performance.now() - startedAt
}

/** How long what `prepare` returns takes, `rounds` times, after some that do not count. */
const measure = (rounds: number, prepare: () => () => void): number[] => {
  for (let round = 0; round < WARM_UP; round++) prepare()()
  return Array.from({ length: rounds }, () => milliseconds(prepare()))
}

const operationOf = (name: string): Operation<unknown> => {
  const found = TASKS_KIND.operations.find((operation) => operation.name === name)
  if (!found) throw new Error(`there is no ${name}`)
  return found
}

/** Whatever somebody does to the list, and the list that is shown next. */
const editsOf = (doc: Y.Doc): ReadonlyMap<string, () => () => void> => {
  const ids = readTasks(doc).tasks.map(({ id }) => id)
  const anyId = (): string => ids[Math.floor(random() * ids.length)] as string
  const run = (name: string, inputOf: () => unknown) => () => {
    const input = inputOf()
    return () => {
      runOperation(KIND, operationOf(name), doc, input, ctx)
      readTasks(doc)
    }
  }
  const other = new Y.Doc()
  Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
  return new Map([
    ['add', run('task.add', () => ({ title: 'Something new', after: anyId() }))],
    ['update', run('task.update', () => ({ id: anyId(), title: `Changed ${random()}` }))],
    ['move', run('task.move', () => ({ id: anyId(), after: anyId() }))],
    [
      'from afar',
      () => {
        const since = Y.encodeStateVector(other)
        writeChanges(other, [editChange(TASKS, anyId(), 'title', `Changed ${random()}`)], null)
        const update = Y.encodeStateAsUpdate(other, since)
        return () => {
          Y.applyUpdate(doc, update)
          readTasks(doc)
        }
      },
    ],
  ])
}

const show = (what: string, times: readonly number[]): void => {
  const [p50, p95] = [quantile(times, 0.5).toFixed(2), quantile(times, 0.95).toFixed(2)]
  writeSync(1, `${what.padEnd(36)} p50 ${p50.padStart(7)} ms   p95 ${p95.padStart(7)} ms\n`)
}

const state = encodeTasks()
for (const isKept of [false, true]) {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, state)
  if (isKept) keepRecords(doc, TASK_KEEPER)
  const rounds = isKept ? ROUNDS_KEPT : ROUNDS_WHOLE
  const { tasks } = readTasks(doc)
  show(
    `${isKept ? 'kept' : 'whole'}: read again`,
    measure(rounds, () => () => void readTasks(doc)),
  )
  for (const [what, edit] of editsOf(doc)) show(`${isKept ? 'kept' : 'whole'}: ${what} and read`, measure(rounds, edit))
  if (!isKept) continue
  const at = (): string => tasks[Math.floor(random() * tasks.length)]?.id as string
  show(
    'isRightAfter',
    measure(rounds, () => () => void isRightAfter(tasks, at(), at())),
  )
  show(
    'mustPlace at the end',
    measure(rounds, () => () => void mustPlace(tasks, at(), undefined, random)),
  )
}
