// Segments of a chat: sealed when they are full, durably and for everybody; nothing that people say is lost at the border.
import assert from 'node:assert/strict'
import { CompiledQuery } from 'kysely'
import { test } from 'vitest'
import * as Y from 'yjs'
import { MESSAGES } from '../../shared/chat/model.ts'
import { MESSAGES_PER_SEGMENT, SEGMENT_BYTES } from '../../shared/limits.ts'
import { loadDocument } from '../../storage/updates.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { ask, createTeam, type Person, type Team } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { connectWire } from '../helpers/wire-client.ts'
import { type ChatWriter, openChatWriter } from './chat-writer.ts'

const TEST_MS_MAX = 300_000

const createChat = async (server: OwnServer, { group, people }: Team): Promise<string> => {
  const { accessToken: token } = people[0]
  const asking = { token, body: { type: 'CHAT', name: 'chat' } }
  const { data } = await ask(server.url, 'POST', `/groups/${group.id}/channels`, asking)
  return (data as { id: string }).id
}

const newestOf = async (server: OwnServer, { accessToken: token }: Person, channel: string): Promise<string> => {
  const { data } = await ask(server.url, 'GET', `/channels/${channel}`, { token })
  return (data as { documentName: string }).documentName
}

/** Says `count` things in one update, as somebody who was offline for long. */
const fill = async (server: OwnServer, person: Person, name: string, count: number, body = 'filler'): Promise<void> => {
  const client = await connectWire(server.syncUrl)
  const document = await client.open(name, person.accessToken)
  const doc = new Y.Doc()
  doc.transact(() => {
    for (let i = 0; i < count; i++) {
      const key = `${person.id}.${crypto.randomUUID()}`
      doc.getMap(MESSAGES.name).set(key, { by: person.id, body, sentAt: Date.now() })
    }
  })
  document.sendUpdate(Y.encodeStateAsUpdate(doc))
  await eventually(
    () => document.acked,
    (acked) => acked === 1,
  )
  client.close()
}

const readDisk = async ({ storage }: OwnServer, name: string): Promise<Y.Doc> => {
  const { snapshot, updates } = await loadDocument(storage, name)
  const doc = new Y.Doc()
  for (const update of snapshot ? [snapshot, ...updates] : updates) Y.applyUpdate(doc, update)
  return doc
}

const untilNewest = (server: OwnServer, person: Person, channel: string, name: string): Promise<string> =>
  eventually(
    () => newestOf(server, person, channel),
    (newest) => newest === name,
    { what: name },
  )

test('[CS1] with its 500th message a segment is sealed and the next one opened, also for later', async () => {
  await using server = await startOwnServer()
  const team = await createTeam(server.url, 1)
  const [ann] = team.people
  const channel = await createChat(server, team)
  using writer = await openChatWriter(server.syncUrl, ann)
  const opened: string[] = []
  server.sync.onSegmentOpened((id) => opened.push(id))
  await fill(server, ann, `chat/${channel}/0`, MESSAGES_PER_SEGMENT - 1)
  const { run } = await writer.open(`chat/${channel}/0`)
  assert.equal(await newestOf(server, ann, channel), `chat/${channel}/0`)
  await assert.rejects(writer.open(`chat/${channel}/1`), /permission-denied/)
  assert.equal(await run('message.send', { body: 'the last' }), null)
  await untilNewest(server, ann, channel, `chat/${channel}/1`)
  await eventually(
    () => opened,
    (list) => list.length > 0,
  )
  assert.deepEqual(opened, [channel])
  const rows = await server.storage.db.selectFrom('channel').select('segments').where('id', '=', channel).execute()
  assert.deepEqual(rows, [{ segments: 2 }])
  const next = await writer.open(`chat/${channel}/1`)
  assert.equal(await next.run('message.send', { body: 'the first' }), null)
  await assert.rejects(writer.open(`chat/${channel}/2`), /permission-denied/)
})

test('[CS2] a sealed segment takes edits, deletions and reactions but no new message, from whoever opened it when', async () => {
  await using server = await startOwnServer()
  const team = await createTeam(server.url, 2)
  const [ann, bob] = team.people as readonly [Person, Person]
  const channel = await createChat(server, team)
  const name = `chat/${channel}/0`
  using early = await openChatWriter(server.syncUrl, ann)
  using late = await openChatWriter(server.syncUrl, bob)
  const before = await early.open(name)
  const [mine, gone] = [`${ann.id}.message-000001`, `${ann.id}.message-000002`]
  for (const id of [mine, gone]) assert.equal(await before.run('message.send', { id, body: id }), null)
  await fill(server, bob, name, MESSAGES_PER_SEGMENT)
  await untilNewest(server, ann, channel, `chat/${channel}/1`)

  const after = await late.open(name)
  for (const segment of [before, after]) {
    assert.equal(await segment.run('message.send', { body: 'too late' }), 'segment-sealed')
    assert.equal(await segment.run('message.react', { id: mine, emoji: '👍', on: true }), null)
  }
  assert.equal(await before.run('message.edit', { id: mine, body: 'edited' }), null)
  assert.equal(await before.run('message.delete', { id: gone }), null)
  const disk = await readDisk(server, name)
  assert.equal(disk.getMap(MESSAGES.name).size, MESSAGES_PER_SEGMENT + 1)
  assert.equal(disk.getMap(MESSAGES.edits).get(`${mine}.body`), 'edited')
  assert.equal(disk.getMap('reactions').size, 2)
})

