// One document on this device, as one tab holds it: loads what is kept, applies edits at once, keeps each on the disk before
// it counts as *local*, and hears from the other tabs and the server what else became of it. It never talks to the server.
import * as Y from 'yjs'
import { applyState } from '../shared/apply-state.ts'
import { createHistory, type History } from '../shared/history.ts'
import type { Json } from '../shared/json.ts'
import type { Kind } from '../shared/kind.ts'
import { type AnyOperation, type OperationContext, runOperation } from '../shared/operation.ts'
import type { Facts } from '../shared/rules.ts'
import type { AdoptedEdit } from './adopt-guest.ts'
import type { HandleStatus } from './client-types.ts'
import type { Clock } from './connection-types.ts'
import { type Draws, recordChanges, recordingContext, replay } from './context.ts'
import { createListeners } from './listeners.ts'
import {
  type Entry,
  type NewEntry,
  numbered,
  type RecordedOperation,
  type Store,
  STORE_RETRY_MS,
} from './offline/store.ts'
import { isOwnEdit } from './origin.ts'
import { createStoredWaiters } from './stored-waiters.ts'

/** What the server said of a document; the leading tab hears it and tells the others. */
export interface ServerView {
  readonly synced: boolean
  readonly access: HandleStatus['access']
  readonly refused: number
}

export interface ReplicaOptions {
  readonly name: string
  readonly kind: Kind
  readonly store: Store
  /** What is kept of it, on its way already. */
  readonly entries: Promise<readonly Entry[]>
  /** Asked anew for each operation. */
  readonly facts: () => Facts
  readonly draws: Draws
  readonly clock: Clock
  /** These entries are on the disk now. */
  readonly onSaved: (entries: readonly Entry[]) => void
}

export interface Replica {
  readonly name: string
  readonly kind: Kind
  /** Another one after a rebuild. */
  readonly doc: Y.Doc
  /** Another number after each change. */
  readonly version: number
  readonly status: HandleStatus
  readonly run: (operation: AnyOperation, input: unknown) => unknown
  /** Makes an edit of somebody else's one's own: runs it again, or takes its update as it is. Throws `AppError`. */
  readonly adopt: (edit: AdoptedEdit, operations: ReadonlyMap<string, AnyOperation>) => void
  readonly history: () => History | null
  /** Called in the microtask after a change. */
  readonly onChange: (listener: () => void) => () => void
  readonly onStatus: (listener: (status: HandleStatus) => void) => () => void
  readonly saved: () => Promise<void>
  readonly stored: () => Promise<void>

  /** An update that another tab has kept. */
  readonly fromTab: (entries: readonly Entry[]) => void
  /** An update of the server. */
  readonly fromServer: (update: Uint8Array) => void
  readonly onStored: (seqs: readonly number[]) => void
  /** Entries were taken out or written anew, as the pairs say: everything is loaded again. */
  readonly rebuild: (replaced: ReadonlyMap<number, number>, gone: readonly number[]) => Promise<void>
  readonly setView: (view: Partial<ServerView>) => void
  readonly onClose: (listener: () => void) => () => void
  readonly close: () => Promise<void>
}

interface Unsaved extends NewEntry {
  readonly pending: NonNullable<NewEntry['pending']>
}

