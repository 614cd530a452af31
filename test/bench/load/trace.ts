// The automerge-paper trace (259,778 real keystrokes of one author; CC BY 4.0, see test/fixtures/traces) as
// the updates that typing it makes.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import * as Y from 'yjs'

const TRACE = fileURLToPath(new URL('../../fixtures/traces/automerge-paper.json.gz', import.meta.url))
const EDITS_PER_UPDATE = 1_000
export const TEXT_ROOT = 'text'

type Patch = readonly [position: number, deleted: number, inserted: string]

export interface TypedDocument {
  readonly clientId: number
  readonly updates: readonly Uint8Array[]
  readonly stateBytes: number
  readonly text: string
}

const replay = async (): Promise<TypedDocument> => {
  const trace = JSON.parse(gunzipSync(await readFile(TRACE)).toString()) as {
    endContent: string
    txns: { patches: Patch[] }[]
  }
  const doc = new Y.Doc()
  doc.clientID = 1_234_567_890
  const text = doc.getText(TEXT_ROOT)
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (let start = 0; start < trace.txns.length; start += EDITS_PER_UPDATE) {
    doc.transact(() => {
      for (const { patches } of trace.txns.slice(start, start + EDITS_PER_UPDATE)) {
        for (const [position, deleted, inserted] of patches) {
          if (deleted > 0) text.delete(position, deleted)
          if (inserted !== '') text.insert(position, inserted)
        }
      }
    })
  }
  if (text.toJSON() !== trace.endContent) throw new Error('the replayed trace does not give its end content')
  return {
    clientId: doc.clientID,
    updates,
    stateBytes: Y.encodeStateAsUpdate(doc).length,
    text: trace.endContent,
  }
}

let replayed: Promise<TypedDocument> | undefined

/** The typed document; replayed once. */
export const typedDocument = (): Promise<TypedDocument> => (replayed ??= replay())
