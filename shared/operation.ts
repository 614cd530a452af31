// Operations: named, validated changes to one doc, defined once and run anywhere: by the SDK on the local doc, by REST on
// the server's. An operation plans its changes first; all are checked by the kind's rule; then all are written in one
// transaction, because Yjs has no rollback.
import type * as Y from 'yjs'
import type * as z from 'zod/mini'
import { type Action, can } from './access.ts'
import { AppError } from './errors.ts'
import type { Collection } from './records.ts'
import type { Change, Facts, Rule } from './rules.ts'

export interface OperationContext extends Facts {
  /** The login's device, for what is kept per device. */
  readonly deviceId: string
  readonly newId: () => string
  /** From 0 to 1, for jitter. */
  readonly random: () => number
}

export interface Plan<Result> {
  readonly changes: readonly Change[]
  readonly result: Result
  /** Writes what is no change of one key: rich text. Runs in a transaction, and nothing in it may throw. */
  readonly write?: () => void
}

export interface Operation<Input = never, Result = unknown> {
  readonly name: string
  readonly needs: Action
  /** One sentence for people who read the API's description. */
  readonly summary: string
  readonly input: z.core.$ZodType
  /** Inputs that work on a document of the kind; the API's description shows them, and a test runs them. */
  readonly example: Input
  /** Checks `input` and returns what to do on a doc; throws `input/invalid`. */
  readonly parse: (input: unknown) => (doc: Y.Doc, ctx: OperationContext) => Plan<Result>
}

/** Any operation, for tables of them. */
// oxlint-disable-next-line typescript/no-explicit-any -- reason: inputs of different operations have no common type
export type AnyOperation = Operation<any>

/** What running an operation needs to know of its kind. */
export interface Ruled {
  readonly collections: readonly Collection[]
  readonly rule: Rule
}

/** Throws what the kind's rule says against any of `changes`. */
export const mustAllow = ({ rule }: Partial<Ruled>, changes: readonly Change[], facts: Facts): void => {
  for (const change of changes) {
    const refusal = rule?.(change, facts)
    if (refusal) throw new AppError(refusal.code, `${refusal.path}: ${refusal.code}`, { path: refusal.path })
  }
}

/** Writes changes that were checked, in one transaction. */
export const writeChanges = (doc: Y.Doc, changes: readonly Change[], origin: unknown): void => {
  if (changes.length === 0) return
  doc.transact(() => {
    for (const { root, key, value } of changes) {
      const map = doc.getMap<unknown>(root)
      if (value !== undefined) map.set(key, value)
      else if (map.has(key)) map.delete(key)
    }
  }, origin)
}

/**
 * What running an operation would write, checked: permission, input, plan, rules. Throws `access/forbidden`,
 * `input/invalid`, what the operation or the kind's rule says.
 */
export const planOperation = <Input, Result>(
  kind: Partial<Ruled>,
  operation: Operation<Input, Result>,
  doc: Y.Doc,
  input: NoInfer<Input>,
  ctx: OperationContext,
): Plan<Result> => {
  if (!can(ctx.role, operation.needs))
    throw new AppError('access/forbidden', `${operation.name} needs ${operation.needs}`)
  const planned = operation.parse(input)(doc, ctx)
  mustAllow(kind, planned.changes, ctx)
  return planned
}

/** Runs an operation: plans it, then writes. Throws what `planOperation` throws; then nothing was written. */
export const runOperation = <Input, Result>(
  kind: Partial<Ruled>,
  operation: Operation<Input, Result>,
  doc: Y.Doc,
  input: NoInfer<Input>,
  ctx: OperationContext,
  origin: unknown = { source: 'local', operation: operation.name },
): Plan<Result> => {
  const planned = planOperation(kind, operation, doc, input, ctx)
  writeChanges(doc, planned.changes, origin)
  if (planned.write) doc.transact(planned.write, origin)
  return planned
}
