// Groups and channels as a device shows them while commands are on their way; the documents are those of a real server, read
// when the test says that they have arrived.
import assert from 'node:assert/strict'
import { afterAll, beforeAll, test } from 'vitest'
import { v7 as newId } from 'uuid'
import { createChannels } from '../../client-sdk/channels.ts'
import { createGroups, type GroupsOptions } from '../../client-sdk/groups.ts'
import type { GroupProjection } from '../../shared/group/model.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { createTeam, PASSWORD } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { createDevice } from './device.ts'

let server: OwnServer
beforeAll(async () => {
  server = await startOwnServer()
})
afterAll(() => server[Symbol.asyncDispose]())

let lastNumber = 0

const open = async () => {
  const device = await createDevice(server.url)
  const account = await device.open()
  await account.register({ username: `founder_${++lastNumber}`, password: PASSWORD })
  const outbox = await device.outbox(account)
  let me: ReturnType<GroupsOptions['readMe']> = null
  const shown = new Map<string, GroupProjection>()
  const readMe = () => account.http.request<NonNullable<typeof me>>('GET', `/documents/me/${account.user.id}`)
  return {
    device,
    account,
    outbox,
    groups: createGroups({ outbox, readMe: () => me, newId }),
    channels: createChannels({ outbox, readGroup: (id) => shown.get(id) ?? null, newId }),
    /** The user's document arrives when it shows these groups. */
    meArrives: async (ids: readonly string[]) => {
      me = await eventually(readMe, ({ groups }) => Object.keys(groups).toSorted().join() === ids.toSorted().join())
    },
    groupArrives: async (id: string, channels: number) => {
      const read = () => account.http.request<GroupProjection>('GET', `/documents/group/${id}`)
      shown.set(id, await eventually(read, (group) => group.channels.length === channels))
    },
    [Symbol.asyncDispose]: () => outbox[Symbol.asyncDispose](),
  }
}

test('[DV22] a group and its channels made offline are there at once, and never out of the list until they are everywhere', async () => {
  await using peer = await open()
  const { device, outbox, groups, channels } = peer
  device.network.state = 'down'
  const group = await groups.create({ name: ' Friday club ', timezone: 'Europe/Berlin', checkInFrequency: 'daily' })
  assert.deepEqual(group, { id: group.id, name: 'Friday club', role: 'owner', isPending: true })
  const channel = await channels.create(group.id, { type: 'TODO', name: 'Shopping' })
  assert.deepEqual([groups.list(), groups.get(group.id), channels.list(group.id)], [[group], group, [channel]])
  assert.deepEqual(channel, { id: channel.id, groupId: group.id, type: 'TODO', name: 'Shopping', isPending: true })
  const made = groups.made().get(group.id)
  assert.deepEqual(
    [made?.timezone, made?.frequency, channels.made().get(channel.id)],
    ['Europe/Berlin', 'daily', group.id],
  )

  const seen: number[] = []
  outbox.subscribe(() => seen.push(groups.list().length, channels.list(group.id).length))
  device.network.state = 'up'
  outbox.online()
  const confirmed = { ...group, isPending: false }
  assert.deepEqual(await groups.confirmed(group.id), confirmed)
  assert.deepEqual(await channels.confirmed(channel.id), { ...channel, isPending: false })
  assert.deepEqual([groups.list(), channels.list(group.id)], [[confirmed], [{ ...channel, isPending: false }]])
  assert.equal(groups.made().size, 1)
  assert.ok(seen.length >= 4 && seen.every((length) => length === 1), seen.join())

  await peer.meArrives([group.id])
  await peer.groupArrives(group.id, 1)
  assert.deepEqual([groups.list(), channels.list(group.id)], [[confirmed], [{ ...channel, isPending: false }]])
  assert.deepEqual([groups.made().size, channels.made().size, outbox.results().length], [0, 0, 0])
  assert.deepEqual(await groups.confirmed(group.id), confirmed)
})

test('[DV22] a group that is left elsewhere does not come back from an old answer', async () => {
  await using peer = await open()
  const { account, groups } = peer
  const group = await groups.create({ name: 'For a while' })
  await groups.confirmed(group.id)
  await peer.meArrives([group.id])
  assert.equal(groups.list().length, 1)
  await account.http.request('DELETE', `/groups/${group.id}?confirm=For%20a%20while`)
  await peer.meArrives([])
  assert.deepEqual(groups.list(), [])
})

test('[DV22] a group that the server refuses stays in the list until it is discarded', async () => {
  await using peer = await open()
  const { group: taken } = await createTeam(server.url, 1)
  const groups = createGroups({ outbox: peer.outbox, readMe: () => null, newId: () => taken.id })
  await groups.create({ name: 'Mine' })
  await assert.rejects(groups.confirmed(taken.id), { code: 'id/taken' })
  assert.equal(groups.get(taken.id)?.isPending, true)
  await peer.outbox.discard(taken.id)
  assert.equal(groups.get(taken.id), null)
})

