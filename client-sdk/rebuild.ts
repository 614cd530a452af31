// After a refusal (design 4.2): the refused edit goes into quarantine, and the edits after it are made again, on the state
// that the server has, under a new client id. Pure planning; the caller writes the result in one transaction.
import * as Y from 'yjs'
import { applyState } from '../shared/apply-state.ts'
import { AppError, type ErrorCode } from '../shared/errors.ts'
import type { Kind } from '../shared/kind.ts'
import { type AnyOperation, type OperationContext, runOperation } from '../shared/operation.ts'
import type { RefusedMessage } from '../shared/protocol.ts'
import { replay } from './context.ts'
import type { Entry, NewEntry } from './offline/store.ts'
import { renumberUpdates } from './renumber-update.ts'

export interface Refused {
  readonly entry: Entry
  readonly message: RefusedMessage
}

export interface Outcome {
  readonly entry: Entry
  readonly code: ErrorCode
  readonly path: string
}

export interface Rebuilt {
  readonly quarantined: readonly Outcome[]
  /** Pending entries in their new form, each beside the old number. */
  readonly made: readonly { readonly from: number; readonly entry: NewEntry }[]
}

/** Refused for what came before, not for what they are: made again, they may be taken. */
const CURABLE: ReadonlySet<ErrorCode> = new Set(['gap', 'client-id-taken'])

export const docOf = (updates: readonly Uint8Array[]): Y.Doc => {
  const doc = new Y.Doc()
  for (const update of updates) applyState(doc, update, { source: 'store' })
  return doc
}

/** What the server has, as far as this device knows. */
export const baseOf = (entries: readonly Entry[]): Y.Doc =>
  docOf(entries.filter(({ pending }) => !pending).map(({ update }) => update))

export interface PlanOptions {
  readonly kind: Kind
  readonly operations: ReadonlyMap<string, AnyOperation>
  /** All that is kept of the document. */
  readonly entries: readonly Entry[]
  readonly context: () => OperationContext
}

export interface RebuildOptions extends PlanOptions {
  readonly refused: readonly Refused[]
  /** Entries that were made again once and came back: not a third time. */
  readonly isRepeated: (seq: number) => boolean
}

/** Runs recorded operations again on `doc`; what it does not take any more is put `out`. */
export const replayRecords = (
  options: Pick<PlanOptions, 'kind' | 'operations' | 'context'>,
  doc: Y.Doc,
  again: readonly Entry[],
  out: Outcome[],
): Rebuilt['made'] => {
  const { kind, operations } = options
  const made: { from: number; entry: NewEntry }[] = []
  for (const entry of again) {
    const operation = entry.pending?.operation
    if (!operation) {
      out.push({ entry, code: 'gap', path: '' })
      continue
    }
    const updates: Uint8Array[] = []
    const collect = (update: Uint8Array): void => void updates.push(update)
    doc.on('update', collect)
    try {
      replay(kind, operations, doc, operation, options.context(), (defined, input, ctx) => {
        runOperation(kind, defined, doc, input, ctx)
      })
      if (updates.length === 0) continue
      const update = updates.length === 1 ? (updates[0] as Uint8Array) : Y.mergeUpdates(updates)
      const { document } = entry
      made.push({ from: entry.seq, entry: { document, update, pending: { clientId: doc.clientID, operation } } })
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      const path = error.details?.['path']
      out.push({ entry, code: error.code, path: typeof path === 'string' ? path : '' })
    } finally {
      doc.off('update', collect)
    }
  }
  return made
}

/** Whether `doc` has all that the entry's update holds, or speaks of. */
const isKnown = (doc: Y.Doc, { update }: Entry): boolean => {
  const { structs, ds } = Y.decodeUpdate(update)
  const reaches = (client: number, end: number): boolean => Y.getState(doc.store, client) >= end
  return (
    structs.every(({ id, length }) => reaches(id.client, id.clock + length)) &&
    [...ds.clients].every(([client, ranges]) => ranges.every(({ clock, len }) => reaches(client, clock + len)))
  )
}

const mapRaw = (
  doc: Y.Doc,
  again: readonly Entry[],
  out: Outcome[],
  codes: ReadonlyMap<number, RefusedMessage>,
): Rebuilt['made'] => {
  const gone = new Set(out.map(({ entry }) => entry))
  const all = [...gone, ...again].toSorted((a, b) => a.seq - b.seq)
  const { updates } = renumberUpdates({
    base: doc,
    edits: all.map((entry) => ({ update: entry.update, isRefused: gone.has(entry) })),
    clientIds: new Set(all.map(({ pending }) => pending?.clientId ?? 0)),
    newClientId: doc.clientID,
    firstClock: 0,
  })
  const cause = out[0]
  return again.flatMap((entry, index) => {
    const update = updates[index]
    const { seq, document } = entry
    if (update) return [{ from: seq, entry: { document, update, pending: { clientId: doc.clientID } } }]
    // All of it lives inside what was refused, and stays with that; or what it builds on is nowhere any more.
    const { code, path } = cause ?? codes.get(seq) ?? { code: 'gap', path: '' }
    if (!isKnown(doc, entry)) out.push({ entry, code, path })
    return []
  })
}

/** What becomes of every pending entry. */
export const planRebuild = (options: RebuildOptions): Rebuilt => {
  const { entries, refused, isRepeated } = options
  const codes = new Map(refused.map(({ entry, message }) => [entry.seq, message]))
  const out: Outcome[] = []
  const again: Entry[] = []
  for (const entry of entries.filter(({ pending }) => pending)) {
    const message = codes.get(entry.seq)
    const isCurable = !message || (CURABLE.has(message.code) && !isRepeated(entry.seq))
    if (isCurable) again.push(entry)
    else out.push({ entry, code: message.code, path: message.path })
  }
  const doc = baseOf(entries)
  const made = options.kind.rule ? replayRecords(options, doc, again, out) : mapRaw(doc, again, out, codes)
  doc.destroy()
  return { quarantined: out, made }
}
