// Stock clients, unchanged, on the real server: HocuspocusProvider and y-websocket see each other live, share sockets, refresh
// tokens, and learn the same from a document that is not theirs as from one that does not exist.
import assert from 'node:assert/strict'
import type { Awareness } from 'y-protocols/awareness'
import { afterAll, beforeAll, test } from 'vitest'
import { createTeam, login, type Person, register, type Team } from '../helpers/accounts.ts'
import { eventually, nextTurn } from '../helpers/eventually.ts'
import { connectWire } from '../helpers/wire-client.ts'
import { openHocuspocus, openSocket, openYWebsocket, readFresh, type StockClient } from './clients.ts'
import { type ServerProcess, startServerProcess } from './servers.ts'

let server: ServerProcess
let team: Team
let ann: Person
let bob: Person

beforeAll(async () => {
  server = await startServerProcess()
  team = await createTeam(server.url, 2)
  ;[ann, bob] = team.people as [Person, Person]
})
afterAll(() => server[Symbol.asyncDispose]())

const expectText = async (clients: readonly StockClient[], expected: string): Promise<void> => {
  await eventually(
    () => clients.map(({ text }) => text.toJSON()),
    (texts) => texts.every((text) => text === expected),
    { what: `"${expected}" everywhere` },
  )
}

test('[CO1] both stock providers type in one document and see each other', async () => {
  const name = await team.newDocument()
  using hocuspocus = openHocuspocus(server, ann, name)
  using yWebsocket = openYWebsocket(server, bob, name)
  await Promise.all([hocuspocus.synced(), yWebsocket.synced()])
  hocuspocus.text.insert(0, 'one ')
  await expectText([yWebsocket], 'one ')
  yWebsocket.text.insert(4, 'two')
  await expectText([hocuspocus], 'one two')
  yWebsocket.text.delete(0, 4)
  await expectText([hocuspocus, yWebsocket], 'two')
})

const cursorsOf = (awareness: Awareness | null | undefined): string[] =>
  [...(awareness?.getStates().values() ?? [])].flatMap((state) => (state['cursor'] as string | undefined) ?? []).sort()

test('[CO2] cursors show both ways, and go when their owner takes them away or leaves', async () => {
  const name = await team.newDocument()
  using hocuspocus = openHocuspocus(server, ann, name)
  const yWebsocket = openYWebsocket(server, bob, name)
  await Promise.all([hocuspocus.synced(), yWebsocket.synced()])
  const theirs = hocuspocus.provider.awareness
  const ours = yWebsocket.provider.awareness
  const expectCursors = async (expected: readonly string[]): Promise<void> => {
    await eventually(
      () => [cursorsOf(theirs), cursorsOf(ours)],
      (seen) => seen.every((cursors) => cursors.join() === expected.join()),
      { what: `cursors ${expected.join()}` },
    )
  }
  theirs?.setLocalStateField('cursor', 'ann')
  ours.setLocalStateField('cursor', 'bob')
  await expectCursors(['ann', 'bob'])
  theirs?.setLocalState(null)
  await expectCursors(['bob'])
  theirs?.setLocalState({ cursor: 'ann again' })
  await expectCursors(['ann again', 'bob'])
  ours.setLocalState(null)
  await expectCursors(['ann again'])
  ours.setLocalState({ cursor: 'bob again' })
  await expectCursors(['ann again', 'bob again'])
  yWebsocket[Symbol.dispose]()
  await eventually(
    () => cursorsOf(theirs),
    (cursors) => cursors.join() === 'ann again',
  )
})

const DOCUMENTS = 1_000

test('[CO3] 1,000 documents on one socket all synchronise, and the socket stays', async () => {
  const name = await team.newDocument()
  using socket = openSocket(server)
  let disconnects = 0
  socket.on('disconnect', () => disconnects++)
  const names = Array.from({ length: DOCUMENTS }, (_, index) => `${name}/record-${String(index).padStart(5, '0')}`)
  const clients = names.map((one) => openHocuspocus(server, ann, one, { socket }))
  for (const [index, { text }] of clients.entries()) text.insert(0, `text ${index}`)
  for (const client of clients) await client.stored()
  assert.equal(disconnects, 0)
  for (const index of [0, 1, 500, DOCUMENTS - 1]) {
    assert.equal(await readFresh(server, bob, names[index] as string), `text ${index}`)
  }
  for (const client of clients) client[Symbol.dispose]()
  using again = openHocuspocus(server, ann, names[7] as string, { socket })
  await again.synced()
  assert.equal(again.text.toJSON(), 'text 7')
}, 300_000)

