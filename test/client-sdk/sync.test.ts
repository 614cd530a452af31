// The client against a real server: what is refused, what is taken away, and that nothing of it costs anything else.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import type * as Y from 'yjs'
import { createMemoryDisk } from '../../client-sdk/offline/memory.ts'
import { startOwnServer } from '../compat/servers.ts'
import { ask, PASSWORD } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { openClient, openMember, register, tokenOf } from './sync-scene.ts'

/** Past the rules of this device, as a crafted or an older client would. */
const writePastRules = (doc: Y.Doc, key: string): void => {
  doc.getMap('tasks').set(key, { title: 5 })
}

describe('refused', () => {
  test('[SY2] one refused edit of 200 goes into quarantine with its reason; 199 and other documents are stored', async () => {
    await using server = await startOwnServer()
    const { client, groupId, channelId } = await openMember(server)
    const other = await client.channels.create(groupId, { type: 'TODO', name: 'Other' })
    const list = await client.tasks(channelId)
    const others = await client.tasks(other.id)
    await list.stored()
    const titles: string[] = []
    for (let number = 0; number < 200; number++) {
      if (number === 100) writePastRules(list.doc, 'task-refused-0001')
      else {
        titles.push(`task ${number}`)
        list.add({ title: `task ${number}` })
      }
    }
    others.add({ title: 'untouched' })
    const startedAt = performance.now()
    await others.stored()
    const othersMs = performance.now() - startedAt
    await list.stored()
    const ms = performance.now() - startedAt
    process.stdout.write(
      `one refused of 200: 199 stored after ${ms.toFixed(0)} ms, the other list after ${othersMs.toFixed(0)}\n`,
    )
    assert.deepEqual(
      list.read().tasks.map(({ title }) => title),
      titles,
    )
    assert.equal(list.status.refused, 1)
    assert.equal(others.status.refused, 0)
    const [kept, ...more] = await client.quarantine.list()
    assert.equal(more.length, 0)
    assert.equal(kept?.code, 'value-not-allowed')
    assert.equal(kept?.path, 'tasks/task-refused-0001')
    // Another device has the 199 and nothing else.
    const seen = await server.sync.withDocument(list.name, (doc) => [...doc.getMap('tasks').keys()].length)
    assert.equal(seen, 199)
    await client.quarantine.discard(kept?.id ?? '')
    assert.equal(list.status.refused, 0)
    await client.close()
  })
})

describe('rights that end', () => {
  test('[SY3] who is put out loses what was cached, and keeps their unsent edits in quarantine', async () => {
    await using server = await startOwnServer()
    const { client: owner, username, groupId, channelId } = await openMember(server)
    const token = await tokenOf(server.url, username)
    const code = await ask(server.url, 'GET', `/groups/${groupId}`, { token })
    const disk = createMemoryDisk()
    const member = await openClient(server, { disk })
    await register(member)
    const joining = await member.groups.join({ accessCode: (code.data as { accessCode: string }).accessCode })
    await joining.confirmed()
    const list = await member.tasks(channelId)
    list.add({ title: 'stored' })
    await list.stored()
    member.goOffline()
    list.add({ title: 'unsent' })
    await list.saved()
    const kicked = await ask(server.url, 'DELETE', `/groups/${groupId}/members/${member.user.id}`, { token })
    assert.equal(kicked.status, 204)
    member.goOnline()
    await eventually(
      () => list.status,
      ({ access, refused }) => access === 'denied' && refused === 1,
      { what: 'the end of the right' },
    )
    assert.deepEqual(list.read().tasks, [])
    const [kept] = await member.quarantine.list()
    assert.deepEqual(kept?.operation?.input, { title: 'unsent' })
    const store = await disk.open(`user-${member.user.id}`)
    assert.deepEqual(await store.load(list.name), [])
    await member.close()
    await owner.close()
  })

  test('[SY4] who may only read from now on keeps reading; edits that came too late are in quarantine', async () => {
    await using server = await startOwnServer()
    const { client: owner, username, groupId, channelId } = await openMember(server, 'DOC')
    const token = await tokenOf(server.url, username)
    const code = await ask(server.url, 'GET', `/groups/${groupId}`, { token })
    const member = await openClient(server)
    await register(member)
    const joining = await member.groups.join({ accessCode: (code.data as { accessCode: string }).accessCode })
    await joining.confirmed()
    const text = await member.document(channelId)
    const own = await owner.document(channelId)
    text.doc.getText('text').insert(0, 'Before. ')
    await text.stored()
    const demoted = await ask(server.url, 'PUT', `/groups/${groupId}/members/${member.user.id}`, {
      token,
      body: { role: 'guest' },
    })
    assert.equal(demoted.status, 200)
    text.doc.getText('text').insert(8, 'Too late. ')
    await eventually(
      () => text.status,
      ({ refused, stored }) => refused === 1 && stored,
      { what: 'the late edit in quarantine' },
    )
    // Written before that has come, it might stand behind it as well.
    await eventually(
      () => own.doc.getText('text').toJSON(),
      (content) => content === 'Before. ',
      { what: 'what the member wrote in time' },
    )
    own.doc.getText('text').insert(0, 'Still read. ')
    await eventually(
      () => text.doc.getText('text').toJSON(),
      (content) => content === 'Still read. Before. ',
      { what: 'what others write' },
    )
    assert.equal(text.status.access, 'read')
    await member.close()
    await owner.close()
  })
})

