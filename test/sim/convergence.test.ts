// Convergence: whatever devices do, in whatever order it arrives, all end with the same, and nothing forbidden shows on
// the way. SIM=kind:seed runs one seed alone and prints its steps.
import { describe, expect, test } from 'vitest'
import { KINDS } from '../../shared/registry.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { isSimulated, simulateAll, simulateOne } from './runs.ts'
import type { Counts } from './simulation.ts'

const RUNS = 2_000
const CHUNKS = 4
/** One run alone, `kind:seed`. */
const ONE = process.env['SIM']

const kinds = [...KINDS.values()].filter(isSimulated)
const random = createRandom(chooseSeed())
const runsEach = Math.ceil(RUNS / kinds.length / CHUNKS)

const simulateDevices = (): void => {
  process.stdout.write(`convergence: SEED=${random.seed}\n`)

  describe.each(kinds.map((kind) => [kind.name, kind] as const))('%s', (name, kind) => {
    const counts: Counts = {}

    test.each(Array.from({ length: CHUNKS }, (_, chunk) => chunk))('[CV1] all devices end alike, part %i', () => {
      const seeds = Array.from({ length: runsEach }, () => random.int(0, 2 ** 32 - 1))
      simulateAll(kind, seeds, counts)
    })

    test('[CV2] the runs did something: every operation, undo and redo, crashes, and cheats that were refused', () => {
      const wanted = [...kind.operations.map((operation) => `${operation.name} ok`), 'operation refused']
      for (const what of [...wanted, 'accepted', 'undo', 'redo', 'crash', 'cheat refused', 'cheat accepted'])
        expect([what, counts[what] ?? 0]).toEqual([what, expect.toSatisfy((count: number) => count >= runsEach / 10)])
      process.stdout.write(`${name}: ${JSON.stringify(counts)}\n`)
    })
  })

  test('[CV4] the same seed gives the same run', () => {
    const steps = ['chat:1', 'chat:1', 'chat:2'].map((run) => {
      const lines: string[] = []
      simulateOne(run, (line) => void lines.push(line))
      return lines.join('\n')
    })
    expect(steps[0]).toBe(steps[1])
    expect(steps[0]).not.toBe(steps[2])
  })
}

if (ONE === undefined) describe('simulated devices', simulateDevices)
else test('one simulated run', () => simulateOne(ONE, (line) => void process.stdout.write(`${line}\n`)))
