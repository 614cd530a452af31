// Honest clients that write a great deal are never refused, never closed, and end with what everybody else has.
import assert from 'node:assert/strict'
import { afterAll, beforeAll, test } from 'vitest'
import * as Y from 'yjs'
import { expectAccepted } from './accepted.ts'
import { openHocuspocus, openYWebsocket } from './clients.ts'
import { type ServerProcess, startServerProcess } from './servers.ts'
import { createTeam, type Person, type Team } from '../helpers/accounts.ts'
import { eventually, nextTurn } from '../helpers/eventually.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'

const TEST_MS_MAX = 300_000
const random = createRandom(chooseSeed())

let server: ServerProcess
let team: Team
let ann: Person
let bob: Person

beforeAll(async () => {
  process.stdout.write(`odd loads: SEED=${random.seed}\n`)
  server = await startServerProcess()
  team = await createTeam(server.url, 2)
  ;[ann, bob] = team.people as [Person, Person]
})
afterAll(() => server[Symbol.asyncDispose]())

test(
  '[OD5] a client rejoins a document with 25,000 scattered deletes, again and again',
  async () => {
    const name = await team.newDocument()
    using writer = openHocuspocus(server, ann, name)
    await writer.synced()
    writer.text.insert(0, 'ab'.repeat(25_000))
    writer.text.applyDelta(Array.from({ length: 25_000 }, () => [{ delete: 1 }, { retain: 1 }]).flat())
    await writer.stored()
    using reader = openYWebsocket(server, bob, name)
    for (let i = 0; i < 5; i++) {
      await writer.goOffline()
      writer.text.insert(random.int(0, 25_000), 'x')
      await writer.goOnline()
      await writer.stored()
    }
    await expectAccepted(writer, reader)
    assert.equal(reader.text.length, 25_005)
  },
  TEST_MS_MAX,
)

const RECORDS = 10_000

const importRecords = (doc: Y.Doc): void => {
  doc.transact(() => {
    const records = doc.getMap('records')
    for (let i = 0; i < RECORDS; i++) {
      const record = new Y.Map()
      records.set(`record-${i}`, record)
      for (let field = 0; field < 8; field++) record.set(`field${field}`, `value ${i} ${field}`)
    }
  })
}

test(
  '[OD6] a first import of more than 2.3 MiB in one update is accepted from either stock provider',
  async () => {
    const size = (doc: Y.Doc): number => doc.getMap('records').size
    for (const open of [openHocuspocus, openYWebsocket]) {
      const name = await team.newDocument()
      using writer = open(server, ann, name)
      await writer.synced()
      let bytes = 0
      writer.doc.once('update', (update: Uint8Array) => (bytes = update.byteLength))
      importRecords(writer.doc)
      assert.ok(bytes > 2.3 * 2 ** 20, `only ${bytes} bytes`)
      using reader = openYWebsocket(server, bob, name)
      await eventually(
        () => size(reader.doc),
        (records) => records === RECORDS,
        { msMax: 120_000, what: 'all records' },
      )
      await expectAccepted(writer, reader)
    }
  },
  TEST_MS_MAX,
)

const EDITS_PER_MS = 4
const EDITS = 20_000

test(
  '[OD7] 4,000 small edits a second from one client are slowed down at most',
  async () => {
    const name = await team.newDocument()
    using writer = openHocuspocus(server, ann, name)
    using reader = openYWebsocket(server, bob, name)
    await Promise.all([writer.synced(), reader.synced()])
    const startedAt = performance.now()
    let edits = 0
    // Open loop: what is due is written, whether or not the server keeps up.
    while (edits < EDITS) {
      const due = Math.min(EDITS, (performance.now() - startedAt) * EDITS_PER_MS)
      for (; edits < due; edits++) writer.text.insert(edits, 'x')
      await nextTurn()
    }
    await expectAccepted(writer, reader)
    assert.equal(writer.socketCloses.length, 0)
    assert.equal(reader.text.length, EDITS)
  },
  TEST_MS_MAX,
)

test(
  '[OD11] a large value that is replaced many times does not count as often as it was written',
  async () => {
    const name = await team.newDocument()
    using writer = openHocuspocus(server, ann, name)
    using reader = openYWebsocket(server, bob, name)
    await writer.synced()
    for (let i = 0; i < 10; i++) {
      writer.doc.getMap('map').set('image', new Uint8Array(2 * 2 ** 20).fill(i))
      await nextTurn()
    }
    await expectAccepted(writer, reader)
  },
  TEST_MS_MAX,
)

test('[OD12] asking for the whole state over and over is answered, if later', async () => {
  const name = await team.newDocument()
  using client = openHocuspocus(server, ann, name)
  client.text.insert(0, 'x'.repeat(10_000))
  await client.stored()
  for (let i = 0; i < 200; i++) client.provider.forceSync()
  await expectAccepted(client)
  assert.equal(client.socketCloses.length, 0)
})
