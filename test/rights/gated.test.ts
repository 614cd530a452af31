// The two moments in which a lost right could slip through, held open: while a document is loaded whose opening was
// allowed before, and while a right is being looked up again.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'vitest'
import * as Y from 'yjs'
import type { Access, Grant } from '../../server/access.ts'
import { createLogger } from '../../server/log.ts'
import { createSync, type DocumentStore } from '../../server/sync/sync.ts'
import { AppError } from '../../shared/errors.ts'
import { documentName, idOf } from '../../shared/names.ts'
import { eventually } from '../helpers/eventually.ts'
import { connectWire } from '../helpers/wire-client.ts'

const NAME = documentName('document', 'channel-0000000001')
const USER = idOf<'user'>('user-0000000001')

const createGate = () => {
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>()
  const { promise: opened, resolve: open } = Promise.withResolvers<void>()
  return {
    reached,
    open,
    pass: (): Promise<void> => {
      reach()
      return opened
    },
  }
}

/** A server whose store and access are the test's; whoever asks is let in until `isMember` is false. */
type Held = Partial<Record<'load' | 'lookUp' | 'append', () => Promise<void>>>

const openServer = async (held: Held) => {
  await using owned = new AsyncDisposableStack()
  const rights = { isMember: true }
  const appended: Uint8Array[] = []
  const grant: Grant = {
    userId: USER,
    sessionId: 'session-0000000001',
    deviceId: 'device',
    role: 'member',
    readOnly: false,
    name: NAME,
    facts: { members: new Set(), isSealed: false, groups: new Map() },
  }
  const never = () => Promise.reject(new Error('not asked here'))
  const access: Access = {
    openDocument: async () => grant,
    openFor: async () => {
      await held.lookUp?.()
      if (!rights.isMember) throw new AppError('access/not-found', 'no such document')
      return grant
    },
    isLive: async () => true,
    visitorOf: never,
  }
  const store: DocumentStore = {
    load: async () => {
      await held.load?.()
      return { snapshot: null, upTo: 0, updates: [], head: 0, tailEntries: 0, tailBytes: 0 }
    },
    loadClaims: async () => new Map(),
    append: async (entries) => {
      await held.append?.()
      appended.push(...entries.flatMap(({ updates }) => updates))
    },
    replace: async () => false,
    loadEpoch: async () => ({ epoch: 0, closing: null }),
    startEpoch: async () => false,
    openNextSegment: async () => false,
  }
  const log = createLogger({ level: 'error', write: () => {} })
  const http = createServer()
  const sync = owned.use(createSync({ store, access, allowedOrigins: [], log, now: Date.now }))
  owned.defer(() => void http.close())
  sync.attach(http)
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/sync`
  const kept = owned.move()
  return { url, sync, rights, appended, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

const edit = (): Uint8Array => {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, 'x')
  return Y.encodeStateAsUpdate(doc)
}

test('[RI3] a right that is lost while the document is loaded is looked up again once it is there', async () => {
  const gate = createGate()
  await using server = await openServer({ load: gate.pass })
  const client = await connectWire(server.url)
  const opening = client.open(NAME, 'token')
  await gate.reached
  server.rights.isMember = false
  await server.sync.review(new Set([USER]))
  gate.open()
  const document = await opening
  document.sendUpdate(edit())
  await eventually(
    () => document.closedWith,
    (reason) => reason === 'revoked/access',
  )
  assert.deepEqual(document.stateless, [{ type: 'revoked', code: 'revoked/access' }])
  assert.deepEqual([document.acked, server.appended.length], [0, 0])
  client.close()
})

test('[RI2] what arrives while a right is looked up again waits for that, and is dropped with the right', async () => {
  const gate = createGate()
  await using server = await openServer({ lookUp: gate.pass })
  const client = await connectWire(server.url)
  const document = await client.open(NAME, 'token')
  document.sendUpdate(edit())
  await eventually(
    () => document.acked,
    (acked) => acked === 1,
  )
  server.rights.isMember = false
  const reviewed = server.sync.review(new Set([USER]))
  await gate.reached
  const answered = once(client.socket, 'pong')
  document.sendUpdate(edit())
  document.sendStep1(Y.encodeStateVector(new Y.Doc()))
  client.socket.ping()
  // The server has read all of it by now.
  await answered
  assert.equal(server.appended.length, 1)
  const { receivedBytes } = document
  gate.open()
  await reviewed
  await eventually(
    () => document.closedWith,
    (reason) => reason === 'revoked/access',
  )
  assert.deepEqual([document.acked, server.appended.length], [1, 1])
  assert.equal(document.receivedBytes, receivedBytes)
  client.close()
})

test('[RI2] a state that waits for the disk is not sent to somebody who lost the document meanwhile', async () => {
  const gate = createGate()
  await using server = await openServer({ append: gate.pass })
  const client = await connectWire(server.url)
  const document = await client.open(NAME, 'token')
  let states = 0
  document.onState = () => states++
  document.sendUpdate(edit())
  await gate.reached
  const answered = once(client.socket, 'pong')
  document.sendStep1(Y.encodeStateVector(new Y.Doc()))
  client.socket.ping()
  await answered
  server.rights.isMember = false
  await server.sync.review(new Set([USER]))
  gate.open()
  await eventually(
    () => document.closedWith,
    (reason) => reason === 'revoked/access',
  )
  // What was taken before is stored, and its author is told.
  assert.deepEqual([document.acked, server.appended.length, states], [1, 1, 0])
  client.close()
})

test('[RI2] a database that does not answer closes what it cannot vouch for, to come back', async () => {
  await using server = await openServer({ lookUp: () => Promise.reject(new Error('down')) })
  const client = await connectWire(server.url)
  await client.open(NAME, 'token')
  await server.sync.review(new Set([USER]))
  assert.equal((await client.closed).reason, 'storage/unavailable')
})
