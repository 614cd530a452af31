// Kysely on SQLite: reads on this thread, every write and every transaction on the one writer thread, in order.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { ColumnTypes } from './column-types.ts'
import { openReader, type SqliteReader } from './sqlite-reader.ts'
import type { Job, JobResult, Statement, StatementResult } from './sqlite-writer.ts'

export const SQLITE_COLUMN_TYPES: ColumnTypes = {
  integer: 'integer',
  serial: 'integer',
  bytes: 'blob',
  sorted: 'text',
}

/** An error of the database, with SQLite's own code, such as SQLITE_FULL. */
export class SqliteError extends Error {
  readonly code: string

  constructor(message: string, code: string) {
    super(message)
    this.name = 'SqliteError'
    this.code = code
  }
}

/** The near end of the writer thread. */
const startWriter = async (path: string, synchronous: 'FULL' | 'NORMAL') => {
  const worker = new Worker(new URL('./sqlite-writer.ts', import.meta.url), { workerData: { path, synchronous } })
  await once(worker, 'message')
  const waiting = new Map<number, { resolve: (results: StatementResult[]) => void; reject: (error: Error) => void }>()
  let lastId = 0
  let down: Error | undefined

  const fail = (error: Error): void => {
    down = error
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  worker.on('message', (answer: JobResult) => {
    const job = waiting.get(answer.id)
    waiting.delete(answer.id)
    if (waiting.size === 0) worker.unref()
    if (!job) return
    if ('error' in answer) job.reject(new SqliteError(answer.error.message, answer.error.code))
    else job.resolve(answer.results)
  })
  worker.on('error', (error) => fail(error as Error))
  worker.on('exit', () => fail(new SqliteError('the writer thread has stopped', 'SQLITE_MISUSE')))
  worker.unref()

  return {
    /** Calls `listener` before whoever waits for an answer hears it. */
    onAnswer: (listener: () => void): void => void worker.prependListener('message', listener),
    run: (statements: readonly Statement[], atomic: boolean): Promise<StatementResult[]> =>
      new Promise((resolve, reject) => {
        if (down) {
          reject(down)
          return
        }
        const id = ++lastId
        if (waiting.size === 0) worker.ref()
        waiting.set(id, { resolve, reject })
        worker.postMessage({ id, atomic, statements } satisfies Job)
      }),
    close: async (): Promise<void> => {
      if (down) return
      const exited = once(worker, 'exit')
      worker.ref()
      worker.postMessage('close')
      await exited
    },
  }
}

type Writer = Awaited<ReturnType<typeof startWriter>>

/** A turn at the writer: transactions of several steps must not interleave. */
const createTurns = () => {
  const waiting: (() => void)[] = []
  let isTaken = false
  const end = (): void => {
    const next = waiting.shift()
    if (next) next()
    else isTaken = false
  }
  /** At once where nobody has it: the journal's commit shall be on its way before the caller goes on. */
  return (): (() => void) | Promise<() => void> => {
    if (isTaken) return new Promise((resolve) => waiting.push(() => resolve(end)))
    isTaken = true
    return end
  }
}

const toStatement = ({ sql, parameters }: CompiledQuery): Statement => ({ sql, parameters })
const toResult = <Row>({ rows, changes }: StatementResult): QueryResult<Row> => ({
  rows: rows as Row[],
  numAffectedRows: BigInt(changes),
})

/** One logical connection: reads here, writes there, and everything there while it is in a transaction. */
class SqliteConnection implements DatabaseConnection {
  readonly #reader: SqliteReader
  readonly #writer: Writer
  readonly #takeTurn: ReturnType<typeof createTurns>
  #endTurn: (() => void) | undefined

  constructor(reader: SqliteReader, writer: Writer, takeTurn: ReturnType<typeof createTurns>) {
    this.#reader = reader
    this.#writer = writer
    this.#takeTurn = takeTurn
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    if (this.#endTurn) return this.#write(query)
    if (query.query.kind === 'SelectQueryNode') return this.#read(query)
    const endTurn = await this.#takeTurn()
    try {
      return await this.#write(query)
    } finally {
      endTurn()
    }
  }

  // oxlint-disable-next-line require-yield -- reason: Kysely's interface wants a generator; nothing here streams.
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error('streaming is not supported')
  }

  async begin(): Promise<void> {
    const endTurn = await this.#takeTurn()
    try {
      await this.#write(CompiledQuery.raw('begin immediate'))
    } catch (error) {
      endTurn()
      throw error
    }
    this.#endTurn = endTurn
  }

  /** A commit that fails keeps its turn until the rollback that follows: nobody may write in between. */
  async commit(): Promise<void> {
    await this.#write(CompiledQuery.raw('commit'))
    this.#giveUpTurn()
  }

  async rollback(): Promise<void> {
    try {
      await this.#write(CompiledQuery.raw('rollback'))
    } finally {
      this.#giveUpTurn()
    }
  }

  #giveUpTurn(): void {
    this.#endTurn?.()
    this.#endTurn = undefined
  }

  async #write<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const [result] = await this.#writer.run([toStatement(query)], false)
    return toResult(result as StatementResult)
  }

  #read<Row>({ sql, parameters }: CompiledQuery): QueryResult<Row> {
    return { rows: this.#reader.read(sql, parameters) as Row[] }
  }
}

/**
 * SQLite makes tables in a transaction like anything else; Kysely's adapter does not count on it. With it a first start
 * that is cut short leaves no half of a migration, on which every later start would fail.
 */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

export interface OpenSqlite {
  readonly dialect: Dialect
  /** Runs the queries in one transaction and one message to the writer; all or nothing. */
  readonly atomically: (queries: readonly CompiledQuery[]) => Promise<QueryResult<unknown>[]>
}

/**
 * Opens the SQLite file at `path` and its writer thread. `synchronous: 'NORMAL'` exists for the power-cut test, which
 * shows what it would lose.
 */
export const openSqlite = async (path: string, synchronous: 'FULL' | 'NORMAL' = 'FULL'): Promise<OpenSqlite> => {
  const writer = await startWriter(path, synchronous)
  const reader = openReader(path)
  writer.onAnswer(reader.refresh)
  const takeTurn = createTurns()

  const driver: Driver = {
    init: async () => {},
    acquireConnection: async () => new SqliteConnection(reader, writer, takeTurn),
    beginTransaction: (connection) => (connection as SqliteConnection).begin(),
    commitTransaction: (connection) => (connection as SqliteConnection).commit(),
    rollbackTransaction: (connection) => (connection as SqliteConnection).rollback(),
    releaseConnection: async () => {},
    destroy: async () => {
      reader.close()
      await writer.close()
    },
  }
  return {
    dialect: {
      createAdapter: () => new TransactionalSqliteAdapter(),
      createDriver: () => driver,
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
    atomically: async (queries) => {
      const turn = takeTurn()
      const endTurn = typeof turn === 'function' ? turn : await turn
      try {
        return (await writer.run(queries.map(toStatement), true)).map(toResult)
      } finally {
        endTurn()
      }
    },
  }
}
