// Documents whose history is dropped, seen from a device: what was not stored yet is made again on the new epoch, once, or
// is in quarantine; nothing of the old one comes back.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import type { Client } from '../../client-sdk/client.ts'
import { createMemoryDisk } from '../../client-sdk/offline/memory.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { eventually } from '../helpers/eventually.ts'
import { openClient, openMember } from './sync-scene.ts'
import { PASSWORD } from '../helpers/accounts.ts'

const startEpoch = async ({ sync }: OwnServer, name: string): Promise<void> => {
  await eventually(() => sync.startEpoch(name), Boolean, { what: `a new epoch of ${name}` })
}

/** What the server holds of a document's text. */
const textAt = ({ sync }: OwnServer, name: string): Promise<string> =>
  sync.withDocument(name, (doc) => doc.getText('text').toJSON())

/** The same person on another device. */
const openAgain = async (server: OwnServer, username: string): Promise<Client> => {
  const client = await openClient(server)
  await client.auth.login({ identifier: username, password: PASSWORD })
  return client
}

test('[EP8] who is connected changes over to a new epoch, and goes on', async () => {
  await using server = await startOwnServer()
  const { client, channelId } = await openMember(server)
  const list = await client.tasks(channelId)
  for (let number = 0; number < 20; number++) list.delete({ id: list.add({ title: `gone ${number}` }) })
  list.add({ title: 'kept' })
  await list.stored()
  await startEpoch(server, list.name)
  list.add({ title: 'after' })
  await list.stored()
  const titles = (): string[] => list.read().tasks.map(({ title }) => title)
  assert.deepEqual(titles(), ['kept', 'after'])
  assert.deepEqual(await client.quarantine.list(), [])
  await client.close()
})

test('[EP8] operations made offline meanwhile are made again on the new epoch, each once', async () => {
  await using server = await startOwnServer()
  const { client, channelId, username } = await openMember(server)
  const other = await openAgain(server, username)
  const list = await client.tasks(channelId)
  const milk = list.add({ title: 'milk' })
  await list.stored()
  client.goOffline()
  list.update({ id: milk, title: 'oat milk' })
  list.add({ title: 'bread' })
  const theirs = await other.tasks(channelId)
  await eventually(
    () => theirs.read().tasks.length,
    (count) => count === 1,
  )
  theirs.add({ title: 'theirs' })
  await theirs.stored()
  await startEpoch(server, list.name)
  theirs.add({ title: 'newer' })
  await theirs.stored()
  client.goOnline()
  await list.stored()
  const titles = (handle: typeof list): string[] =>
    handle
      .read()
      .tasks.map(({ title }) => title)
      .toSorted()
  await eventually(
    () => titles(theirs),
    (found) => found.length === 4,
  )
  assert.deepEqual(titles(list), ['bread', 'newer', 'oat milk', 'theirs'])
  assert.deepEqual(titles(theirs), titles(list))
  await client.close()
  await other.close()
})

test('[EP9] what an editor wrote offline stands where it was written', async () => {
  await using server = await startOwnServer()
  const { client, channelId, username } = await openMember(server, 'DOC')
  const other = await openAgain(server, username)
  const mine = await client.document(channelId)
  const text = (handle: typeof mine) => handle.doc.getText('text')
  text(mine).insert(0, 'one two three')
  text(mine).delete(3, 4)
  await mine.stored()
  const theirs = await other.document(channelId)
  await eventually(
    () => text(theirs).toJSON(),
    (found) => found === 'one three',
  )
  client.goOffline()
  text(mine).insert(4, 'and ')
  text(mine).insert(text(mine).length, '!')
  text(theirs).insert(0, 'Well: ')
  await theirs.stored()
  await startEpoch(server, mine.name)
  text(theirs).insert(0, 'So. ')
  await theirs.stored()
  client.goOnline()
  await mine.stored()
  await eventually(
    () => text(theirs).toJSON(),
    (found) => found.endsWith('!'),
  )
  assert.equal(text(mine).toJSON(), 'So. Well: one and three!')
  assert.equal(await textAt(server, mine.name), 'So. Well: one and three!')
  assert.deepEqual(await client.quarantine.list(), [])
  await client.close()
  await other.close()
})

