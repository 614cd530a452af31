// The leading tab's work: attaches every document that some tab has open, or that has pending edits, and tells all tabs
// what comes of it. A tab that does not lead has none.
import * as Y from 'yjs'
import { applyState } from '../shared/apply-state.ts'
import type { ErrorCode } from '../shared/errors.ts'
import type { Json } from '../shared/json.ts'
import type { Kind } from '../shared/kind.ts'
import type { OperationContext } from '../shared/operation.ts'
import type { EpochMessage } from '../shared/protocol.ts'
import type { Clock, Connection } from './connection-types.ts'
import type { EngineEvent } from './engine-event.ts'
import { loadKind } from './kinds.ts'
import type { Entry, RecordedOperation, Store } from './offline/store.ts'
import type { Mending } from './mending.ts'
import type { QuarantineStore } from './quarantine.ts'
import { endsLogin } from './session.ts'
import { createSyncedDocument, type SyncedDocument } from './synced-document.ts'

export interface EngineOptions {
  readonly store: Store
  readonly connection: Connection
  readonly clock: Clock
  readonly quarantine: QuarantineStore
  readonly context: (kind: Kind, document: string) => OperationContext
  /** The replica of this tab, which `release` lets go of. */
  readonly hold: (document: string) => Promise<{ readonly doc: Y.Doc }>
  readonly release: (document: string) => Promise<void>
  /** Resolves when all that was told of the document so far is in its replica. */
  readonly settled: (document: string) => Promise<void>
  readonly tell: (event: EngineEvent) => void
  /** Runs an edit that a document takes no more in the one that follows it; false where there is none. */
  readonly resend: (document: string, operation: RecordedOperation) => Promise<boolean>
  /** Commands that may make a document exist are still on their way; resolves when that has changed. */
  readonly untilCommandsSent: () => Promise<void> | null
  readonly commandsDone: () => number
  readonly onError: (error: unknown) => void
}

export interface Engine extends AsyncDisposable {
  /** There is a server to talk to: only then documents are opened here too, so that a start without one costs nothing. */
  readonly activate: () => Promise<void>
  /** `tab` has the document open. */
  readonly want: (document: string, tab: string) => Promise<void>
  readonly unwant: (document: string, tab: string) => void
  readonly add: (document: string, entries: readonly Entry[]) => Promise<void>
  readonly send: (document: string, message: { readonly type: string; readonly [field: string]: Json }) => void
}

/** Confirmed entries of a document before they are merged into one. */
const ENTRIES_BEFORE_COMPACTION = 200
/** A document that nobody has open stays attached for so long: people come back to what they have just left. */
const LINGER_MS = 5_000