test('[CS3] a segment is sealed by its size too, as readers load it and not as it was written', async () => {
  await using server = await startOwnServer()
  const team = await createTeam(server.url, 1)
  const [ann] = team.people
  const channel = await createChat(server, team)
  using writer = await openChatWriter(server.syncUrl, ann)
  const segment = await writer.open(`chat/${channel}/0`)
  const id = `${ann.id}.message-000001`
  assert.equal(await segment.run('message.send', { id, body: 'x' }), null)
  const body = 'x'.repeat(16_000)
  for (let written = 0; written <= SEGMENT_BYTES; written += body.length) {
    assert.equal(await segment.run('message.edit', { id, body: body + written }), null)
  }
  assert.equal(await newestOf(server, ann, channel), `chat/${channel}/0`)
  await fill(server, ann, `chat/${channel}/0`, Math.ceil(SEGMENT_BYTES / body.length), body)
  await untilNewest(server, ann, channel, `chat/${channel}/1`)
})

test(
  '[CS4] two who were offline at a sealed border lose nothing: what is refused goes to the newest segment',
  async () => {
    const random = createRandom(chooseSeed())
    process.stdout.write(`sealed border: SEED=${random.seed}\n`)
    await using server = await startOwnServer()
    const team = await createTeam(server.url, 2)
    const channel = await createChat(server, team)
    const writers = await Promise.all(team.people.map((person) => openChatWriter(server.syncUrl, person)))
    await fill(server, team.people[0], `chat/${channel}/0`, MESSAGES_PER_SEGMENT - random.int(1, 12))
    const said: string[] = []
    let refused = 0

    const comeBack = async (writer: ChatWriter): Promise<void> => {
      let segment = await writer.open(`chat/${channel}/0`)
      for (let i = 0; i < 20; i++) {
        const id = `${writer.person.id}.${crypto.randomUUID()}`
        const body = `${writer.person.username} ${i}`
        said.push(body)
        for (;;) {
          const code = await segment.run('message.send', { id, body })
          if (code === null) break
          assert.equal(code, 'segment-sealed')
          refused++
          segment = await writer.open(await newestOf(server, writer.person, channel))
        }
      }
    }
    await Promise.all(writers.map(comeBack))
    const stored = await Promise.all([0, 1].map((part) => readDisk(server, `chat/${channel}/${part}`)))
    const bodies = stored.flatMap((doc) =>
      [...doc.getMap<{ body: string }>(MESSAGES.name).values()].map(({ body }) => body),
    )
    assert.deepEqual(bodies.filter((body) => body !== 'filler').toSorted(), said.toSorted())
    const ids = stored.flatMap((doc) => Array.from(doc.getMap(MESSAGES.name).keys()))
    assert.equal(new Set(ids).size, ids.length)
    assert.equal(refused, 2, 'one refusal each tells where to go on')
    for (const writer of writers) writer[Symbol.dispose]()
  },
  TEST_MS_MAX,
)

test('[CS5] a seal that the database refuses is tried again with the next message, and nobody notices', async () => {
  await using server = await startOwnServer()
  const team = await createTeam(server.url, 1)
  const [ann] = team.people
  const channel = await createChat(server, team)
  const command = (sql: string) => server.storage.db.executeQuery(CompiledQuery.raw(sql))
  using writer = await openChatWriter(server.syncUrl, ann)
  await command(`create trigger fault before update on channel begin select raise(abort, 'refused'); end`)
  await fill(server, ann, `chat/${channel}/0`, MESSAGES_PER_SEGMENT)
  await eventually(
    () => server.logLines.some((line) => line.includes('segment.seal-failed')),
    (failed) => failed,
  )
  assert.equal(await newestOf(server, ann, channel), `chat/${channel}/0`)
  await command('drop trigger fault')
  const { run } = await writer.open(`chat/${channel}/0`)
  assert.equal(await run('message.send', { body: 'one more' }), null)
  await untilNewest(server, ann, channel, `chat/${channel}/1`)
  assert.equal(await run('message.send', { body: 'too late' }), 'segment-sealed')
})