test('[EP10] who missed two epochs keeps what an editor wrote in quarantine; operations are made again', async () => {
  await using server = await startOwnServer()
  const { client, channelId, groupId } = await openMember(server, 'DOC')
  const channel = await client.channels.create(groupId, { type: 'TODO', name: 'List' })
  const text = await client.document(channelId)
  const list = await client.tasks(channel.id)
  text.doc.getText('text').insert(0, 'Hello ')
  list.add({ title: 'stored' })
  await Promise.all([text.stored(), list.stored()])
  client.goOffline()
  text.doc.getText('text').insert(6, 'world')
  list.add({ title: 'unsent' })
  for (const name of [text.name, list.name]) {
    for (let epoch = 0; epoch < 2; epoch++) await startEpoch(server, name)
  }
  client.goOnline()
  await list.stored()
  assert.deepEqual(
    list.read().tasks.map(({ title }) => title),
    ['stored', 'unsent'],
  )
  await eventually(
    () => text.status.refused,
    (refused) => refused === 1,
  )
  const [kept] = await client.quarantine.list()
  assert.equal(kept?.code, 'epoch-ended')
  assert.equal(text.doc.getText('text').toJSON(), 'Hello ')
  assert.equal(await textAt(server, text.name), 'Hello ')
  await client.close()
})

test('[EP8] a device that was closed meanwhile changes over when it is opened again', async () => {
  await using server = await startOwnServer()
  const disk = createMemoryDisk()
  const { client, channelId } = await openMember(server, 'TODO', { disk })
  const list = await client.tasks(channelId)
  list.add({ title: 'stored' })
  await list.stored()
  client.goOffline()
  list.add({ title: 'unsent' })
  await list.saved()
  await client.close()
  await startEpoch(server, list.name)
  const again = await openClient(server, { disk })
  const reopened = await again.tasks(channelId)
  await reopened.stored()
  const expected = ['stored', 'unsent']
  assert.deepEqual(
    reopened.read().tasks.map(({ title }) => title),
    expected,
  )
  await again.close()
  const cold = await openClient(server, { disk, offline: true })
  assert.deepEqual(
    (await cold.tasks(channelId)).read().tasks.map(({ title }) => title),
    expected,
  )
  await cold.close()
})

/** A socket that goes on sending and hears nothing any more while `isDeaf` says so. */
const deafSocket = (isDeaf: () => boolean): typeof WebSocket =>
  class extends WebSocket {
    override set onmessage(listener: WebSocket['onmessage']) {
      super.onmessage = listener && ((event) => void (isDeaf() || listener.call(this, event)))
    }
  }

test('[EP11] edits whose answer got lost, and that are in the new epoch therefore, are made no second time', async () => {
  await using server = await startOwnServer()
  let isDeaf = false
  const options = { WebSocket: deafSocket(() => isDeaf) }
  const { client, channelId, groupId } = await openMember(server, 'DOC', options)
  const channel = await client.channels.create(groupId, { type: 'TODO', name: 'List' })
  const text = await client.document(channelId)
  const list = await client.tasks(channel.id)
  text.doc.getText('text').insert(0, 'Hello ')
  const id = list.add({ title: 'stored' })
  await Promise.all([text.stored(), list.stored()])
  isDeaf = true
  text.doc.getText('text').insert(6, 'world')
  text.doc.getText('text').delete(0, 1)
  list.add({ title: 'unanswered' })
  list.complete({ id, done: true })
  const countAt = (): Promise<number> => server.sync.withDocument(list.name, (doc) => doc.getMap('tasks:edits').size)
  await eventually(
    () => textAt(server, text.name),
    (found) => found === 'ello world',
  )
  await eventually(countAt, (edits) => edits > 0)
  client.goOffline()
  isDeaf = false
  text.doc.getText('text').insert(0, 'H')
  list.add({ title: 'unsent' })
  for (const { name } of [text, list]) await startEpoch(server, name)
  client.goOnline()
  await Promise.all([text.stored(), list.stored()])
  assert.equal(text.doc.getText('text').toJSON(), 'Hello world')
  assert.equal(await textAt(server, text.name), 'Hello world')
  const titles = list.read().tasks.map(({ title }) => title)
  assert.deepEqual(titles, ['stored', 'unanswered', 'unsent'])
  assert.deepEqual(await client.quarantine.list(), [])
  await client.close()
})
