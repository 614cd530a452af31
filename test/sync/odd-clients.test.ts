// Honest clients that do unusual things are never refused, never closed, and end with what everybody else has: everything
// Yjs and its stock providers can write, in orders that a person seldom makes. Unusual sizes: compat/odd-loads.test.ts.
import assert from 'node:assert/strict'
import { afterAll, beforeAll, test } from 'vitest'
import * as Y from 'yjs'
import { expectAccepted } from '../compat/accepted.ts'
import { openHocuspocus, openYWebsocket, ROOT_NAME } from '../compat/clients.ts'
import { type ServerProcess, startServerProcess } from '../compat/servers.ts'
import { createTeam, login, type Person, type Team } from '../helpers/accounts.ts'
import { eventually, nextTurn } from '../helpers/eventually.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { connectWire } from '../helpers/wire-client.ts'

const random = createRandom(chooseSeed())

let server: ServerProcess
let team: Team
let ann: Person
let bob: Person

beforeAll(async () => {
  process.stdout.write(`odd clients: SEED=${random.seed}\n`)
  server = await startServerProcess()
  team = await createTeam(server.url, 2)
  ;[ann, bob] = team.people as [Person, Person]
})
afterAll(() => server[Symbol.asyncDispose]())

test('[OD1] edits made and deleted offline are accepted, collected or not', async () => {
  const name = await team.newDocument()
  using reader = openYWebsocket(server, bob, name)
  for (const gc of [true, false]) {
    const doc = new Y.Doc({ gc })
    const text = doc.getText(ROOT_NAME)
    const list = doc.getArray<unknown>('list')
    for (let i = 0; i < 200; i++) {
      text.insert(random.int(0, text.length), 'word ')
      list.push([i, { i }, new Y.Map([['k', i]])])
      if (i % 3 === 0) list.delete(random.int(0, list.length - 1), 1)
      if (i % 2 === 0) text.delete(random.int(0, text.length - 2), 2)
    }
    list.delete(0, list.length - 1)
    using writer = openHocuspocus(server, ann, name, { document: doc })
    await writer.synced()
    // Every sync repeats the whole delete set.
    for (let i = 0; i < 3; i++) {
      await writer.goOffline()
      text.insert(0, 'more ')
      await writer.goOnline()
    }
    await expectAccepted(writer, reader)
  }
})

test('[OD2] an edit may build on one that stands later in the same update, from another device', async () => {
  const name = await team.newDocument()
  const first = new Y.Doc()
  const second = new Y.Doc()
  // Yjs writes higher client ids first, so the dependency comes after what depends on it.
  first.clientID = 10
  second.clientID = 99
  first.getText(ROOT_NAME).insert(0, 'base')
  Y.applyUpdate(second, Y.encodeStateAsUpdate(first))
  second.getText(ROOT_NAME).insert(2, ' and ')
  Y.applyUpdate(first, Y.encodeStateAsUpdate(second))
  first.getText(ROOT_NAME).insert(4, '!')
  Y.applyUpdate(second, Y.encodeStateAsUpdate(first))
  using writer = openHocuspocus(server, ann, name, { document: second })
  await writer.synced()
  using reader = openYWebsocket(server, bob, name)
  await reader.synced()
  await expectAccepted(writer, reader)
  assert.equal(reader.text.toJSON(), second.getText(ROOT_NAME).toJSON())
})

test('[OD3] text typed into a paragraph that somebody deleted meanwhile is accepted', async () => {
  const name = await team.newDocument()
  using writer = openHocuspocus(server, ann, name)
  using deleter = openYWebsocket(server, bob, name)
  const paragraph = new Y.XmlElement('paragraph')
  paragraph.insert(0, [new Y.XmlText('first')])
  writer.doc.getXmlFragment('default').insert(0, [paragraph])
  const theirs = deleter.doc.getXmlFragment('default')
  await eventually(
    () => theirs.length,
    (length) => length === 1,
  )
  await writer.goOffline()
  theirs.delete(0, 1)
  const text = paragraph.get(0) as Y.XmlText
  text.insert(5, ' second')
  text.format(0, 5, { bold: true })
  paragraph.setAttribute('indent', '1')
  paragraph.insert(1, [new Y.XmlElement('image')])
  await writer.goOnline()
  await expectAccepted(writer, deleter)
  assert.equal(writer.doc.getXmlFragment('default').length, 0)
})

