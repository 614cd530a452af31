// `npm run test:kill`: the long form of the kill test, 300 rounds over SQLite and Postgres. Exits with 1 when anything
// acknowledged is gone. Another number of rounds may be given as argument, a seed as SEED.
import { chooseSeed } from '../helpers/random.ts'
import { runRounds } from './rounds.ts'
import { openPostgresTarget, openSqliteTarget } from './targets.ts'

const ROUNDS = 300
const ACKNOWLEDGED_MIN = 5_000
const PROGRESS_EVERY = 10

const rounds = Number(process.argv[2] ?? ROUNDS)
const seed = chooseSeed()
const print = (line: string): void => void process.stdout.write(`${line}\n`)

let acknowledged = 0
let lost = 0
for (const [index, open] of [openSqliteTarget, openPostgresTarget].entries()) {
  await using target = await open()
  let done = 0
  const onRound = (line: string): void => {
    if (++done % PROGRESS_EVERY === 0) print(`${target.name}: ${line}`)
  }
  const share = index === 0 ? Math.ceil(rounds / 2) : Math.floor(rounds / 2)
  const report = await runRounds(target, share, seed + index, onRound)
  const strikes = [...report.strikes].map(([what, count]) => `${what} ${count}`).join(', ')
  print(
    `${target.name}: ${report.rounds} rounds (${strikes}), ${report.acknowledged} acknowledged, ${report.lost} lost, ` +
      `${report.unanswered} found without an answer`,
  )
  acknowledged += report.acknowledged
  lost += report.lost
}
print(`kill -9: ${rounds} rounds, SEED=${seed}, ${acknowledged} acknowledged, ${lost} lost`)
if (lost > 0 || (rounds >= ROUNDS && acknowledged < ACKNOWLEDGED_MIN)) process.exitCode = 1
