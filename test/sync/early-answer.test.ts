// A document that is large enough to be answered from disk, with updates after its snapshot: whoever is told that they
// have the state has all of it.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import * as Y from 'yjs'
import { type FrameHead, readHead, readPayload, syncFrame } from '../../server/sync/frames.ts'
import { MessageType, SyncType } from '../../shared/protocol.ts'
import { appendUpdates, replaceBySnapshot } from '../../storage/updates.ts'
import { ROOT_NAME } from '../compat/clients.ts'
import { startOwnServer } from '../compat/servers.ts'
import { createTeam } from '../helpers/accounts.ts'
import { connectWire } from '../helpers/wire-client.ts'

const SNAPSHOT_LETTERS = 40_000
const LATER_EDITS = 20

test('[LC11] the answer to a state request from disk is the last frame of it, whatever came after the snapshot', async () => {
  await using server = await startOwnServer()
  const { people, newDocument } = await createTeam(server.url, 1)
  const name = await newDocument()
  const written = new Y.Doc()
  const text = written.getText(ROOT_NAME)
  const updates: Uint8Array[] = []
  written.on('update', (update) => updates.push(update))
  text.insert(0, 'a'.repeat(SNAPSHOT_LETTERS))
  for (let edit = 0; edit < LATER_EDITS; edit++) {
    if (edit % 3 === 2) text.delete(edit, 2)
    else text.insert(edit * 7, `later ${edit}`)
  }
  for (const update of updates) await appendUpdates(server.storage, [{ document: name, updates: [update] }])
  assert.ok(await replaceBySnapshot(server.storage, name, 0, 1, updates[0] as Uint8Array))

  const client = await connectWire(server.syncUrl)
  const received = new Y.Doc()
  let frames = 0
  // Looked at in the same turn: the next frame may have arrived already.
  const answered = new Promise<string>((resolve) => {
    client.socket.on('message', (data: Buffer) => {
      const { type, bodyAt } = readHead(data) as FrameHead
      const syncType = data[bodyAt + 1]
      if (type !== MessageType.Sync || syncType === SyncType.Step1) return
      frames++
      Y.applyUpdate(received, readPayload(data, bodyAt + 2))
      if (syncType === SyncType.Step2) resolve(received.getText(ROOT_NAME).toJSON())
    })
  })
  const opening = client.open(name, people[0].accessToken)
  // Right behind the token: the server waits for it a few milliseconds only, and this process may stand still for more.
  client.socket.send(syncFrame(name, SyncType.Step1, Y.encodeStateVector(new Y.Doc())))
  await opening
  assert.ok((await answered) === text.toJSON(), 'everything is there when the answer is')
  assert.deepEqual([received.store.pendingStructs, received.store.pendingDs], [null, null])
  assert.equal(frames, 2, 'answered from disk: what came later, and the snapshot')
  client.close()
})
