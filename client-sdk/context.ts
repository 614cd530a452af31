// What an operation is told when it runs on this device, and how it is recorded, so that it can be run again on another
// base exactly as it was.
import type * as Y from 'yjs'
import { AppError } from '../shared/errors.ts'
import type { Json } from '../shared/json.ts'
import type { Kind } from '../shared/kind.ts'
import { type AnyOperation, mustAllow, type OperationContext, writeChanges } from '../shared/operation.ts'
import type { Change, Facts } from '../shared/rules.ts'
import type { RecordedOperation } from './offline/store.ts'

/** What is drawn for each operation, beside the facts. */
export interface Draws {
  readonly newId: () => string
  readonly random: () => number
  readonly deviceId: string
}

/** A context that remembers the ids it gave away. */
export const recordingContext = (
  facts: Facts,
  draws: Draws,
): { readonly ctx: OperationContext; readonly ids: string[] } => {
  const ids: string[] = []
  const newId = (): string => {
    const id = draws.newId()
    ids.push(id)
    return id
  }
  return { ctx: { ...facts, deviceId: draws.deviceId, random: draws.random, newId }, ids }
}

/** The recorded name of changes that no operation of the kind made: undo and redo. */
const CHANGES = 'changes'

interface RecordedChange {
  readonly root: string
  readonly key: string
  /** Not there: the key was deleted. Null is a value, of a field. */
  readonly value?: Json
}

/** What a transaction did to a document of records, so that it can be done again. */
export const recordChanges = (transaction: Y.Transaction, facts: Facts): RecordedOperation => {
  const changes: RecordedChange[] = []
  for (const [type, keys] of transaction.changed) {
    const map = type as unknown as Y.Map<Json>
    const root = [...transaction.doc.share].find(([, shared]) => shared === (type as unknown))?.[0]
    if (root === undefined) continue
    for (const key of keys) {
      const value = key === null ? undefined : map.get(key)
      if (key !== null) changes.push({ root, key, ...(value !== undefined && { value }) })
    }
  }
  const input = { changes } as unknown as Json
  return { name: CHANGES, input, actor: facts.actor, now: facts.now, ids: [] }
}

const replayChanges = (kind: Kind, doc: Y.Doc, input: Json, facts: Facts, origin: unknown): void => {
  const { changes: recorded } = input as unknown as { readonly changes: readonly RecordedChange[] }
  const changes: Change[] = recorded.map(({ root, key, value }) => ({ root, key, value }))
  mustAllow(kind, changes, facts)
  writeChanges(doc, changes, origin)
}

/** Runs a recorded operation again on `doc`. Throws `AppError` when it cannot any more; then nothing was written. */
export const replay = (
  kind: Kind,
  operations: ReadonlyMap<string, AnyOperation>,
  doc: Y.Doc,
  recorded: RecordedOperation,
  ctx: OperationContext,
  run: (operation: AnyOperation, input: unknown, ctx: OperationContext) => void,
): void => {
  const ids = [...recorded.ids]
  const again = { ...ctx, actor: recorded.actor, now: recorded.now, newId: () => ids.shift() ?? ctx.newId() }
  if (recorded.name === CHANGES) {
    replayChanges(kind, doc, recorded.input, again, { source: 'local', operation: CHANGES })
    return
  }
  const operation = operations.get(recorded.name)
  if (!operation) throw new AppError('operation/unknown', `no operation ${recorded.name}`, { name: recorded.name })
  run(operation, recorded.input, again)
}
