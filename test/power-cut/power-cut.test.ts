// RT-03: the power goes 100 times while the journal is written. What was acknowledged must be in the file, and the file
// must open. The same with a commit that does not sync must lose, or this test proves nothing.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, test } from 'vitest'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { ROOT } from '../helpers/processes.ts'
import { type CutResult, cutPower, DATABASE_NAME } from './check.ts'
import { needStrace, record } from './record.ts'

const CUTS = 100
const APPENDS = 400
const TEST_MS_MAX = 900_000

beforeAll(needStrace, TEST_MS_MAX)

const run = async (synchronous: 'FULL' | 'NORMAL', cuts: number): Promise<CutResult[]> => {
  const seed = chooseSeed()
  process.stdout.write(`power cut, synchronous=${synchronous}: SEED=${seed}\n`)
  const base = await mkdtemp(join(tmpdir(), 'syncline-power-cut-'))
  try {
    const directory = join(base, 'data')
    await mkdir(directory)
    const ackPath = join(base, 'acks')
    const args = [join(directory, DATABASE_NAME), ackPath, String(seed), String(APPENDS), synchronous]
    const events = await record(join(ROOT, 'test/power-cut/child.ts'), args, { directory, ackPath })
    const results = await cutPower(events, cuts, createRandom(seed), base)
    const sum = (of: (result: CutResult) => number): number => results.reduce((total, one) => total + of(one), 0)
    process.stdout.write(
      `power cut, synchronous=${synchronous}: ${events.length} events, ${results.length} cuts, ` +
        `${sum(({ acknowledged }) => acknowledged)} updates at stake, ${sum(({ lost }) => lost)} lost, ` +
        `${sum(({ unsynced }) => unsynced)} changes unsynced, ${sum(({ broken }) => Number(broken !== null))} broken\n`,
    )
    return results
  } finally {
    await rm(base, { recursive: true, force: true })
  }
}

test(
  '[DU6] 100 power cuts that drop, reorder and tear what was not synced lose no acknowledged update and break no file',
  async () => {
    const results = await run('FULL', CUTS)
    assert.deepEqual(
      results.filter(({ lost, broken }) => lost > 0 || broken !== null),
      [],
    )
    assert.equal(results.length, CUTS)
    assert.ok(results.filter(({ unsynced }) => unsynced > 0).length > CUTS / 5, 'hardly a cut had anything to drop')
    assert.ok(results.filter(({ acknowledged }) => acknowledged > 0).length > CUTS / 2, 'hardly anything was at stake')
  },
  TEST_MS_MAX,
)

test(
  '[DU7] the same power cuts lose acknowledged updates when commits do not sync, so the simulation can tell',
  async () => {
    const results = await run('NORMAL', CUTS / 4)
    assert.ok(results.some(({ lost }) => lost > 0))
  },
  TEST_MS_MAX,
)
