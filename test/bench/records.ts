// `node test/bench/records.ts`: what 10,000 tasks cost a device that opens them. Each round is a process of its own that
// has read no record before, and then reads the same again; prints milliseconds and bytes, exits with 1 when the middle
// one of the cold rounds is over a bar.
import { execFileSync } from 'node:child_process'
import { writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as Y from 'yjs'
import { applyState } from '../../shared/apply-state.ts'
import { writeChanges } from '../../shared/operation.ts'
import { createChange, editChange } from '../../shared/records.ts'
import type { Change } from '../../shared/rules.ts'
import { readTasks, TASKS } from '../../shared/tasks/model.ts'
import { median } from './statistics.ts'

const TASKS_COUNT = 10_000
const EDITS_COUNT = 1_000
export const MS_MAX = 100
export const HEAP_BYTES_MAX = 15 * 1024 * 1024
const ROUNDS = 5
const SELF = fileURLToPath(import.meta.url)

export interface Cost {
  /** From the encoded update to the first list of tasks. */
  readonly loadMs: number
  readonly readMs: number
  /** What stays on the heap: the doc and the list. */
  readonly heapBytes: number
}

const numbered = (name: string, index: number): string => `${name}-${String(index).padStart(10, '0')}`

/** An update as a server sends it: 10,000 tasks of 8 fields, by several devices, 1,000 of them with a field edited. */
export const encodeTasks = (): Uint8Array => {
  const docs = Array.from({ length: 4 }, () => new Y.Doc())
  for (const [device, doc] of docs.entries()) {
    const changes: Change[] = []
    for (let index = device; index < TASKS_COUNT; index += docs.length)
      changes.push(
        createChange(TASKS, numbered('task', index), {
          title: `Task number ${index}`,
          details: 'What there is to say about it, in one line or two.',
          dueDate: '2026-02-11',
          assignee: numbered('user', index % 20),
          labels: ['home', 'soon'],
          position: `c${String(index).padStart(3, '0')}V`,
          createdAt: 1_770_800_000_000 + index,
          createdBy: numbered('user', index % 7),
        }),
      )
    // As people write: one transaction each.
    for (const change of changes) writeChanges(doc, [change], null)
  }
  const merged = new Y.Doc()
  for (const doc of docs) Y.applyUpdate(merged, Y.encodeStateAsUpdate(doc))
  for (let edit = 0; edit < EDITS_COUNT; edit++) {
    const id = numbered('task', (edit * 7) % TASKS_COUNT)
    writeChanges(
      merged,
      [editChange(TASKS, id, edit % 2 === 0 ? 'title' : 'doneAt', edit % 2 === 0 ? 'Edited' : edit)],
      null,
    )
  }
  return Y.encodeStateAsUpdate(merged)
}

const heapUsed = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

/** In a process of its own. */
const measure = (update: Uint8Array): Cost => {
  const heapBefore = heapUsed()
  const start = performance.now()
  const doc = new Y.Doc()
  applyState(doc, update)
  const loaded = performance.now()
  const list = readTasks(doc)
  const read = performance.now()
  const heapBytes = heapUsed() - heapBefore
  if (list.tasks.length !== TASKS_COUNT) throw new Error(`read ${list.tasks.length} tasks`)
  return { loadMs: loaded - start, readMs: read - loaded, heapBytes }
}

interface Round extends Cost {
  /** The same once more, by code that is compiled: what a process that runs already pays. */
  readonly warmMs: number
}

/** One round in a process of its own: cold, then warm. */
export const measureCold = (update: Uint8Array): Round =>
  JSON.parse(
    execFileSync(process.execPath, ['--expose-gc', SELF, 'child'], { input: update, encoding: 'utf8' }),
  ) as Round

const readAll = async (): Promise<Uint8Array> => {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

if (process.argv[1] === SELF) {
  if (process.argv[2] === 'child') {
    const update = await readAll()
    const cold = measure(update)
    const { loadMs, readMs } = measure(update)
    writeSync(1, JSON.stringify({ ...cold, warmMs: loadMs + readMs } satisfies Round))
  } else {
    const update = encodeTasks()
    const costs = Array.from({ length: ROUNDS }, () => measureCold(update))
    const msOf = ({ loadMs, readMs }: Cost): number => loadMs + readMs
    for (const cost of costs) {
      const mib = (cost.heapBytes / 1024 / 1024).toFixed(1)
      const [load, read] = [cost.loadMs.toFixed(0), cost.readMs.toFixed(0)]
      process.stdout.write(
        `${msOf(cost).toFixed(0)} ms (load ${load}, first read ${read}), warm ${cost.warmMs.toFixed(0)} ms, ${mib} MiB of heap\n`,
      )
    }
    const cost = { ms: median(costs.map(msOf)), heap: median(costs.map(({ heapBytes }) => heapBytes)) }
    const held = cost.ms <= MS_MAX && cost.heap <= HEAP_BYTES_MAX
    process.stdout.write(
      `${TASKS_COUNT} tasks, ${EDITS_COUNT} edits, ${update.length} bytes: median ${cost.ms.toFixed(0)} ms (bar ${MS_MAX}), ` +
        `${(cost.heap / 1024 / 1024).toFixed(1)} MiB (bar ${HEAP_BYTES_MAX / 1024 / 1024}): ${held ? 'held' : 'NOT held'}\n`,
    )
    if (!held) process.exitCode = 1
  }
}
