// Commands made offline, against a real server: kept, sent in order, done once whatever dies in between, refused visibly,
// tried again later.
import assert from 'node:assert/strict'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, test } from 'vitest'
import { systemClock } from '../../client-sdk/system-clock.ts'
import type { Account } from '../../client-sdk/account-types.ts'
import { createHttp } from '../../client-sdk/http.ts'
import type { NewCommand } from '../../client-sdk/outbox-types.ts'
import { AppError } from '../../shared/errors.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { createTeam } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { createManualClock } from './connection-peer.ts'
import { createDeath, Killed } from './device.ts'
import { done, newChannel, newCode, newGroup, openRegistered, states } from './outbox-scene.ts'

let server: OwnServer
beforeAll(async () => {
  server = await startOwnServer()
})
afterAll(() => server[Symbol.asyncDispose]())

test('[DV14] a command is on the disk when it was added, survives a restart, and is sent in its order', async () => {
  const { device, account } = await openRegistered(server.url)
  device.network.state = 'down'
  const group = newGroup()
  const channel = newChannel(group.id)
  {
    await using outbox = await device.outbox(account)
    await outbox.add(group)
    await outbox.add(channel)
    assert.equal((await outbox.add({ ...group, body: { id: group.id, name: 'Again' } })).order, 1)
  }
  device.network.state = 'up'
  device.network.sent.length = 0
  await using outbox = await device.outbox(account)
  const [made, shown] = await Promise.all([outbox.confirmed(group.id), outbox.confirmed(channel.id)])
  assert.deepEqual(device.network.sent, ['POST /groups', `POST /groups/${group.id}/channels`])
  assert.equal((made as { name: string }).name, 'Friday club')
  assert.equal((shown as { documentName: string }).documentName, `tasks/${channel.id}`)
  assert.deepEqual(outbox.list(), [])
  assert.deepEqual([...(await (await device.area(account)).list('outbox/')).keys()], [])
})

test('[DV14] an order is an order, also when the clock is set back in between', async () => {
  const { device, account } = await openRegistered(server.url)
  device.network.state = 'down'
  await using outbox = await device.outbox(account)
  const [later, earlier] = [newId({ msecs: 2_000 }), newId({ msecs: 1_000 })]
  await outbox.add(newGroup(later))
  await outbox.add(newChannel(later, earlier))
  device.network.state = 'up'
  outbox.online()
  await outbox.confirmed(earlier)
  assert.deepEqual(await done(server, earlier), ['channel.created'])
})

test('[DV15] a kill at any step loses no command that was added, and repeats none that was done', async () => {
  const { device, account } = await openRegistered(server.url)
  const area = await device.area(account)
  let kills = 0
  for (let at = 1, isOver = false; !isOver; at += 1) {
    const death = createDeath(at)
    const http = createHttp({
      url: server.url,
      token: account.token,
      tokenRejected: () => {},
      clock: systemClock,
      fetch: death.fetch(fetch),
    })
    const group = newGroup()
    const code = newCode(group.id)
    const channel = newChannel(group.id)
    const added: NewCommand[] = []
    try {
      const outbox = await device.outbox(account, { store: death.store(area), http, clock: createManualClock() })
      for (const command of [group, code, channel]) {
        await outbox.add(command)
        added.push(command)
      }
      await outbox.flush().catch(() => {})
      isOver = !death.isDead()
    } catch (error) {
      assert.ok(error instanceof Killed, String(error))
    }
    if (!isOver) kills += 1

    await using outbox = await device.outbox(account)
    await outbox.flush()
    assert.deepEqual(outbox.list(), [], `killed at step ${at}`)
    const actions = [...(await done(server, group.id)), ...(await done(server, channel.id))]
    const all = ['group.created', 'group.code-changed', 'channel.created']
    assert.equal(new Set(actions).size, actions.length, `killed at step ${at}: ${actions.join(' ')}`)
    assert.ok(actions.length >= added.length, `killed at step ${at}: ${actions.join(' ')}`)
    assert.deepEqual(actions, all.slice(0, actions.length))
  }
  process.stdout.write(`outbox: ${kills} kills\n`)
  assert.ok(kills >= 12)
})

