// What asking a kind's rule about every change adds to an update: `node test/bench/rules.ts`. Ten thousand honest updates
// of one change each are judged, with the rule and without it, and applied.
import * as Y from 'yjs'
import { type Facts, judge } from '../../server/sync/verdict.ts'
import { TASKS_KIND } from '../../shared/tasks/kind.ts'

const UPDATES = 10_000
const ROUNDS = 15
const US_MAX = 5
const USER = 'user-0000000001'
const CLIENT_ID = 1

/** Half of them create a task, half change one: each an update of its own. */
const honestUpdates = (): Uint8Array[] => {
  const doc = new Y.Doc()
  doc.clientID = CLIENT_ID
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  const tasks = doc.getMap('tasks')
  const edits = doc.getMap('tasks:edits')
  for (let i = 0; i < UPDATES / 2; i++) {
    const id = `task-${String(i).padStart(8, '0')}`
    const title = `Task number ${i}`
    tasks.set(id, { title, labels: ['a', 'b'], position: 'a0', createdAt: i, createdBy: USER })
    edits.set(`task-${String(i % 100).padStart(8, '0')}.title`, `${title}, changed`)
  }
  return updates
}

const FACTS: Omit<Facts, 'doc' | 'kind'> = {
  actor: USER,
  role: 'member',
  now: 0,
  members: new Set([USER]),
  isSealed: false,
  groups: new Map(),
  readOnly: false,
  claims: new Map([[CLIENT_ID, USER]]),
  documentBytes: 0,
}

/** Microseconds of CPU time for judging and applying an update. */
const measure = (updates: readonly Uint8Array[], kind: Facts['kind']): number => {
  const doc = new Y.Doc()
  const startedAt = process.threadCpuUsage()
  for (const update of updates) {
    const { verdict } = judge({ ...FACTS, doc, kind }, update)
    if (verdict !== 'accept') throw new Error(verdict)
    Y.applyUpdate(doc, update)
  }
  const { user, system } = process.threadCpuUsage(startedAt)
  return (user + system) / updates.length
}

const updates = honestUpdates()
const { roots, rule } = TASKS_KIND
const times: { readonly ruled: number[]; readonly plain: number[] } = { ruled: [], plain: [] }
for (let round = 0; round < ROUNDS; round++) {
  times.plain.push(measure(updates, { roots }))
  times.ruled.push(measure(updates, rule ? { roots, rule } : { roots }))
}
// The best rounds: what others do on the machine, and the compiler, only ever add.
const [ruled, plain] = [Math.min(...times.ruled), Math.min(...times.plain)]
process.stdout.write(
  `${UPDATES} updates of one change, judged and applied: ${plain.toFixed(2)} µs each without rules, ` +
    `${ruled.toFixed(2)} µs with; rules add ${(ruled - plain).toFixed(2)} µs (at most ${US_MAX})\n`,
)
if (ruled - plain > US_MAX) process.exitCode = 1
