// What an app says about its localStorage, and what it is told of the taking over.
import type { ErrorCode } from '../shared/errors.ts'
import type { Json } from '../shared/json.ts'
import type { NewChannel } from './channels.ts'
import type { NewGroup } from './groups.ts'

/** Of `Storage` what is needed; `localStorage` is one. */
export type SourceStorage = Pick<Storage, 'getItem' | 'key' | 'length' | 'removeItem' | 'setItem'>

/** An operation on the record that a step has just made, such as `task.complete`; its id is put in. */
export interface FollowUp {
  readonly name: string
  readonly input?: { readonly [field: string]: Json }
  /** Milliseconds since the epoch; that of the step where it is left out. */
  readonly at?: number
}

/** Makes one record: `task.add`, `column.add`, `card.add`, `message.send`, `checkin.submit`, `setting.set` or `draft.set`. */
export interface OperationStep {
  /** The app's own name of the record; its id is made from it. */
  readonly key: string
  /** The key of a channel, `checkIns` or `me`. */
  readonly document: string
  readonly name: string
  /** Without `id`; other records are named by `context.id(key)`. A check-in needs its `period`. */
  readonly input: { readonly [field: string]: Json }
  /** When it was made, in milliseconds since the epoch; check-ins are always submitted now. */
  readonly at?: number
  /** Made together with the record or not at all. */
  readonly followedBy?: readonly FollowUp[]
}

/** What one value of the source becomes. Keys are 1 to 200 characters and name one thing each in the whole app. */
export type Step =
  | { readonly group: NewGroup & { readonly key: string } }
  | { readonly channel: Pick<NewChannel, 'type' | 'name'> & { readonly key: string; readonly group: string } }
  | { readonly operation: OperationStep }
  /** The app itself knows that a value cannot be taken over, and why. */
  | { readonly problem: { readonly key: string; readonly message: string } }

/** What a source is told while its value is turned into steps. */
export interface SourceContext {
  /** The key in localStorage. */
  readonly source: string
  readonly userId: string
  /** The id that the step of this key has, or will have. */
  readonly id: (key: string) => string
  /** The same for a chat's message: `userId.uuid`. */
  readonly messageId: (key: string) => string
  /** When the app's data began to be taken over here; the same in every run. */
  readonly now: number
}

/** One key of localStorage, or all that an expression matches, and what becomes of its value. */
export interface MigrationSource {
  /** The key in localStorage, or what all such keys match. */
  readonly key: string | RegExp
  /** `JSON.parse` where it is left out. */
  readonly parse?: (text: string) => unknown
  /** The value as steps, groups before their channels before what is in them. The same value must give the same steps. */
  readonly into: (value: unknown, context: SourceContext) => Iterable<Step>
}

/** What becomes of the data of one app. */
export interface MigrationPlan {
  /** 1 to 60 of A–Z a–z 0–9 . _ -; ids are made from it, so it never changes. */
  readonly app: string
  readonly sources: readonly MigrationSource[]
  /** `report` (the default) leaves out what is wrong; `stop` takes over nothing then, and throws `input/invalid`. */
  readonly onInvalid?: 'report' | 'stop'
}

/** How far a run has come. */
export interface MigrationProgress {
  /** Steps so far, of all. */
  readonly done: number
  readonly total: number
}

/** How a run goes; everything may be left out. */
export interface MigrationOptions {
  /** `localStorage` where it is left out. */
  readonly storage?: SourceStorage
  /** Says what would be made, and writes nothing. */
  readonly dryRun?: boolean
  /** Somebody else on this device has taken the same data over: take it over once more, for the current user. */
  readonly again?: boolean
  /** Called after each 200 steps, and at the end. */
  readonly onProgress?: (progress: MigrationProgress) => void
}

/** A value that was left out. */
export interface MigrationError {
  readonly source: string
  /** Which step of the source, from 0; -1 for the source as a whole. */
  readonly index: number
  /** Of the step, where it has one. */
  readonly key: string | null
  readonly code: ErrorCode
  readonly message: string
}

/** What became of one source. */
export type SourceReport = {
  readonly key: string
  /** Of its text, in hex. */
  readonly sha256: string
  /** Steps that made something, found it there already, or were left out. */
  readonly made: number
  readonly present: number
  readonly errors: number
}

/** One thing that was made. */
export type Made = {
  readonly key: string
  /** `group`, `channel`, or the name of the operation. */
  readonly what: string
  /** The key of its document; of a channel's group. */
  readonly within: string
  /** The number of a chat's segment; empty elsewhere. */
  readonly part: string
  /** A group's or channel's id, or the key of the record in its document. */
  readonly id: string
  /** How its later changes are told from those of the import. */
  readonly mark: string
}

/** Kept on this device, for each app and user. Times are milliseconds since the epoch. */
export type Receipt = {
  readonly app: string
  readonly at: number
  readonly sources: readonly SourceReport[]
  readonly made: readonly Made[]
  /** Everything was on the server. */
  readonly storedAt: number | null
  readonly removedAt: number | null
  /** `made` is what was left then. */
  readonly undoneAt: number | null
}

/** Something that an undo did not take back, and why. */
export interface Left {
  readonly key: string
  readonly code: ErrorCode
  readonly message: string
}

/** What a run made, what it left out, and what can be done about it now. */
export interface MigrationReport {
  readonly isDryRun: boolean
  /** Somebody else on this device has taken this over, so nothing was done; see `again`. */
  readonly isTakenByAnother: boolean
  readonly sources: readonly SourceReport[]
  readonly made: number
  readonly present: number
  readonly errors: readonly MigrationError[]
  /** Of this run and those before; null where there was none. */
  readonly receipt: Receipt | null
  /**
   * Resolves when all that was made is on the server's disk; waits while offline or without an account. Rejects with what
   * the server refused something with, `record/not-found` without a receipt, `auth/required` for another user.
   */
  readonly stored: () => Promise<void>
  /**
   * Takes the old data out of localStorage, except for sources with values that were left out: those go `withErrors`.
   * Rejects with `storage/unavailable` before the server has confirmed everything, `version/stale` when the old app has
   * written since, and as `stored` does.
   */
  readonly removeSource: (options?: { readonly withErrors?: boolean }) => Promise<{
    readonly removed: readonly string[]
    readonly kept: readonly string[]
  }>
  /**
   * Takes back what nobody has changed since, and says what it left. A later run imports again. What has to be taken off the
   * server waits until it is stored: call it again then. Rejects with `delete-not-allowed` once the source was removed.
   */
  readonly undo: () => Promise<{ readonly removed: number; readonly left: readonly Left[] }>
}