test('[DV15] an answer that was lost is asked for again: what it says is what was done', async () => {
  const { device, account } = await openRegistered(server.url)
  await using outbox = await device.outbox(account)
  const group = newGroup()
  await outbox.add(group)
  await outbox.confirmed(group.id)
  const code = newCode(group.id)
  device.network.state = 'loses answers'
  await outbox.add(code)
  await eventually(
    () => outbox.list()[0]?.attempts ?? 0,
    // A round that was still under way when the command was added may be followed by another at once.
    (attempts) => attempts >= 1,
  )
  device.network.state = 'up'
  outbox.online()
  const { accessCode } = await outbox.confirmed<{ accessCode: string }>(code.id)
  const now = await account.http.request<{ accessCode: string }>('GET', `/groups/${group.id}`)
  assert.equal(accessCode, now.accessCode)
  assert.deepEqual(await done(server, group.id), ['group.created', 'group.code-changed'])
})

test('[DV16] a refused command stays with its reason; what depends on it waits, and other commands do not', async () => {
  const { device, account } = await openRegistered(server.url)
  const stranger = await createTeam(server.url, 1)
  await using outbox = await device.outbox(account)
  const taken = newGroup(stranger.group.id)
  const channel = newChannel(taken.id)
  const other = newGroup()
  device.network.state = 'down'
  for (const command of [taken, channel, other]) await outbox.add(command)
  device.network.state = 'up'
  outbox.online()
  const refused = assert.rejects(outbox.confirmed(taken.id), { code: 'id/taken', message: 'this id is in use' })
  await outbox.confirmed(other.id)
  await refused
  await outbox.flush()
  assert.equal(outbox.untilSent(), null)
  assert.deepEqual(states(outbox), [
    [taken.id, 'refused', 'id/taken'],
    [channel.id, 'pending', null],
  ])
  assert.deepEqual(
    outbox.list().map((command) => outbox.waitsFor(command)),
    [null, taken.id],
  )
  const waiting = assert.rejects(outbox.confirmed(channel.id), { code: 'record/not-found' })
  await outbox.discard(taken.id)
  await waiting
  assert.deepEqual(outbox.list(), [])
  await assert.rejects(outbox.discard(taken.id), { code: 'record/not-found' })
})

test('[DV16] a refused command is given once more, and is not answered with its old refusal', async () => {
  const { device, account } = await openRegistered(server.url)
  const { group, people } = await createTeam(server.url, 1)
  await using outbox = await device.outbox(account)
  const channel = newChannel(group.id)
  await outbox.add(channel)
  await assert.rejects(outbox.confirmed(channel.id), { code: 'access/not-found' })
  const [{ accessToken: token }] = people
  await fetch(`${server.url}/api/v1/groups/${group.id}/members`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ userId: account.user.id, role: 'admin' }),
  })
  await outbox.retry(channel.id)
  await outbox.confirmed(channel.id)
  await assert.rejects(outbox.retry(channel.id), { code: 'record/not-found' })
  assert.deepEqual(await done(server, channel.id), ['channel.created'])
})

test('[DV17] while the server cannot be reached it is tried later and later, and at once when it can be', async () => {
  const { device, account } = await openRegistered(server.url)
  const clock = createManualClock()
  device.network.state = 'down'
  await using outbox = await device.outbox(account, { clock, random: () => 0 })
  const group = newGroup()
  await outbox.add(group)
  const waits: number[] = []
  for (let round = 0; round < 8; round += 1) {
    const [ms] = await eventually(
      () => clock.timers(),
      (timers) => timers.length === 1,
    )
    waits.push(ms as number)
    clock.advance(ms as number)
    await eventually(
      () => outbox.list()[0]?.attempts,
      (attempts) => attempts === round + 2,
    )
  }
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
  device.network.state = 'up'
  outbox.online()
  await outbox.confirmed(group.id)
})

test('[DV18] a command that the server wants later waits alone', async () => {
  const { device, account } = await openRegistered(server.url)
  const clock = createManualClock()
  let isBusy = true
  const http = {
    request: ((method, path, options) => {
      // What the server says after ten codes that were none; its own counter would need an hour.
      if (path === '/groups/join' && isBusy)
        return Promise.reject(new AppError('rate/too-many', 'later', { retryAfterMs: 60_000 }))
      return account.http.request(method, path, options)
    }) as Account['http']['request'],
  }
  await using outbox = await device.outbox(account, { clock, http })
  const join = { id: newId(), method: 'POST', path: '/groups/join', body: { accessCode: 'NONE-SUCH-00' } } as const
  const group = newGroup()
  await outbox.add(join)
  await outbox.add(group)
  await outbox.confirmed(group.id)
  await outbox.flush()
  assert.deepEqual(states(outbox), [[join.id, 'pending', null]])
  assert.deepEqual(clock.timers(), [60_000])
  isBusy = false
  clock.advance(60_000)
  await assert.rejects(outbox.confirmed(join.id), { code: 'group/code-unknown' })
})
