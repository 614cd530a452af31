// The rows of document versions on both databases: one suite.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { openStorage } from '../../storage/open.ts'
import { versionStoreContract } from '../contract/version-store.ts'
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts'

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
}, 300_000)
afterAll(() => postgres[Symbol.asyncDispose]())

versionStoreContract('SQLite', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'syncline-versions-'))
  return {
    open: () => openStorage({ sqlite: join(directory, 'syncline.db') }),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  }
})

versionStoreContract('Postgres', async () => {
  const url = await postgres.createDatabase()
  return { open: () => openStorage({ postgres: url }), [Symbol.asyncDispose]: async () => {} }
})
