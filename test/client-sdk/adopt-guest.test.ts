// A guest's work that becomes a user's: what it is turned into, once, whatever dies in between; and the whole way against a
// real server.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { v7 as newId } from 'uuid'
import type { GuestChoice } from '../../client-sdk/account-types.ts'
import { type AdoptedEdit, adoptGuest, claimedBy, readAdopted } from '../../client-sdk/adopt-guest.ts'
import { areaOf } from '../../client-sdk/account.ts'
import { createGroups } from '../../client-sdk/groups.ts'
import { createChannels } from '../../client-sdk/channels.ts'
import { createMemoryDisk } from '../../client-sdk/offline/memory.ts'
import type { NewEntry, RecordedOperation, Store } from '../../client-sdk/offline/store.ts'
import type { Command } from '../../client-sdk/outbox-types.ts'
import type { Json } from '../../shared/json.ts'
import { startOwnServer } from '../compat/servers.ts'
import { PASSWORD, register } from '../helpers/accounts.ts'
import { chooseSeed, createRandom, type Random } from '../helpers/random.ts'
import { createDeath, createDevice, Killed } from './device.ts'

const GUEST = newId()
const USER = newId()
const CHANNEL = newId()
const UUID = newId()

const operation = (name: string, input: Json): RecordedOperation => ({ name, input, actor: GUEST, now: 5, ids: [UUID] })

const edit = (document: string, name: string, input: Json): NewEntry => ({
  document,
  update: new Uint8Array([1]),
  pending: { clientId: 7, operation: operation(name, input) },
})
const raw = (document: string, byte: number): NewEntry => ({
  document,
  update: new Uint8Array([byte]),
  pending: { clientId: 9 },
})

const command = (order: number, given: Partial<Command> = {}): Command => ({
  id: newId(),
  method: 'POST',
  path: '/groups',
  body: { name: `group ${order}` },
  order,
  at: order,
  attempts: 0,
  retries: 0,
  state: 'pending',
  ...given,
})

const openAreas = async () => {
  const disk = createMemoryDisk()
  return { from: await disk.open(areaOf(GUEST)), to: await disk.open(areaOf(USER)) }
}

const putCommands = (store: Store, commands: readonly Command[]): Promise<unknown> =>
  store.write({ put: Object.fromEntries(commands.map((one) => [`outbox/${one.id}`, one])) })

const adopt = (from: Store, to: Store, choice: GuestChoice = 'merge', toUser = USER): Promise<void> =>
  adoptGuest({ from, fromUser: GUEST, to, toUser, choice })

const isEmpty = async (store: Store): Promise<boolean> =>
  (await store.documents()).length === 0 && [...(await store.list('')).keys()].every((key) => key === 'claim')

const commandsOf = async (store: Store): Promise<Command[]> =>
  ([...(await store.list('outbox/')).values()] as unknown as Command[]).toSorted((a, b) => a.order - b.order)

test('[DV28] edits become the user’s: names of documents, the author, ids of the form user.uuid; texts stay', async () => {
  const { from, to } = await openAreas()
  const chat = `chat/${CHANNEL}/0`
  const own = `${GUEST}.${UUID}`
  await from.write({
    append: [
      edit(chat, 'message.send', { id: own, body: `I am at /${GUEST}/ now`, replyTo: `${USER}.${UUID}` }),
      edit(chat, 'message.react', { id: own, emoji: '👍', on: true }),
      edit(`checkins/${GUEST}`, 'checkin.submit', { groupId: CHANNEL, productive: 5 }),
      edit(`me/${GUEST}`, 'setting.set', { key: 'theme', value: [GUEST, { nested: GUEST }] }),
      edit(chat, 'changes', { changes: [{ root: 'reactions', key: `${own}.👍.${GUEST}`, value: null }] }),
      edit(`tasks/${CHANNEL}`, 'task.add', { title: `${GUEST}x`, assignee: GUEST }),
    ],
  })
  await adopt(from, to)
  const edits = [...(await readAdopted(to)).values()]
  const users = `${USER}.${UUID}`
  const expected: readonly (readonly [document: string, input: Json])[] = [
    [chat, { id: users, body: `I am at /${GUEST}/ now`, replyTo: `${USER}.${UUID}` }],
    [chat, { id: users, emoji: '👍', on: true }],
    [`checkins/${USER}`, { groupId: CHANNEL, productive: 5 }],
    [`me/${USER}`, { key: 'theme', value: [USER, { nested: USER }] }],
    [chat, { changes: [{ root: 'reactions', key: `${users}.👍.${USER}`, value: null }] }],
    [`tasks/${CHANNEL}`, { title: `${GUEST}x`, assignee: USER }],
  ]
  assert.deepEqual(
    edits.map(({ document, operation: run }) => [document, run?.input]),
    expected,
  )
  for (const { operation: run, update } of edits) {
    assert.deepEqual([run?.actor, run?.now, run?.ids, update], [USER, 5, [UUID], undefined])
  }
  assert.ok(await isEmpty(from))
})

