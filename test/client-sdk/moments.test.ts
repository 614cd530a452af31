// Moments at which the client once went wrong: an edit right after the command that makes its place, a login right into
// another account, an undo that is made again, a disk that fails.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import type { Json } from '../../shared/json.ts'
import { createMemoryDisk } from '../../client-sdk/offline/memory.ts'
import { type Batch, type Disk, StoreError } from '../../client-sdk/offline/store.ts'
import { createPresenceRelay } from '../../client-sdk/presence-relay.ts'
import { startOwnServer } from '../compat/servers.ts'
import { PASSWORD } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { openClient, openMember, register } from './sync-scene.ts'

const SCORES = { productive: 5, satisfied: 5, body: 5, care: 5 }
const ROUNDS = 15

test('[SY11] an edit waits for the command that makes its channel or group, and is never refused for it', async () => {
  await using server = await startOwnServer()
  const client = await openClient(server)
  await register(client)
  const checkIns = await client.checkIns()
  await eventually(
    () => checkIns.status.synced,
    (synced) => synced,
    { what: 'check-ins open at the server' },
  )
  for (let round = 0; round < ROUNDS; round++) {
    const group = await client.groups.create({ name: `Group ${round}` })
    const channel = await client.channels.create(group.id, { type: 'TODO', name: 'Tasks' })
    const list = await client.tasks(channel.id)
    list.add({ title: 'at once' })
    checkIns.submit({ groupId: group.id, ...SCORES })
    await Promise.all([list.stored(), checkIns.stored()])
    await list.close()
  }
  assert.deepEqual(await client.quarantine.list(), [])
  assert.equal(checkIns.read().checkins.length, ROUNDS)
  await client.close()
})

/** What a signed token says, without asking whether it is true. */
const ownerOf = (token: string): string | undefined => {
  const payload = /eyJ[\w-]+\.(eyJ[\w-]+)\./.exec(token)?.[1]
  return payload && (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { readonly sub: string }).sub
}

test('[SY12] no document of one person is ever asked for with the login of another', async () => {
  await using server = await startOwnServer()
  const other = await openClient(server)
  const ben = await register(other)
  await other.close()
  const opened: { readonly document: string; readonly by: string }[] = []
  const { client, channelId } = await openMember(server, 'TODO', {
    // The goodbye to the login before takes its time.
    slow: /\/auth\/logout$/,
    onSent: (bytes) => {
      const text = Buffer.from(bytes).toString('latin1')
      const document = /(?:tasks|me|group)\/[\w-]{36}/.exec(text)?.[0]
      const by = ownerOf(text)
      if (document !== undefined && by !== undefined && !text.startsWith('[')) opened.push({ document, by })
    },
  })
  const ada = client.user.id
  const list = await client.tasks(channelId)
  list.add({ title: 'by A' })
  await list.stored()
  assert.ok(
    opened.some(({ document, by }) => document === `tasks/${channelId}` && by === ada),
    'overheard',
  )
  await client.auth.login({ identifier: ben, password: PASSWORD })
  const me = await client.me()
  await eventually(
    () => me.status.synced,
    (synced) => synced,
    { what: 'B’s own document' },
  )
  const ofAda = new Set([
    `tasks/${channelId}`,
    `me/${ada}`,
    ...opened.filter(({ by }) => by === ada).map((one) => one.document),
  ])
  assert.deepEqual(
    opened.filter(({ document, by }) => ofAda.has(document) && by !== ada),
    [],
  )
  await client.close()
})

test('[SY13] what a guest undid is undone in the account they sign in to', async () => {
  await using server = await startOwnServer()
  const first = await openClient(server)
  const username = await register(first)
  const guest = await openClient(server, { offline: true })
  const group = await guest.groups.create({ name: 'Group' })
  const channel = await guest.channels.create(group.id, { type: 'TODO', name: 'Tasks' })
  const list = await guest.tasks(channel.id)
  const id = list.add({ title: 'open' })
  list.complete({ id, done: true })
  assert.equal(list.undo(), true)
  await list.saved()
  guest.goOnline()
  await guest.auth.login({ identifier: username, password: PASSWORD })
  const again = await guest.tasks(channel.id)
  await again.stored()
  assert.deepEqual(
    again.read().tasks.map(({ title, done }) => [title, done]),
    [['open', false]],
  )
  assert.deepEqual(await guest.quarantine.list(), [])
  await guest.close()
  await first.close()
})

/** A disk whose every confirming write fails while `isBroken`. */
const breakableDisk = () => {
  const inner = createMemoryDisk()
  const state = { isBroken: false, failures: 0 }
  const disk: Disk = {
    wipe: inner.wipe,
    open: async (area) => {
      const store = await inner.open(area)
      const write = async (batch: Batch): Promise<readonly number[]> => {
        if (!state.isBroken || !batch.confirm?.length) return store.write(batch)
        state.failures++
        throw new StoreError('store/failed', 'broken on purpose')
      }
      return { ...store, write, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
    },
  }
  return { disk, state }
}

test('[SY14] while this device’s disk fails nothing is called stored, it is tried again in peace, and is once the disk works', async () => {
  await using server = await startOwnServer()
  const { disk, state } = breakableDisk()
  const { client, channelId } = await openMember(server, 'TODO', { disk })
  const list = await client.tasks(channelId)
  const errors: unknown[] = []
  client.onError((error) => errors.push(error))
  state.isBroken = true
  list.add({ title: 'kept here, and there' })
  await eventually(
    () => state.failures,
    (failures) => failures >= 2,
    { what: 'a second try' },
  )
  assert.equal(list.status.stored, false)
  assert.ok(state.failures < 10 && errors.length < 10, `${state.failures} tries`)
  state.isBroken = false
  await list.stored()
  await client.close()
})

test('[SY15] of several tabs the server hears the newest presence; one that only listens takes nothing back', () => {
  const relay = createPresenceRelay()
  const say = (tab: string, state: Json) => relay(tab, 'group/a', { type: 'presence', state })['state']
  assert.equal(say('one', null), null)
  assert.deepEqual(say('one', { status: 'online' }), { status: 'online' })
  assert.deepEqual(say('two', null), { status: 'online' })
  assert.deepEqual(say('two', { status: 'away' }), { status: 'away' })
  assert.deepEqual(say('two', null), { status: 'online' })
  assert.equal(say('one', null), null)
  assert.deepEqual(relay('two', 'group/a', { type: 'presence-renew' }), { type: 'presence-renew' })
})
