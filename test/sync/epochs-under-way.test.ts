// What happens while a new epoch is made: writers at full speed, who comes and who leaves, a disk that fails in the middle,
// a stop. What was acknowledged is in it once, and nothing else is.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import * as Y from 'yjs'
import type { Access } from '../../server/access.ts'
import { createLogger } from '../../server/log.ts'
import { createSync, type DocumentStore, documentsIn } from '../../server/sync/sync.ts'
import { EpochUnknown, loadEpoch } from '../../storage/epochs.ts'
import { openStorage } from '../../storage/open.ts'
import { loadClaims, loadDocument } from '../../storage/updates.ts'
import { openHocuspocus } from '../compat/clients.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { ask, createTeam, type Person } from '../helpers/accounts.ts'
import { eventually, nextTurn } from '../helpers/eventually.ts'
import { connectWire, type WireDocument } from '../helpers/wire-client.ts'

const EPOCHS = 12
const NAME = 'document/channel-0000000001'

const push = (label: string) => (doc: Y.Doc) => doc.getArray<string>('edits').push([label])
const editsIn = (doc: Y.Doc): string[] => doc.getArray<string>('edits').toArray()

/** Begins epochs until so many have begun; each may be put off while the document is being opened. */
const beginEpochs = async ({ sync }: Pick<OwnServer, 'sync'>, name: string, count: number): Promise<void> => {
  for (let begun = 0; begun < count; await nextTurn()) if (await sync.startEpoch(name)) begun++
}

/** Writes over a socket, each edit once, until `goesOn` is false; opens the document anew for each epoch. */
const writeBySocket = async (
  { syncUrl }: OwnServer,
  { accessToken }: Person,
  name: string,
  stored: string[],
  goesOn: () => boolean,
): Promise<void> => {
  const own = `socket ${accessToken.slice(-8)}`
  const wire = await connectWire(syncUrl)
  let number = 0
  const writeToEnd = async (document: WireDocument): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const doc = new Y.Doc()
    const sent: string[] = []
    doc.on('update', (update: Uint8Array, origin) => origin === null && document.sendUpdate(update))
    const write = (): void => {
      if (!goesOn() && document.acked === sent.length) resolve()
      else if (goesOn()) {
        const label = `${own}.${number++}`
        sent.push(label)
        push(label)(doc)
      }
    }
    document.onUpdate = (update) => Y.applyUpdate(doc, update, 'server')
    document.onState = () => [1, 2, 3].forEach(write)
    // Answers come in the order of the edits; what has none when the document is closed is nowhere.
    document.onAck = () => {
      stored.push(sent[document.acked - 1] as string)
      write()
    }
    document.onClosed = () => resolve()
    document.sendStep1(Y.encodeStateVector(doc))
    await promise
    assert.equal(document.refused, 0)
  }
  while (goesOn()) {
    await writeToEnd(await wire.open(name, accessToken))
    assert.equal(wire.socket.readyState, wire.socket.OPEN, 'it had the state, and lost the whole socket')
  }
  wire.close()
}

