// The connection against a server that says what an honest one never does, and what an honest one says once in a year;
// and against listeners that throw.
import assert from 'node:assert/strict'
import { OutgoingMessage } from '@hocuspocus/server'
import { test } from 'vitest'
import type { WebSocket as ServerSocket } from 'ws'
import { deniedFrame, readHead, statusFrame, syncFrame } from '../../server/sync/frames.ts'
import { DOCUMENTS_PER_SOCKET_MAX, STATE_VECTOR_BYTES_MAX } from '../../shared/limits.ts'
import { MessageType, SyncType } from '../../shared/protocol.ts'
import { eventually } from '../helpers/eventually.ts'
import { createManualClock, createPeer, type OwnWords, startOwnWords } from './connection-peer.ts'

const NAME = 'document/0190aaaa-bbbb'
const NOTHING = Uint8Array.of(0, 0)
const closeFrame = (name: string, reason: string): Uint8Array =>
  new OutgoingMessage(name).writeCloseMessage(reason).toUint8Array()

/** Lets everybody in, has nothing, and stores all. */
const welcome = (frame: Uint8Array, socket: ServerSocket): void => {
  const head = readHead(frame)
  if (!head || frame.length === 1) return
  const { address, type, bodyAt } = head
  if (type === MessageType.Auth) socket.send(new OutgoingMessage(address).writeAuthenticated(false).toUint8Array())
  if (type === MessageType.Close) socket.send(closeFrame(address, 'provider_initiated'))
  if (type !== MessageType.Sync) return
  if (frame[bodyAt + 1] === SyncType.Step1) {
    socket.send(syncFrame(address, SyncType.Step2, NOTHING))
    socket.send(syncFrame(address, SyncType.Step1, Uint8Array.of(0)))
  } else socket.send(statusFrame(address, true))
}

/** How often each document was opened. */
const openings = ({ received }: OwnWords, name = NAME): number =>
  received.filter((frame) => {
    const head = readHead(frame)
    return head?.address === name && head.type === MessageType.Auth
  }).length

const BROKEN: readonly (string | Uint8Array)[] = [
  'text',
  new Uint8Array(0),
  Uint8Array.of(200, 200, 200, 1),
  syncFrame(NAME, 7 as 0, NOTHING),
  syncFrame(NAME, SyncType.Update, new Uint8Array(100)).subarray(0, 60),
]

test.each(BROKEN.map((bytes, index) => [index, bytes] as const))(
  '[CX16] broken bytes (%i) close the socket, and it is tried again',
  async (_index, bytes) => {
    await using words = await startOwnWords(welcome)
    const clock = createManualClock()
    await using left = createPeer({ url: words.url, token: 'any', clock, random: () => 0.5 })
    const mine = left.open(NAME)
    left.connection.goOnline()
    await eventually(
      () => mine.log.length,
      (told) => told >= 4,
    )
    words.sockets[0]?.send(bytes)
    await eventually(
      () => left.connection.state,
      (state) => state === 'offline',
    )
    assert.deepEqual([mine.count('closed disconnected'), clock.timers()], [1, [125]])
    clock.advance(125)
    await eventually(
      () => mine.count('open'),
      (open) => open === 2,
    )
  },
)

test('[CX16] what is unknown, for nobody, or out of turn is passed over', async () => {
  await using words = await startOwnWords(welcome)
  await using left = createPeer({ url: words.url, token: 'any' })
  const mine = left.open(NAME)
  left.connection.goOnline()
  await eventually(
    () => mine.log,
    (log) => log.includes('stored'),
  )
  const before = mine.log.length
  const socket = words.sockets[0] as ServerSocket
  socket.send(new OutgoingMessage(NAME).writeStateless('{"type":').toUint8Array())
  socket.send(new OutgoingMessage(NAME).writeStateless('[]').toUint8Array())
  socket.send(new OutgoingMessage(NAME).writeTokenSyncRequest().toUint8Array())
  socket.send(new OutgoingMessage(NAME).writeAuthenticated(true).toUint8Array())
  socket.send(Uint8Array.of(...new TextEncoder().encode(`\u0001x`), 77, 1, 2))
  for (const name of ['', '__proto__', 'document/of-nobody']) {
    socket.send(closeFrame(name, 'revoked/access'))
    socket.send(deniedFrame(name, 'permission-denied'))
    socket.send(statusFrame(name, false))
  }
  socket.send(Uint8Array.of(MessageType.Ping))
  await eventually(
    () => words.received.some((frame) => frame.length === 1 && frame[0] === MessageType.Pong),
    (isAnswered) => isAnswered,
  )
  assert.deepEqual([mine.log.length, left.states], [before, ['connecting', 'live']])
})

test('[CX16] a document whose listener throws is closed and comes again, later and later; others notice nothing', async () => {
  await using words = await startOwnWords(welcome)
  const clock = createManualClock()
  await using left = createPeer({ url: words.url, token: 'any', clock, random: () => 1 })
  const closed: string[] = []
  let throws = 0
  const fail = (): never => {
    throws++
    throw new Error('on purpose')
  }
  left.open(NAME, {
    onUpdate: fail,
    onClosed: (reason) => {
      closed.push(reason)
      fail()
    },
  })
  const other = left.open('document/0190aaaa-other')
  left.connection.goOnline()
  for (const [round, ms] of [250, 500, 1_000].entries()) {
    await eventually(
      () => closed.length,
      (count) => count === round + 1,
    )
    assert.ok(clock.timers().includes(ms), clock.timers().join(', '))
    clock.advance(ms)
    await eventually(
      () => openings(words),
      (count) => count === round + 2,
    )
  }
  assert.deepEqual(new Set(closed), new Set(['disconnected']))
  assert.ok(throws >= 6)
  assert.deepEqual([other.count('open'), other.isOpen(), left.states], [1, true, ['connecting', 'live']])
})

