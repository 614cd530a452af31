// What the leading tab does to a document's entries when the server refuses some, lets nobody in any more, or has dropped
// the document's history. One thing at a time for each document; loaded when it is first needed, because all of it is rare.
import type { ErrorCode } from '../shared/errors.ts'
import type { Kind } from '../shared/kind.ts'
import type { OperationContext } from '../shared/operation.ts'
import type { EpochMessage } from '../shared/protocol.ts'
import type { Clock, Connection } from './connection-types.ts'
import type { EngineEvent } from './engine-event.ts'
import { createExclusive } from './exclusive.ts'
import { fetchState } from './new-epoch-state.ts'
import { loadKind, loadOperations } from './kinds.ts'
import { type Entry, numbered, type RecordedOperation, type Store, STORE_RETRY_MS } from './offline/store.ts'
import type { QuarantineStore } from './quarantine.ts'
import { type Outcome, planRebuild, type Rebuilt, type Refused } from './rebuild.ts'
import { planRenewal } from './renewal.ts'

export interface MendingOptions {
  readonly store: Store
  readonly quarantine: QuarantineStore
  readonly context: (kind: Kind, document: string) => OperationContext
  readonly tell: (event: EngineEvent) => void
  /** Runs an edit that a document takes no more in the one that follows it; false where there is none. */
  readonly resend: (document: string, operation: RecordedOperation) => Promise<boolean>
  readonly connection: Connection
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

/** Entries that were made again, and the numbers of those that are gone. */
export interface Mended {
  readonly made: readonly Entry[]
  readonly gone: readonly number[]
}

export interface Mending {
  /** Refused edits go into quarantine; those after them are made again on what is confirmed. */
  readonly rebuild: (document: string, refused: readonly Refused[]) => Promise<Mended>
  /** The right to a document is gone, or never was: what was kept of it goes, what was not stored is the author's. */
  readonly purge: (document: string, code: ErrorCode) => Promise<Mended>
  /**
   * The state of a new epoch is asked for and takes the place of what was kept; pending edits are made again on it. Resolves
   * with the numbers of the entries that are gone: none, when nobody is let in any more, or `signal` has put an end to it.
   */
  readonly renew: (
    document: string,
    message: EpochMessage | undefined,
    signal: AbortSignal,
  ) => Promise<readonly number[]>
}

export const createMending = (options: MendingOptions): Mending => {
  const { store, quarantine, tell } = options
  const exclusive = createExclusive(null)
  /** Entries that a rebuild made, by number: what comes back again goes into quarantine. */
  const repeated = new Set<number>()

  /** Writes all of it in one transaction, and tells every tab. */
  const write = async (
    document: string,
    { made, quarantined }: Rebuilt,
    gone: readonly number[],
    state?: Uint8Array,
  ): Promise<Mended> => {
    const base = state ? [{ document, update: state }] : []
    const append = made.map(({ entry }) => entry)
    const seqs = await store.write({
      append: [...base, ...append],
      drop: gone,
      put: quarantine.toPut(quarantined),
    })
    const written = numbered(append, seqs.slice(base.length))
    await quarantine.refresh()
    const replaced = made.map(({ from }, index): [number, number] => [from, (written[index] as Entry).seq])
    tell({ type: 'rebuilt', document, replaced, gone })
    tell({ type: 'view', document, view: { refused: quarantine.countOf(document) } })
    return { made: written, gone }
  }

  const planOptions = async (document: string) => {
    const kind = await loadKind(document)
    const context = (): OperationContext => options.context(kind, document)
    return { kind, operations: await loadOperations(document), context }
  }

  const rebuild = async (document: string, refused: readonly Refused[]): Promise<Mended> => {
    // A sealed segment takes no new messages: they go to the newest, where people look.
    const moved = new Set<number>()
    for (const { entry, message } of refused) {
      const operation = entry.pending?.operation
      if (message.code !== 'segment-sealed' || !operation) continue
      if (await options.resend(document, operation)) moved.add(entry.seq)
    }
    const entries = await store.load(document)
    const planned = planRebuild({
      ...(await planOptions(document)),
      entries: entries.filter(({ seq }) => !moved.has(seq)),
      refused,
      isRepeated: (seq) => repeated.has(seq),
    })
    const gone = entries.filter(({ pending }) => pending).map(({ seq }) => seq)
    const mended = await write(document, planned, gone)
    for (const seq of gone) repeated.delete(seq)
    for (const { seq } of mended.made) repeated.add(seq)
    return mended
  }

  const purge = async (document: string, code: ErrorCode): Promise<Mended> => {
    const entries = await store.load(document)
    const quarantined: Outcome[] = entries.filter(({ pending }) => pending).map((entry) => ({ entry, code, path: '' }))
    const gone = entries.map(({ seq }) => seq)
    const mended = await write(document, { made: [], quarantined }, gone)
    tell({ type: 'view', document, view: { access: 'denied' } })
    return mended
  }

  const replaceAll = async (document: string, message: EpochMessage, updates: readonly Uint8Array[]) => {
    const entries = await store.load(document)
    const planned = planRenewal({ ...(await planOptions(document)), entries, message, updates })
    const gone = entries.map(({ seq }) => seq)
    await write(document, planned, gone, planned.state)
    return gone
  }

  const renew: Mending['renew'] = async (document, message = { type: 'epoch', epoch: 0 }, signal) => {
    try {
      const updates = await fetchState(options.connection, document, signal)
      return updates ? await exclusive(document, () => replaceAll(document, message, updates)) : []
    } catch (error) {
      if (signal.aborted) return []
      options.onError(error)
      // What is kept is as it was. It is tried again, when the disk may have room.
      await new Promise<void>((resolve) => options.clock.after(STORE_RETRY_MS, resolve))
      return signal.aborted ? [] : renew(document, message, signal)
    }
  }

  return {
    rebuild: (document, refused) => exclusive(document, () => rebuild(document, refused)),
    purge: (document, code) => exclusive(document, () => purge(document, code)),
    renew,
  }
}