test('[EP7] of writers by socket and REST beside one epoch after the other, all that is acknowledged is there, once', async () => {
  await using server = await startOwnServer()
  const { people, group, newDocument } = await createTeam(server.url, 2)
  const name = await newDocument()
  const [{ accessToken: token }] = people
  const list = { body: { type: 'TODO', name: 'List' }, token }
  const channel = await ask(server.url, 'POST', `/groups/${group.id}/channels`, list)
  const { documentName: tasks } = channel.data as { documentName: string }
  let isOn = true
  const goesOn = (): boolean => isOn
  const writeByRest = async (stored: string[], own: string): Promise<void> => {
    for (let number = 0; goesOn(); number++) {
      await server.sync.withDocument(name, push(`${own}.${number}`))
      stored.push(`${own}.${number}`)
    }
  }
  const writeByHttp = async (stored: string[], own: string): Promise<void> => {
    for (let number = 0; goesOn(); number++) {
      const asking = { token, body: { title: `${own}.${number}` } }
      const { status, code } = await ask(server.url, 'POST', `/documents/${tasks}/operations/task.add`, asking)
      assert.ok(status < 300, `${status} ${code}`)
      stored.push(asking.body.title)
    }
  }
  const [stored, titles] = [
    [[], [], [], []],
    [[], []],
  ] as [string[][], string[][]]
  const [ann, bob, one, two] = stored as [string[], string[], string[], string[]]
  const writers = Promise.all([
    writeBySocket(server, people[0], name, ann, goesOn),
    writeBySocket(server, people[1] as Person, name, bob, goesOn),
    writeByRest(one, 'rest 1'),
    writeByRest(two, 'rest 2'),
    ...titles.map((own, index) => writeByHttp(own, `http ${index}`)),
  ])
  const counts = (): number[] => [...stored, ...titles].map(({ length }) => length)
  const writeAndBegin = async (): Promise<void> => {
    for (let epoch = 0; epoch < EPOCHS; epoch++) {
      const before = counts()
      await eventually(counts, (now) => now.every((count, index) => count > (before[index] as number)), {
        what: 'an edit of everybody in each epoch',
      })
      await Promise.all([beginEpochs(server, name, 1), beginEpochs(server, tasks, 1)])
    }
  }
  await Promise.race([writeAndBegin(), writers]).finally(() => (isOn = false))
  await writers
  assert.deepEqual((await server.sync.withDocument(name, editsIn)).toSorted(), stored.flat().toSorted())
  const found = await server.sync.withDocument(tasks, (doc) =>
    [...doc.getMap<{ title: string }>('tasks').values()].map(({ title }) => title),
  )
  assert.deepEqual(found.toSorted(), titles.flat().toSorted())
  assert.equal((await loadEpoch(server.storage, name)).epoch, EPOCHS)
})

test('[EP4] after an epoch the server writes under another id, and after a restart too', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'syncline-epochs-'))
  await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
  let name = ''
  for (let run = 0; run < 2; run++) {
    await using server = await startOwnServer({ DATA_DIR: folder })
    const team = await createTeam(server.url, 1)
    const group = `group/${team.group.id}`
    name ||= await team.newDocument()
    for (const document of [name, group]) {
      await server.sync.withDocument(document, (doc) => doc.getMap('server').set('epoch', 0))
      for (let epoch = 1; epoch < 4; epoch++) {
        await beginEpochs(server, document, 1)
        const wroteAs = await server.sync.withDocument(document, (doc) => {
          doc.getMap('server').set('epoch', epoch)
          return doc.clientID
        })
        const claims = await loadClaims(server.storage, document)
        assert.ok(claims.size > 0 && !claims.has(wroteAs), `${document}: epoch ${epoch}`)
        assert.equal(await server.sync.withDocument(document, (doc) => doc.getMap('server').get('epoch')), epoch)
      }
    }
    assert.equal((await loadEpoch(server.storage, name)).epoch, 3 * (run + 1))
  }
})

test('[EP7] an epoch that fails in the middle leaves documents as they were, and everybody goes on', async () => {
  await using server = await startOwnServer()
  const { people, newDocument } = await createTeam(server.url, 1)
  const name = await newDocument()
  using client = openHocuspocus(server, people[0], name)
  await client.synced()
  const { db } = server.storage
  const command = (text: string) => db.executeQuery({ sql: text, parameters: [], query: { kind: 'RawNode' } } as never)
  await command(`create trigger fault before insert on previous_epoch begin select raise(abort, 'refused'); end`)
  client.text.insert(0, 'before ')
  await client.stored()
  const began = server.sync.startEpoch(name)
  client.text.insert(0, 'while ')
  const written = server.sync.withDocument(name, push('while'))
  assert.equal(await began, false)
  await Promise.all([written, client.stored()])
  assert.deepEqual([client.closes, client.socketCloses, (await loadEpoch(server.storage, name)).epoch], [[], [], 0])
  assert.ok(server.logLines.some((line) => line.includes('document.epoch-failed') && line.includes('refused')))
  await command('drop trigger fault')
  await beginEpochs(server, name, 1)
  assert.equal(await server.sync.withDocument(name, (doc) => doc.getText('text').toJSON()), 'while before ')
})