test('[CX17] a document closed for a while, or for no reason of ours, opens again by itself; one closed for good does not', async () => {
  await using words = await startOwnWords(welcome)
  const clock = createManualClock()
  await using left = createPeer({ url: words.url, token: 'any', clock, random: () => 1 })
  const mine = left.open(NAME)
  left.connection.goOnline()
  const openTimes = (times: number): Promise<unknown> =>
    eventually(
      () => mine.count('open'),
      (count) => count === times,
    )
  const closedWith = (told: string): Promise<unknown> =>
    eventually(
      () => mine.log.at(-1),
      (last) => last === `closed ${told}`,
    )
  await openTimes(1)
  const rows = [
    ['storage/unavailable', 'storage/unavailable'],
    ['Server closed the connection', 'disconnected'],
    // Let in, and then not: that is no answer.
    [deniedFrame(NAME, 'permission-denied'), 'disconnected'],
  ] as const
  for (const [index, [said, told]] of rows.entries()) {
    words.sockets[0]?.send(typeof said === 'string' ? closeFrame(NAME, said) : said)
    await closedWith(told)
    clock.advance(250 * 2 ** index)
    await openTimes(index + 2)
  }
  // Asked for sooner, it comes sooner; and once it has held, it comes back soon.
  clock.advance(6_000)
  words.sockets[0]?.send(closeFrame(NAME, 'storage/unavailable'))
  await closedWith('storage/unavailable')
  assert.ok(clock.timers().includes(250))
  mine.attached.reopen()
  await openTimes(5)
  words.sockets[0]?.send(closeFrame(NAME, 'revoked/access'))
  await closedWith('revoked/access')
  clock.advance(200_000)
  left.connection.goOffline()
  left.connection.goOnline()
  await eventually(
    () => left.connection.state,
    (state) => state === 'live',
  )
  mine.attached.reopen()
  await openTimes(6)
  assert.equal(openings(words), 6)
})

test('[CX4] a socket closed for good is left alone for a minute; a document’s user may ask sooner', async () => {
  await using words = await startOwnWords(welcome)
  const clock = createManualClock()
  await using left = createPeer({ url: words.url, token: 'any', clock, random: () => 0 })
  const mine = left.open(NAME)
  left.connection.goOnline()
  await eventually(
    () => mine.log,
    (log) => log.includes('stored'),
  )
  words.sockets[0]?.close(4400, 'socket/bad-frame')
  await eventually(
    () => left.connection.state,
    (state) => state === 'offline',
  )
  assert.deepEqual(clock.timers(), [60_000])
  clock.advance(59_999)
  assert.equal(words.sockets.length, 1)
  left.connection.goOnline()
  await eventually(
    () => mine.count('open'),
    (count) => count === 2,
  )
})

test('[CX22] a socket on which as many documents were opened as it may is replaced; more cannot be attached at one time', async () => {
  await using words = await startOwnWords(welcome)
  await using left = createPeer({ url: words.url, token: 'any' })
  left.connection.goOnline()
  let made = 0
  const openBatch = async (size: number) => {
    const batch = Array.from({ length: size }, () => left.open(`document/0190aaaa-${++made}`))
    await eventually(
      () => batch.filter(({ log }) => !log.includes('state')).length,
      (missing) => missing === 0,
    )
    return batch
  }
  for (let opened = 0; opened < DOCUMENTS_PER_SOCKET_MAX - 100; opened += 700) {
    for (const { attached } of await openBatch(700)) attached.detach()
  }
  const kept = await openBatch(100)
  assert.deepEqual([words.sockets.length, made], [1, DOCUMENTS_PER_SOCKET_MAX])
  await openBatch(1)
  await eventually(
    () => kept.filter((document) => document.count('open') === 2 && document.isOpen()).length,
    (open) => open === kept.length,
  )
  assert.equal(words.sockets.length, 2)
  for (const document of kept) assert.equal(document.count('closed disconnected'), 1)
  left.connection.goOffline()
  assert.throws(
    () => {
      for (let more = 0; more <= DOCUMENTS_PER_SOCKET_MAX; more++) left.open(`document/0190bbbb-${more}`)
    },
    { code: 'socket/too-many-documents' },
  )
})

test('[CX16] a listener may go offline, detach, or attach in the middle of what it is told', async () => {
  await using words = await startOwnWords(welcome)
  await using left = createPeer({ url: words.url, token: 'any' })
  const first = left.open(NAME, { onOpen: () => left.connection.goOffline() })
  const second = left.open('document/0190aaaa-second', {
    onClosed: () => {
      second.attached.detach()
      left.open('document/0190aaaa-third')
    },
  })
  left.connection.goOnline()
  await eventually(
    () => first.log,
    (log) => log.length > 0,
  )
  assert.deepEqual([first.log, left.connection.state], [['closed disconnected'], 'offline'])
})

test('[CX20] a state vector that the server would not read is not sent: the whole state is asked for', async () => {
  await using words = await startOwnWords(welcome)
  await using left = createPeer({ url: words.url, token: 'any' })
  const mine = left.open(NAME, { stateVector: () => new Uint8Array(STATE_VECTOR_BYTES_MAX + 1) })
  left.connection.goOnline()
  await eventually(
    () => mine.log,
    (log) => log.includes('state'),
  )
  assert.ok(words.received.every((frame) => frame.length < 100))
})
