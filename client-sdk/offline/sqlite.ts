// What a program on Node keeps: one SQLite file for the areas of all its servers. A write resolves when it is synced to
// the disk; wiping an area leaves no byte of it in the file.
import type Sqlite from 'better-sqlite3'
import { createBatchQueue } from './batch-queue.ts'
import { checkArea, closedError, compareText, toStoreError } from './batches.ts'
import {
  type Batch,
  type Disk,
  type DocumentSummary,
  type Entry,
  type Pending,
  type Store,
  StoreError,
  type StoreErrorCode,
  type StoredValue,
} from './store.ts'

export interface SqliteDiskOptions {
  /** The file, made where it is not there. Two more stand beside it while it is open, `-wal` and `-shm`. */
  readonly path: string
  /** The server's URL. */
  readonly server: string
}

type Database = Sqlite.Database

interface EntryRow {
  readonly seq: number
  readonly document: string
  readonly data: Uint8Array
  readonly pending: Uint8Array | null
}

const VERSION = 1
const BUSY_MS_MAX = 5_000

// Numbers are drawn for the whole file and never again, so an area that was wiped and made again is another one.
const TABLES = `
  create table if not exists area (
    id integer primary key autoincrement, server text not null, name text not null, unique (server, name)
  ) strict;
  create table if not exists entry (
    seq integer primary key autoincrement, area integer not null, document text not null, data blob not null, pending blob
  ) strict;
  create index if not exists entry_document on entry (area, document, seq);
  create index if not exists entry_pending on entry (area, seq) where pending is not null;
  create table if not exists value (
    area integer not null, key text not null, data blob not null, primary key (area, key)
  ) strict;
  pragma user_version = ${VERSION};`

/**
 * Node's own modules are asked for when they are needed, and the driver by Node's `require`: a bundler that builds for
 * browsers follows neither, and nothing happens where this file is loaded but not used.
 */
const requireDriver = (): typeof Sqlite =>
  process.getBuiltinModule('node:module').createRequire(import.meta.url)('better-sqlite3') as typeof Sqlite

const encode = (value: unknown): Uint8Array => process.getBuiltinModule('node:v8').serialize(value)
const decode = (data: Uint8Array): unknown => process.getBuiltinModule('node:v8').deserialize(data)

