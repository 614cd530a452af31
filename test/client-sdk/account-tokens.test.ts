// The tokens of a login on a device, against a real server: when they are traded for new ones, over several tabs, lost
// answers, disks that fail, and clocks that are wrong.
import assert from 'node:assert/strict'
import { afterAll, beforeAll, test } from 'vitest'
import type { AccountEvent } from '../../client-sdk/account-types.ts'
import { Unreachable } from '../../client-sdk/http.ts'
import { StoreError } from '../../client-sdk/offline/store.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { ask, PASSWORD, register } from '../helpers/accounts.ts'
import { count, MINUTES, nextName, openNew, REFRESH, TOKEN_MS } from './account-scene.ts'
import { createManualClock } from './connection-peer.ts'
import { createDevice } from './device.ts'

let server: OwnServer
beforeAll(async () => {
  server = await startOwnServer()
})
afterAll(() => server[Symbol.asyncDispose]())

test('[DV7] an access token is used until 30 s before its end, then traded; the new pair is on the disk first', async () => {
  const { device, account, clock } = await openNew(server.url)
  await account.register({ username: nextName(), password: PASSWORD })
  const first = await account.token()
  clock.advance(TOKEN_MS - 31_000)
  assert.equal(await account.token(), first)
  clock.advance(1_000)
  const second = await account.token()
  assert.equal(count(device.network.sent, REFRESH), 1)
  // Tokens of one second are alike but for their login; the session says which refresh token is the newest.
  const kept = (await device.store.get(`session/${account.user.id}`)) as { tokens: { accessToken: string } }
  assert.equal(kept.tokens.accessToken, second)
  assert.equal((await ask(server.url, 'GET', '/auth/me', { token: second as string })).status, 200)
})

for (const locks of [navigator.locks, null])
  test(`[DV8] however many tabs ask at once, there is one refresh, and all go on (${locks ? 'with' : 'without'} locks)`, async () => {
    const { device, account, clock } = await openNew(server.url, { locks })
    await account.register({ username: nextName(), password: PASSWORD })
    const tabs = [account, await device.open({ clock, locks }), await device.open({ clock, locks })]
    clock.advance(TOKEN_MS)
    const tokens = await Promise.all([...tabs, ...tabs].map((tab) => tab.token()))
    assert.ok(tokens.every((token) => token !== null))
    // Without locks the server gives all tabs the same pair.
    if (locks) assert.equal(count(device.network.sent, REFRESH), 1)
    for (const tab of tabs) assert.equal((await tab.me()).id, account.user.id)
    assert.deepEqual(
      tabs.map(({ state }) => state),
      ['logged-in', 'logged-in', 'logged-in'],
    )
    clock.advance(TOKEN_MS)
    for (const tab of tabs) await tab.token()
    if (locks) assert.equal(count(device.network.sent, REFRESH), 2)
    assert.equal((await tabs[2]?.me())?.id, account.user.id)
  })

test('[DV8] a token that the server did not take is replaced once, however many requests it was refused to', async () => {
  const { device, account, clock } = await openNew(server.url)
  await account.register({ username: nextName(), password: PASSWORD })
  const { id } = account.user
  const kept = (await device.store.get(`session/${id}`)) as { tokens: object }
  await device.store.write({
    put: { [`session/${id}`]: { ...kept, tokens: { ...kept.tokens, accessToken: 'not a token' } } },
  })
  const again = await device.open({ clock })
  const answers = await Promise.all([again.me(), again.me(), again.sessions()])
  assert.equal(answers.length, 3)
  // Each was sent with it, and again: by its time it was good.
  assert.equal(device.network.sent.filter((request) => request.startsWith('GET')).length, 6)
  assert.equal(count(device.network.sent, REFRESH), 1)
})

test('[DV9] a refresh whose answer was lost is repeated, and the login lives on', async () => {
  const { device, account, clock } = await openNew(server.url)
  await account.register({ username: nextName(), password: PASSWORD })
  clock.advance(TOKEN_MS)
  device.network.state = 'loses answers'
  await assert.rejects(account.token(), Unreachable)
  device.network.state = 'up'
  // Killed and started again in between.
  const again = await device.open({ clock })
  assert.notEqual(await again.token(), null)
  clock.advance(TOKEN_MS)
  assert.equal((await again.me()).id, account.user.id)
  assert.equal(again.state, 'logged-in')
})

test('[DV9] new tokens that the disk did not take are kept in memory until it does, and not used before', async () => {
  const device = await createDevice(server.url)
  let isFull = false
  const store = {
    ...device.store,
    write: (batch: Parameters<typeof device.store.write>[0]) =>
      isFull ? Promise.reject(new StoreError('store/full', 'full')) : device.store.write(batch),
  }
  const clock = createManualClock()
  const account = await device.open({ clock, device: store })
  await account.register({ username: nextName(), password: PASSWORD })
  clock.advance(TOKEN_MS)
  isFull = true
  await assert.rejects(account.token(), { code: 'store/full' })
  await assert.rejects(account.token(), { code: 'store/full' })
  assert.equal(count(device.network.sent, REFRESH), 1)
  isFull = false
  clock.advance(TOKEN_MS)
  assert.equal((await account.me()).id, account.user.id)
  assert.equal(account.state, 'logged-in')
})

test('[DV11] offline with a token that is used up there is none, and the login stays', async () => {
  const { device, account, clock } = await openNew(server.url)
  await account.register({ username: nextName(), password: PASSWORD })
  device.network.state = 'down'
  assert.notEqual(await account.token(), null)
  clock.advance(TOKEN_MS)
  await assert.rejects(account.token(), Unreachable)
  assert.equal(account.state, 'logged-in')
  device.network.state = 'up'
  await account.refresh()
})

test('[DV11] nothing is sent on behalf of somebody who is not there any more, in whichever tab the other logged in', async () => {
  const { device, account, clock } = await openNew(server.url)
  const before = await account.register({ username: nextName(), password: PASSWORD })
  const person = await register(server.url, nextName())
  const tab = await device.open({ clock })
  await account.login({ identifier: person.username, password: PASSWORD })
  await assert.rejects(account.http.request('GET', '/groups', { as: before.id }), { code: 'auth/required' })
  await assert.rejects(account.token(before.id), { code: 'auth/required' })

  const events: AccountEvent[] = []
  tab.subscribe((event) => events.push(event))
  tab.tokenRejected()
  await assert.rejects(tab.token(before.id), { code: 'auth/required' })
  assert.deepEqual(events, [{ type: 'switched', from: before, to: account.user }])
})

test('[DV12] a clock that is a day wrong costs no refresh for each request', async () => {
  const { device, account, clock } = await openNew(server.url)
  await account.register({ username: nextName(), password: PASSWORD })
  for (let i = 0; i < 3; i++) await account.me()
  assert.equal(count(device.network.sent, REFRESH), 0)
  assert.ok(Math.abs(clock.now() - Date.now()) > 24 * 60 * MINUTES, 'the clock of this test is far off')
})
