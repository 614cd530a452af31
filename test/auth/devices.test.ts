// What people are shown of their logins: which device, and where; and what of old logins is kept.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { networkOf, readAddress } from '../../server/auth/address.ts'
import { sweepLogins } from '../../server/auth/sweep.ts'
import { startOwnServer } from '../compat/servers.ts'
import { ask, register } from '../helpers/accounts.ts'
import { type LoggedIn, openTestApp, PASSWORD, type TestApp } from '../http/test-app.ts'

const DAY = 24 * 3_600_000

interface Shown {
  readonly deviceName: string | null
  readonly ip: string | null
  readonly current: boolean
}

/** Logs in over a connection from this address. */
const loginFrom = async (app: TestApp, remoteAddress: string, more: object = {}): Promise<LoggedIn> => {
  const body = JSON.stringify({ identifier: 'alice', password: PASSWORD, ...more })
  const connection = { incoming: { socket: { remoteAddress } } }
  const response = await app.app.request('/api/v1/auth/login', { method: 'POST', body }, connection)
  assert.equal(response.status, 200)
  return ((await response.json()) as { data: LoggedIn }).data
}

const list = ({ must }: TestApp, token: string): Promise<Shown[]> => must(200, 'GET', '/auth/sessions', { token })

describe('devices', () => {
  test('[SE24] a login shows the name of its device and where it happened, after thirty days the network only', async () => {
    await using app = await openTestApp()
    const first = await app.register('alice', { deviceName: 'Old laptop' })
    const cases: [string, string, string][] = [
      ['203.0.113.77', '203.0.113.77', '203.0.113.0'],
      ['::ffff:203.0.113.77', '203.0.113.77', '203.0.113.0'],
      ['2001:db8:aa:bb::1', '2001:db8:aa:bb::1', '2001:db8:aa::'],
    ]
    const pairs = [first]
    for (const [remoteAddress] of cases) pairs.push(await loginFrom(app, remoteAddress, { deviceName: remoteAddress }))
    const { accessToken } = first
    const before = await list(app, accessToken)
    for (const [remoteAddress, full] of cases) {
      assert.equal(before.find(({ deviceName }) => deviceName === remoteAddress)?.ip, full)
    }
    assert.deepEqual(
      before.filter(({ current }) => current).map(({ deviceName, ip }) => [deviceName, ip]),
      [['Old laptop', null]],
    )
    let pair: Pick<LoggedIn, 'accessToken' | 'refreshToken'> = first
    for (let day = 0; day <= 30; day += 5) {
      app.clock.time += 5 * DAY
      for (const one of pairs) {
        const body = { refreshToken: one.refreshToken }
        Object.assign(one, await app.must(200, 'POST', '/auth/refresh', { body }))
      }
      pair = first
    }
    const after = await list(app, pair.accessToken)
    for (const [remoteAddress, , network] of cases) {
      assert.equal(after.find(({ deviceName }) => deviceName === remoteAddress)?.ip, network)
    }
    const kept = await app.storage.db.selectFrom('session').select('ip').execute()
    for (const { ip } of kept) assert.ok(!ip?.includes('77') && !ip?.includes('bb'), `${ip} is kept`)
  })

  test('[SE24] the address is the one of the connection, not what a header says', async () => {
    await using server = await startOwnServer()
    const { accessToken: token } = await register(server.url)
    const { data } = await ask(server.url, 'GET', '/auth/sessions', { token })
    assert.deepEqual(
      (data as Shown[]).map(({ ip }) => ip?.replace('::1', '127.0.0.1')),
      ['127.0.0.1'],
    )
    await using app = await openTestApp()
    const alice = await app.register('alice')
    await app.login('alice', { 'x-forwarded-for': '203.0.113.77', 'x-real-ip': '203.0.113.77' })
    assert.deepEqual(
      (await list(app, alice.accessToken)).map(({ ip }) => ip),
      [null, null],
    )
  })

  test('[SE24] a device name that breaks a rule is refused, and so is an address that is none', async () => {
    await using app = await openTestApp()
    for (const deviceName of ['', ' ', 'x'.repeat(101), 'a\u0000b', 7]) {
      const body = { username: 'alice', password: PASSWORD, deviceName }
      await app.refused(422, 'input/invalid', 'POST', '/auth/register', { body })
    }
    for (const text of [undefined, '', 'localhost', '1.2.3', '1.2.3.4.5', 'a::b::c'])
      assert.equal(readAddress(text), null)
    const networks: [string, string][] = [
      ['10.1.2.3', '10.1.2.0'],
      ['::1', '0:0:0::'],
      ['::', '0:0:0::'],
      ['fe80::1%eth0', 'fe80:0:0::'],
      ['1:2:3:4:5:6:7:8', '1:2:3::'],
      ['1::8', '1:0:0::'],
      ['1:2:3:4:5:6:7::', '1:2:3::'],
    ]
    for (const [address, network] of networks) assert.equal(networkOf(readAddress(address) as string), network)
  })

  test('[SE25] logins and tickets that have run out are removed, those that have not stay', async () => {
    await using app = await openTestApp()
    const alice = await app.register('alice')
    await app.must(201, 'POST', '/auth/ticket', { token: alice.accessToken })
    app.clock.time += 7 * DAY - 1
    const bob = await app.register('bob')
    await app.must(201, 'POST', '/auth/ticket', { token: bob.accessToken })
    app.clock.time += 1
    const { db } = app.storage
    await sweepLogins({ db, now: () => app.clock.time })
    for (const table of ['session', 'ticket'] as const) {
      const rows = await db.selectFrom(table).select('user_id').execute()
      assert.deepEqual(rows, [{ user_id: bob.user.id }], table)
    }
  })
})
