// Keeps journals short: merges a document's snapshot and the entries after it into a new snapshot, on a thread of its
// own, one document at a time, and never from the live doc. A failure costs nothing: the journal still has everything.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { BYTES_BEFORE_SNAPSHOT, ENTRIES_BEFORE_SNAPSHOT } from '../../shared/limits.ts'
import type { StoredDocument } from '../../storage/updates.ts'
import type { Logger } from '../log.ts'
import type { LiveDocument } from './live-document.ts'
import type { MergeAnswer, MergeRequest } from './snapshot-worker.ts'

export interface SnapshotDeps {
  readonly load: (name: string) => Promise<StoredDocument>
  readonly replace: (name: string, oldUpTo: number, upTo: number, data: Uint8Array) => Promise<boolean>
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

/** The merging thread, started when first needed. */
const createMerger = () => {
  const start = () => {
    const worker = new Worker(new URL('./snapshot-worker.ts', import.meta.url))
    const stopped = once(worker, 'exit').then(() => Promise.reject(new Error('the merging thread has stopped')))
    // A thread that ends is started again for the next merge.
    stopped.catch(() => (running = undefined))
    worker.on('error', () => {})
    return { worker, stopped }
  }
  let running: ReturnType<typeof start> | undefined
  return {
    merge: async (request: MergeRequest): Promise<Uint8Array> => {
      running ??= start()
      const answered = once(running.worker, 'message') as Promise<[MergeAnswer]>
      running.worker.postMessage(request)
      const [answer] = await Promise.race([answered, running.stopped])
      if ('error' in answer) throw new Error(answer.error)
      return answer.state
    },
    stop: async (): Promise<void> => {
      await running?.worker.terminate()
    },
  }
}

export const createSnapshots = ({ load, replace, log }: SnapshotDeps): Snapshots => {
  const merger = createMerger()
  const queue = new Map<string, LiveDocument>()
  let running: Promise<void> | undefined
  let isStopped = false

  const compact = async (live: LiveDocument): Promise<void> => {
    const { name } = live
    const { snapshot, updates, upTo, head, tailEntries, tailBytes } = await load(name)
    if (tailEntries === 0) return
    const state = await merger.merge({ updates: snapshot ? [snapshot, ...updates] : updates })
    if (!(await replace(name, upTo, head, state))) return
    live.tailEntries -= tailEntries
    live.tailBytes -= tailBytes
    live.bytes = state.byteLength + live.tailBytes
    log.debug('document.snapshot', { document: name, upTo: head, bytes: state.byteLength })
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
      await merger.stop()
      await running
    },
  }
}
