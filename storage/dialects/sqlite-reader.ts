// The reading connection to the SQLite file, on the thread that asks. Reads of one turn of the event loop share a
// transaction: beginning one (locks, a look at the WAL's index) costs more than most reads.
import Sqlite from 'better-sqlite3'

/** Prepared statements kept; the hot ones are few, the rest are one-offs. */
const PREPARED_MAX = 500

export interface SqliteReader {
  readonly read: (sql: string, parameters: readonly unknown[]) => unknown[]
  /** Something was written: what is read from now on sees it. */
  readonly refresh: () => void
  readonly close: () => void
}

export const openReader = (path: string): SqliteReader => {
  const db = new Sqlite(path, { readonly: true })
  db.pragma('busy_timeout = 5000')
  const prepared = new Map<string, Sqlite.Statement>()
  const begin = db.prepare('begin')
  const end = db.prepare('commit')

  const refresh = (): void => {
    // An error that spoilt the transaction has ended it already.
    if (db.open && db.inTransaction) end.run()
  }
  const prepare = (sql: string): Sqlite.Statement => {
    let statement = prepared.get(sql)
    if (!statement) {
      statement = db.prepare(sql)
      if (prepared.size < PREPARED_MAX) prepared.set(sql, statement)
    }
    return statement
  }
  return {
    read: (sql, parameters) => {
      const statement = prepare(sql)
      if (!db.inTransaction) {
        begin.run()
        setImmediate(refresh)
      }
      return statement.all(...parameters)
    },
    refresh,
    close: () => {
      refresh()
      db.close()
    },
  }
}
