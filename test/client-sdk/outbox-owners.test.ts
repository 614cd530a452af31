// Whose commands are whose, which tab sends them, and what is left of them, against a real server.
import assert from 'node:assert/strict'
import { afterAll, beforeAll, test } from 'vitest'
import { systemClock } from '../../client-sdk/system-clock.ts'
import { createListeners } from '../../client-sdk/listeners.ts'
import type { TabMessage, Tabs } from '../../client-sdk/tabs-types.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { PASSWORD, register } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { createManualClock } from './connection-peer.ts'
import { createDevice } from './device.ts'
import { newCode, newGroup, nextSender, openRegistered, states } from './outbox-scene.ts'

let server: OwnServer
beforeAll(async () => {
  server = await startOwnServer()
})
afterAll(() => server[Symbol.asyncDispose]())

test('[DV19] commands of one user leave under nobody else; they wait for their owner', async () => {
  const { device, account } = await openRegistered(server.url)
  const person = await register(server.url)
  const owner = account.user
  device.network.state = 'down'
  await using outbox = await device.outbox(account, { clock: createManualClock() })
  const group = newGroup()
  await outbox.add(group)
  await outbox.flush()
  device.network.state = 'up'
  await account.login({ identifier: person.username, password: PASSWORD })
  device.network.sent.length = 0
  await outbox.flush()
  assert.deepEqual(device.network.sent, [])
  assert.deepEqual(states(outbox), [[group.id, 'pending', null]])
  await account.login({ identifier: owner.username as string, password: PASSWORD })
  outbox.online()
  const made = await outbox.confirmed<{ createdBy: string }>(group.id)
  assert.equal(made.createdBy, owner.id)
})

test('[DV19] a guest’s commands wait for the account', async () => {
  const device = await createDevice(server.url)
  const account = await device.open()
  await using outbox = await device.outbox(account)
  const group = newGroup()
  await outbox.add(group)
  await outbox.flush()
  assert.deepEqual(device.network.sent, [])
  await account.register({ username: nextSender(), password: PASSWORD })
  outbox.online()
  assert.equal((await outbox.confirmed<{ createdBy: string }>(group.id)).createdBy, account.user.id)
})

/** Tabs of one device, of which the first leads until it is told not to. */
const createTabs = (size: number) => {
  const heard = Array.from({ length: size }, () => createListeners<TabMessage>())
  const led = Array.from({ length: size }, () => createListeners<boolean>())
  let leader = 0
  const tabs = heard.map((own, index): Tabs => {
    const toOthers = (message: TabMessage): void => {
      for (const other of heard) if (other !== own) other.tell(message)
    }
    return {
      get isLeader() {
        return leader === index
      },
      onLeadership: (listener) => (led[index] as (typeof led)[number]).add(listener),
      post: (message) => queueMicrotask(() => toOthers(message)),
      onMessage: own.add,
      [Symbol.asyncDispose]: async () => {},
    }
  })
  const lead = (index: number): void => {
    led[leader]?.tell(false)
    leader = index
    led[index]?.tell(true)
  }
  return { tabs, lead }
}

test('[DV20] the leading tab sends for all; every tab sees the commands and what came of them', async () => {
  const { device, account } = await openRegistered(server.url)
  const { tabs, lead } = createTabs(2)
  const [first, second] = tabs as [Tabs, Tabs]
  await using leading = await device.outbox(account, { tabs: first })
  await using other = await device.outbox(account, { tabs: second })
  const group = newGroup()
  device.network.sent.length = 0
  await other.add(group)
  const answers = await Promise.all([
    other.confirmed<{ id: string }>(group.id),
    eventually(
      () => leading.results(),
      (results) => results.length === 1,
    ),
  ])
  assert.equal(answers[0].id, group.id)
  assert.deepEqual(device.network.sent, ['POST /groups'])

  device.network.state = 'down'
  const later = newGroup()
  await leading.add(later)
  await leading.flush()
  device.network.state = 'up'
  lead(1)
  await other.confirmed(later.id)
  await eventually(
    () => leading.list(),
    (list) => list.length === 0,
  )
})

test('[DV21] a closed outbox sends nothing more, and says so to whoever waits', async () => {
  const { device, account } = await openRegistered(server.url)
  device.network.state = 'down'
  const outbox = await device.outbox(account)
  const group = newGroup()
  await outbox.add(group)
  const waiting = assert.rejects(outbox.confirmed(group.id), { code: 'store/closed' })
  await outbox[Symbol.asyncDispose]()
  await waiting
  await assert.rejects(outbox.add(newGroup()), { code: 'store/closed' })
  device.network.state = 'up'
  device.network.sent.length = 0
  outbox.online()
  await outbox.flush()
  assert.deepEqual(device.network.sent, [])
})

test('[DV21] a result goes when it is forgotten, and after a day', async () => {
  const { device, account } = await openRegistered(server.url)
  const group = newGroup()
  const another = newGroup()
  {
    await using outbox = await device.outbox(account)
    await outbox.add(group)
    await outbox.add(another)
    await Promise.all([outbox.confirmed(group.id), outbox.confirmed(another.id)])
    outbox.forget(group.id)
    // Adding waits for what was asked for before.
    await outbox.add(newCode(another.id))
    assert.deepEqual(
      outbox.results().map(({ id }) => id),
      [another.id],
    )
    assert.equal(await (await device.area(account)).get(`result/${group.id}`), undefined)
    assert.equal((await outbox.confirmed<{ id: string }>(group.id)).id, group.id)
  }
  const clock = { ...systemClock, now: () => Date.now() + 25 * 3_600_000 }
  await using outbox = await device.outbox(account, { clock })
  assert.deepEqual(outbox.results(), [])
  await assert.rejects(outbox.confirmed(group.id), { code: 'record/not-found' })
})
