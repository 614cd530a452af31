// Who is logged in on a device, against a real server: first start, registration, logins and logouts, logins that the server
// ended.
import assert from 'node:assert/strict'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, test } from 'vitest'
import type { AccountEvent } from '../../client-sdk/account-types.ts'
import { Unreachable } from '../../client-sdk/http.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { ask, PASSWORD, register } from '../helpers/accounts.ts'
import { nextName, openNew, TOKEN_MS } from './account-scene.ts'
import { createDevice } from './device.ts'

let server: OwnServer
beforeAll(async () => {
  server = await startOwnServer()
})
afterAll(() => server[Symbol.asyncDispose]())

test('[DV4] the first start needs no server; the guest and the device stay who they are', async () => {
  const device = await createDevice('http://127.0.0.1:1')
  device.network.state = 'down'
  const account = await device.open()
  assert.deepEqual(account.user, { id: account.user.id, username: null, isGuest: true })
  assert.deepEqual([account.state, account.area, await account.token()], ['guest', `user-${account.user.id}`, null])
  assert.equal(device.network.sent.length, 0)
  const again = await device.open()
  assert.deepEqual([again.user, again.deviceId], [account.user, account.deviceId])
})

test('[DV4] two tabs that start first at once are one guest', async () => {
  const device = await createDevice(server.url)
  const tabs = await Promise.all([device.open(), device.open(), device.open()])
  assert.equal(new Set(tabs.map(({ user }) => user.id)).size, 1)
  assert.equal(new Set(tabs.map(({ deviceId }) => deviceId)).size, 1)
})

test('[DV5] registering keeps the guest’s own id, on the server too, and survives a restart offline', async () => {
  const { device, account } = await openNew(server.url)
  const events: AccountEvent[] = []
  account.subscribe((event) => events.push(event))
  const from = account.user
  const username = nextName()
  const to = await account.register({ username, password: PASSWORD })
  assert.deepEqual(to, { id: from.id, username, isGuest: false })
  assert.deepEqual(events, [{ type: 'switched', from, to }])
  assert.equal((await account.me()).id, from.id)
  await assert.rejects(account.register({ username: nextName(), password: PASSWORD }), { code: 'id/taken' })

  device.network.state = 'down'
  const again = await device.open()
  assert.deepEqual([again.user, again.state, again.sessionId], [to, 'logged-in', account.sessionId])
})

test('[DV5] a registration whose answer was lost is repeated; under another name it is refused, and logging in helps', async () => {
  const { device, account } = await openNew(server.url)
  const { id } = account.user
  const username = nextName()
  device.network.state = 'loses answers'
  await assert.rejects(account.register({ username, password: PASSWORD }), Unreachable)
  assert.equal(account.user.isGuest, true)
  device.network.state = 'up'
  await assert.rejects(account.register({ username: nextName(), password: PASSWORD }), { code: 'id/taken' })
  assert.equal((await account.login({ identifier: username, password: PASSWORD })).id, id)
  assert.deepEqual(await account.guests(), [], 'the guest is the user')

  const other = await openNew(server.url)
  other.device.network.state = 'loses answers'
  const name = nextName()
  await assert.rejects(other.account.register({ username: name, password: PASSWORD }), Unreachable)
  other.device.network.state = 'up'
  assert.equal((await other.account.register({ username: name, password: PASSWORD })).username, name)
})

test('[DV6] logging in is another person with an area of their own; a wrong password changes nobody', async () => {
  const { device, account } = await openNew(server.url)
  const person = await register(server.url, nextName())
  const guest = account.user
  await assert.rejects(account.login({ identifier: person.username, password: 'something else' }), {
    code: 'auth/bad-credentials',
  })
  assert.deepEqual(account.user, guest)
  const events: AccountEvent[] = []
  account.subscribe((event) => events.push(event))
  const user = await account.login({ identifier: person.username, password: PASSWORD })
  assert.deepEqual(user, { id: person.id, username: person.username, isGuest: false })
  assert.deepEqual(events, [{ type: 'switched', from: guest, to: user }])
  const sessions = await account.sessions()
  const own = sessions.find(({ current }) => current)
  assert.deepEqual([own?.id, own?.deviceId], [account.sessionId, account.deviceId])
  assert.deepEqual(await device.store.get('current'), { area: `user-${user.id}`, userId: user.id })
})

test('[DV6] a logout ends the login here and on the server; no token of it is left on the device', async () => {
  const { device, account } = await openNew(server.url)
  const user = await account.register({ username: nextName(), password: PASSWORD })
  const token = (await account.token()) as string
  await account.logout()
  assert.equal(account.state, 'guest')
  assert.notEqual(account.user.id, user.id)
  assert.equal((await ask(server.url, 'GET', '/auth/me', { token })).status, 401)
  const kept = JSON.stringify([...(await device.store.list(''))])
  assert.ok(!kept.includes(token) && !kept.includes('refreshToken'), kept)
})

