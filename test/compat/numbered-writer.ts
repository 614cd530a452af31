// A writer whose every edit has a number, on the bare wire, so that a test can say exactly which of its acknowledged edits
// is missing. It sends each edit once and never again.
import * as Y from 'yjs'
import { connectWire, type WireClient } from '../helpers/wire-client.ts'

export interface NumberedWriter {
  /** Edits sent and edits acknowledged so far; the first `acked()` of them must be on disk. */
  readonly sent: () => number
  readonly acked: () => number
  /** Resolves when its socket is closed. */
  readonly closed: WireClient['closed']
  /** Numbers of acknowledged edits that `doc` does not hold. */
  readonly missingIn: (doc: Y.Doc) => number[]
  readonly close: () => void
}

export interface WriterOptions {
  /** Edits on their way at most. */
  readonly window: number
  /** Bytes of each edit's value. */
  readonly bytes?: number
  /** All edits go to one key, so that the document stays small; only the last can be found again. */
  readonly overwrites?: boolean
  readonly editsMax?: number
}

/** Opens the document and writes as fast as acknowledgements come, until the socket closes. */
export const startWriter = async (
  url: string,
  token: string,
  name: string,
  { window, bytes = 10, overwrites = false, editsMax = Infinity }: WriterOptions,
): Promise<NumberedWriter> => {
  const wire = await connectWire(url)
  const document = await wire.open(name, token)
  const doc = new Y.Doc()
  const root = `writer ${doc.clientID}`
  const edits = doc.getMap(root)
  const value = 'x'.repeat(bytes)
  let sent = 0
  doc.on('update', (update: Uint8Array) => document.sendUpdate(update))
  const pump = (): void => {
    while (sent - document.acked < window && sent < editsMax && wire.socket.readyState === wire.socket.OPEN) {
      const number = sent++
      edits.set(overwrites ? 'last' : String(number), `${number} ${value}`)
    }
  }
  document.onAck = pump
  pump()
  return {
    sent: () => sent,
    acked: () => document.acked,
    closed: wire.closed,
    missingIn: (other) => {
      const found = other.getMap<string>(root)
      const { acked } = document
      const last = Number.parseInt(found.get('last') ?? '-1', 10)
      if (overwrites) return last >= acked - 1 ? [] : [acked - 1]
      return Array.from({ length: acked }, (_, number) => number).filter((number) => !found.has(String(number)))
    },
    close: wire.close,
  }
}
