// Stock Hocuspocus with SQLite, as its own documentation sets it up: the bundled `Server`, defaults, and the database
// extension with exactly the statements of @hocuspocus/extension-sqlite 4.7 (whose own better-sqlite3 is a major behind).
import { join } from 'node:path'
import { Database } from '@hocuspocus/extension-database'
import { Server } from '@hocuspocus/server'
import Sqlite from 'better-sqlite3'

const SCHEMA = `CREATE TABLE IF NOT EXISTS "documents" (
  "name" varchar(255) NOT NULL,
  "data" blob NOT NULL,
  UNIQUE(name)
)`
const SELECT = `
  SELECT data FROM "documents" WHERE name = $name ORDER BY rowid DESC
`
const UPSERT = `
  INSERT INTO "documents" ("name", "data") VALUES ($name, $data)
    ON CONFLICT(name) DO UPDATE SET data = $data
`

export const createStockServer = (directory: string): Server => {
  const db = new Sqlite(join(directory, 'stock.sqlite'))
  db.exec(SCHEMA)
  const database = new Database({
    fetch: async ({ documentName }) => {
      const row = db.prepare(SELECT).get({ name: documentName }) as { data: Buffer } | undefined
      return row?.data ?? null
    },
    store: async ({ documentName, state }) => {
      db.prepare(UPSERT).run({ name: documentName, data: state })
    },
  })
  return new Server({ quiet: true, address: '127.0.0.1', port: 0, extensions: [database] })
}
