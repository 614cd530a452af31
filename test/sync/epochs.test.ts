// When documents get a new epoch, and what becomes of clients that still have an older one: stock ones as their makers ship
// them, and crafted ones on the bare wire.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import * as Y from 'yjs'
import { epochClientId } from '../../shared/epoch.ts'
import { DOCUMENT_CLIENT_IDS_MAX } from '../../shared/limits.ts'
import type { EpochMessage } from '../../shared/protocol.ts'
import { loadEpoch } from '../../storage/epochs.ts'
import { openHocuspocus, openYWebsocket, readFresh, ROOT_NAME, type StockClient } from '../compat/clients.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { createTeam } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { connectWire } from '../helpers/wire-client.ts'

const epochOf = async ({ storage }: OwnServer, name: string): Promise<number> => (await loadEpoch(storage, name)).epoch

const startEpoch = async ({ sync }: OwnServer, name: string): Promise<void> => {
  await eventually(() => sync.startEpoch(name), Boolean, { what: `a new epoch of ${name}` })
}

const insert = ({ sync }: OwnServer, name: string, at: number, text: string): Promise<void> =>
  sync.withDocument(name, (doc) => doc.getText(ROOT_NAME).insert(at, text))

const textAt = ({ sync }: OwnServer, name: string): Promise<string> =>
  sync.withDocument(name, (doc) => doc.getText(ROOT_NAME).toJSON())

/** Letter by letter from the end: ten bytes and more of history for each, whether it is deleted afterwards or not. */
const writeBackwards = (doc: Y.Doc, letters: number, isDeleted: boolean): void => {
  const text = doc.getText('backwards')
  doc.transact(() => {
    for (let count = 0; count < letters; count++) text.insert(0, 'x')
    if (isDeleted) text.delete(0, letters)
  })
}

const MIB = 'x'.repeat(2 ** 20)

/** Resolves when the document's snapshot was made, and all that follows from that is over. */
const snapshotMade = async (server: OwnServer, name: string, other: string): Promise<void> => {
  const isMade = (of: string) => () =>
    server.logLines.some((line) => line.includes('document.snapshot') && line.includes(of))
  await eventually(isMade(name), Boolean, { what: `a snapshot of ${name}` })
  // One document after the other: when another has got its own, this one is done.
  await server.sync.withDocument(other, (doc) => doc.getMap('m').set('large', MIB))
  await eventually(isMade(other), Boolean, { what: `a snapshot of ${other}` })
}

/** Writes to a document that a client has open; resolves with its epoch once it was looked at. */
const epochWhileOpen = async (write: (doc: Y.Doc) => void): Promise<number> => {
  await using server = await startOwnServer()
  const { people, newDocument } = await createTeam(server.url, 1)
  const [name, other] = [await newDocument(), await newDocument()]
  using client = openHocuspocus(server, people[0], name)
  await client.synced()
  await server.sync.withDocument(name, write)
  await snapshotMade(server, name, other)
  const epoch = await epochOf(server, name)
  assert.deepEqual(client.closes, epoch > 0 ? ['epoch-ended'] : [])
  return epoch
}

test('[EP5] an open document gets a new epoch for 2 MiB of history, deleted or not, and not for less', async () => {
  for (const isDeleted of [true, false]) {
    assert.equal(await epochWhileOpen((doc) => writeBackwards(doc, 230_000, isDeleted)), 1, `deleted: ${isDeleted}`)
  }
  const less = (doc: Y.Doc): void => {
    writeBackwards(doc, 160_000, true)
    doc.getMap('m').set('large', MIB)
  }
  assert.equal(await epochWhileOpen(less), 0)
})

test('[EP5] an open document gets a new epoch when more than 2,000 client ids have written to it', async () => {
  const writeAs = (clientIds: number) => (doc: Y.Doc) => {
    const updates = Array.from({ length: clientIds }, (_, index) => {
      const author = new Y.Doc()
      author.clientID = index + 1
      author.getMap('m').set(String(index), index)
      return Y.encodeStateAsUpdate(author)
    })
    for (const update of updates) Y.applyUpdate(doc, update)
    // The server's own id is one more.
    doc.getMap('m').set('large', MIB)
  }
  assert.equal(await epochWhileOpen(writeAs(DOCUMENT_CLIENT_IDS_MAX)), 1)
  assert.equal(await epochWhileOpen(writeAs(DOCUMENT_CLIENT_IDS_MAX - 1)), 0)
})

