// Kysely on Postgres: a pool whose sessions always commit synchronously, whatever the database's default says.
import { type CompiledQuery, type Dialect, PostgresDialect, type QueryResult } from 'kysely'
import pg from 'pg'
import type { ColumnTypes } from './column-types.ts'

export const POSTGRES_COLUMN_TYPES: ColumnTypes = { integer: 'bigint', bytes: 'bytea' }

/** Postgres sends 64-bit integers as text; ours are times and counters, far below 2⁵³. */
const INT8 = 20

export interface OpenPostgres {
  readonly dialect: Dialect
  /** Runs the queries in one transaction; all or nothing. */
  readonly atomically: (queries: readonly CompiledQuery[]) => Promise<QueryResult<unknown>[]>
}

export const openPostgres = (url: string): OpenPostgres => {
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    connectionTimeoutMillis: 5_000,
    types: {
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
    },
    options: '-c synchronous_commit=on',
  })
  // An idle connection that the server drops is no news: the next query opens another or fails by itself.
  pool.on('error', () => {})

  return {
    dialect: new PostgresDialect({ pool }),
    atomically: async (queries) => {
      const client = await pool.connect()
      let broken: Error | undefined
      try {
        await client.query('begin')
        const results: QueryResult<unknown>[] = []
        for (const { sql, parameters } of queries) {
          const { rows, rowCount } = await client.query(sql, parameters as unknown[])
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
