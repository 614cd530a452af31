// `npm run test:soak`: fresh seeds for ten minutes, or for as many as are given; stops by itself, and at the first failure
// with exit code 1.
import { KINDS } from '../../shared/registry.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { isSimulated, simulateAll } from './runs.ts'
import { type Counts, OPERATIONS_PER_RUN } from './simulation.ts'

const MINUTES = 10
const BATCH = 20
const PROGRESS_MS = 60_000

const print = (line: string): void => void process.stdout.write(`${line}\n`)
const minutes = Number(process.argv[2] ?? MINUTES)
if (!(minutes > 0)) throw new Error('expected a number of minutes')

const random = createRandom(chooseSeed())
const kinds = [...KINDS.values()].filter(isSimulated)
const startedAt = Date.now()
const totals = new Map(kinds.map((kind) => [kind.name, 0]))
const state = (): string => [...totals].map(([name, runs]) => `${name} ${runs}`).join(', ')

print(`soak: ${minutes} minutes, SEED=${random.seed}`)
let shownAt = startedAt
try {
  while (Date.now() - startedAt < minutes * 60_000) {
    for (const kind of kinds) {
      const counts: Counts = {}
      simulateAll(
        kind,
        Array.from({ length: BATCH }, () => random.int(0, 2 ** 32 - 1)),
        counts,
      )
      totals.set(kind.name, (totals.get(kind.name) ?? 0) + BATCH)
    }
    if (Date.now() - shownAt < PROGRESS_MS) continue
    shownAt = Date.now()
    print(`${Math.round((shownAt - startedAt) / 60_000)} min: ${state()} runs of ${OPERATIONS_PER_RUN} operations`)
  }
  print(`soak: no failure in ${state()} runs of ${OPERATIONS_PER_RUN} operations`)
} catch (error) {
  print(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
