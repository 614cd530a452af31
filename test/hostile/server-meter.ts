// The attacked server, a process of its own, with what a test reads off it from outside: CPU time, memory, stored bytes,
// complaints in its log.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { type ServerProcess, startServerProcess } from '../compat/servers.ts'

export const MIB = 2 ** 20
const TURN_METER = new URL('turn-meter.ts', import.meta.url).href
/** What Linux counts CPU time in. */
const MS_PER_TICK = 10

export interface MeteredServer extends ServerProcess {
  /** CPU time so far, all threads; in steps of 10 ms where Linux keeps no better account. */
  readonly cpuMs: () => Promise<number>
  readonly rssMib: () => Promise<number>
  /** The longest that the event loop was held since the output was so long, in ms of CPU. */
  readonly longestTurnMs: (since: number) => number
  /** Bytes of all journal entries and snapshots, and the number of claimed client ids. */
  readonly stored: () => { readonly bytes: number; readonly claims: number }
  /** Fails when the process died, or logged an error or an unhandled rejection. */
  readonly assertUnhurt: () => void
}

const numberIn = (database: Sqlite.Database, query: string): number => database.prepare(query).pluck().get() as number

/** What the scheduler counted for each thread that is there, to the nanosecond; 0 where it does not. */
const exactCpuMs = async (pid: number): Promise<number> => {
  const threads = await readdir(`/proc/${pid}/task`)
  const counts = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '0')),
  )
  return counts.reduce((sum, count) => sum + Number(count.split(' ')[0]), 0) / 1e6
}

export const startMeteredServer = async (): Promise<MeteredServer> => {
  await using owned = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'syncline-hostile-'))
  owned.defer(() => rm(folder, { recursive: true, force: true }))
  const server = owned.use(await startServerProcess({ DATA_DIR: folder, NODE_OPTIONS: `--import ${TURN_METER}` }))
  const kept = owned.move()
  const readProc = (file: string): Promise<string> => readFile(`/proc/${server.pid()}/${file}`, 'utf8')
  return {
    ...server,
    cpuMs: async () => {
      const exact = await exactCpuMs(server.pid())
      if (exact > 0) return exact
      // The name in parentheses may hold spaces; what follows it may not.
      const fields = (await readProc('stat')).split(') ')[1]?.split(' ') ?? []
      return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK
    },
    rssMib: async () => Number(/^VmRSS:\s+(\d+) kB/m.exec(await readProc('status'))?.[1]) / 1024,
    longestTurnMs: (since) =>
      Math.max(
        0,
        ...Array.from(
          server
            .output()
            .slice(since)
            .matchAll(/^turn (.+)$/gm),
          ([, ms]) => Number(ms),
        ),
      ),
    stored: () => {
      using database = closing(new Sqlite(join(folder, 'syncline.sqlite'), { readonly: true }))
      const bytesOf = (table: string): number =>
        numberIn(database.open, `select coalesce(sum(length(data)), 0) from ${table}`)
      return {
        bytes: bytesOf('document_update') + bytesOf('document_snapshot'),
        claims: numberIn(database.open, 'select count(*) from client_claim'),
      }
    },
    assertUnhurt: () => {
      process.kill(server.pid(), 0)
      const complaints = server.output().match(/.*("level":"error"|Unhandled|uncaught|FATAL).*/gi)
      assert.equal(complaints, null, complaints?.slice(0, 3).join('\n'))
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

const closing = (open: Sqlite.Database) => ({ open, [Symbol.dispose]: () => void open.close() })

/** Lets an attack, or the peace it is compared with, last. */
export const forMs = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