describe('one device, several people', () => {
  test('[SY5] what A wrote offline never leaves under B, and returns at A’s next login', async () => {
    await using server = await startOwnServer()
    const disk = createMemoryDisk()
    const sent: Buffer[] = []
    const client = await openClient(server, { disk, onSent: (bytes) => sent.push(Buffer.from(bytes)) })
    const ada = await register(client)
    const group = await client.groups.create({ name: 'Group of A' })
    const channel = await client.channels.create(group.id, { type: 'TODO', name: 'Tasks' })
    await client.channels.confirmed(channel.id)
    const list = await client.tasks(channel.id)
    list.add({ title: 'stored by A' })
    await list.stored()
    client.goOffline()
    const secrets = ['unsent secret of A', 'unsent group of A', 'unsent words of A']
    list.add({ title: secrets[0] as string })
    await client.groups.create({ name: secrets[1] as string })
    const text = await client.document(channel.id, 'a-long-text-of-a-task')
    text.doc.getText('text').insert(0, secrets[2] as string)
    await Promise.all([list.saved(), text.saved()])
    const adaId = client.user.id
    await client.auth.logout()
    assert.equal(client.user.isGuest, true)

    sent.length = 0
    client.goOnline()
    const ben = await register(client)
    const own = await client.groups.create({ name: 'Group of B' })
    const other = await client.channels.create(own.id, { type: 'TODO', name: 'Tasks' })
    const tasks = await client.tasks(other.id)
    tasks.add({ title: 'by B' })
    await tasks.stored()
    const said = Buffer.concat(sent)
    for (const secret of [...secrets, adaId, ada, channel.id, 'stored by A'])
      assert.equal(said.indexOf(secret), -1, secret)
    assert.ok(said.indexOf('by B') >= 0 && said.indexOf(ben) >= 0, 'overheard')
    await client.auth.logout()

    await client.auth.login({ identifier: ada, password: PASSWORD })
    assert.equal(client.user.id, adaId)
    const again = await client.tasks(channel.id)
    await again.stored()
    const words = await client.document(channel.id, 'a-long-text-of-a-task')
    await words.stored()
    await eventually(
      () => [
        ...again
          .read()
          .tasks.map(({ title }) => title)
          .toSorted(),
        words.doc.getText('text').toJSON(),
      ],
      (shown) => shown.join() === ['stored by A', secrets[0], secrets[2]].join(),
      { what: 'what A had written' },
    )
    const stored = await server.sync.withDocument(again.name, (doc) => JSON.stringify(doc.getMap('tasks').toJSON()))
    assert.ok(stored.includes(secrets[0] as string))
    await eventually(
      () => client.groups.list().map(({ name, isPending }) => `${name} ${isPending}`),
      (names) => names.includes(`${secrets[1]} false`),
      { what: 'the group that A made offline' },
    )
    await client.close()
  })

  test('[SY6] a guest’s work becomes that of the account they sign in to, each record once', async () => {
    await using server = await startOwnServer()
    const { client: first, username, channelId } = await openMember(server)
    const guest = await openClient(server, { offline: true })
    const guestId = guest.user.id
    const group = await guest.groups.create({ name: 'Made as a guest' })
    const todo = await guest.channels.create(group.id, { type: 'TODO', name: 'Tasks' })
    const chat = await guest.channels.create(group.id, { type: 'CHAT', name: 'Chat' })
    const doc = await guest.channels.create(group.id, { type: 'DOC', name: 'Text' })
    const list = await guest.tasks(todo.id)
    const id = list.add({ title: 'one' })
    list.complete({ id, done: true })
    const talk = await guest.chat(chat.id)
    talk.send({ body: 'hello' })
    const checkins = await guest.checkIns()
    checkins.submit({ groupId: group.id, productive: 5, satisfied: 6, body: 7, care: 8 })
    const text = await guest.document(doc.id)
    text.doc.getText('text').insert(0, 'typed as a guest')
    await Promise.all([list.saved(), talk.saved(), checkins.saved(), text.saved()])
    guest.goOnline()
    await guest.auth.login({ identifier: username, password: PASSWORD })
    const user = guest.user.id
    assert.notEqual(user, guestId)
    const [tasks, messages, own, words] = await Promise.all([
      guest.tasks(todo.id),
      guest.chat(chat.id),
      guest.checkIns(),
      guest.document(doc.id),
    ])
    await Promise.all([tasks.stored(), messages.stored(), own.stored(), words.stored()])
    assert.deepEqual(
      tasks.read().tasks.map((task) => [task.id, task.title, task.done, task.createdBy]),
      [[id, 'one', true, user]],
    )
    assert.deepEqual(
      messages.read().messages.map(({ body, by }) => [body, by]),
      [['hello', user]],
    )
    assert.equal(own.read().checkins.length, 1)
    assert.equal(words.doc.getText('text').toJSON(), 'typed as a guest')
    assert.deepEqual(await guest.quarantine.list(), [])
    // The account's other device sees it all.
    const elsewhere = await first.tasks(todo.id)
    await eventually(
      () => elsewhere.read().tasks.length,
      (length) => length === 1,
      { what: 'the task on the other device' },
    )
    assert.notEqual(channelId, todo.id)
    await guest.close()
    await first.close()
  })
})