test('[DV28] what an editor wrote goes as it is, with all updates of its document, in their order', async () => {
  const { from, to } = await openAreas()
  const document = `document/${CHANNEL}`
  await from.write({
    append: [
      raw(document, 1),
      edit(document, 'document.replace', { markdown: 'Hello' }),
      edit(`tasks/${CHANNEL}`, 'task.add', { title: 'milk' }),
      raw(document, 3),
    ],
  })
  await adopt(from, to)
  const shown = ({ document: name, operation: run, update, clientId }: AdoptedEdit) => [
    name.split('/')[0],
    run?.name ?? [...(update ?? [])],
    clientId,
  ]
  assert.deepEqual([...(await readAdopted(to)).values()].map(shown), [
    ['document', [1], 9],
    ['document', [1], 7],
    ['tasks', 'task.add', 7],
    ['document', [3], 9],
  ])
})

test('[DV28] commands come after the user’s own, in their order, with their ids', async () => {
  const { from, to } = await openAreas()
  const own = [command(1), command(7)]
  const guests = [
    command(1),
    command(2, { path: `/groups/${CHANNEL}/members`, body: { userId: GUEST, role: 'member' } }),
  ]
  await putCommands(to, own)
  await putCommands(from, guests)
  await adopt(from, to)
  const moved = await commandsOf(to)
  assert.deepEqual(
    moved.map(({ id, order }) => [id, order]),
    [...own, ...guests].map(({ id }, index) => [id, [1, 7, 8, 9][index]]),
  )
  assert.deepEqual(moved.at(-1)?.body, { userId: USER, role: 'member' })
})

test('[DV29] kept apart nothing moves; discarded nothing is left', async () => {
  const { from, to } = await openAreas()
  await from.write({ append: [raw(`document/${CHANNEL}`, 1)], put: { anything: 1 } })
  await putCommands(from, [command(1)])
  await adopt(from, to, 'keep')
  assert.deepEqual([(await from.pending()).length, (await from.list('')).size, await isEmpty(to)], [1, 2, true])
  await adopt(from, to, 'discard')
  assert.deepEqual([await isEmpty(from), await isEmpty(to)], [true, true])
})

test('[DV29] a guest’s work goes to one person, who began to take it over', async () => {
  const { from, to } = await openAreas()
  await from.write({ append: [raw(`document/${CHANNEL}`, 1)] })
  const death = createDeath(3)
  await assert.rejects(adopt(death.store(from), death.store(to)), Killed)
  assert.equal(await claimedBy(from), USER)
  const other = await createMemoryDisk().open('user-0000000002')
  for (const choice of ['merge', 'discard'] as const)
    await assert.rejects(adopt(from, other, choice, 'user-0000000002'), { code: 'id/taken' })
  await adopt(from, to)
  assert.deepEqual([(await readAdopted(to)).size, await isEmpty(other)], [1, true])
})

const KINDS = ['tasks', 'board', 'chat', 'document'] as const

