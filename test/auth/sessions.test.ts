// The life of a login: how its refresh token rotates, what a repeat is worth, and every way it ends.
import assert from 'node:assert/strict'
import { SignJWT } from 'jose'
import { describe, test } from 'vitest'
import { type LoggedIn, openTestApp, type TestApp } from '../http/test-app.ts'

const DAY = 24 * 3_600_000
const SECOND = 1_000

type Pair = Pick<LoggedIn, 'accessToken' | 'refreshToken' | 'expiresAt'>

const refresh = (app: TestApp, refreshToken: string, more: object = {}, userAgent = 'laptop'): Promise<Pair> =>
  app.must(200, 'POST', '/auth/refresh', {
    body: { refreshToken, ...more },
    headers: { 'user-agent': userAgent },
  })

const isDead = (app: TestApp, refreshToken: string, code = 'auth/token-invalid', userAgent = 'laptop') =>
  app.refused(401, code, 'POST', '/auth/refresh', { body: { refreshToken }, headers: { 'user-agent': userAgent } })

const isOut = (app: TestApp, token: string) => app.refused(401, 'auth/token-invalid', 'GET', '/auth/me', { token })
const isIn = (app: TestApp, token: string) => app.must(200, 'GET', '/auth/me', { token })

describe('refresh', () => {
  test('[SE1] each refresh gives a new pair of tokens in the same session', async () => {
    await using app = await openTestApp()
    const first = await app.register('alice')
    const second = await refresh(app, first.refreshToken)
    const third = await refresh(app, second.refreshToken)
    assert.equal(new Set([first, second, third].map((pair) => pair.refreshToken)).size, 3)
    const ids = [first, second, third].map(async (one) => (await app.accessTokens.verify(one.accessToken))?.sessionId)
    assert.equal(new Set(await Promise.all(ids)).size, 1)
    await isIn(app, third.accessToken)
  })

  test('[SE2] a repeat within ten seconds from the same device gets the same successor', async () => {
    await using app = await openTestApp()
    const first = await app.register('alice')
    const second = await refresh(app, first.refreshToken)
    app.clock.time += 10 * SECOND
    const repeated = await refresh(app, first.refreshToken)
    assert.equal(repeated.refreshToken, second.refreshToken)
    await refresh(app, repeated.refreshToken)
  })

  test('[SE3] a replaced token that comes later ends the whole login', async () => {
    await using app = await openTestApp()
    const first = await app.register('alice')
    const other = await app.login('alice')
    const second = await refresh(app, first.refreshToken)
    app.clock.time += 10 * SECOND + 1
    await isDead(app, first.refreshToken, 'auth/token-reused')
    await isDead(app, second.refreshToken)
    await isOut(app, second.accessToken)
    await isIn(app, other.accessToken)
  })

  test('[SE4] a replaced token from another device, or after its successor was used, ends the whole login', async () => {
    await using app = await openTestApp()
    const deviceId = 'device-000001'
    const first = await app.register('alice', { deviceId })
    const second = await refresh(app, first.refreshToken, { deviceId })
    assert.equal((await refresh(app, first.refreshToken, { deviceId })).refreshToken, second.refreshToken)
    await isDead(app, first.refreshToken, 'auth/token-reused', 'phone')
    await isDead(app, second.refreshToken)

    const third = await app.login('alice')
    const fourth = await refresh(app, third.refreshToken)
    const error = { body: { refreshToken: third.refreshToken, deviceId: 'device-000002' } }
    await app.refused(401, 'auth/token-reused', 'POST', '/auth/refresh', error)
    await isDead(app, fourth.refreshToken)

    const fifth = await app.login('alice')
    const sixth = await refresh(app, fifth.refreshToken)
    const seventh = await refresh(app, sixth.refreshToken)
    await isDead(app, fifth.refreshToken, 'auth/token-reused')
    await isDead(app, seventh.refreshToken)
  })

  test('[SE5] a session ends after seven days without a refresh', async () => {
    await using app = await openTestApp()
    const first = await app.register('alice')
    app.clock.time += 7 * DAY - 1
    const second = await refresh(app, first.refreshToken)
    app.clock.time += 7 * DAY
    await isDead(app, second.refreshToken)
    const { accessToken } = await app.login('alice')
    assert.equal((await app.must<unknown[]>(200, 'GET', '/auth/sessions', { token: accessToken })).length, 1)
  })

  test('[SE6] a session ends after ninety days however often it is refreshed', async () => {
    await using app = await openTestApp()
    let pair: Pair = await app.register('alice')
    for (let day = 6; day < 90; day += 6) {
      app.clock.time += 6 * DAY
      pair = await refresh(app, pair.refreshToken)
    }
    app.clock.time += 6 * DAY - 1
    pair = await refresh(app, pair.refreshToken)
    app.clock.time += 1
    await isDead(app, pair.refreshToken)
    await isOut(app, pair.accessToken)
  })

  test('[SE7] what was never a token is refused', async () => {
    await using app = await openTestApp()
    await isDead(app, '')
    await isDead(app, 'a'.repeat(43))
    await app.refused(422, 'input/invalid', 'POST', '/auth/refresh', { body: { refreshToken: 'a'.repeat(101) } })
    await app.refused(422, 'input/invalid', 'POST', '/auth/refresh', { body: {} })
  })
})