export const createEngine = (options: EngineOptions): Engine => {
  const { store, connection, tell } = options
  const synced = new Map<string, Promise<SyncedDocument>>()
  /** What the server said of new epochs, until this device has changed over. */
  const epochs = new Map<string, EpochMessage>()
  /** Numbers of entries that were taken out by that: a tab may still speak of them. */
  const gone = new Set<number>()
  /** The tabs that have a document open. */
  const wantedBy = new Map<string, Set<string>>()
  const lingering = new Map<string, () => void>()
  const stopping = new AbortController()
  let mending: Promise<Mending> | null = null
  let isActive = false
  let isClosed = false

  /** Refusals, lost rights and new epochs are rare: what deals with them is not loaded before. */
  const mend = (): Promise<Mending> =>
    (mending ??= import('./mending.ts').then(({ createMending }) => createMending(options)))

  const onDenied = async (document: string, code: ErrorCode): Promise<boolean> => {
    // The login has ended, not the right: it waits for the next.
    if (endsLogin(code)) return false
    if (code === 'epoch-ended') {
      const changing = synced.get(document)?.then((old) => renew(document, old))
      if (changing) synced.set(document, changing)
      changing?.catch(options.onError)
      return false
    }
    const sent = options.untilCommandsSent()
    if (sent) {
      await sent
      return true
    }
    await (await mend()).purge(document, code)
    return false
  }

  /** Many small entries become one; pending ones stay by themselves. */
  const compact = async (document: string, entries: readonly Entry[]): Promise<void> => {
    const confirmed = entries.filter(({ pending }) => !pending)
    if (confirmed.length < ENTRIES_BEFORE_COMPACTION) return
    const doc = new Y.Doc()
    for (const { update } of confirmed) applyState(doc, update)
    await store.write({
      append: [{ document, update: Y.encodeStateAsUpdate(doc) }],
      drop: confirmed.map(({ seq }) => seq),
    })
    doc.destroy()
  }

  const attach = async (document: string, replica: { readonly doc: Y.Doc }): Promise<SyncedDocument> => {
    // What such a kind's edits may name, commands make.
    const { asks } = await loadKind(document)
    const entries = await store.load(document)
    await compact(document, entries)
    return createSyncedDocument({
      name: document,
      store,
      connection,
      clock: options.clock,
      pending: entries.filter(({ pending }) => pending),
      stateVector: () => Y.encodeStateVector(replica.doc),
      onRemote: (update) => tell({ type: 'remote', document, update }),
      onView: (view) => tell({ type: 'view', document, view }),
      commandsDone: options.commandsDone,
      untilReady: () => (asks === 'groups' ? options.untilCommandsSent() : null),
      onStored: (seqs) => tell({ type: 'stored', document, seqs }),
      rebuild: async (refused) => {
        const rebuilt = await (await mend()).rebuild(document, refused)
        await options.settled(document)
        return rebuilt
      },
      onDenied: async (code) => {
        const again = await onDenied(document, code)
        await options.settled(document)
        return again
      },
      // What is only ours cannot come from outside.
      onMessage: (message) => {
        if (message.type === 'epoch') epochs.set(document, message as unknown as EpochMessage)
        else if (message.type !== 'opened' && message.type !== 'closed') tell({ type: 'message', document, message })
      },
      onOpenAtServer: (isOpen) => tell({ type: 'message', document, message: { type: isOpen ? 'opened' : 'closed' } }),
      onError: options.onError,
    })
  }

  const start = async (document: string): Promise<SyncedDocument> => {
    const replica = await options.hold(document)
    try {
      return await attach(document, replica)
    } catch (error) {
      await options.release(document)
      throw error
    }
  }

  const open = (document: string): Promise<SyncedDocument> => {
    let opening = synced.get(document)
    if (!opening) {
      opening = start(document)
      // One that could not be opened is tried again when it is asked for again.
      opening.catch(() => synced.delete(document))
      synced.set(document, opening)
    }
    return opening
  }

  /** All that is kept of a document is of an older epoch: it gives way to the new one, and then begins anew. */
  const renew = async (document: string, old: SyncedDocument): Promise<SyncedDocument> => {
    await old.close()
    const { renew: changeOver } = await mend()
    for (const seq of await changeOver(document, epochs.get(document), stopping.signal)) gone.add(seq)
    epochs.delete(document)
    await options.settled(document)
    if (isClosed) return old
    const next = await start(document)
    await options.release(document)
    return next
  }

  const detach = async (document: string): Promise<void> => {
    lingering.delete(document)
    const opening = synced.get(document)
    if (isClosed || !opening || (wantedBy.get(document)?.size ?? 0) > 0) return
    const one = await opening
    if (!one.isIdle()) {
      linger(document)
      return
    }
    synced.delete(document)
    await one.close()
    await options.release(document)
  }

  const linger = (document: string): void => {
    lingering.get(document)?.()
    const run = (): void => void detach(document).catch(options.onError)
    lingering.set(document, options.clock.after(LINGER_MS, run))
  }

  return {
    activate: async () => {
      if (isActive || isClosed) return
      isActive = true
      // What was never stored is, whether somebody has it open or not.
      const pending = new Set((await store.pending()).map(({ document }) => document))
      await Promise.all(Array.from(new Set([...pending, ...wantedBy.keys()]), open))
      for (const document of pending) if (!wantedBy.has(document)) linger(document)
    },
    want: async (document, tab) => {
      const tabs = wantedBy.get(document) ?? new Set()
      wantedBy.set(document, tabs.add(tab))
      if (isActive && !isClosed) await open(document)
    },
    unwant: (document, tab) => {
      const tabs = wantedBy.get(document)
      tabs?.delete(tab)
      if (tabs?.size === 0) wantedBy.delete(document)
      if (isActive && !isClosed) linger(document)
    },
    add: async (document, entries) => {
      // Before it is active they are on the disk, where it will find them.
      if (!isActive || isClosed) return
      const one = await open(document)
      one.add(entries.filter(({ seq }) => !gone.has(seq)))
      if (!wantedBy.has(document)) linger(document)
    },
    send: (document, message) => {
      void synced.get(document)?.then(({ attached }) => attached.sendMessage(message))
    },
    [Symbol.asyncDispose]: async () => {
      isClosed = true
      stopping.abort()
      for (const cancel of lingering.values()) cancel()
      const all = await Promise.allSettled(synced.values())
      const open = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      await Promise.all(open.map((one) => one.close()))
      await Promise.all(Array.from(synced.keys(), options.release))
    },
  }
}
