// Undo and redo of operations, for the person who ran them. It takes back only what is still as that person left it,
// through the same rules as every change; nobody else's newer work is touched, and no record is ever created again.
import type * as Y from 'yjs'
import { can } from './access.ts'
import { isSameJson, type Json } from './json.ts'
import { UNDO_LENGTH_MAX } from './limits.ts'
import {
  type Operation,
  type OperationContext,
  type Plan,
  planOperation,
  type Ruled,
  writeChanges,
} from './operation.ts'
import { type Collection, collectionOf, editChange, editKey, readRecord, splitEditKey } from './records.ts'
import type { Change } from './rules.ts'

/** One key, before and after what was run, undone or redone. `undefined`: not there. */
interface Step {
  readonly root: string
  readonly key: string
  readonly before: unknown
  readonly after: unknown
}

interface Entry {
  readonly needs: Operation['needs']
  readonly steps: readonly Step[]
}

export interface History {
  /** Runs an operation so that it can be undone. Throws what `runOperation` throws. */
  readonly run: <Input, Result>(operation: Operation<Input, Result>, input: NoInfer<Input>) => Plan<Result>
  /**
   * Takes back the latest operation of which anything can still, and may still, be taken back, and forgets those after
   * it; false when there is none.
   */
  readonly undo: () => boolean
  readonly redo: () => boolean
  readonly canUndo: () => boolean
  readonly canRedo: () => boolean
}

const valueOf = (doc: Y.Doc, { root, key }: Pick<Change, 'root' | 'key'>): unknown => doc.getMap<unknown>(root).get(key)

/** What stands for "nothing" in a field; the first that the field allows is taken. */
const EMPTY: readonly Json[] = [null, false, '', []]

/** A field gets back what it showed before: the edit before, else the value it was created with, else nothing. */
const invertEdit = (doc: Y.Doc, collection: Collection, step: Step): Change[] => {
  const edit = splitEditKey(step.key)
  const base = edit && readRecord(doc, collection, edit.id) && valueOf(doc, { root: collection.name, key: edit.id })
  if (!edit || !base) return []
  const created = (base as Readonly<Record<string, unknown>>)[edit.field]
  const empty = EMPTY.find((value) => collection.fields[edit.field]?.check(value))
  const value = [step.before, created, empty].find((candidate) => candidate !== undefined)
  return value === undefined ? [] : [editChange(collection, edit.id, edit.field, value as Json)]
}

/** A creation is undone by `deletedAt`, or by deletion where records are deleted for good. */
const invertCreation = (doc: Y.Doc, collection: Collection, { key, before, after }: Step, now: number): Change[] => {
  if (before !== undefined || after === undefined) return []
  if (collection.fields['deletedAt']) {
    const isThere = (readRecord(doc, collection, key)?.['deletedAt'] ?? null) === null
    return isThere ? [editChange(collection, key, 'deletedAt', now)] : []
  }
  const edits = Object.keys(collection.fields)
    .map((field) => ({ root: collection.edits, key: editKey(key, field), value: undefined }))
    .filter((edit) => valueOf(doc, edit) !== undefined)
  return [{ root: collection.name, key, value: undefined }, ...edits]
}

const invert = (doc: Y.Doc, kind: Ruled, step: Step, now: number): Change[] => {
  const found = collectionOf(kind.collections, step.root)
  if (!isSameJson(valueOf(doc, step), step.after)) return []
  if (!found) return [{ root: step.root, key: step.key, value: step.before }]
  return found.isEdits ? invertEdit(doc, found.collection, step) : invertCreation(doc, found.collection, step, now)
}

/** Whether there can ever be something to take back: what was deleted for good stays deleted. */
const isInvertible = ({ collections }: Ruled, { root, after }: Step): boolean => {
  const found = collectionOf(collections, root)
  return !found || after !== undefined
}

/**
 * The history of one person on one doc, of at most UNDO_LENGTH_MAX operations; those run past it are not in it.
 * `context` is asked anew each time.
 */
export const createHistory = (spec: {
  readonly kind: Ruled
  readonly doc: Y.Doc
  readonly context: () => OperationContext
}): History => {
  const { kind, doc } = spec
  const undoable: Entry[] = []
  const redoable: Entry[] = []

  const write = (changes: readonly Change[], origin: unknown): Step[] => {
    const before = changes.map((change) => valueOf(doc, change))
    writeChanges(doc, changes, origin)
    return changes.map(({ root, key, value }, index) => ({ root, key, before: before[index], after: value }))
  }

  const remember = (entries: Entry[], entry: Entry): void => {
    if (!entry.steps.some((step) => isInvertible(kind, step))) return
    entries.push(entry)
    if (entries.length > UNDO_LENGTH_MAX) entries.shift()
  }

  const takeBack = (from: Entry[], to: Entry[], operation: 'undo' | 'redo'): boolean => {
    const ctx = spec.context()
    for (let entry = from.pop(); entry; entry = from.pop()) {
      const { needs, steps } = entry
      const changes = can(ctx.role, needs) ? steps.toReversed().flatMap((step) => invert(doc, kind, step, ctx.now)) : []
      const allowed = changes.filter((change) => kind.rule(change, ctx) === null)
      if (allowed.length === 0) continue
      remember(to, { needs, steps: write(allowed, { source: 'local', operation }) })
      return true
    }
    return false
  }

  return {
    run: (operation, input) => {
      const planned = planOperation(kind, operation, doc, input, spec.context())
      const steps = write(planned.changes, { source: 'local', operation: operation.name })
      if (steps.length > 0) redoable.length = 0
      remember(undoable, { needs: operation.needs, steps })
      return planned
    },
    undo: () => takeBack(undoable, redoable, 'undo'),
    redo: () => takeBack(redoable, undoable, 'redo'),
    canUndo: () => undoable.length > 0,
    canRedo: () => redoable.length > 0,
  }
}
