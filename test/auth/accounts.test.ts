// Accounts as a caller of the HTTP API sees them: registering, logging in, and what a stolen database is worth.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'vitest'
import { openTestApp, PASSWORD } from '../http/test-app.ts'

const ID = '0190c0de-0000-7000-8000-000000000001'

describe('register', () => {
  test('[AC1] registering answers 201 with the user and tokens that work, and never with a hash', async () => {
    await using app = await openTestApp()
    const body = { username: 'alice', password: PASSWORD, email: 'Alice@Example.org', name: 'Alice', deviceId: ID }
    const answer = await app.ask('POST', '/auth/register', { body })
    assert.equal(answer.status, 201)
    const { user, accessToken, refreshToken, expiresAt, ...more } = answer.body.data
    assert.deepEqual(more, {})
    const { id, ...shown } = user
    assert.deepEqual(shown, {
      username: 'alice',
      email: 'alice@example.org',
      name: 'Alice',
      about: 'Hey there! I am using Taar.',
      avatar: null,
      timezone: 'UTC',
      privacy: { profile: 'friends', scores: 'group' },
      createdAt: app.clock.time,
      lastLoginAt: app.clock.time,
      lastActiveAt: app.clock.time,
    })
    assert.equal(expiresAt, app.clock.time + 15 * 60_000)
    assert.match(refreshToken, /^[\w-]{43}$/)
    assert.ok(!/argon|hash|horse/.test(answer.text))
    assert.deepEqual(await app.must(200, 'GET', '/auth/me', { token: accessToken }), { id, ...shown })
  })

  test('[AC2] names that differ only in case or width are one name', async () => {
    await using app = await openTestApp()
    const { user } = await app.register('Ａlice_1')
    assert.equal(user.username, 'alice_1')
    const body = { username: 'ALICE_1', password: PASSWORD }
    await app.refused(409, 'auth/name-taken', 'POST', '/auth/register', { body })
  })

  test('[AC3] a registration that breaks a rule is refused with the names of the fields', async () => {
    await using app = await openTestApp()
    const good = { username: 'alice', password: PASSWORD }
    const cases: [Record<string, unknown>, string[]][] = [
      [{ ...good, username: 'al' }, ['username']],
      [{ ...good, username: 'a'.repeat(21) }, ['username']],
      [{ ...good, username: 'al ice' }, ['username']],
      [{ ...good, username: 'älice' }, ['username']],
      [{ ...good, username: 'Admin' }, ['username']],
      [{ ...good, password: 'short77' }, ['password']],
      [{ ...good, password: 'Password1' }, ['password']],
      [{ ...good, password: 'x'.repeat(1025) }, ['password']],
      [{ ...good, email: 'nobody' }, ['email']],
      [{ ...good, email: `${'a'.repeat(250)}@b.example` }, ['email']],
      [{ ...good, name: '' }, ['name']],
      [{ ...good, name: 'a\u0000b' }, ['name']],
      [{ ...good, id: 'short' }, ['id']],
      [{ ...good, deviceId: 'no spaces please' }, ['deviceId']],
      [{ ...good, role: 'operator' }, ['role']],
      [{}, ['username', 'password']],
    ]
    for (const [body, fields] of cases) {
      const error = await app.refused(422, 'input/invalid', 'POST', '/auth/register', { body })
      assert.deepEqual(
        error.details?.issues?.map(({ field }) => field),
        fields,
      )
    }
    assert.equal(app.passwords.count, 0)
  })

  test('[AC36] an id that belongs to visitors by link or to the server itself is no account’s', async () => {
    await using app = await openTestApp()
    for (const id of ['share-0000000001', 'rehearsal-01', 'rehearsal-nobody']) {
      const body = { id, username: 'alice', password: PASSWORD }
      const { details } = await app.refused(422, 'input/invalid', 'POST', '/auth/register', { body })
      assert.deepEqual(
        details?.issues?.map(({ field }) => field),
        ['id'],
      )
    }
    await app.register('alice', { id: 'shared-0000000001' })
  })

  test('[AC4] an e-mail belongs to one account, and the answer does not say which of the two is taken', async () => {
    await using app = await openTestApp()
    await app.register('alice', { email: 'a@example.org' })
    const taken = (body: object) => app.refused(409, 'auth/name-taken', 'POST', '/auth/register', { body })
    const byEmail = await taken({ username: 'alice2', password: PASSWORD, email: 'A@EXAMPLE.org' })
    const byName = await taken({ username: 'alice', password: PASSWORD, email: 'b@example.org' })
    assert.deepEqual(byEmail, byName)
  })

  test('[AC5] a repeated registration answers 200 with the same user, to whoever knows the password', async () => {
    await using app = await openTestApp()
    const body = { id: ID, username: 'alice', password: PASSWORD }
    const first = await app.must<{ user: unknown }>(201, 'POST', '/auth/register', { body })
    const again = await app.must<{ user: unknown; accessToken: string }>(200, 'POST', '/auth/register', { body })
    assert.deepEqual(again.user, first.user)
    assert.deepEqual(await app.must(200, 'GET', '/auth/me', { token: again.accessToken }), first.user)
    const taken = (other: object) =>
      app.refused(409, 'id/taken', 'POST', '/auth/register', { body: { ...body, ...other } })
    await taken({ password: 'another password' })
    await taken({ username: 'bob' })
  })

  test('[AC6] a taken name costs as many hashes as a free one', async () => {
    await using app = await openTestApp()
    await app.register('alice')
    assert.equal(app.passwords.count, 1)
    await app.refused(409, 'auth/name-taken', 'POST', '/auth/register', {
      body: { username: 'alice', password: 'another password' },
    })
    assert.equal(app.passwords.count, 2)
  })
})

