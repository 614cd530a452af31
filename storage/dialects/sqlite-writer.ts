// The writer thread: the one connection that writes to the SQLite file, so that no disk sync stalls the event loop.
// It runs what it is sent, in order; a job is a list of statements, atomic or not. Started by `sqlite.ts` alone.
import { parentPort, workerData } from 'node:worker_threads'
import Sqlite from 'better-sqlite3'
import { createWalRoom } from './sqlite-wal.ts'

export interface Statement {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

export interface Job {
  readonly id: number
  readonly atomic: boolean
  readonly statements: readonly Statement[]
}

export interface StatementResult {
  readonly rows: unknown[]
  readonly changes: number
}

export type JobResult =
  | { readonly id: number; readonly results: StatementResult[] }
  | { readonly id: number; readonly error: { readonly message: string; readonly code: string } }

/** Prepared statements kept; the hot ones are few, the rest are one-offs. */
const PREPARED_MAX = 200
/** 16 MiB of WAL between checkpoints: pages that many commits touch are copied back once. */
const CHECKPOINT_PAGES = 4_000

const openWriter = (path: string, synchronous: string) => {
  const db = new Sqlite(path)
  db.pragma('busy_timeout = 5000')
  db.pragma('journal_mode = WAL')
  // FULL, not NORMAL: NORMAL does not sync the WAL at commit, and a power cut would lose acknowledged updates.
  db.pragma(`synchronous = ${synchronous}`)
  db.pragma('foreign_keys = ON')
  db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  db.pragma('cache_size = -64000')
  const prepared = new Map<string, Sqlite.Statement>()
  const walRoom = createWalRoom(path, CHECKPOINT_PAGES)
  const begin = db.prepare('begin immediate')
  const commit = db.prepare('commit')

  const run = ({ sql, parameters }: Statement): StatementResult => {
    // A full disk or a failing one makes SQLite roll back by itself; that error is the one to report, not this one's.
    if (sql === 'rollback' && !db.inTransaction) return { rows: [], changes: 0 }
    let statement = prepared.get(sql)
    if (!statement) {
      statement = db.prepare(sql)
      if (prepared.size >= PREPARED_MAX) prepared.delete(prepared.keys().next().value as string)
      prepared.set(sql, statement)
    }
    if (statement.reader) return { rows: statement.all(...parameters), changes: 0 }
    return { rows: [], changes: statement.run(...parameters).changes }
  }

  const execute = ({ atomic, statements }: Job): StatementResult[] => {
    if (!atomic) return statements.map(run)
    begin.run()
    try {
      const results = statements.map(run)
      commit.run()
      return results
    } catch (error) {
      if (db.inTransaction) db.exec('rollback')
      throw error
    }
  }
  const close = (): void => {
    walRoom.close()
    db.close()
  }
  return { execute, rest: walRoom.grow, close }
}

if (parentPort) {
  const port = parentPort
  const { path, synchronous } = workerData as { path: string; synchronous: string }
  const writer = openWriter(path, synchronous)
  port.on('message', (job: Job | 'close') => {
    if (job === 'close') {
      writer.close()
      port.close()
      return
    }
    let answer: JobResult
    try {
      answer = { id: job.id, results: writer.execute(job) }
    } catch (error) {
      const { message, code } = error as Error & { code?: string }
      answer = { id: job.id, error: { message, code: code ?? 'SQLITE_ERROR' } }
    }
    port.postMessage(answer)
    writer.rest()
  })
  port.postMessage('ready')
}