test('[DV23] a join waits for the server, which alone knows the group; a wrong code is refused visibly', async () => {
  await using peer = await open()
  const { device, outbox, groups } = peer
  const { group } = await createTeam(server.url, 1)
  device.network.state = 'down'
  const joining = await groups.join({ accessCode: group.accessCode })
  const wrong = await groups.join({ accessCode: 'NONE-SUCH-00' })
  assert.deepEqual(groups.list(), [])
  assert.deepEqual(
    groups.joining().map(({ id, accessCode }) => [id, accessCode]),
    [
      [joining.id, group.accessCode],
      [wrong.id, 'NONE-SUCH-00'],
    ],
  )
  device.network.state = 'up'
  outbox.online()
  const view = { id: group.id, name: 'group', role: 'member', isPending: false }
  const refused = assert.rejects(wrong.confirmed(), { code: 'group/code-unknown' })
  assert.deepEqual(await joining.confirmed(), view)
  await refused
  assert.deepEqual(groups.list(), [view])
  assert.deepEqual(
    groups.joining().map(({ id }) => id),
    [wrong.id],
  )
  await peer.meArrives([group.id])
  assert.deepEqual([groups.list(), outbox.results()], [[view], []])
})

test('[DV24] a group that one leaves is gone at once; where the server refuses, it is back', async () => {
  await using peer = await open()
  const { device, outbox, groups } = peer
  const { group } = await createTeam(server.url, 1)
  await (await groups.join({ accessCode: group.accessCode })).confirmed()
  const own = await groups.create({ name: 'own' })
  await groups.confirmed(own.id)
  await peer.meArrives([group.id, own.id])

  device.network.state = 'down'
  await groups.leave(group.id)
  await groups.leave(own.id)
  assert.deepEqual(groups.list(), [])
  device.network.state = 'up'
  outbox.online()
  const ids = () => groups.list().map(({ id }) => id)
  await eventually(
    () => outbox.list().map(({ code }) => code),
    (codes) => codes.length === 1 && codes[0] === 'group/last-owner',
  )
  assert.deepEqual(ids(), [own.id], 'the document still shows the group that was left')
  await peer.meArrives([own.id])
  assert.deepEqual([ids(), outbox.results()], [[own.id], []])

  // In again before the document says that one was out.
  await (await groups.join({ accessCode: group.accessCode })).confirmed()
  assert.deepEqual(ids(), [group.id, own.id])
  await peer.meArrives([group.id, own.id])
  assert.deepEqual(ids(), [group.id, own.id])
})

test('[DV24] who leaves a group and is back before the document says anything is in it', async () => {
  await using peer = await open()
  const { outbox, groups } = peer
  const { group } = await createTeam(server.url, 1)
  await (await groups.join({ accessCode: group.accessCode })).confirmed()
  await peer.meArrives([group.id])
  assert.equal(groups.list().length, 1)
  await groups.leave(group.id)
  await eventually(
    () => outbox.list(),
    (list) => list.length === 0,
  )
  assert.deepEqual(groups.list(), [])
  await (await groups.join({ accessCode: group.accessCode })).confirmed()
  for (let look = 0; look < 3; look++) assert.equal(groups.list().length, 1)
})

test('[DV24] leaving a group that one is not in (any more) is done', async () => {
  await using peer = await open()
  const { group } = await createTeam(server.url, 1)
  await peer.groups.leave(group.id)
  await eventually(
    () => peer.outbox.list(),
    (list) => list.length === 0,
  )
})

test('[DV25] what the server is sure to refuse is refused at once, and is no command', async () => {
  await using peer = await open()
  const { outbox, groups, channels } = peer
  peer.device.network.state = 'down'
  const wrong = { code: 'input/invalid' }
  await assert.rejects(groups.create({ name: '  ' }), wrong)
  await assert.rejects(groups.create({ name: 'x'.repeat(101) }), wrong)
  await assert.rejects(groups.create({ name: 'a\u0000b' }), wrong)
  await assert.rejects(groups.create({ name: 'a', description: 'é'.repeat(1_001) }), wrong)
  await assert.rejects(groups.create({ name: 'a', timezone: 'Mars/Olympus' }), wrong)
  await assert.rejects(groups.create({ name: 'a', checkInFrequency: 'hourly' as 'daily' }), wrong)
  const groupId = newId()
  await assert.rejects(channels.create(groupId, { type: 'MAIL' as 'CHAT', name: 'a' }), wrong)
  await assert.rejects(channels.create(groupId, { type: 'CHAT', name: '' }), wrong)
  await assert.rejects(channels.create(groupId, { type: 'CHAT', name: 'a', id: 'short' }), wrong)
  assert.deepEqual(outbox.list(), [])
})
