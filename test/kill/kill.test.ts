// RT-01 and RT-02, the short form: kill -9 in the middle of writing, then count what was acknowledged and is gone. The
// same rounds against stock Hocuspocus must find a loss. `npm run test:kill` is the long form.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { chooseSeed } from '../helpers/random.ts'
import { type KillReport, runRounds } from './rounds.ts'
import { openPostgresTarget, openSqliteTarget, openStockTarget, type Target } from './targets.ts'

const TEST_MS_MAX = 1_200_000

const run = async (open: () => Promise<Target>, rounds: number): Promise<KillReport> => {
  const seed = chooseSeed()
  await using target = await open()
  process.stdout.write(`kill -9, ${target.name}: SEED=${seed}\n`)
  const report = await runRounds(target, rounds, seed)
  process.stdout.write(
    `kill -9, ${target.name}: ${rounds} rounds, ${report.acknowledged} acknowledged, ${report.lost} lost, ` +
      `${report.unanswered} found without an answer; ${JSON.stringify(Object.fromEntries(report.strikes))}\n`,
  )
  return report
}

test(
  '[DU8] on SQLite no kill -9 of the server loses an acknowledged update',
  async () => {
    const { lost, acknowledged } = await run(openSqliteTarget, 10)
    assert.equal(lost, 0)
    assert.ok(acknowledged > 1_000, `only ${acknowledged} acknowledged`)
  },
  TEST_MS_MAX,
)

test(
  '[DU9] on Postgres no kill -9 of server, database or both loses an acknowledged update',
  async () => {
    const { lost, acknowledged } = await run(openPostgresTarget, 10)
    assert.equal(lost, 0)
    assert.ok(acknowledged > 1_000, `only ${acknowledged} acknowledged`)
  },
  TEST_MS_MAX,
)

test(
  '[DU10] stock Hocuspocus loses acknowledged updates in the same rounds, so the harness can tell',
  async () => {
    const { lost } = await run(openStockTarget, 3)
    assert.ok(lost > 0)
  },
  TEST_MS_MAX,
)
