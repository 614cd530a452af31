// Keeps journals short: merges a document's snapshot and the entries after it into a new snapshot, on the merging thread,
// one document at a time, and never from the live doc. A failure costs nothing: the journal still has everything.
import { BYTES_BEFORE_SNAPSHOT, ENTRIES_BEFORE_SNAPSHOT } from '../../shared/limits.ts'
import type { StoredDocument } from '../../storage/updates.ts'
import type { Logger } from '../log.ts'
import type { LiveDocument } from './live-document.ts'
import type { Merger } from './merger.ts'
import type { Merged } from './merger-thread.ts'

export interface SnapshotDeps {
  readonly load: (name: string) => Promise<StoredDocument>
  readonly replace: (name: string, oldUpTo: number, upTo: number, data: Uint8Array) => Promise<boolean>
  readonly merger: Merger
  /** A snapshot was written; it may show that the document needs a new epoch, and then it gets one. */
  readonly onMerged: (live: LiveDocument, merged: Merged) => Promise<void>
  readonly log: Logger
}

export interface Snapshots extends AsyncDisposable {
  /** Schedules a snapshot when the document's journal has grown enough. */
  readonly consider: (live: LiveDocument) => void
  /** The same when the document closes, where a shorter journal pays at the next opening. */
  readonly considerClosed: (live: LiveDocument) => void
}

/** Fewer entries than this load as fast as a snapshot. */
const ENTRIES_BEFORE_SNAPSHOT_AT_CLOSE = 16

export const createSnapshots = ({ load, replace, merger, onMerged, log }: SnapshotDeps): Snapshots => {
  const queue = new Map<string, LiveDocument>()
  let running: Promise<void> | undefined
  let isStopped = false

  const compact = async (live: LiveDocument): Promise<void> => {
    const { name } = live
    const { snapshot, updates, upTo, head, tailEntries, tailBytes } = await load(name)
    if (tailEntries === 0) return
    const merged = await merger.run({ task: 'merge', updates: snapshot ? [snapshot, ...updates] : updates })
    const { state } = merged
    if (!(await replace(name, upTo, head, state))) return
    live.tailEntries -= tailEntries
    live.tailBytes -= tailBytes
    live.bytes = state.byteLength + live.tailBytes
    log.debug('document.snapshot', { document: name, upTo: head, bytes: state.byteLength })
    await onMerged(live, merged)
  }

  const run = async (): Promise<void> => {
    for (const [name, live] of queue) {
      queue.delete(name)
      if (isStopped) continue
      await compact(live).catch((error: unknown) => {
        if (!isStopped) log.warn('document.snapshot-failed', { document: name, error: String(error) })
      })
    }
    running = undefined
  }

  const schedule = (live: LiveDocument): void => {
    if (isStopped || queue.has(live.name)) return
    queue.set(live.name, live)
    running ??= run()
  }

  return {
    consider: (live) => {
      if (live.tailEntries >= ENTRIES_BEFORE_SNAPSHOT || live.tailBytes >= BYTES_BEFORE_SNAPSHOT) schedule(live)
    },
    considerClosed: (live) => {
      if (live.tailEntries >= ENTRIES_BEFORE_SNAPSHOT_AT_CLOSE) schedule(live)
    },
    [Symbol.asyncDispose]: async () => {
      isStopped = true
      await merger[Symbol.asyncDispose]()
      await running
    },
  }
}
