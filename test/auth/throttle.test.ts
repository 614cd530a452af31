// Guessing passwords: how long a name has to wait after misses, that the wait tells nothing, and that no other route is a
// way around it. On both databases, because the counter is theirs.
import assert from 'node:assert/strict'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { sweepLogins } from '../../server/auth/sweep.ts'
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts'
import { openTestApp, PASSWORD, type TestApp } from '../http/test-app.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const START_MS_MAX = 300_000

const wrong = (identifier: string) => ({ body: { identifier, password: 'a wrong password' } })

const miss = (app: TestApp, identifier: string) =>
  app.refused(401, 'auth/bad-credentials', 'POST', '/auth/login', wrong(identifier))

/** How long the name has to wait, or null when it need not. */
const waitOf = async (app: TestApp, identifier: string): Promise<number | null> => {
  const { status, body, headers } = await app.ask('POST', '/auth/login', wrong(identifier))
  if (status !== 429) return null
  const { retryAfterMs } = body.error.details as { retryAfterMs: number }
  assert.equal(body.error.code, 'auth/locked')
  assert.equal(headers.get('retry-after'), String(Math.ceil(retryAfterMs / SECOND)))
  return retryAfterMs
}

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
}, START_MS_MAX)
afterAll(() => postgres?.[Symbol.asyncDispose]())

const databases = [
  { name: 'SQLite', open: () => openTestApp() },
  { name: 'Postgres', open: async () => openTestApp({ location: { postgres: await postgres.createDatabase() } }) },
]

describe.each(databases)('guessing passwords on $name', ({ open }) => {
  test('[AC17] after five misses a name waits a second, then twice as long each time, fifteen minutes at most', async () => {
    await using app = await open()
    await app.register('alice')
    for (let count = 0; count < 5; count++) await miss(app, 'alice')
    const waits: number[] = []
    for (let count = 0; count < 13; count++) {
      const wait = await waitOf(app, 'alice')
      assert.ok(wait !== null)
      waits.push(wait)
      app.clock.time += wait - 1
      assert.equal(await waitOf(app, 'alice'), 1)
      app.clock.time += 1
      await miss(app, 'alice')
    }
    const seconds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    assert.deepEqual(
      waits,
      seconds.map((wait) => wait * SECOND),
    )
  })

  test('[AC18] a name that waits gets no hash computed, and its password only counts afterwards, whoever has it', async () => {
    await using app = await open()
    await app.register('alice')
    const answers: string[] = []
    for (const name of ['alice', 'nobody', 'nobody@example.org']) {
      for (let count = 0; count < 5; count++) await miss(app, name)
      const before = app.passwords.count
      const right = { body: { identifier: name, password: PASSWORD } }
      const { message, details } = await app.refused(429, 'auth/locked', 'POST', '/auth/login', right)
      answers.push(JSON.stringify([message, details]))
      assert.equal(app.passwords.count, before)
    }
    assert.equal(new Set(answers).size, 1, answers.join('\n'))
    app.clock.time += SECOND
    await app.login('alice')
    for (let count = 0; count < 5; count++) await miss(app, 'alice')
    assert.equal(await waitOf(app, 'alice'), SECOND)
  })

  test('[AC19] of fifty tries at once five are looked at', async () => {
    await using app = await open()
    await app.register('alice')
    for (const name of ['alice', 'nobody']) {
      const before = app.passwords.count
      const answers = await Promise.all(Array.from({ length: 50 }, () => app.ask('POST', '/auth/login', wrong(name))))
      const codes = answers.map(({ body }) => body.error.code as string)
      assert.equal(codes.filter((code) => code === 'auth/bad-credentials').length, 5)
      assert.equal(codes.filter((code) => code === 'auth/locked').length, 45)
      assert.equal(app.passwords.count - before, 5)
    }
  })

  test('[AC20] neither another spelling nor a registration that is repeated is a way around the wait', async () => {
    await using app = await open()
    const { user } = await app.register('alice')
    for (const name of ['alice', 'ALICE', 'Ａlice', 'aLiCe', 'alicE']) await miss(app, name)
    assert.equal(await waitOf(app, 'alice'), SECOND)
    const again = { body: { id: user.id, username: 'alice', password: 'a wrong password' } }
    await app.refused(429, 'auth/locked', 'POST', '/auth/register', again)
    app.clock.time += SECOND
    await app.refused(409, 'id/taken', 'POST', '/auth/register', again)
    assert.equal(await waitOf(app, 'alice'), 2 * SECOND)
  })

  test('[AC21] misses are forgotten a day after the last one, and then nothing of them is kept', async () => {
    await using app = await open()
    for (let count = 0; count < 5; count++) await miss(app, 'nobody')
    app.clock.time += 24 * 60 * MINUTE
    await sweepLogins({ db: app.storage.db, now: () => app.clock.time })
    await miss(app, 'nobody')
    assert.equal(await waitOf(app, 'nobody'), 2 * SECOND)
    app.clock.time += 24 * 60 * MINUTE + 1
    for (let count = 0; count < 5; count++) await miss(app, 'nobody')
    assert.equal(await waitOf(app, 'nobody'), SECOND)
    app.clock.time += 24 * 60 * MINUTE + 1
    await sweepLogins({ db: app.storage.db, now: () => app.clock.time })
    assert.deepEqual(await app.storage.db.selectFrom('login_failure').selectAll().execute(), [])
  })
})
