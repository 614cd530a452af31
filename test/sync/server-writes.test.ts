// What the server itself writes into documents, for REST and projections: on disk before it is answered, under an id that
// is nobody's, beside people who write the same document.
import assert from 'node:assert/strict'
import { CompiledQuery } from 'kysely'
import { test } from 'vitest'
import * as Y from 'yjs'
import { AppError } from '../../shared/errors.ts'
import { CLIENT_ID_MAX, PROCESS_CLIENT_ID_MIN } from '../../shared/limits.ts'
import { loadDocument } from '../../storage/updates.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { createTeam } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { openHonest } from '../hostile/victim.ts'

const readDisk = async ({ storage }: OwnServer, name: string): Promise<Y.Doc> => {
  const { snapshot, updates } = await loadDocument(storage, name)
  const doc = new Y.Doc()
  for (const update of snapshot ? [snapshot, ...updates] : updates) Y.applyUpdate(doc, update)
  return doc
}

const write = (word: string) => (doc: Y.Doc) => {
  const text = doc.getText('text')
  text.insert(text.length, word)
  return text.toJSON()
}

test('[SW1] what the server writes is on disk when it is answered, and whoever has it open sees it', async () => {
  await using server = await startOwnServer()
  const { people, newDocument } = await createTeam(server.url, 1)
  const name = await newDocument()
  assert.equal(await server.sync.withDocument(name, write('one ')), 'one ')
  assert.equal((await readDisk(server, name)).getText('text').toJSON(), 'one ')
  const reader = await openHonest({ syncUrl: server.syncUrl, token: people[0].accessToken, name })
  await reader.type('two ')
  assert.equal(await server.sync.withDocument(name, write('three')), 'one two three')
  assert.equal((await readDisk(server, name)).getText('text').toJSON(), 'one two three')
  await eventually(reader.text, (text) => text === 'one two three')
  reader.close()
})

test('[SW2] the server writes under one reserved client id, and a client may send that history back', async () => {
  await using server = await startOwnServer()
  const { people, newDocument } = await createTeam(server.url, 1)
  const name = await newDocument()
  for (const word of ['a', 'b', 'c']) await server.sync.withDocument(name, write(word))
  const [id, ...others] = [...(await readDisk(server, name)).store.clients.keys()]
  assert.deepEqual(others, [])
  assert.ok(id !== undefined && id >= PROCESS_CLIENT_ID_MIN && id <= CLIENT_ID_MAX)
  const reader = await openHonest({ syncUrl: server.syncUrl, token: people[0].accessToken, name })
  reader.document.sendStep2(Y.encodeStateAsUpdate(reader.doc))
  await eventually(
    () => [reader.document.acked, reader.document.refused],
    ([acked]) => acked === 1,
  )
  reader.close()
})

test('[SW3] a write that the disk does not take is not answered but rejected, and leaves nothing', async () => {
  await using server = await startOwnServer()
  const { newDocument } = await createTeam(server.url, 1)
  const name = await newDocument()
  await server.sync.withDocument(name, write('kept'))
  const command = (sql: string) => server.storage.db.executeQuery(CompiledQuery.raw(sql))
  await command(`create trigger fault before insert on document_update begin select raise(abort, 'refused'); end`)
  const failed: unknown = await server.sync.withDocument(name, write(' lost')).catch((error: unknown) => error)
  assert.ok(failed instanceof AppError)
  assert.equal(failed.code, 'storage/unavailable')
  await command('drop trigger fault')
  assert.equal(await server.sync.withDocument(name, (doc) => doc.getText('text').toJSON()), 'kept')
  assert.equal(await server.sync.withDocument(name, write(' on')), 'kept on')
})

test('[SW4] what goes wrong in the middle is told as it is', async () => {
  await using server = await startOwnServer()
  const { newDocument } = await createTeam(server.url, 1)
  const name = await newDocument()
  const thrown = new AppError('record/not-found', 'none')
  const caught: unknown = await server.sync
    .withDocument(name, () => {
      throw thrown
    })
    .catch((error: unknown) => error)
  assert.equal(caught, thrown)
  const unknown: unknown = await server.sync.withDocument('nonsense', write('x')).catch((error: unknown) => error)
  assert.ok(unknown instanceof AppError)
  assert.equal((await readDisk(server, name)).store.clients.size, 0)
})

test('[SW5] listeners hear of each commit of a document, and one that throws stops nothing', async () => {
  await using server = await startOwnServer()
  const { people, newDocument } = await createTeam(server.url, 1)
  const name = await newDocument()
  const heard: string[] = []
  server.sync.onStored(() => {
    throw new Error('a listener of no use')
  })
  // The server writes projections too.
  server.sync.onStored((document) => void (document === name && heard.push(document)))
  await server.sync.withDocument(name, write('one'))
  assert.deepEqual(heard, [name])
  const writer = await openHonest({ syncUrl: server.syncUrl, token: people[0].accessToken, name })
  await writer.type('two')
  assert.deepEqual(heard, [name, name])
  await server.sync.withDocument(name, (doc) => doc.getText('text').length)
  assert.deepEqual(heard, [name, name])
  writer.close()
})