test('[OD4] every kind of content that Yjs knows is accepted', async () => {
  const name = await team.newDocument()
  using writer = openHocuspocus(server, ann, name)
  using reader = openYWebsocket(server, bob, name)
  await writer.synced()
  const values = [null, true, 1, -1, 2 ** 53 - 1, 1.5, 'é😀\u0000', [], [1, [2]], { a: { b: [undefined, 2n ** 60n] } }]
  const list = writer.doc.getArray<unknown>('list')
  for (const value of values) list.push([value])
  list.push([new Uint8Array(1_000), new Y.Doc(), new Y.XmlFragment(), new Y.Array(), new Y.Map(), new Y.Text('x')])
  list.insert(3, values)
  writer.text.insert(0, 'plain 😀 ')
  writer.text.insert(3, 'bold', { bold: true, link: { href: 'x' } })
  writer.text.insertEmbed(2, { image: 'x.png' })
  writer.text.format(1, 6, { bold: null, comment: 'c' })
  const map = writer.doc.getMap('map')
  for (let i = 0; i < 50; i++) map.set(`key ${i % 7} ☃`, i)
  map.delete('key 3 ☃')
  map.set('', 'an empty key')
  map.set('large', -(2n ** 63n))
  map.set('bytes', new Uint8Array(1_000))
  await expectAccepted(writer, reader)
  assert.deepEqual(reader.text.toDelta(), writer.text.toDelta())
  assert.equal(reader.doc.getArray('list').length, list.length)
})

test('[OD8] tabs and devices of one person write side by side, and a client id is used again after a reload', async () => {
  const name = await team.newDocument()
  const second = await login(server.url, ann)
  using tab = openHocuspocus(server, ann, name)
  using otherTab = openHocuspocus(server, ann, name)
  using device = openYWebsocket(server, second, name)
  const clients = [tab, otherTab, device]
  for (let i = 0; i < 60; i++) {
    const client = random.pick(clients)
    client.text.insert(random.int(0, client.text.length), String(i))
    if (i % 20 === 0) await nextTurn()
  }
  await expectAccepted(...clients)

  // A page that keeps its document and client id across reloads, and across the two protocols.
  const { doc } = tab
  await tab.goOffline()
  for (const open of [openHocuspocus, openYWebsocket, openHocuspocus]) {
    const copy = new Y.Doc()
    Y.applyUpdate(copy, Y.encodeStateAsUpdate(otherTab.doc))
    copy.clientID = doc.clientID
    using reloaded =
      open === openHocuspocus
        ? openHocuspocus(server, ann, name, { document: copy })
        : openYWebsocket(server, second, name, copy)
    reloaded.text.insert(0, 'again ')
    await reloaded.synced()
    reloaded.text.insert(0, 'and again ')
    await expectAccepted(reloaded, otherTab, device)
    assert.equal(reloaded.doc.clientID, doc.clientID)
  }
})

test('[OD9] a provider that merges its updates, and an undo manager, are understood', async () => {
  const name = await team.newDocument()
  using writer = openHocuspocus(server, ann, name, { flushDelay: 20 })
  using other = openYWebsocket(server, bob, name)
  await Promise.all([writer.synced(), other.synced()])
  const undo = new Y.UndoManager([writer.text, writer.doc.getMap('map')], { captureTimeout: 0 })
  for (let i = 0; i < 300; i++) {
    const action = random.int(0, 5)
    if (action === 0) undo.undo()
    else if (action === 1) undo.redo()
    else if (action === 2 && writer.text.length > 3) writer.text.delete(random.int(0, writer.text.length - 3), 3)
    else if (action === 3) writer.doc.getMap('map').set(`key${i % 5}`, i)
    else writer.text.insert(random.int(0, writer.text.length), `w${i} `)
    if (action === 4) other.text.insert(0, 'theirs ')
    if (i % 10 === 0) await nextTurn()
  }
  while (undo.undoStack.length > 0) undo.undo()
  while (undo.redoStack.length > 0) undo.redo()
  await expectAccepted(writer, other)
})

test('[OD10] an update that overlaps what the server has is taken for what is new in it, and acknowledged', async () => {
  const name = await team.newDocument()
  const doc = new Y.Doc()
  const wire = await connectWire(server.syncUrl)
  const document = await wire.open(name, ann.accessToken)
  const text = doc.getText(ROOT_NAME)
  let sent = 0
  const expectAck = async (update: Uint8Array): Promise<void> => {
    document.sendUpdate(update)
    sent++
    await eventually(
      () => [document.acked, document.refused, document.closedWith],
      ([acked]) => acked === sent,
    )
  }
  text.insert(0, 'one run of text that grows ')
  const early = Y.encodeStateAsUpdate(doc)
  await expectAck(early)
  const before = Y.encodeStateVector(doc)
  text.insert(text.length, 'and grows')
  text.delete(4, 3)
  const late = Y.encodeStateAsUpdate(doc, before)
  // The whole state again: one struct of it reaches from what is known into what is new.
  await expectAck(Y.encodeStateAsUpdate(doc))
  for (const repeated of [early, late, Y.encodeStateAsUpdate(doc), Y.mergeUpdates([late, early])]) {
    await expectAck(repeated)
  }
  wire.close()
  using reader = openHocuspocus(server, bob, name)
  await reader.synced()
  assert.equal(reader.text.toJSON(), text.toJSON())
})