/** Only the write path, on a store of its own, where `startEpoch` is the test's. */
const openSync = async (startEpoch: (start: DocumentStore['startEpoch']) => DocumentStore['startEpoch']) => {
  await using owned = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'syncline-epochs-'))
  owned.defer(() => rm(folder, { recursive: true }))
  const storage = owned.use(await openStorage({ sqlite: join(folder, 'syncline.db') }))
  const store = documentsIn(storage)
  const never = () => Promise.reject(new Error('not asked here'))
  const access: Access = { openDocument: never, openFor: never, visitorOf: never, isLive: never }
  const log = createLogger({ level: 'error', write: () => {} })
  const held = { ...store, startEpoch: startEpoch(store.startEpoch) }
  const sync = owned.use(createSync({ store: held, access, allowedOrigins: [], log, now: Date.now }))
  const kept = owned.move()
  return { sync, storage, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

test('[EP7] an operation at any microtask around the end of an epoch is not lost, and does not fail', async () => {
  const written: Promise<unknown>[] = []
  let expected = 0
  await using server = await openSync((start) => async (next) => {
    const begun = await start(next)
    const operate = async (): Promise<void> => {
      for (let offset = 0; offset < 60; offset++) {
        written.push(server.sync.withDocument(NAME, push(String(expected++))))
        await Promise.resolve()
      }
    }
    void operate()
    return begun
  })
  const pinned = await server.sync.pin(NAME)
  pinned.doc.getArray('edits').push(['first'])
  for (let count = 0; count < 3; count++) {
    await beginEpochs(server, NAME, 1)
    await Promise.all(written)
  }
  await pinned.release()
  const found = await server.sync.withDocument(NAME, editsIn)
  assert.deepEqual([found.length, new Set(found).size], [expected + 1, expected + 1])
  assert.equal(expected, 180)
  // None of those that were thrown away keeps the present one in memory.
  let loads = 0
  server.sync.onLoaded(() => loads++)
  await eventually(
    () => server.sync.withDocument(NAME, editsIn),
    () => loads > 0,
    { what: 'the document to be unloaded' },
  )
})

test('[EP7] who leaves or comes while an epoch is made finds the new one, and what nobody knows is read from the disk', async () => {
  const gate = { reached: () => {}, opened: Promise.resolve(), isLost: false }
  await using server = await openSync((start) => async (next) => {
    gate.reached()
    await gate.opened
    const begun = await start(next)
    if (gate.isLost) throw new EpochUnknown('the answer got lost')
    return begun
  })
  const read = () => server.sync.withDocument(NAME, (doc) => ({ edits: editsIn(doc), ids: doc.store.clients.size }))
  const edits: string[] = []
  for (const who of ['left', 'closed', 'lost'] as const) {
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>()
    const { promise: opened, resolve: open } = Promise.withResolvers<void>()
    Object.assign(gate, { reached: reach, opened, isLost: who === 'lost' })
    edits.push(who)
    await server.sync.withDocument(NAME, push(who))
    const pinned = who === 'closed' ? null : await server.sync.pin(NAME)
    const began = server.sync.startEpoch(NAME)
    await reached
    // Nobody has it open any more, and somebody opens it, before the new state is on the disk.
    if (who === 'left') await pinned?.release()
    const written = server.sync.withDocument(NAME, push(`${who}, while`))
    edits.push(`${who}, while`)
    assert.equal(server.sync.startEpoch(NAME), began)
    open()
    assert.equal(await began, who !== 'lost')
    await written
    assert.deepEqual(await read(), { edits, ids: 2 }, who)
    if (who === 'lost') await pinned?.release()
    const { snapshot, updates } = await loadDocument(server.storage, NAME)
    const stored = new Y.Doc()
    for (const update of snapshot ? [snapshot, ...updates] : updates) Y.applyUpdate(stored, update)
    assert.deepEqual([editsIn(stored), stored.store.pendingStructs], [edits, null])
  }
})

test('[EP7] a stop in the middle of an epoch waits for its end, on the disk or not', async () => {
  for (const turns of [0, 1, 5, 100, Infinity]) {
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>()
    await using server = await openSync((start) => async (next) => {
      reach()
      for (let turn = 0; turn < 5_000; turn++) await nextTurn()
      return start(next)
    })
    await server.sync.withDocument(NAME, push('kept'))
    let isBegun: boolean | undefined
    void server.sync.startEpoch(NAME).then((begun) => (isBegun = begun))
    if (turns === Infinity) await reached
    else for (let turn = 0; turn < turns; turn++) await nextTurn()
    await server.sync[Symbol.asyncDispose]()
    assert.equal((await loadEpoch(server.storage, NAME)).epoch, Number(isBegun))
    assert.equal((await loadDocument(server.storage, NAME)).head, 1)
  }
})