export const openReplica = async (options: ReplicaOptions): Promise<Replica> => {
  const { name, kind, store, facts, draws, clock, onSaved } = options
  const changed = createListeners<void>()
  const statusChanged = createListeners<HandleStatus>()
  const closed = createListeners<void>()
  let doc = new Y.Doc()
  let history: History | null = null
  let view: ServerView = { synced: false, access: 'unknown', refused: 0 }
  let error: string | null = null
  let isClosed = false
  /** Numbers of entries that the server has not acknowledged. */
  const pending = new Set<number>()
  /** Numbers that were acknowledged, or taken out, before their tab had told of them. */
  const settled = new Set<number>()
  const gone = new Set<number>()
  const waiters = createStoredWaiters()
  const unsaved: Unsaved[] = []
  let saving: Promise<void> | null = null
  /** The one write that is under way, or was last. */
  let writing: Promise<void> = Promise.resolve()
  /** How many edits were written. */
  let kept = 0
  let cancelRetry = (): void => {}
  /** The operation that is under way, and its context. */
  let recording: RecordedOperation | null = null
  let running: OperationContext | null = null

  const statusNow = (): HandleStatus => ({
    local: unsaved.length === 0,
    stored: unsaved.length === 0 && pending.size === 0,
    pending: unsaved.length + pending.size,
    ...view,
    error,
  })
  let status = statusNow()
  const tellStatus = (): void => {
    const next = statusNow()
    const isSame = (Object.keys(next) as (keyof HandleStatus)[]).every((key) => next[key] === status[key])
    if (isSame) return
    status = next
    statusChanged.tell(status)
  }

  let version = 0
  let isTold = true
  const tellChange = (): void => {
    version++
    if (!isTold) return
    isTold = false
    queueMicrotask(() => {
      isTold = true
      if (!isClosed) changed.tell()
    })
  }

  /** Writes what is unsaved, in one transaction; what comes meanwhile goes with the next. */
  const save = async (): Promise<void> => {
    const batch = unsaved.slice()
    const seqs = await store.write({ append: batch })
    unsaved.splice(0, batch.length)
    kept += batch.length
    const entries = numbered(batch, seqs)
    for (const { seq } of entries) pending.add(seq)
    error = null
    onSaved(entries)
    tellStatus()
  }

  const keepSaving = async (): Promise<void> => {
    cancelRetry()
    try {
      while (unsaved.length > 0) await (writing = save())
    } catch (thrown) {
      error = thrown instanceof Error ? thrown.message : String(thrown)
      tellStatus()
      if (!isClosed) cancelRetry = clock.after(STORE_RETRY_MS, () => void startSaving().catch(() => {}))
      throw thrown
    } finally {
      saving = null
    }
  }

  const startSaving = (): Promise<void> => (saving ??= keepSaving())

  /** Until so many edits are written; what comes meanwhile may be more than the disk keeps up with. */
  const keptUntil = (due: number): Promise<void> => {
    if (kept < due) startSaving().catch(() => {})
    return kept < due ? writing.then(() => keptUntil(due)) : Promise.resolve()
  }

  const onUpdate = (update: Uint8Array, origin: unknown, of: Y.Doc, transaction: Y.Transaction): void => {
    tellChange()
    if (!isOwnEdit(origin)) return
    const recorded = recording ?? (kind.rule ? recordChanges(transaction, facts()) : null)
    recording = null
    const clientId = of.clientID
    unsaved.push({ document: name, update, pending: { clientId, ...(recorded && { operation: recorded }) } })
    tellStatus()
    // A failure shows in the status, and in `saved()`.
    startSaving().catch(() => {})
  }

  const contextNow = (): OperationContext => running ?? recordingContext(facts(), draws).ctx

  const use = (fresh: Y.Doc): void => {
    const old = doc
    doc = fresh
    doc.on('update', onUpdate)
    kind.keep?.(doc)
    const { rule } = kind
    history = rule ? createHistory({ kind: { ...kind, rule }, doc, context: contextNow }) : null
    old.destroy()
  }

  const load = async (loading: Promise<readonly Entry[]>): Promise<void> => {
    const entries = await loading
    const fresh = new Y.Doc()
    for (const { update } of entries) applyState(fresh, update, { source: 'store' })
    // Edits made while this was read: not on the disk yet, and the author's all the same.
    for (const { update } of unsaved) Y.applyUpdate(fresh, update, { source: 'store' })
    pending.clear()
    for (const { seq, pending: isPending } of entries) if (isPending) pending.add(seq)
    use(fresh)
    tellChange()
    tellStatus()
  }

  const run = (operation: AnyOperation, input: unknown): unknown => {
    const now = facts()
    const { ctx, ids } = recordingContext(now, draws)
    const recorded: RecordedOperation = {
      name: operation.name,
      input: (input ?? {}) as Json,
      actor: now.actor,
      now: now.now,
      ids,
    }
    recording = kind.rule ? recorded : null
    running = ctx
    try {
      const planned = history ? history.run(operation, input) : runOperation(kind, operation, doc, input, ctx)
      return planned.result
    } finally {
      recording = null
      running = null
    }
  }

  const adopt: Replica['adopt'] = ({ operation, update }, operations) => {
    if (update) Y.applyUpdate(doc, update, { source: 'adopted' })
    if (!operation) return
    recording = operation
    try {
      const { ctx } = recordingContext(facts(), draws)
      replay(kind, operations, doc, operation, ctx, (defined, input, again) => {
        runOperation(kind, defined, doc, input, again)
      })
    } finally {
      recording = null
    }
  }

  await load(options.entries)

  return {
    name,
    kind,
    get doc() {
      return doc
    },
    get version() {
      return version
    },
    get status() {
      return status
    },
    run,
    adopt,
    history: () => history,
    onChange: changed.add,
    onStatus: statusChanged.add,
    saved: () => keptUntil(kept + unsaved.length),
    stored: async () => {
      await keptUntil(kept + unsaved.length)
      if (pending.size > 0) await waiters.until(pending)
    },
    fromTab: (entries) => {
      for (const { seq, update } of entries) {
        if (gone.has(seq)) continue
        if (!settled.delete(seq)) pending.add(seq)
        Y.applyUpdate(doc, update, { source: 'tab' })
      }
      tellStatus()
    },
    fromServer: (update) => applyState(doc, update, { source: 'server' }),
    onStored: (seqs) => {
      for (const seq of seqs) if (!pending.delete(seq)) settled.add(seq)
      waiters.settle(pending)
      tellStatus()
    },
    rebuild: async (replaced, taken) => {
      for (const seq of taken) gone.add(seq)
      waiters.rename(replaced)
      await load(store.load(name))
      waiters.settle(pending)
    },
    setView: (part) => {
      view = { ...view, ...part }
      tellStatus()
    },
    onClose: closed.add,
    close: async () => {
      if (unsaved.length > 0) await startSaving().catch(() => {})
      isClosed = true
      cancelRetry()
      doc.destroy()
      closed.tell()
    },
  }
}
