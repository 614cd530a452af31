// What a stock client sees of a refused edit: its document closes with the code as the reason, and nobody else sees the edit.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import * as Y from 'yjs'
import { ERRORS, type ErrorCode } from '../../shared/errors.ts'
import { ROOTS_MAX } from '../../shared/limits.ts'
import { appendUpdates } from '../../storage/updates.ts'
import { createTeam, type Person } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { openHocuspocus, openSocket, openYWebsocket, readFresh } from './clients.ts'
import { type OwnServer, startOwnServer } from './servers.ts'

interface BadEdit {
  readonly code: ErrorCode
  /** Brings the group or the document into the state in which the edit is refused. */
  readonly prepare?: (server: OwnServer, writers: readonly Person[], name: string) => Promise<void>
  /** What the writers' documents call themselves. */
  readonly clientId?: number
  readonly write: (doc: Y.Doc) => void
}

const TAKEN = 4_711

const BAD_EDITS: readonly BadEdit[] = [
  {
    code: 'root-not-allowed',
    write: (doc) => {
      doc.transact(() => {
        for (let root = 0; root <= ROOTS_MAX; root++) doc.getMap(`root ${root}`).set('bad', true)
      })
    },
  },
  { code: 'key-not-allowed', write: (doc) => void doc.getMap('bad').set('k'.repeat(300), true) },
  {
    code: 'client-id-taken',
    prepare: async ({ storage, url }, _writers, document) => {
      const { people } = await createTeam(url, 1)
      const claims = [{ clientId: TAKEN, userId: people[0].id }]
      await appendUpdates(storage, [{ document, updates: [], claims }])
    },
    clientId: TAKEN,
    write: (doc) => void doc.getMap('bad').set('bad', true),
  },
  {
    code: 'read-only',
    prepare: async ({ storage }, writers) => {
      const ids = writers.map(({ id }) => id)
      await storage.db.updateTable('membership').set({ role: 'guest' }).where('user_id', 'in', ids).execute()
    },
    write: (doc) => void doc.getMap('bad').set('bad', true),
  },
]

for (const { code, prepare, clientId, write } of BAD_EDITS) {
  test(`[CO8] an edit refused as ${code} closes the stock document with that reason and shows to nobody`, async () => {
    await using server = await startOwnServer()
    const { people, newDocument } = await createTeam(server.url, 4)
    const [owner, writer, yWriter, watcher] = people as readonly [Person, Person, Person, Person]
    const [name, otherName] = [await newDocument(), await newDocument()]
    await prepare?.(server, [writer, yWriter], name)
    const newDoc = (): Y.Doc => Object.assign(new Y.Doc(), clientId !== undefined && { clientID: clientId })

    using socket = openSocket(server)
    using bad = openHocuspocus(server, writer, name, { socket, document: newDoc() })
    using beside = openHocuspocus(server, writer, otherName, { socket })
    using badY = openYWebsocket(server, yWriter, name, newDoc())
    using good = openHocuspocus(server, owner, name)
    using seen = openYWebsocket(server, watcher, name)
    await Promise.all([bad.synced(), beside.synced(), badY.synced(), good.synced(), seen.synced()])

    write(bad.doc)
    await eventually(
      () => bad.closes,
      (closes) => closes.length === 1 && closes[0] === code,
    )
    assert.deepEqual(
      (bad.stateless as { type: string; code: string }[]).map((said) => [said.type, said.code]),
      [['refused', code]],
    )
    write(badY.doc)
    await eventually(
      () => badY.socketCloses,
      (closes) => JSON.stringify(closes) === JSON.stringify([{ code: ERRORS[code].close, reason: code }]),
    )
    // It would repeat the edit for ever.
    assert.equal(badY.provider.shouldConnect, false)

    good.text.insert(0, 'good')
    await good.stored()
    await eventually(
      () => seen.text.toJSON(),
      (text) => text === 'good',
    )
    for (const { doc } of [good, seen]) assert.deepEqual([...doc.share.keys()].sort(), ['text'])
    using fresh = openHocuspocus(server, owner, name)
    await fresh.synced()
    assert.deepEqual([...fresh.doc.share.keys()].sort(), ['text'])
    assert.equal(await readFresh(server, watcher, name), 'good')
    // The socket and its other documents go on.
    if (code !== 'read-only') {
      beside.text.insert(0, 'fine')
      await beside.stored()
    }
    assert.deepEqual([beside.closes, beside.socketCloses], [[], []])
  })
}
