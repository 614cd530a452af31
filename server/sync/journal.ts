// Group commit: takes every document's appended updates, writes them in one synced transaction, and only then lets the
// frames go that depend on them. One commit at a time; what arrives meanwhile makes up the next.
import { COMMIT_BYTES_MAX } from '../../shared/limits.ts'
import type { AppendEntry } from '../../storage/updates.ts'
import type { LiveDocument } from './live-document.ts'

export interface JournalDeps {
  /** Writes and syncs all entries, or rejects and writes none. */
  readonly append: (entries: readonly AppendEntry[]) => Promise<void>
  /** Called for each document of a commit, once its updates are on disk. */
  readonly onCommitted: (live: LiveDocument) => void
  /** Called for each document of a commit that failed; its memory is ahead of the disk and must go. */
  readonly onFailed: (live: LiveDocument, error: unknown) => void
}

export interface Journal {
  /** Queues `update`, which was just applied to the live doc. */
  readonly append: (live: LiveDocument, update: Uint8Array) => void
  /** Bytes appended and not yet on disk. */
  readonly unsyncedBytes: () => number
  /** Resolves when nothing is queued or being written. */
  readonly idle: () => Promise<void>
}

/** One document's share of a commit. */
interface Commit extends Pick<AppendEntry, 'updates' | 'claims'> {
  readonly live: LiveDocument
}

export const createJournal = ({ append, onCommitted, onFailed }: JournalDeps): Journal => {
  const dirty = new Set<LiveDocument>()
  let queuedBytes = 0
  let writingBytes = 0
  let running = false
  let idle = Promise.withResolvers<void>()

  /** Takes the next commit's share: whole documents, up to a size. */
  const takeBatch = (): { batch: Commit[]; bytes: number } => {
    const batch: Commit[] = []
    let bytes = 0
    for (const live of dirty) {
      if (bytes >= COMMIT_BYTES_MAX) break
      dirty.delete(live)
      const updates = live.take()
      for (const update of updates) bytes += update.byteLength
      if (!live.failed) batch.push({ live, updates, claims: live.takeClaims() })
    }
    return { batch, bytes }
  }

  const settle = (live: LiveDocument, updates: readonly Uint8Array[], error: unknown): void => {
    if (live.failed) return
    if (error !== undefined) {
      onFailed(live, error)
      return
    }
    live.tailEntries++
    for (const { byteLength } of updates) live.tailBytes += byteLength
    live.release(updates.length)
    onCommitted(live)
  }

  const run = async (): Promise<void> => {
    while (dirty.size > 0) {
      const { batch, bytes } = takeBatch()
      queuedBytes -= bytes
      if (batch.length === 0) continue
      writingBytes = bytes
      const appended = append(batch.map(({ live, ...share }) => ({ document: live.name, ...share })))
      // Broadcasts are merged once per commit and are held for exactly that commit; they are made while the disk works.
      for (const { live } of batch) live.document.flush()
      const error: unknown = await appended.then(
        () => undefined,
        (reason: unknown) => reason ?? new Error('append failed'),
      )
      writingBytes = 0
      for (const { live, updates } of batch) settle(live, updates, error)
    }
    running = false
    idle.resolve()
    idle = Promise.withResolvers<void>()
  }

  return {
    append: (live, update) => {
      live.push(update)
      dirty.add(live)
      queuedBytes += update.byteLength
      if (running) return
      running = true
      // At the end of this turn of the event loop: everything that arrived with this update joins its commit.
      setImmediate(() => void run())
    },
    unsyncedBytes: () => queuedBytes + writingBytes,
    idle: () => (running ? idle.promise : Promise.resolve()),
  }
}
