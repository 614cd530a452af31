// An honest editor of the attacked document: a Y.Doc behind the wire client, which keeps all it heard from the server.
import assert from 'node:assert/strict'
import { applyAwarenessUpdate, Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { eventually } from '../helpers/eventually.ts'
import { connectWire, type WireDocument } from '../helpers/wire-client.ts'
import type { Target } from './attacker.ts'
import { writeAwareness } from './attacks.ts'

export interface Honest {
  readonly doc: Y.Doc
  readonly awareness: Awareness
  readonly text: () => string
  /** Appends to the text and resolves once that is acknowledged. */
  readonly type: (text: string) => Promise<void>
  /** Announces a state, with the next clock. */
  readonly announce: (state: unknown) => void
  /** Every update and every awareness message that came from the server. */
  readonly heard: readonly Uint8Array[]
  readonly document: WireDocument
  readonly close: () => void
}

const ACK_MS_MAX = 10_000

export const openHonest = async ({ syncUrl, token, name }: Target): Promise<Honest> => {
  const client = await connectWire(syncUrl)
  const document = await client.open(name, token)
  const doc = new Y.Doc()
  const awareness = new Awareness(new Y.Doc())
  awareness.setLocalState(null)
  const heard: Uint8Array[] = []
  let isSynced = false
  document.onUpdate = (update) => {
    heard.push(update)
    Y.applyUpdate(doc, update, 'server')
    isSynced = true
  }
  document.onAwareness = (update) => {
    heard.push(update)
    applyAwarenessUpdate(awareness, update, 'server')
  }
  doc.on('update', (update: Uint8Array, origin: unknown) => {
    if (origin !== 'server') document.sendUpdate(update)
  })
  document.sendStep1(Y.encodeStateVector(doc))
  await eventually(
    () => isSynced,
    (synced) => synced,
    { what: 'the state of the document' },
  )
  const text = doc.getText('text')
  let clock = 0
  let sent = 0
  return {
    doc,
    awareness,
    heard,
    document,
    text: () => text.toJSON(),
    type: async (added) => {
      sent++
      text.insert(text.length, added)
      await eventually(
        () => document.acked,
        (acked) => acked === sent,
        { msMax: ACK_MS_MAX, what: 'acknowledgement of an honest edit' },
      )
      assert.equal(document.closedWith, undefined)
    },
    announce: (state) => document.sendAwareness(writeAwareness([doc.clientID, ++clock, JSON.stringify(state)])),
    close: () => {
      client.close()
      awareness.destroy()
    },
  }
}
