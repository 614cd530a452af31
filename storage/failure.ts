// Tells a database that cannot answer (gone, full, overloaded) from a mistake of ours in a query, over both drivers.

/** Mistakes in a statement; every other code of SQLite is about the file, the disk or the writer thread. */
const SQLITE_MISTAKES = /^SQLITE_(?:ERROR|CONSTRAINT|MISMATCH|RANGE|TOOBIG)/
/**
 * Classes of Postgres: 08 connection, 25006 read-only after a failover, 40 rolled back (deadlock, serialization), 53
 * resources, 57 shutdown or cancelled, 58 system, XX internal.
 */
const POSTGRES_FAILURES = /^(?:08|40|53|57|58|XX)[0-9A-Z]{3}$|^25006$/
const NETWORK_FAILURES = /^E(?:CONN[A-Z]+|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|AI_AGAIN|NOTFOUND|MFILE|NFILE)$/
/** What `pg` and Kysely say without a code. */
const CODELESS = /timeout exceeded when trying to connect|connection terminated|not queryable|driver has already been/i

export const isStorageFailure = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false
  // Node gathers the attempts on every address of a host name.
  if (error instanceof AggregateError) return error.errors.some(isStorageFailure)
  const code: unknown = 'code' in error ? error.code : undefined
  if (typeof code !== 'string') return CODELESS.test(error.message)
  if (code.startsWith('SQLITE_')) return !SQLITE_MISTAKES.test(code)
  return POSTGRES_FAILURES.test(code) || NETWORK_FAILURES.test(code)
}