const connect = (path: string): Database => {
  const Driver = requireDriver()
  const database = new Driver(path, { timeout: BUSY_MS_MAX })
  try {
    database.pragma('journal_mode = WAL')
    // FULL, not NORMAL: NORMAL does not sync the WAL at commit, and a power cut would lose what was resolved.
    database.pragma('synchronous = FULL')
    database.pragma('secure_delete = ON')
    database.pragma('temp_store = MEMORY')
    const version = database.pragma('user_version', { simple: true }) as number
    if (version > VERSION) throw new StoreError('store/failed', `${path} was made by a newer version of Syncline`)
    if (version < VERSION) database.transaction(() => database.exec(TABLES)).immediate()
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

const codeOf = (error: unknown): StoreErrorCode =>
  error instanceof Error && 'code' in error && error.code === 'SQLITE_FULL' ? 'store/full' : 'store/failed'

const failing = <Result>(run: () => Result): Result => {
  try {
    return run()
  } catch (error) {
    throw toStoreError(error, codeOf)
  }
}

const toEntry = ({ seq, document, data, pending }: EntryRow): Entry => ({
  seq,
  document,
  update: new Uint8Array(data),
  ...(pending && { pending: decode(pending) as Pending }),
})

const prepareArea = (database: Database, area: number) => {
  const exists = database.prepare('select 1 from area where id = ?')
  const append = database.prepare('insert into entry (area, document, data, pending) values (?, ?, ?, ?)')
  const confirm = database.prepare('update entry set pending = null where area = ? and seq = ?')
  const drop = database.prepare('delete from entry where area = ? and seq = ?')
  const del = database.prepare('delete from value where area = ? and key = ?')
  const put = database.prepare('insert or replace into value (area, key, data) values (?, ?, ?)')
  const load = database.prepare('select * from entry where area = ? and document = ? order by seq')
  const pending = database.prepare('select * from entry where area = ? and pending is not null order by seq')
  const documents = database.prepare(
    'select document, count(*) as entries, sum(length(data)) as bytes, count(pending) as pending ' +
      'from entry where area = ? group by document',
  )
  const get = database.prepare('select data from value where area = ? and key = ?').pluck()
  const list = database.prepare('select key, data from value where area = ? and key >= ? order by key')

  const write = (batch: Required<Batch>): readonly number[] => {
    const numbers = batch.append.map((entry) => {
      const recorded = entry.pending ? encode(entry.pending) : null
      return Number(append.run(area, entry.document, entry.update, recorded).lastInsertRowid)
    })
    for (const seq of batch.confirm) confirm.run(area, seq)
    for (const seq of batch.drop) drop.run(area, seq)
    for (const key of batch.del) del.run(area, key)
    for (const [key, value] of Object.entries(batch.put)) put.run(area, key, encode(value))
    return numbers
  }
  const listFrom = (prefix: string): ReadonlyMap<string, StoredValue> => {
    const found: [string, StoredValue][] = []
    for (const row of list.iterate(area, prefix)) {
      const { key, data } = row as { key: string; data: Uint8Array }
      if (!key.startsWith(prefix)) break
      found.push([key, decode(data) as StoredValue])
    }
    // SQLite orders by UTF-8, the port by UTF-16.
    return new Map(found.sort(([a], [b]) => compareText(a, b)))
  }
  return {
    /** False when the area was wiped, by this program or another one. */
    exists: () => exists.get(area) !== undefined,
    write,
    load: (document: string) => (load.all(area, document) as EntryRow[]).map(toEntry),
    pending: () => (pending.all(area) as EntryRow[]).map(toEntry),
    documents: () => (documents.all(area) as DocumentSummary[]).sort((a, b) => compareText(a.document, b.document)),
    get: (key: string) => {
      const data = get.get(area, key) as Uint8Array | undefined
      return data && (decode(data) as StoredValue)
    },
    list: listFrom,
  }
}

/** A store on a connection of its own. */
const openStore = (database: Database, server: string, name: string, onClose: () => void): Store => {
  const findArea = (): number => {
    database.prepare('insert or ignore into area (server, name) values (?, ?)').run(server, name)
    const find = database.prepare('select id from area where server = ? and name = ?').pluck()
    return find.get(server, name) as number
  }
  const area = prepareArea(database, database.transaction(findArea).immediate())
  const inOne = database.transaction((run: () => unknown): unknown => {
    if (!area.exists()) throw closedError()
    return run()
  })
  let isOpen = true
  const queue = createBatchQueue(async (batches) =>
    failing(() => inOne.immediate(() => batches.map(area.write)) as (readonly number[])[]),
  )
  const read = async <Result>(run: () => Result): Promise<Result> => {
    if (!isOpen) throw closedError()
    await queue.settled()
    if (!database.open) throw closedError()
    return failing(() => inOne.deferred(run) as Result)
  }
  return {
    write: async (batch) => {
      if (!isOpen) throw closedError()
      return queue.write(batch)
    },
    load: (document) => read(() => area.load(document)),
    pending: () => read(area.pending),
    documents: () => read(area.documents),
    get: (key) => read(() => area.get(key)),
    list: (prefix) => read(() => area.list(prefix)),
    [Symbol.asyncDispose]: async () => {
      isOpen = false
      await queue.settled()
      database.close()
      onClose()
    },
  }
}

const eraseArea = (database: Database, server: string, name: string): void => {
  const erase = database.transaction(() => {
    const find = database.prepare('select id from area where server = ? and name = ?').pluck()
    const area = find.get(server, name)
    for (const table of ['entry', 'value']) database.prepare(`delete from ${table} where area = ?`).run(area)
    database.prepare('delete from area where id = ?').run(area)
  })
  erase.immediate()
  // Pages keep scraps of rows that once moved, `secure_delete` or not; a file that is written anew has none. Then the
  // log is emptied.
  database.exec('vacuum')
  const [{ busy } = { busy: 1 }] = database.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[]
  if (busy) throw new StoreError('store/failed', 'another program holds the file open; wipe again')
}

/**
 * The areas of one server in the file at `path`; other servers have theirs in the same file. Needs the package
 * `better-sqlite3`.
 *
 * @throws `store/failed` where the file cannot be opened.
 */
export const openSqliteDisk = async ({ path, server }: SqliteDiskOptions): Promise<Disk> => {
  failing(() => connect(path)).close()
  const opened = new Map<string, Set<Store>>()
  return {
    open: async (area) => {
      checkArea(area)
      const stores = opened.get(area) ?? new Set()
      opened.set(area, stores)
      const store: Store = failing(() => openStore(connect(path), server, area, () => stores.delete(store)))
      stores.add(store)
      return store
    },
    wipe: async (area) => {
      checkArea(area)
      for (const store of opened.get(area) ?? []) await store[Symbol.asyncDispose]()
      const database = failing(() => connect(path))
      try {
        failing(() => eraseArea(database, server, area))
      } finally {
        database.close()
      }
    },
  }
}