describe('log in', () => {
  test('[AC7] one logs in by user name or e-mail, in any spelling of case', async () => {
    await using app = await openTestApp()
    const { user } = await app.register('alice', { email: 'alice@example.org' })
    for (const identifier of ['alice', 'ALICE', 'alice@example.org', 'Alice@Example.ORG']) {
      assert.deepEqual((await app.login(identifier)).user, user)
    }
  })

  test('[AC8] an unknown user and a wrong password give the same answer for the same number of hashes', async () => {
    await using app = await openTestApp()
    await app.register('alice')
    const identifiers = ['alice', 'nobody', 'nobody@example.org', 'no such name!', 'a\u0000@b', '']
    const answers = []
    for (const identifier of identifiers) {
      const before = app.passwords.count
      const body = { identifier, password: 'wrong password' }
      answers.push(await app.refused(401, 'auth/bad-credentials', 'POST', '/auth/login', { body }))
      assert.equal(app.passwords.count, before + 1)
    }
    for (const answer of answers) assert.deepEqual(answer, answers[0])
  })

  test('[AC9] a log-in body is checked like any other', async () => {
    await using app = await openTestApp()
    const error = await app.refused(422, 'input/invalid', 'POST', '/auth/login', {
      body: { identifier: 'a', password: 'x'.repeat(1025), remember: true },
    })
    assert.deepEqual(
      error.details?.issues?.map(({ field }) => field),
      ['password', 'remember'],
    )
  })

  test('[AC10] two logins are two sessions', async () => {
    await using app = await openTestApp()
    const first = await app.register('alice')
    const second = await app.login('alice')
    const sessionOf = async (token: string) => (await app.accessTokens.verify(token))?.sessionId
    assert.notEqual(await sessionOf(first.accessToken), await sessionOf(second.accessToken))
  })
})

describe('a stolen database', () => {
  test('[AC11] the files of the database hold no token and no password, only what verifies them', async () => {
    await using app = await openTestApp()
    const first = await app.register('alice')
    const second = await app.must<{ refreshToken: string; accessToken: string }>(200, 'POST', '/auth/refresh', {
      body: { refreshToken: first.refreshToken },
    })
    const files = (await readdir(app.folder)).filter((name) => name.startsWith('syncline.sqlite'))
    const contents = await Promise.all(files.map((name) => readFile(join(app.folder, name), 'latin1')))
    const bytes = contents.join('\n')
    assert.match(bytes, /alice[^]*\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    const secrets = [first.refreshToken, second.refreshToken, first.accessToken, second.accessToken, PASSWORD]
    for (const secret of secrets) assert.ok(!bytes.includes(secret))
    for (const line of app.logLines) for (const secret of secrets) assert.ok(!line.includes(secret))
  })

  test('[AC12] what the database holds of a session opens nothing', async () => {
    await using app = await openTestApp()
    await app.register('alice')
    const rows = await app.storage.db.selectFrom('session').select(['id_hash', 'family_id']).execute()
    for (const stolen of rows.flatMap((row) => [row.id_hash, row.family_id])) {
      await app.refused(401, 'auth/token-invalid', 'POST', '/auth/refresh', { body: { refreshToken: stolen } })
      await app.refused(401, 'auth/token-invalid', 'GET', '/auth/me', { token: stolen })
    }
  })

  test('[AC13] the pepper counts: with another secret key no password matches', async () => {
    await using app = await openTestApp()
    await app.register('alice')
    const sqlite = join(app.folder, 'syncline.sqlite')
    await using other = await openTestApp({ location: { sqlite }, secretKey: 'a quite different secret key....' })
    const body = { identifier: 'alice', password: PASSWORD }
    await other.refused(401, 'auth/bad-credentials', 'POST', '/auth/login', { body })
    await app.must(200, 'POST', '/auth/login', { body })
  })
})
