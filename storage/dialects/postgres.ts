// Kysely on Postgres: a pool whose sessions always commit synchronously, whatever the database's default says.
import { type CompiledQuery, type Dialect, PostgresDialect, type QueryResult, sql } from 'kysely'
import { Pool, type PoolClient, types } from 'pg'
import type { ColumnTypes } from './column-types.ts'

export const POSTGRES_COLUMN_TYPES: ColumnTypes = {
  integer: 'bigint',
  serial: 'bigserial',
  bytes: 'bytea',
  sorted: sql`text collate "C"`,
}

/** Postgres sends 64-bit integers as text; ours are times and counters, far below 2⁵³. */
const INT8 = 20

export interface OpenPostgres {
  readonly dialect: Dialect
  /** Runs the queries in one transaction; all or nothing. */
  readonly atomically: (queries: readonly CompiledQuery[]) => Promise<QueryResult<unknown>[]>
}

export const openPostgres = (url: string): OpenPostgres => {
  const pool = new Pool({
    connectionString: url,
    max: 10,
    connectionTimeoutMillis: 5_000,
    types: {
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- reason: pg's enum lists known types only
        oid === INT8 ? Number : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
    },
    options: '-c synchronous_commit=on',
  })
  // A connection that the server drops is no news: its query fails by itself, and the next one opens another. The pool
  // listens to idle connections only; one in use would end the process with its 'error' event.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))

  // `pool.end` never answers those who still wait for a connection, so it waits for them.
  const connecting = new Set<Promise<PoolClient>>()
  let ended: Promise<void> | undefined
  const connect = async (): Promise<PoolClient> => {
    if (ended) throw new Error('driver has already been destroyed')
    const client = pool.connect()
    connecting.add(client)
    try {
      return await client
    } finally {
      connecting.delete(client)
    }
  }
  const end = (): Promise<void> => {
    ended ??= Promise.allSettled(connecting).then(() => pool.end())
    return ended
  }

  return {
    dialect: new PostgresDialect({ pool: { connect, end, options: pool.options } }),
    atomically: async (queries) => {
      const client = await connect()
      let broken: Error | undefined
      try {
        // Whatever the URL's options say: an acknowledgement may not outrun the disk.
        await client.query('begin; set local synchronous_commit to on')
        const results: QueryResult<unknown>[] = []
        for (const { sql, parameters } of queries) {
          const { rows, rowCount } = await client.query(sql, [...parameters])
          results.push({ rows, numAffectedRows: BigInt(rowCount ?? 0) })
        }
        await client.query('commit')
        return results
      } catch (error) {
        broken = error as Error
        await client.query('rollback').then(
          () => (broken = undefined),
          () => {},
        )
        throw error
      } finally {
        client.release(broken)
      }
    },
  }
}
