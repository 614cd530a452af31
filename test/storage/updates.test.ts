// The update store on both databases: one suite, and what only one of them can show.
import { rm, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import assert from 'node:assert/strict'
import { Client } from 'pg'
import { sql } from 'kysely'
import { afterAll, beforeAll, test } from 'vitest'
import { openStorage } from '../../storage/open.ts'
import { updateStoreContract } from '../contract/update-store.ts'
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts'

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
}, 300_000)
afterAll(() => postgres[Symbol.asyncDispose]())

updateStoreContract('SQLite', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'syncline-store-'))
  return {
    open: () => openStorage({ sqlite: join(directory, 'syncline.db') }),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  }
})

updateStoreContract('Postgres', async () => {
  const url = await postgres.createDatabase()
  return { open: () => openStorage({ postgres: url }), [Symbol.asyncDispose]: async () => {} }
})

test('[US14] on Postgres every session commits synchronously, whatever the database has as its default', async () => {
  const url = await postgres.createDatabase()
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(`alter database ${client.escapeIdentifier(client.database ?? '')} set synchronous_commit = off`)
  await client.end()
  await using storage = await openStorage({ postgres: url })
  const shown = await sql<{ synchronous_commit: string }>`show synchronous_commit`.execute(storage.db)
  assert.equal(shown.rows[0]?.synchronous_commit, 'on')
})