test('[EP5] a closed document gets one when it is more than half history, and that is more than 1 MiB', async () => {
  await using server = await startOwnServer()
  const { newDocument } = await createTeam(server.url, 1)
  const other = await newDocument()
  const cases = [
    { letters: 115_000, content: 20_000, epoch: 1 },
    { letters: 80_000, content: 20_000, epoch: 0 },
    { letters: 115_000, content: 1_600_000, epoch: 0 },
  ]
  const names = await Promise.all(cases.map(() => newDocument()))
  for (const [index, { letters, content }] of cases.entries()) {
    const name = names[index] as string
    await server.sync.withDocument(name, (doc) => {
      writeBackwards(doc, letters, true)
      doc.getMap('m').set('content', 'x'.repeat(content))
    })
    // So many entries that a snapshot is made when it closes.
    for (let count = 0; count < 16; count++) await insert(server, name, 0, 'word ')
  }
  for (const name of names) await snapshotMade(server, name, other)
  const found = await Promise.all(names.map((name) => epochOf(server, name)))
  assert.deepEqual(
    found,
    cases.map(({ epoch }) => epoch),
  )
  for (const name of names) assert.equal(await textAt(server, name), 'word '.repeat(16))
})

test('[EP5] what is mostly history waits until nobody has it open', async () => {
  await using server = await startOwnServer()
  const { people, newDocument } = await createTeam(server.url, 1)
  const [name, other] = [await newDocument(), await newDocument()]
  const client = openHocuspocus(server, people[0], name)
  await client.synced()
  await server.sync.withDocument(name, (doc) => {
    writeBackwards(doc, 115_000, true)
    // Long, for a snapshot, and gone.
    doc.getMap('m').set('large', MIB)
    doc.getMap('m').delete('large')
  })
  await snapshotMade(server, name, other)
  assert.deepEqual([await epochOf(server, name), client.closes], [0, []])
  client[Symbol.dispose]()
  await eventually(
    () => epochOf(server, name),
    (epoch) => epoch === 1,
  )
})

/** A client that comes back after epochs began, with an edit that it could not send. */
const comeBack = async (epochs: number, kind: 'hocuspocus' | 'y-websocket', isReloaded: boolean) => {
  await using server = await startOwnServer()
  const { people, newDocument } = await createTeam(server.url, 1)
  const name = await newDocument()
  await insert(server, name, 0, 'shared')
  using before = openHocuspocus(server, people[0], name)
  await before.synced()
  before.text.insert(6, ' text')
  await before.stored()
  await before.goOffline()
  const doc = isReloaded ? new Y.Doc() : before.doc
  if (isReloaded) Y.applyUpdate(doc, Y.encodeStateAsUpdate(before.doc))
  doc.getText(ROOT_NAME).insert(0, 'unsent ')
  doc.getMap('map').set('unsent', true)
  await insert(server, name, 11, ', missed')
  const closed = await server.sync.withDocument(name, (live) => Y.encodeStateVector(live))
  for (let count = 0; count < epochs; count++) {
    await startEpoch(server, name)
    await insert(server, name, 0, 'new ')
  }
  const expected = `${'new '.repeat(epochs)}shared text, missed`
  const seen: string[] = []
  let messages: readonly unknown[] = []
  const own = doc.getText(ROOT_NAME)
  if (kind === 'hocuspocus') {
    using client = openHocuspocus(server, people[0], name, { document: doc })
    client.provider.on('stateless', () => seen.push(own.toJSON()))
    await eventually(
      () => client.closes,
      ([reason]) => reason === 'epoch-ended',
    )
    messages = client.stateless
  } else {
    using client = openYWebsocket(server, people[0], name, doc)
    await eventually(
      () => client.socketCloses,
      ([close]) => close?.code === 4409,
    )
    assert.deepEqual([client.provider.shouldConnect, client.socketCloses.length], [false, 1])
  }
  assert.equal(own.toJSON(), epochs === 1 ? 'unsent shared text, missed' : 'unsent shared text')
  if (kind === 'hocuspocus') {
    const told = {
      type: 'epoch',
      epoch: epochs,
      ...(epochs === 1 && { closed: Buffer.from(closed).toString('base64') }),
    }
    // By then it has had what it missed.
    assert.deepEqual([messages, seen], [[told], [own.toJSON()]])
  }
  assert.equal(await textAt(server, name), expected)
  assert.equal(await server.sync.withDocument(name, (live) => live.getMap('map').size), 0)
  assert.equal(await readFresh(server, people[0], name), expected)
}

