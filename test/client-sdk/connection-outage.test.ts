// The connection through what goes wrong around it: a server that is killed, stopped, or silent, a network that forwards
// nothing, tokens that are old or cannot be asked for.
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'vitest'
import { systemClock } from '../../client-sdk/system-clock.ts'
import { HEARTBEAT_MS, PROBE_MS_MAX } from '../../client-sdk/connection-heartbeat.ts'
import { CONNECT_MS_MAX } from '../../client-sdk/connection-state.ts'
import type { Clock } from '../../client-sdk/connection-types.ts'
import { readFrame } from '../../client-sdk/wire.ts'
import { startOwnServer, startServerProcess } from '../compat/servers.ts'
import { createTeam, type Person } from '../helpers/accounts.ts'
import { eventually, nextTurn } from '../helpers/eventually.ts'
import {
  createManualClock,
  createPeer,
  type ManualClock,
  type Peer,
  type PeerDocument,
  startOwnWords,
  startProxy,
} from './connection-peer.ts'

/** Three starts of a server, on a machine that may have more to do. */
const TEST_MS_MAX = 240_000
const DOCUMENTS = 40

/** Open, and the server's state has come since. */
const isLoaded = ({ log }: PeerDocument): boolean => {
  const since = log.slice(log.findLastIndex((told) => /^(open|closed)/.test(told)))
  return since[0] === 'open' && since.includes('state')
}

const allOpen = (documents: readonly PeerDocument[]): Promise<unknown> =>
  eventually(
    () => documents.filter((document) => !isLoaded(document)).length,
    (missing) => missing === 0,
    { what: 'all open' },
  )

test(
  '[CX12] a server that is killed and started again is found again; each document is told once that it is disconnected',
  async () => {
    await using server = await startServerProcess()
    const { people, newDocument } = await createTeam(server.url, 2)
    const [ann, bob] = people as readonly [Person, Person]
    const channel = (await newDocument()).split('/')[1] as string
    const names = Array.from({ length: DOCUMENTS }, (_, index) => `document/${channel}/record-${1_000_000 + index}`)
    // Tried every 3 s at least: however long the server takes to start, the next try is soon.
    await using left = createPeer({ url: server.syncUrl, token: ann.accessToken, random: () => 0.1 })
    left.connection.goOnline()
    const documents = names.map((name) => left.open(name))
    await allOpen(documents)
    for (const [round, signal] of (['SIGKILL', 'SIGTERM'] as const).entries()) {
      await server.stop(signal)
      await eventually(
        () => documents.filter((document) => document.isOpen()).length,
        (open) => open === 0,
      )
      for (const { doc } of documents) doc.getText('text').insert(0, `${round}`)
      await server.start()
      await allOpen(documents)
      await eventually(
        () => documents.map((document) => document.count('open')),
        (counts) => counts.every((count) => count === round + 2),
      )
    }
    await nextTurn()
    for (const document of documents) {
      assert.deepEqual([document.count('closed disconnected'), document.count('open')], [2, 3], document.name)
      assert.equal(document.log.filter((told) => told.startsWith('closed')).length, 2)
    }
    assert.equal(left.connection.state, 'live')
    await using right = createPeer({ url: server.syncUrl, token: bob.accessToken })
    right.connection.goOnline()
    const seen = right.open(names[7] as string)
    await eventually(
      () => seen.doc.getText('text').toJSON(),
      (text) => text === '10',
    )
  },
  TEST_MS_MAX,
)

/** Moves time on until what was asked is so; not while a socket is on its way, whose time is the machine's. */
const whileTimePasses = (
  { connection }: Pick<Peer, 'connection'>,
  clock: ManualClock,
  isSo: () => boolean,
): Promise<unknown> =>
  eventually(
    () => {
      if (!isSo() && connection.state !== 'connecting') clock.advance(100)
      return isSo()
    },
    (so) => so,
  )

