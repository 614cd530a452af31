// One writer: a Yjs document of its own, one socket, numbered edits sent as fast as a window of unacknowledged ones
// allows. And the reader that looks afterwards which of them are there.
import * as Y from 'yjs'
import type { Random } from '../helpers/random.ts'
import { connectWire } from '../helpers/wire-client.ts'

/** How a writer writes: items of one array, a new map key each time, or one map key again and again. */
const STYLES = ['items', 'keys', 'overwrite'] as const
type Style = (typeof STYLES)[number]

/** What a writer did; kept after its socket is gone. */
export interface WriterRecord {
  readonly clientId: number
  readonly style: Style
  /** Edits sent and edits acknowledged; the server acknowledges in the order of sending. */
  sent: number
  acknowledged: number
}

export interface Writer {
  readonly record: WriterRecord
  /** Why it wrote no more: the reason of a closed document or socket. */
  readonly ended: Promise<string>
  readonly close: () => void
}

const write = (doc: Y.Doc, { clientId, style }: WriterRecord, n: number): void => {
  if (style === 'items') doc.getArray('items').push([`${clientId}.${n}`])
  else if (style === 'keys') doc.getMap('keys').set(`${clientId}.${n}`, n)
  else doc.getMap('overwritten').set(String(clientId), n)
}

/** Opens a writer that sends edits until it is closed; `onAck` hears of each acknowledgement. */
export const startWriter = async (
  url: string,
  documentName: string,
  token: string,
  random: Random,
  onAck: () => void,
): Promise<Writer> => {
  const doc = new Y.Doc()
  const record: WriterRecord = { clientId: doc.clientID, style: random.pick(STYLES), sent: 0, acknowledged: 0 }
  const window = random.pick([1, 4, 16, 64])
  const client = await connectWire(url)
  const document = await client.open(documentName, token)
  const { promise: ended, resolve } = Promise.withResolvers<string>()
  const state = { open: true }
  const end = (reason: string): void => {
    state.open = false
    resolve(reason)
  }
  doc.on('update', (update) => document.sendUpdate(update))
  const fill = (): void => {
    while (state.open && record.sent - record.acknowledged < window) write(doc, record, record.sent++)
  }
  document.onAck = (positive) => {
    if (!positive) {
      end('an edit was refused')
      return
    }
    record.acknowledged++
    onAck()
    fill()
  }
  document.onClosed = end
  void client.closed.then(({ code }) => end(`socket closed with ${code}`))
  // The socket of a killed server may also fail; 'close' follows.
  client.socket.on('error', () => {})
  fill()
  return {
    record,
    ended,
    close: () => {
      state.open = false
      client.socket.terminate()
    },
  }
}

/** The whole document as the server gives it to somebody who has nothing. */
export const readDocument = async (url: string, documentName: string, token: string): Promise<Y.Doc> => {
  const client = await connectWire(url)
  try {
    const document = await client.open(documentName, token)
    const doc = new Y.Doc()
    const received = new Promise<void>((resolve, reject) => {
      document.onUpdate = (update) => Y.applyUpdate(doc, update)
      document.onState = resolve
      document.onClosed = (reason) => reject(new Error(`${documentName} was closed: ${reason}`))
      void client.closed.then(({ code }) => reject(new Error(`the socket was closed: ${code}`)))
    })
    document.sendStep1(Y.encodeStateVector(new Y.Doc()))
    await received
    if (doc.store.pendingStructs || doc.store.pendingDs) throw new Error(`${documentName} builds on what is missing`)
    return doc
  } finally {
    client.socket.terminate()
  }
}

/** The numbers of a writer's edits that are in the document. An overwritten value stands for all before it. */
export const findEdits = (doc: Y.Doc, { clientId, style }: WriterRecord): Set<number> => {
  if (style === 'overwrite') {
    const last = Number(doc.getMap('overwritten').get(String(clientId)) ?? -1)
    return new Set(Array.from({ length: last + 1 }, (_, n) => n))
  }
  const own = `${clientId}.`
  const labels = style === 'items' ? (doc.getArray('items').toArray() as string[]) : [...doc.getMap('keys').keys()]
  const numbers = labels.filter((label) => label.startsWith(own)).map((label) => Number(label.slice(own.length)))
  const found = new Set(numbers)
  if (found.size < numbers.length) throw new Error(`an edit of client ${clientId} is there twice`)
  return found
}
