// Peers that do not read, frames that are too large, and other abuse of a socket: it ends for them and for nobody else.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { once } from 'node:events'
import { test } from 'vitest'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { FRAME_BYTES_MAX, OUT_BYTES_HARD_MAX } from '../../shared/limits.ts'
import { createTeam, type Person } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { startOwnTime } from '../helpers/own-time.ts'
import { connectWire, updateFrame } from '../helpers/wire-client.ts'
import { openHocuspocus, ROOT_NAME } from './clients.ts'
import { startWriter } from './numbered-writer.ts'
import { startServerProcess } from './servers.ts'

const TEST_MS_MAX = 300_000
const MIB = 2 ** 20

const rssOf = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024
}

const DOCUMENTS = 4
const EDIT_BYTES = 128 * 1024
/** 100 MiB in all, in documents that stay small: what grows is only what nobody reads. */
const EDITS = 200
const RSS_GROWTH_MAX = 150 * MIB

test(
  '[LC7] a reader that does not read is cut off before it costs much memory; who reads and writes notices nothing',
  async () => {
    await using server = await startServerProcess()
    const { people, newDocument } = await createTeam(server.url, 3)
    const [writing, deaf, reading] = people as readonly [Person, Person, Person]
    const names = await Promise.all(Array.from({ length: DOCUMENTS }, newDocument))
    const sleeper = await connectWire(server.syncUrl)
    const listener = await connectWire(server.syncUrl)
    const received = await Promise.all(names.map((name) => listener.open(name, reading.accessToken)))
    const write = (editsMax: number) =>
      Promise.all(
        names.map((name) =>
          startWriter(server.syncUrl, writing.accessToken, name, {
            window: 4,
            bytes: EDIT_BYTES,
            overwrites: true,
            editsMax,
          }),
        ),
      )
    // Once without the sleeper, so that what is measured afterwards is the sleeper.
    const warm = await write(EDITS / 4)
    await eventually(
      () => warm.map((writer) => writer.acked()),
      (acked) => acked.every((count) => count === EDITS / 4),
      { msMax: 120_000 },
    )
    const before = await rssOf(server.pid())

    for (const name of names) await sleeper.open(name, deaf.accessToken)
    sleeper.socket.pause()
    const writers = await write(EDITS)
    let peak = before
    await eventually(
      async () => {
        peak = Math.max(peak, await rssOf(server.pid()))
        return writers.map((writer) => writer.acked())
      },
      (acked) => acked.every((count) => count === EDITS),
      { msMax: 120_000, what: 'all edits acknowledged' },
    )
    const slow = await eventually(
      () => /"event":"socket.slow-reader","bufferedBytes":(\d+)/.exec(server.output())?.[1],
      (bytes) => bytes !== undefined,
      { what: 'a slow reader cut off' },
    )
    sleeper.socket.resume()
    assert.equal((await sleeper.closed).code, 1006)
    const growth = Math.round((peak - before) / MIB)
    process.stdout.write(`slow reader: cut off at ${Number(slow) / MIB} MiB unsent, RSS grew by ${growth} MiB\n`)
    assert.ok(Number(slow) < OUT_BYTES_HARD_MAX + FRAME_BYTES_MAX)
    assert.ok(peak - before < RSS_GROWTH_MAX, `RSS grew by ${growth} MiB`)

    // The one that reads got everything: its bytes are at least the last value of every edit.
    for (const [index, document] of received.entries()) {
      assert.equal(document.closedWith, undefined)
      using check = openHocuspocus(server, reading, names[index] as string)
      await check.synced()
      assert.deepEqual(writers[index]?.missingIn(check.doc), [])
    }
    assert.equal(listener.socket.readyState, listener.socket.OPEN)
    for (const { close } of [...warm, ...writers, listener]) close()
  },
  TEST_MS_MAX,
)

const BURST = 30_000
const WAIT_MS_MAX = 1_500

/** What a client has queued after a long time offline: one update for each key typed. */
const typeOffline = (count: number): Uint8Array[] => {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  const text = doc.getText(ROOT_NAME)
  for (let at = 0; at < count; at++) text.insert(at, 'x')
  return updates
}

test(
  '[LC10] 30,000 small edits in one burst hold up nobody else for long',
  async () => {
    await using server = await startServerProcess()
    const { people, newDocument } = await createTeam(server.url, 2)
    const [ann, bob] = people as readonly [Person, Person]
    using witness = openHocuspocus(server, bob, await newDocument())
    await witness.stored()
    const wire = await connectWire(server.syncUrl)
    const document = await wire.open(await newDocument(), ann.accessToken)
    const updates = typeOffline(BURST)

    using ownTime = startOwnTime(server.pid())
    let waitMs = 0
    let typedAt = 0
    const type = (): void => {
      typedAt = ownTime.now()
      witness.text.insert(0, 'x')
    }
    witness.provider.on('unsyncedChanges', ({ number }: { number: number }) => {
      if (number > 0) return
      waitMs = Math.max(waitMs, ownTime.now() - typedAt)
      setImmediate(type)
    })
    type()
    for (const update of updates) document.sendUpdate(update)
    await eventually(
      () => document.acked,
      (acked) => acked === BURST,
      { msMax: 120_000, what: 'the burst acknowledged' },
    )
    process.stdout.write(`burst of ${BURST}: the longest wait of somebody else was ${Math.round(waitMs)} ms\n`)
    assert.ok(waitMs < WAIT_MS_MAX, `somebody else waited ${Math.round(waitMs)} ms`)
    assert.ok(waitMs > 0)
    wire.close()
  },
  TEST_MS_MAX,
)

test('[LC8] a frame above 4 MiB closes its socket with 1009, a text frame with 4400; others go on', async () => {
  await using server = await startServerProcess()
  const { people, newDocument } = await createTeam(server.url, 2)
  const [ann, bob] = people as readonly [Person, Person]
  const name = await newDocument()
  using bystander = openHocuspocus(server, bob, name)
  await bystander.synced()

  const large = await connectWire(server.syncUrl)
  await large.open(name, ann.accessToken)
  large.socket.send(updateFrame(name, new Uint8Array(FRAME_BYTES_MAX)))
  assert.equal((await large.closed).code, 1009)

  const text = await connectWire(server.syncUrl)
  await text.open(name, ann.accessToken)
  text.socket.send('hello')
  assert.deepEqual(await text.closed, { code: 4400, reason: 'socket/bad-frame' })

  bystander.text.insert(0, 'still here')
  await bystander.stored()
  assert.deepEqual([bystander.socketCloses, bystander.closes], [[], []])
})

test('[LC9] compression is not negotiated, however much a client offers it', async () => {
  await using server = await startServerProcess()
  const { people, newDocument } = await createTeam(server.url, 1)
  const yjs = `${server.yjsUrl}/${await newDocument()}?token=${people[0].accessToken}`
  for (const url of [server.syncUrl, yjs]) {
    const socket = new WebSocket(url, { perMessageDeflate: true })
    await once(socket, 'open')
    assert.equal(socket.extensions, '')
    socket.terminate()
  }
})