test('[CX15] a network that forwards nothing any more is noticed within three beats, and left for a new socket', async () => {
  await using server = await startOwnServer()
  const { people, newDocument } = await createTeam(server.url, 1)
  await using proxy = await startProxy(server.syncUrl)
  const clock = createManualClock()
  // Counted as messages: of bytes one cannot tell, as a pong may come in one piece with other frames.
  let pongs = 0
  class Counting extends WebSocket {
    constructor(url: string | URL) {
      super(url)
      this.addEventListener('message', ({ data }) => {
        if (data instanceof ArrayBuffer && readFrame(new Uint8Array(data))?.type === 'pong') pongs++
      })
    }
  }
  const token = people[0].accessToken
  await using left = createPeer({ url: proxy.url, token, clock, random: () => 0.5, WebSocket: Counting })
  left.connection.goOnline()
  const mine = left.open(await newDocument())
  await allOpen([mine])
  // Silent but there: the answers to our pings keep it alive for as long as one likes.
  for (let beat = 1; beat <= 10; beat++) {
    clock.advance(HEARTBEAT_MS)
    await eventually(
      () => pongs,
      (count) => count === beat,
    )
    await nextTurn()
  }
  assert.deepEqual([left.states, proxy.connections()], [['connecting', 'live'], 1])

  proxy.stall()
  for (let beat = 0; beat < 3; beat++) clock.advance(HEARTBEAT_MS)
  assert.deepEqual([left.connection.state, mine.count('closed disconnected')], ['offline', 1])
  // A connection that is taken and never answered is given up too.
  const connections = proxy.connections()
  await whileTimePasses(left, clock, () => proxy.connections() > connections)
  clock.advance(CONNECT_MS_MAX)
  assert.deepEqual(left.states.slice(2), ['offline', 'connecting', 'offline'])
  proxy.heal()
  await whileTimePasses(left, clock, () => mine.count('open') === 2)
  assert.equal(mine.count('closed disconnected'), 1)
})

test('[CX21] the page or the network coming back asks a silent server at once, and does not wait for a pause to end', async () => {
  const target = new EventTarget()
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible' })
  const listening = { addEventListener: target.addEventListener.bind(target), document: page }
  Object.assign(globalThis, listening)
  try {
    await using server = await startOwnServer()
    const { people, newDocument } = await createTeam(server.url, 1)
    await using proxy = await startProxy(server.syncUrl)
    const clock = createManualClock()
    const left = createPeer({ url: proxy.url, token: people[0].accessToken, clock, random: () => 0.5 })
    left.connection.goOnline()
    const mine = left.open(await newDocument())
    await allOpen([mine])
    proxy.stall()
    target.dispatchEvent(new Event('online'))
    clock.advance(PROBE_MS_MAX)
    assert.deepEqual([left.connection.state, mine.count('closed disconnected')], ['offline', 1])
    proxy.heal()
    // No time passes: only the event makes it try.
    Object.assign(page, { visibilityState: 'hidden' })
    page.dispatchEvent(new Event('visibilitychange'))
    assert.equal(left.connection.state, 'offline')
    Object.assign(page, { visibilityState: 'visible' })
    page.dispatchEvent(new Event('visibilitychange'))
    assert.equal(left.connection.state, 'connecting')
    await allOpen([mine])

    await left[Symbol.asyncDispose]()
    left.connection.goOnline()
    const listeners = ['online', 'offline', 'pageshow'].flatMap((type) => getEventListeners(target, type))
    assert.deepEqual([...listeners, ...getEventListeners(page, 'visibilitychange')], [])
    assert.deepEqual([left.connection.state, clock.timers()], ['offline', []])
  } finally {
    for (const name of Object.keys(listening)) Reflect.deleteProperty(globalThis, name)
  }
})

test('[CX13] a token that has grown old is replaced without a word to the document', async () => {
  await using server = await startOwnServer()
  const { people, newDocument } = await createTeam(server.url, 1)
  const names = await Promise.all(Array.from({ length: 5 }, newDocument))
  const tokens = ['old', people[0].accessToken]
  let rejected = 0
  await using left = createPeer({
    url: server.syncUrl,
    token: async () => tokens[rejected] ?? null,
    tokenRejected: () => void rejected++,
  })
  left.connection.goOnline()
  const documents = names.map((name) => left.open(name))
  await allOpen(documents)
  for (const { log } of documents) assert.equal(log[0], 'open')
  assert.equal(rejected, 1)
})