test('[DV6] a logout works offline, and does not wait for a refresh that hangs', async () => {
  const hangs = Promise.withResolvers<void>()
  const { account, clock } = await openNew(server.url, {
    fetch: async (input, init) => {
      if (!(input as string).endsWith('/refresh')) return fetch(input, init)
      hangs.resolve()
      return new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(new Error('aborted')))
      })
    },
  })
  await account.register({ username: nextName(), password: PASSWORD })
  clock.advance(TOKEN_MS)
  const token = account.token()
  await hangs.promise
  await Promise.all([account.logout(), assert.rejects(token)])
  assert.equal(account.state, 'guest')

  const offline = await openNew(server.url)
  await offline.account.register({ username: nextName(), password: PASSWORD })
  offline.device.network.state = 'down'
  await offline.account.logout()
  assert.equal((await offline.device.open()).state, 'guest')
})

test('[DV6] what becomes of a guest who signs in is on the disk with the login; kept apart, they return after it', async () => {
  const { device, account } = await openNew(server.url)
  const person = await register(server.url, nextName())
  const guestId = account.user.id
  await account.login({ identifier: person.username, password: PASSWORD, guest: 'keep' })
  assert.deepEqual(await account.guests(), [{ guestId, plan: null }])
  await account.logout()
  assert.equal(account.user.id, guestId)
  assert.deepEqual(await account.guests(), [])

  await account.login({ identifier: person.username, password: PASSWORD })
  const plan = { userId: person.id, choice: 'merge' }
  assert.deepEqual(await (await device.open()).guests(), [{ guestId, plan }])
  await account.guestDone(guestId)
  await account.logout()
  assert.notEqual(account.user.id, guestId)
})

test('[DV10] a login that the server ended leaves the same person, who goes on offline and can log in again', async () => {
  const { device, account, clock } = await openNew(server.url)
  const username = nextName()
  const user = await account.register({ username, password: PASSWORD })
  const events: AccountEvent[] = []
  account.subscribe((event) => events.push(event))
  const token = (await account.token()) as string
  await ask(server.url, 'DELETE', `/auth/sessions/${account.sessionId}`, { token })
  await assert.rejects(account.me(), { code: 'auth/required' })
  assert.deepEqual([account.user, account.state, await account.token()], [user, 'needs-login', null])
  assert.deepEqual(events, [{ type: 'ended', code: 'auth/token-invalid' }])
  assert.equal((await device.open({ clock })).state, 'needs-login')
  await assert.rejects(account.register({ username: nextName(), password: PASSWORD }), { code: 'id/taken' })

  await account.login({ identifier: username, password: PASSWORD })
  assert.deepEqual([account.user, account.state, events.length], [user, 'logged-in', 2])
  assert.deepEqual(await account.guests(), [])
})

test('[DV10] a refresh token that somebody else has used ends the login', async () => {
  const { device, account, clock } = await openNew(server.url)
  await account.register({ username: nextName(), password: PASSWORD })
  const stolen = (await device.store.get(`session/${account.user.id}`)) as { tokens: { refreshToken: string } }
  const { refreshToken } = stolen.tokens
  // Another device of another name, so that the server sees no repeat.
  const answer = await ask(server.url, 'POST', '/auth/refresh', { body: { refreshToken, deviceId: newId() } })
  assert.equal(answer.status, 200)
  const codes: string[] = []
  account.subscribe((event) => event.type === 'ended' && codes.push(event.code))
  clock.advance(TOKEN_MS)
  const thiefs = (answer.data as { refreshToken: string }).refreshToken
  await ask(server.url, 'POST', '/auth/refresh', { body: { refreshToken: thiefs } })
  assert.equal(await account.token(), null)
  assert.deepEqual([account.state, codes], ['needs-login', ['auth/token-reused']])
})

test('[DV13] a person sees their logins and ends one; ending one’s own needs a new login', async () => {
  const first = await openNew(server.url)
  const username = nextName()
  await first.account.register({ username, password: PASSWORD })
  const second = await openNew(server.url)
  await second.account.login({ identifier: username, password: PASSWORD })
  assert.equal((await first.account.sessions()).length, 2)
  await first.account.endSession(second.account.sessionId as string)
  assert.equal((await first.account.sessions()).length, 1)
  await assert.rejects(second.account.me(), { code: 'auth/required' })
  assert.equal(second.account.state, 'needs-login')
  await assert.rejects(first.account.endSession(newId()), { code: 'access/not-found' })
  await first.account.endSession(first.account.sessionId as string)
  assert.equal(first.account.state, 'needs-login')
})
