// Changing the password: what it asks for, what it ends, and what the audit log says of it and of logins.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { listAudit } from '../../storage/audit.ts'
import { openTestApp, PASSWORD, type TestApp } from '../http/test-app.ts'

const NEW_PASSWORD = 'a loud orange teapot'
const SECOND = 1_000

const change = (app: TestApp, token: string, password: string, status = 200) =>
  app.must<{ accessToken: string; refreshToken: string }>(status, 'POST', '/auth/password', {
    token,
    body: { password, newPassword: NEW_PASSWORD },
  })

const isOut = (app: TestApp, token: string) => app.refused(401, 'auth/token-invalid', 'GET', '/auth/me', { token })

describe('changing the password', () => {
  test('[AC22] it ends every login, and gives whoever asked a new one for the same device', async () => {
    await using app = await openTestApp()
    const laptop = await app.register('alice', { deviceId: 'device-000001', deviceName: 'Laptop' })
    const phone = await app.login('alice')
    const before = await app.accessTokens.verify(laptop.accessToken)
    const fresh = await change(app, laptop.accessToken, PASSWORD)
    for (const { accessToken, refreshToken } of [laptop, phone]) {
      await isOut(app, accessToken)
      await app.refused(401, 'auth/token-invalid', 'POST', '/auth/refresh', { body: { refreshToken } })
    }
    const after = await app.accessTokens.verify(fresh.accessToken)
    assert.notEqual(after?.sessionId, before?.sessionId)
    const sessions = await app.must<{ id: string; deviceId: string; deviceName: string }[]>(
      200,
      'GET',
      '/auth/sessions',
      { token: fresh.accessToken },
    )
    assert.deepEqual(
      sessions.map(({ id, deviceId, deviceName }) => [id, deviceId, deviceName]),
      [[after?.sessionId, 'device-000001', 'Laptop']],
    )
    await app.must(200, 'POST', '/auth/refresh', { body: { refreshToken: fresh.refreshToken } })
    const login = (password: string) => ({ body: { identifier: 'alice', password } })
    await app.refused(401, 'auth/bad-credentials', 'POST', '/auth/login', login(PASSWORD))
    await app.must(200, 'POST', '/auth/login', login(NEW_PASSWORD))
  })

  test('[AC23] it needs the old password, a good new one, and a login; guessing is slowed down', async () => {
    await using app = await openTestApp()
    const { accessToken: token } = await app.register('alice')
    const refused = (status: number, code: string, body: object, as?: string) =>
      app.refused(status, code, 'POST', '/auth/password', { body, ...(as !== undefined && { token: as }) })
    await refused(401, 'auth/required', { password: PASSWORD, newPassword: NEW_PASSWORD })
    for (const newPassword of ['short77', 'password1']) {
      const { details } = await refused(422, 'input/invalid', { password: PASSWORD, newPassword }, token)
      assert.deepEqual(
        details?.issues?.map(({ field }) => field),
        ['newPassword'],
      )
    }
    const guess = { password: 'a wrong password', newPassword: NEW_PASSWORD }
    for (let count = 0; count < 5; count++) await refused(403, 'auth/password-wrong', guess, token)
    const before = app.passwords.count
    await refused(429, 'auth/locked', { ...guess, password: PASSWORD }, token)
    assert.equal(app.passwords.count, before)
    await app.must(200, 'GET', '/auth/me', { token })
    app.clock.time += SECOND
    await change(app, token, PASSWORD)
  })

  test('[AC24] of two changes at once with the same old password one is made', async () => {
    await using app = await openTestApp()
    const { accessToken: token } = await app.register('alice')
    const asking = (newPassword: string) => ({ token, body: { password: PASSWORD, newPassword } })
    const passwords = ['the first new one', 'the second new one']
    const answers = await Promise.all(passwords.map((one) => app.ask('POST', '/auth/password', asking(one))))
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    const won = passwords[answers.findIndex(({ status }) => status === 200)]
    await app.must(200, 'POST', '/auth/login', { body: { identifier: 'alice', password: won } })
    const rows = await app.storage.db.selectFrom('session').select('family_id').execute()
    assert.equal(rows.length, 2)
  })
})

describe('the audit log', () => {
  test('[AC25] registering, logging in, misses, ends of logins and a new password are in it, names in clear are not', async () => {
    await using app = await openTestApp()
    const first = await app.register('alice', { email: 'alice@example.org' })
    const { id } = first.user
    const wrong = { body: { identifier: 'Alice@example.org', password: 'a wrong password' } }
    await app.refused(401, 'auth/bad-credentials', 'POST', '/auth/login', wrong)
    await app.refused(401, 'auth/bad-credentials', 'POST', '/auth/login', {
      body: { identifier: 'nobody', password: PASSWORD },
    })
    const second = await app.login('alice@example.org')
    await app.must(204, 'POST', '/auth/logout', { body: { refreshToken: second.refreshToken } })
    const next = await app.must<{ refreshToken: string }>(200, 'POST', '/auth/refresh', {
      body: { refreshToken: first.refreshToken },
    })
    app.clock.time += 11 * SECOND
    await app.refused(401, 'auth/token-reused', 'POST', '/auth/refresh', { body: { refreshToken: first.refreshToken } })
    const third = await app.login('alice')
    const fresh = await change(app, third.accessToken, PASSWORD)
    await app.must(204, 'POST', '/auth/logout-all', { body: { refreshToken: fresh.refreshToken } })

    const entries = await listAudit(app.storage.db, 0, 100)
    assert.deepEqual(
      entries.map(({ action, actor, target }) => [action, actor, target]),
      [
        ['account.registered', id, id],
        ['login.failed', null, id],
        ['login.failed', null, null],
        ['login.succeeded', id, id],
        ['session.ended', id, id],
        ['token.reused', null, id],
        ['login.succeeded', id, id],
        ['password.changed', id, id],
        ['sessions.ended', id, id],
      ],
    )
    const text = JSON.stringify(entries)
    const secrets = [first, second, next, third, fresh].map(({ refreshToken }) => refreshToken)
    for (const hidden of ['alice', 'nobody', 'example.org', PASSWORD, NEW_PASSWORD, ...secrets]) {
      assert.ok(!text.includes(hidden), hidden)
    }
  })
})