test('[CO4] a document that is closed and opened again at once on a shared socket is open', async () => {
  const name = await team.newDocument()
  using socket = openSocket(server)
  using other = openHocuspocus(server, ann, await team.newDocument(), { socket })
  using observer = openYWebsocket(server, bob, name)
  await Promise.all([other.synced(), observer.synced()])
  for (let round = 0; round < 20; round++) {
    // As a component that is mounted, unmounted and mounted again.
    const first = openHocuspocus(server, ann, name, { socket })
    for (let turn = 0; turn < round % 5; turn++) await nextTurn()
    if (round % 3 === 0) first.text.insert(0, 'never mind')
    first[Symbol.dispose]()
    using second = openHocuspocus(server, ann, name, { socket })
    await second.synced()
    second.text.insert(0, `round ${round} `)
    // Not `stored`: answers to the first reach the second, which has its name, and a stock provider counts them as its own.
    await eventually(
      () => observer.text.toJSON(),
      (text) => text.includes(`round ${round} `),
      { what: `edit of round ${round} at the observer` },
    )
  }
  assert.deepEqual([other.closes, other.socketCloses], [[], []])
})

test('[CO12] a good token right behind a bad one opens the document', async () => {
  const name = await team.newDocument()
  using socket = openSocket(server)
  using other = openHocuspocus(server, ann, await team.newDocument(), { socket })
  await other.synced()
  let token = 'expired'
  using client = openHocuspocus(server, ann, name, { socket, token: () => token })
  await nextTurn()
  token = ann.accessToken
  await client.provider.sendToken()
  client.provider.startSync()
  client.text.insert(0, 'here')
  await eventually(
    () => [client.provider.isAuthenticated, client.provider.synced, client.denials],
    ([isAuthenticated, synced]) => isAuthenticated === true && synced === true,
  )
  await eventually(
    () => readFresh(server, bob, name),
    (text) => text === 'here',
  )
})

test('[CO5] session-aware providers open one document twice on one socket', async () => {
  const name = await team.newDocument()
  using socket = openSocket(server)
  using left = openHocuspocus(server, ann, name, { socket, sessionAwareness: true })
  using right = openHocuspocus(server, ann, name, { socket, sessionAwareness: true })
  using other = openYWebsocket(server, bob, name)
  await Promise.all([left.synced(), right.synced(), other.synced()])
  left.text.insert(0, 'left ')
  await expectText([left, right, other], 'left ')
  right.text.insert(5, 'right')
  await Promise.all([left.stored(), right.stored()])
  left[Symbol.dispose]()
  right.text.insert(0, 'still ')
  await right.stored()
  await expectText([right, other], 'still left right')
})

test("[CO6] a fresh token keeps a document open; somebody else's and a bad one close it", async () => {
  const name = await team.newDocument()
  let token = ann.accessToken
  using client = openHocuspocus(server, ann, name, { token: () => token })
  await client.synced()
  ;({ accessToken: token } = await login(server.url, ann))
  await client.provider.sendToken()
  client.text.insert(0, 'refreshed')
  await client.stored()
  assert.deepEqual([client.closes, client.denials], [[], []])
  for (const bad of [bob.accessToken, 'no token']) {
    token = bad
    await client.provider.sendToken()
    await eventually(
      () => client.closes,
      (closes) => closes.length === 1 && closes[0] === 'permission-denied',
    )
    token = ann.accessToken
    client.closes.length = 0
    // The way back that a stock provider has.
    await client.provider.sendToken()
    client.provider.startSync()
    await client.stored()
  }
  assert.deepEqual(client.socketCloses, [])
})

test('[CO7] a document that is not yours answers exactly as one that does not exist', async () => {
  const stranger = await register(server.url)
  const forbidden = await team.newDocument()
  const names = [
    forbidden,
    `${forbidden}/record-000001`,
    'document/00000000-0000-7000-8000-000000000000',
    forbidden.replace('document', 'tasks'),
    'no-such-kind/0123456789',
  ]
  for (const name of names) {
    using hocuspocus = openHocuspocus(server, stranger, name)
    using yWebsocket = openYWebsocket(server, stranger, name)
    const wire = await connectWire(server.syncUrl)
    await assert.rejects(wire.open(name, stranger.accessToken), new Error('permission-denied'))
    await assert.rejects(wire.open(name, 'a bad token'), new Error('permission-denied'))
    wire.close()
    await eventually(
      () => [hocuspocus.denials, hocuspocus.closes, yWebsocket.socketCloses, yWebsocket.provider.shouldConnect],
      (seen) =>
        JSON.stringify(seen) ===
        JSON.stringify([['permission-denied'], [], [{ code: 4403, reason: 'permission-denied' }], false]),
      { what: `denial of ${name}` },
    )
  }
})
