// RT-05, the part of the disk: a write or a sync of SQLite's file fails at a random call, as strace makes it, and goes on
// failing for a few. What was stored stays, what was refused is in no document or in both, and appends go on by themselves.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, test } from 'vitest'
import { openStorage } from '../../storage/open.ts'
import { loadDocument } from '../../storage/updates.ts'
import { NODE, startProcess } from '../helpers/processes.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { needStrace } from '../power-cut/record.ts'

const DOCUMENTS = ['document/0000000001', 'tasks/0000000001']
const ENOUGH = 30
const RUNS_PER_FAULT = 6
const OUTAGE_CALLS_MAX = 6
const RUN_MS_MAX = 120_000
const TEST_MS_MAX = 900_000

const FAULTS = [
  { call: 'fsync', error: 'EIO' },
  { call: 'pwrite64', error: 'ENOSPC' },
  { call: 'pwrite64', error: 'EIO' },
]

beforeAll(needStrace, TEST_MS_MAX)

interface Outcome {
  readonly stored: number[]
  readonly refused: Map<number, string>
  readonly notOpened: string | undefined
  readonly done: boolean
  /** How often the child made each system call. */
  readonly calls: (name: string) => number
}

const runChild = async (directory: string, inject: readonly string[]): Promise<Outcome> => {
  const logPath = join(directory, 'strace.log')
  const traced = ['-f', '--seccomp-bpf', '-o', logPath, '-e', 'trace=fsync,pwrite64', ...inject]
  const script = 'test/storage/failing-disk-child.ts'
  await using child = startProcess('strace', [...traced, NODE, script, join(directory, 'syncline.db'), String(ENOUGH)])
  const timer = setTimeout(() => void child.kill('SIGKILL'), RUN_MS_MAX)
  const { code } = await child.exited
  clearTimeout(timer)
  const output = child.output()
  if (code !== 0) throw new Error(`the child ended with ${code}: ${output}`)
  const log = await readFile(logPath, 'latin1')
  return {
    stored: [...output.matchAll(/^stored (\d+)$/gm)].map(([, n]) => Number(n)),
    refused: new Map([...output.matchAll(/^refused (\d+) (.+)$/gm)].map(([, n, code]) => [Number(n), String(code)])),
    notOpened: /^not opened (.+)$/m.exec(output)?.[1],
    done: /^done$/m.test(output),
    calls: (name) => log.split(` ${name}(`).length - 1,
  }
}

/** The numbers in each document, as the next start finds them. */
const readBack = async (directory: string): Promise<number[][]> => {
  await using storage = await openStorage({ sqlite: join(directory, 'syncline.db') })
  const documents = await Promise.all(DOCUMENTS.map((document) => loadDocument(storage, document)))
  return documents.map(({ updates }) =>
    updates.filter((_, index) => index % 2 === 0).map((update) => Number(Buffer.from(update).toString())),
  )
}

const inDirectory = async <Result>(run: (directory: string) => Promise<Result>): Promise<Result> => {
  const directory = await mkdtemp(join(tmpdir(), 'syncline-failing-disk-'))
  try {
    return await run(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

test(
  '[DU11] when writes or syncs of the disk fail, appends are refused whole, nothing stored is lost, and it heals by itself',
  async () => {
    const seed = chooseSeed()
    const random = createRandom(seed)
    const counted = await inDirectory((directory) => runChild(directory, []))
    assert.equal(counted.stored.length, ENOUGH)
    let refusals = 0
    let failedStarts = 0
    for (const { call, error } of FAULTS) {
      for (let run = 0; run < RUNS_PER_FAULT; run++) {
        const first = random.int(1, counted.calls(call))
        const inject = `inject=${call}:error=${error}:when=${first}..${first + random.int(0, OUTAGE_CALLS_MAX - 1)}`
        const what = `SEED=${seed} ${inject}`
        await inDirectory(async (directory) => {
          const { stored, refused, notOpened, done } = await runChild(directory, ['-e', inject])
          const [notes, tasks] = await readBack(directory)
          assert.deepEqual(notes, tasks, what)
          assert.deepEqual(notes, stored, what)
          assert.ok(notOpened !== undefined || (done && stored.length === ENOUGH), `${what} did not heal`)
          refusals += refused.size
          if (notOpened !== undefined) failedStarts++
          const codes = [...refused.values(), ...(notOpened ? [notOpened] : [])]
          for (const code of codes) assert.match(code, /^SQLITE_(?:IOERR|FULL|CANTOPEN)/, what)
        })
      }
    }
    process.stdout.write(`failing disk: SEED=${seed}, ${refusals} appends refused, ${failedStarts} starts failed\n`)
    assert.ok(refusals > 0, 'no fault hit an append')
  },
  TEST_MS_MAX,
)