describe('log out', () => {
  test('[SE8] logging out ends this login at once, its access tokens too, and may be repeated', async () => {
    await using app = await openTestApp()
    const first = await app.register('alice')
    const other = await app.login('alice')
    const second = await refresh(app, first.refreshToken)
    const body = { refreshToken: second.refreshToken }
    await app.must(204, 'POST', '/auth/logout', { body })
    await app.must(204, 'POST', '/auth/logout', { body })
    await isDead(app, second.refreshToken)
    await isOut(app, first.accessToken)
    await isOut(app, second.accessToken)
    await isIn(app, other.accessToken)
  })

  test('[SE9] logging out everywhere ends every login of this user and of nobody else', async () => {
    await using app = await openTestApp()
    const alice = await app.register('alice')
    const phone = await app.login('alice')
    const bob = await app.register('bob')
    const body = { refreshToken: phone.refreshToken }
    await app.must(204, 'POST', '/auth/logout-all', { body })
    await isOut(app, alice.accessToken)
    await isOut(app, phone.accessToken)
    await isIn(app, bob.accessToken)
    await app.refused(401, 'auth/token-invalid', 'POST', '/auth/logout-all', { body })
  })

  test('[SE10] one sees and ends one’s own sessions only', async () => {
    await using app = await openTestApp()
    const alice = await app.register('alice', { deviceId: 'device-000001' })
    app.clock.time += SECOND
    const phone = await app.login('alice', { 'user-agent': 'phone' })
    const bob = await app.register('bob')
    const list = (token: string) =>
      app.must<{ id: string; userAgent: string | null; deviceId: string | null; current: boolean }[]>(
        200,
        'GET',
        '/auth/sessions',
        { token },
      )
    const seen = await list(alice.accessToken)
    assert.deepEqual(
      seen.map(({ userAgent, deviceId, current }) => [userAgent, deviceId, current]),
      [
        ['phone', null, false],
        [null, 'device-000001', true],
      ],
    )
    const path = `/auth/sessions/${seen[0]?.id}`
    await app.refused(404, 'access/not-found', 'DELETE', path, { token: bob.accessToken })
    await isIn(app, phone.accessToken)
    await app.must(204, 'DELETE', path, { token: alice.accessToken })
    await isOut(app, phone.accessToken)
    await app.refused(404, 'access/not-found', 'DELETE', path, { token: alice.accessToken })
    await app.refused(404, 'access/not-found', 'DELETE', '/auth/sessions/x', { token: alice.accessToken })
    await app.refused(401, 'auth/required', 'DELETE', path)
    await app.refused(401, 'auth/required', 'GET', '/auth/sessions')
  })
})

describe('access token', () => {
  test('[SE11] an access token is good for fifteen minutes and half a minute of wrong clocks', async () => {
    await using app = await openTestApp()
    const { accessToken } = await app.register('alice')
    const start = app.clock.time
    app.clock.time = start + 15 * 60 * SECOND + 29 * SECOND
    await isIn(app, accessToken)
    app.clock.time += 2 * SECOND
    await isOut(app, accessToken)
    app.clock.time = start - 29 * SECOND
    assert.ok(await app.accessTokens.verify(accessToken))
    app.clock.time = start - 31 * SECOND
    assert.equal(await app.accessTokens.verify(accessToken), null)
  })

  test('[SE12] a token of another key, algorithm, type, issuer or audience, or without a claim, is none', async () => {
    await using app = await openTestApp()
    const { user, accessToken } = await app.register('alice')
    const sid = (await app.accessTokens.verify(accessToken))?.sessionId
    const iat = app.clock.time / 1000
    const claims = { sub: user.id, sid, iat, exp: iat + 900, iss: 'syncline', aud: 'syncline' }
    const header = { alg: 'HS256', typ: 'at+jwt' }
    const key = app.secrets.accessTokenKey
    const make = (payload: object, head = header, by = key) =>
      new SignJWT({ ...payload }).setProtectedHeader(head).sign(by)
    await isIn(app, await make(claims))

    const { sub: _sub, ...noSubject } = claims
    const { exp: _exp, ...noEnd } = claims
    const { iat: _iat, ...noStart } = claims
    const forged = [
      make(claims, header, new Uint8Array(32)),
      make(claims, { ...header, alg: 'HS512' }, new Uint8Array(64)),
      make(claims, { ...header, typ: 'JWT' }),
      make({ ...claims, iss: 'other' }),
      make({ ...claims, aud: 'other' }),
      make({ ...claims, sid: 7 }),
      make({ ...claims, sub: 'x' }),
      make({ ...claims, exp: iat + 10 * 365 * 86_400, iat: iat - 3_600 }),
      make(noSubject),
      make(noEnd),
      make(noStart),
    ]
    for (const token of await Promise.all(forged)) await isOut(app, token)
    const [head, body] = accessToken.split('.') as [string, string]
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url')
    for (const token of [`${none}.${body}.`, `${head}.${body}.`, 'x', 'a.b.c']) await isOut(app, token)
  })

  test('[SE13] without a bearer token the answer is that one must log in', async () => {
    await using app = await openTestApp()
    const { accessToken } = await app.register('alice')
    for (const authorization of ['', 'Bearer', `Basic ${accessToken}`, accessToken, `Bearer ${accessToken} x`]) {
      await app.refused(401, 'auth/required', 'GET', '/auth/me', { headers: { authorization } })
    }
    await isIn(app, accessToken)
  })
})