test('[CX13] nobody logged in: denied, without a socket, until there is a login; others’ documents are asked for again', async () => {
  await using server = await startOwnServer()
  const { people, newDocument } = await createTeam(server.url, 2)
  const [ann, bob] = people as readonly [Person, Person]
  await using proxy = await startProxy(server.syncUrl)
  let token: string | null = null
  await using left = createPeer({ url: proxy.url, token: async () => token })
  left.connection.goOnline()
  const own = left.open(`me/${ann.id}`)
  const shared = left.open(await newDocument())
  await eventually(
    () => left.connection.state,
    (state) => state === 'denied',
  )
  assert.equal(proxy.connections(), 0)
  token = bob.accessToken
  left.connection.loginChanged()
  await eventually(
    () => [own.log.at(-1), shared.isOpen()],
    ([told, isOpen]) => told === 'closed permission-denied' && isOpen === true,
  )
  token = ann.accessToken
  left.connection.loginChanged()
  assert.equal(shared.log.at(-1), 'closed disconnected')
  await allOpen([own, shared])
  assert.deepEqual([proxy.connections(), own.count('closed permission-denied')], [2, 1])
})

test('[CX13] a token that cannot be asked for, before the socket or on it, is asked for again later', async () => {
  await using server = await startOwnServer()
  const { people, newDocument } = await createTeam(server.url, 1)
  const clock = createManualClock()
  let asked = 0
  const token = async (): Promise<string> => {
    // The first three are for the socket, those after it for the document.
    if ([1, 2, 4, 5].includes(++asked)) throw new Error('no network')
    return people[0].accessToken
  }
  await using left = createPeer({ url: server.syncUrl, token, clock, random: () => 0.5 })
  left.connection.goOnline()
  const mine = left.open(await newDocument())
  await whileTimePasses(left, clock, () => mine.log.includes('state'))
  assert.ok(asked >= 6, `asked ${asked} times`)
  assert.ok(!left.states.includes('denied'))
})

test('[CX19] offline closes at once and says so; afterwards there is no socket, no timer, and nothing is sent', async () => {
  await using words = await startOwnWords()
  const clock = createManualClock()
  await using left = createPeer({ url: words.url, token: 'any', clock })
  const mine = left.open('document/0190aaaa-bbbb')
  left.connection.goOnline()
  await eventually(
    () => words.received.length,
    (frames) => frames === 2,
  )
  mine.attached.sendUpdate(Uint8Array.of(0, 0))
  left.connection.goOffline()
  assert.deepEqual([left.connection.state, clock.timers(), mine.log], ['offline', [], []])
  await eventually(
    () => words.sockets[0]?.readyState,
    (state) => state === WebSocket.CLOSED,
  )
  // Neither the update before it was open nor anything after.
  assert.equal(words.received.length, 2)
  assert.throws(() => left.open('document/0190aaaa-bbbb'), /attached already/)
  assert.throws(() => createPeer({ url: 'http://localhost/sync', token: 'any' }), TypeError)
})

test('[CX3] a server that is away is tried later and later', async () => {
  // Its port stays taken, at an address of this machine at which nobody listens: nobody else will answer there.
  await using words = await startOwnWords()
  const url = words.url.replace('127.0.0.1', '127.0.0.2')
  const waits: number[] = []
  // Time flies: each wait is written down and over at once.
  const clock: Clock = {
    now: Date.now,
    after: (ms, run) => {
      if (ms === 15_000 || ms >= 30_000) return systemClock.after(ms, run)
      waits.push(ms)
      return systemClock.after(0, run)
    },
  }
  await using left = createPeer({ url, token: 'any', clock, random: () => 0.9 })
  left.connection.goOnline()
  await eventually(
    () => waits,
    (seen) => seen.length >= 9,
  )
  assert.deepEqual(
    waits.slice(0, 9),
    [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000].map((ms) => 0.9 * ms),
  )
  assert.equal(words.sockets.length, 0)
})
