// Stock clients through restarts and kills of the server: what they wrote meanwhile arrives, and what they were told is stored
// is stored.
import assert from 'node:assert/strict'
import { WebSocketStatus } from '@hocuspocus/provider'
import { test } from 'vitest'
import { createTeam, type Person } from '../helpers/accounts.ts'
import { eventually, nextTurn } from '../helpers/eventually.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { type HocuspocusClient, openHocuspocus, openYWebsocket, readFresh } from './clients.ts'
import { startServerProcess } from './servers.ts'

const TEST_MS_MAX = 300_000
const ROUNDS = 8

const socketOf = ({ provider }: HocuspocusClient) => provider.configuration.websocketProvider

test(
  '[CO9] edits made while the server is down arrive after the restart, from both stock providers, and nobody is refused',
  async () => {
    await using server = await startServerProcess()
    const { people, newDocument } = await createTeam(server.url, 3)
    const [ann, bob, reader] = people as readonly [Person, Person, Person]
    const name = await newDocument()
    using hocuspocus = openHocuspocus(server, ann, name)
    using yWebsocket = openYWebsocket(server, bob, name)
    await Promise.all([hocuspocus.synced(), yWebsocket.synced()])
    for (const signal of ['SIGKILL', 'SIGTERM', 'SIGKILL'] as const) {
      // Sent into a connection whose other end will never read it.
      server.signal('SIGSTOP')
      hocuspocus.text.insert(0, 'lost on the way ')
      yWebsocket.text.insert(0, 'lost too ')
      await nextTurn()
      if (signal === 'SIGTERM') server.signal('SIGCONT')
      await server.stop(signal)
      for (let i = 0; i < 50; i++) {
        hocuspocus.text.insert(0, `h${i} `)
        yWebsocket.text.insert(0, `y${i} `)
      }
      hocuspocus.text.delete(3, 20)
      await server.start()
      await Promise.all([hocuspocus.stored(), yWebsocket.synced()])
      const expected = await eventually(
        () => [hocuspocus.text.toJSON(), yWebsocket.text.toJSON()],
        ([left, right]) => left === right && left !== undefined,
        { what: 'one text' },
      )
      assert.equal(await readFresh(server, reader, name), expected[0])
    }
    assert.deepEqual([hocuspocus.closes, hocuspocus.denials], [[], []])
    for (const { code } of yWebsocket.socketCloses) assert.ok(code < 4400, `closed with ${code}`)
  },
  TEST_MS_MAX,
)

test(
  '[CO10] a provider without unsynced changes has everything on disk: kill -9 right then, and it is all there',
  async () => {
    const random = createRandom(chooseSeed())
    process.stdout.write(`acknowledged: SEED=${random.seed}\n`)
    await using server = await startServerProcess()
    const { people, newDocument } = await createTeam(server.url, 2)
    const [ann, bob] = people as readonly [Person, Person]
    for (let round = 0; round < ROUNDS; round++) {
      const name = await newDocument()
      using writer = openHocuspocus(server, ann, name)
      await writer.stored()
      for (let edits = random.int(1, 300); edits > 0; edits--) {
        writer.text.insert(random.int(0, writer.text.length), `${edits} `)
        if (writer.text.length > 10 && random.chance(0.2)) writer.text.delete(random.int(0, 5), 3)
        if (random.chance(0.1)) await nextTurn()
      }
      const { promise: stored, resolve } = Promise.withResolvers<void>()
      writer.provider.on('unsyncedChanges', ({ number }: { number: number }) => {
        if (number > 0) return
        // In the very moment of the last acknowledgement, before anything else can happen.
        server.signal('SIGKILL')
        resolve()
      })
      // Only now, so that there is an acknowledgement to come: all of the others may be here already.
      writer.text.insert(0, 'last ')
      await stored
      await server.exited()
      const text = writer.text.toJSON()
      writer[Symbol.dispose]()
      await server.start()
      assert.equal(await readFresh(server, bob, name), text)
    }
  },
  TEST_MS_MAX,
)

test(
  '[CO11] a provider that types while it reconnects after losing edits on the way shows no unsynced change in the end',
  async () => {
    await using server = await startServerProcess()
    const { people, newDocument } = await createTeam(server.url, 2)
    const [ann, bob] = people as readonly [Person, Person]
    const name = await newDocument()
    using writer = openHocuspocus(server, ann, name)
    await writer.stored()
    for (let round = 0; round < 3; round++) {
      server.signal('SIGSTOP')
      writer.text.insert(0, 'lost on the way ')
      await nextTurn()
      await server.stop('SIGKILL')
      await eventually(
        () => socketOf(writer).status,
        (status) => status !== WebSocketStatus.Connected,
      )
      writer.text.insert(0, 'offline ')
      await server.start()
      await eventually(
        () => socketOf(writer).webSocket?.readyState,
        (state) => state === WebSocket.OPEN,
      )
      writer.text.insert(0, 'in the handshake ')
      await writer.stored()
      assert.equal(await readFresh(server, bob, name), writer.text.toJSON())
    }
    assert.deepEqual([writer.closes, writer.denials, writer.stateless], [[], [], []])
  },
  TEST_MS_MAX,
)