const fillRandomly = async (from: Store, to: Store, random: Random): Promise<{ edits: number; commands: number }> => {
  const edits = Array.from({ length: random.int(0, 12) }, () => {
    const kind = random.pick(KINDS)
    const document = `${kind}/${CHANNEL}`
    return kind === 'document' ? raw(document, random.int(0, 255)) : edit(document, 'any', { n: random.int(0, 9) })
  })
  if (edits.length > 0) await from.write({ append: edits })
  const commands = Array.from({ length: random.int(0, 5) }, (_one, index) => command(index + 1))
  await putCommands(from, commands)
  await putCommands(
    to,
    Array.from({ length: random.int(0, 3) }, (_one, index) => command(index + 1)),
  )
  return { edits: edits.length, commands: commands.length }
}

test('[DV30] killed at every step, again and again, each edit and each command arrives once', async () => {
  const seed = chooseSeed()
  const random = createRandom(seed)
  let kills = 0
  for (let run = 0; run < 200; run++) {
    const { from, to } = await openAreas()
    const made = await fillRandomly(from, to, random)
    const before = await commandsOf(to)
    const arrived: string[] = []
    /** What the engine does with adopted edits, at any time: makes them, and takes them out. */
    const consume = async (): Promise<void> => {
      const keys = [...(await readAdopted(to)).keys()].filter(() => random.chance(0.7))
      arrived.push(...keys)
      await to.write({ del: keys })
    }
    for (let isDone = false; !isDone;) {
      const death = createDeath(random.chance(0.9) ? random.int(1, 7) : 1_000)
      try {
        await adopt(death.store(from), death.store(to))
        isDone = true
      } catch (error) {
        assert.ok(error instanceof Killed, String(error))
        kills += 1
      }
      if (random.chance(0.5)) await consume()
    }
    arrived.push(...(await readAdopted(to)).keys())
    assert.equal(new Set(arrived).size, arrived.length, `SEED=${seed} run ${run}`)
    const commands = await commandsOf(to)
    const orders = commands.map(({ order }) => order)
    assert.deepEqual(
      [arrived.length, commands.length, new Set(orders).size, await isEmpty(from)],
      [made.edits, before.length + made.commands, orders.length, true],
      `SEED=${seed} run ${run}`,
    )
    // Once more changes nothing, and what a forgotten tab of the guest wrote since is taken along.
    await adopt(from, to)
    assert.equal((await commandsOf(to)).length, commands.length)
    await from.write({ append: [raw(`document/${CHANNEL}`, 7)] })
    const known = (await readAdopted(to)).size
    await adopt(from, to)
    assert.equal((await readAdopted(to)).size, known + 1, `SEED=${seed} run ${run}`)
  }
  process.stdout.write(`adopt: SEED=${seed} ${kills} kills in 200 adoptions\n`)
  assert.ok(kills > 100)
})

test('[DV30] a guest makes a group offline and signs in to an existing account: the group is the user’s, once', async () => {
  await using server = await startOwnServer()
  const person = await register(server.url)
  const device = await createDevice(server.url)
  const account = await device.open()
  const guest = account.user
  const guestArea = await device.area(account)
  let groupId: string
  {
    await using outbox = await device.outbox(account)
    groupId = (await createGroups({ outbox, readMe: () => null, newId }).create({ name: 'Friday club' })).id
    await createChannels({ outbox, readGroup: () => null, newId }).create(groupId, { type: 'TODO', name: 'Shopping' })
  }
  await account.login({ identifier: person.username, password: PASSWORD })
  const [kept] = await account.guests()
  assert.deepEqual(kept, { guestId: guest.id, plan: { userId: person.id, choice: 'merge' } })
  const to = await device.area(account)
  for (let round = 0; round < 2; round++)
    await adoptGuest({ from: guestArea, fromUser: guest.id, to, toUser: person.id, choice: 'merge' })
  await account.guestDone(guest.id)

  await using outbox = await device.outbox(account)
  const made = await outbox.confirmed<{ createdBy: string }>(groupId)
  await outbox.flush()
  assert.equal(made.createdBy, person.id)
  assert.deepEqual([outbox.list(), await account.guests()], [[], []])
  const channels = await account.http.request<readonly { name: string }[]>('GET', `/groups/${groupId}/channels`)
  assert.deepEqual(
    channels.map(({ name }) => name),
    ['Shopping'],
  )
})
