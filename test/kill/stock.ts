// Stock Hocuspocus as its documentation sets it up: Server with the Database extension, here over a SQLite file that
// syncs every commit. The kill test runs it to show that it can find a loss. Argument: the database file.
import { Database } from '@hocuspocus/extension-database'
import { Server } from '@hocuspocus/server'
import Sqlite from 'better-sqlite3'

const db = new Sqlite(process.argv[2] ?? '')
db.pragma('journal_mode = WAL')
db.pragma('synchronous = FULL')
db.exec('create table if not exists document (name text primary key, data blob not null)')
const select = db.prepare<[string], { data: Uint8Array }>('select data from document where name = ?')
const upsert = db.prepare(
  'insert into document (name, data) values (?, ?) on conflict (name) do update set data = excluded.data',
)

const server = new Server({
  port: 0,
  address: '127.0.0.1',
  quiet: true,
  extensions: [
    new Database({
      fetch: async ({ documentName }) => select.get(documentName)?.data ?? null,
      store: async ({ documentName, state }) => {
        upsert.run(documentName, state)
      },
    }),
  ],
})
await server.listen()
process.stdout.write(`Stock listening on http://127.0.0.1:${server.address.port}\n`)
