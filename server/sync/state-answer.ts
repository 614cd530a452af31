// The answer to a state request. A crowd that comes back asks for the same thing in one turn of the event loop: those who
// have nothing of a document share one frame, which is encoded once and becomes one message for all of them.
import * as Y from 'yjs'
import { SyncType } from '../../shared/protocol.ts'
import { syncFrame } from './frames.ts'
import type { LiveDocument } from './live-document.ts'

interface WholeState {
  readonly version: number
  readonly address: string
  readonly frame: Uint8Array
}

/** Until the end of this turn: a document may be large, and who asks later asks for another state. */
const whole = new Map<LiveDocument, WholeState>()

const hasNothingOf = ({ store }: Y.Doc, stateVector: Uint8Array): boolean =>
  [...Y.decodeStateVector(stateVector)].every(([client, clock]) => clock === 0 || Y.getState(store, client) === 0)

/** Everything in the document that a client with `stateVector` lacks. */
export const stateAnswer = (live: LiveDocument, address: string, stateVector: Uint8Array): Uint8Array => {
  const { document, version } = live
  if (!hasNothingOf(document, stateVector)) {
    return syncFrame(address, SyncType.Step2, Y.encodeStateAsUpdate(document, stateVector))
  }
  const known = whole.get(live)
  if (known?.version === version && known.address === address) return known.frame
  const frame = syncFrame(address, SyncType.Step2, Y.encodeStateAsUpdate(document))
  if (whole.size === 0) setImmediate(() => whole.clear())
  whole.set(live, { version, address, frame })
  return frame
}
