// Answers the first state request for a large document with the bytes from disk, before they are parsed: the client
// parses at the same time as the server, and nothing is encoded again. What is on disk is what may be shown.
import { setImmediate } from 'node:timers/promises'
import * as Y from 'yjs'
import { MessageType, SyncType } from '../../shared/protocol.ts'
import type { StoredDocument } from '../../storage/updates.ts'
import { type FrameHead, readHead, syncFrame } from './frames.ts'
import type { Slot } from './slot.ts'

/** Below this, parsing takes less than the wait. */
const SNAPSHOT_BYTES_MIN = 32 * 1024
/** More updates after the snapshot than this take longer to merge. */
const UPDATES_MAX = 64
/** A client asks within one round trip of being told that it may; near clients are worth waiting for. */
const WAIT_MS_MAX = 5

/** A state request of somebody who has nothing: the state vector is one zero. */
const asksForAll = (frame: Uint8Array): boolean => {
  const { type, bodyAt } = readHead(frame) as FrameHead
  const [syncType, length, clients] = frame.subarray(bodyAt + 1)
  return type === MessageType.Sync && syncType === SyncType.Step1 && length === 1 && clients === 0
}

/**
 * Waits a moment for the request of `slot`; answers it through `transmit` and returns its frame, which needs no other
 * answer. Null when the document is too small or too fresh for this, or nobody asked in time.
 */
export const answerFromDisk = async (
  slot: Pick<Slot, 'address' | 'waiting'>,
  { snapshot, updates }: StoredDocument,
  transmit: (frame: Uint8Array) => void,
): Promise<Uint8Array | null> => {
  if (!snapshot || snapshot.byteLength < SNAPSHOT_BYTES_MIN || updates.length > UPDATES_MAX) return null
  const deadline = performance.now() + WAIT_MS_MAX
  while (!slot.waiting.some(asksForAll) && performance.now() < deadline) await setImmediate()
  const index = slot.waiting.findIndex(asksForAll)
  if (index === -1) return null
  // What came after the snapshot goes first and waits in the client's doc: a provider that has its answer says that it is
  // synced, and then nothing may be missing.
  if (updates.length > 0) transmit(syncFrame(slot.address, SyncType.Update, Y.mergeUpdates([...updates])))
  transmit(syncFrame(slot.address, SyncType.Step2, snapshot))
  return slot.waiting.splice(index, 1)[0] as Uint8Array
}