for (const kind of ['hocuspocus', 'y-websocket'] as const) {
  test(`[EP6] a stock ${kind} client that was offline is sent what it missed, told, and sent away; nothing is merged`, async () => {
    await comeBack(1, kind, false)
    await comeBack(1, kind, true)
  })

  test(`[EP6] a stock ${kind} client that missed two epochs is told so, and sent nothing`, async () => {
    await comeBack(2, kind, false)
    await comeBack(2, kind, true)
  })
}

test('[EP6] who is connected when an epoch begins has all of the old one, is told and sent away, and may come anew', async () => {
  await using server = await startOwnServer()
  const { people, newDocument } = await createTeam(server.url, 2)
  const name = await newDocument()
  const [ann, bob] = people as [(typeof people)[0], (typeof people)[0]]
  using one = openHocuspocus(server, ann, name)
  using other = openYWebsocket(server, bob, name)
  await Promise.all([one.synced(), other.synced()])
  await insert(server, name, 0, 'just now')
  await startEpoch(server, name)
  await eventually(
    () => [one.closes[0], other.socketCloses[0]?.code],
    ([reason, code]) => reason === 'epoch-ended' && code === 4409,
  )
  assert.deepEqual([one.text.toJSON(), other.text.toJSON()], ['just now', 'just now'])
  const [{ epoch, closed }] = one.stateless as [EpochMessage]
  assert.deepEqual([epoch, closed], [1, Buffer.from(Y.encodeStateVector(one.doc)).toString('base64')])
  const fresh: StockClient[] = [openHocuspocus(server, ann, name), openYWebsocket(server, bob, name)]
  using _ = { [Symbol.dispose]: () => fresh.forEach((client) => client[Symbol.dispose]()) }
  await Promise.all(fresh.map((client) => client.synced()))
  const texts = async (): Promise<string[]> => [await textAt(server, name), ...fresh.map(({ text }) => text.toJSON())]
  for (const [index, client] of fresh.entries()) {
    await eventually(texts, ([first, ...others]) => others.every((text) => text === first))
    client.text.insert(0, `${index} `)
    await eventually(
      () => textAt(server, name),
      (text) => text.startsWith(`${index} `),
    )
    await client.goOffline()
    client.text.insert(client.text.length, '!')
    await client.goOnline()
  }
  await eventually(texts, (all) => all.every((text) => text === '1 0 just now!!'))
})

test('[EP6] who writes with structs of an older epoch without asking is refused; who had not asked yet comes again', async () => {
  await using server = await startOwnServer()
  const { people, newDocument } = await createTeam(server.url, 1)
  const [{ accessToken }] = people
  const name = await newDocument()
  const old = new Y.Doc()
  old.getText(ROOT_NAME).insert(0, 'old')
  const wire = await connectWire(server.syncUrl)
  const first = await wire.open(name, accessToken)
  first.sendUpdate(Y.encodeStateAsUpdate(old))
  await eventually(
    () => first.acked,
    (acked) => acked === 1,
  )
  await startEpoch(server, name)
  // What it has of the old epoch nobody knows, so it may not be told that it has all of it.
  assert.deepEqual(await wire.closed, { code: 1013, reason: 'storage/unavailable' })
  assert.deepEqual(first.stateless, [])

  const before = Y.encodeStateVector(old)
  old.getText(ROOT_NAME).insert(3, ' on')
  const further = Y.encodeStateAsUpdate(old, before)
  const reloaded = new Y.Doc()
  Y.applyUpdate(reloaded, Y.encodeStateAsUpdate(old))
  const known = Y.encodeStateVector(reloaded)
  reloaded.getText(ROOT_NAME).insert(2, 'new')
  const fresh = new Y.Doc()
  fresh.clientID = epochClientId(1)
  fresh.getText(ROOT_NAME).insert(0, 'forged')
  const forged = [
    Y.encodeStateAsUpdate(old),
    further,
    Y.encodeStateAsUpdate(reloaded),
    Y.encodeStateAsUpdate(reloaded, known),
    Y.encodeStateAsUpdate(fresh),
  ]
  for (const send of ['sendUpdate', 'sendStep2'] as const) {
    for (const [index, update] of forged.entries()) {
      const crafted = await connectWire(server.syncUrl)
      const document = await crafted.open(name, accessToken)
      document[send](update)
      await eventually(
        () => document.refused,
        (refused) => refused === 1,
        { what: `refusal of ${send} ${index}` },
      )
      assert.equal(document.acked, 0)
      crafted.close()
    }
  }
  assert.equal(await textAt(server, name), 'old')
})
