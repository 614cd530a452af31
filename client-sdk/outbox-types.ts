// What apps and the client hold of the outbox: commands that were given on this device, and what became of them.
import type { ErrorCode } from '../shared/errors.ts'
import type { Json } from '../shared/json.ts'
import type { Clock } from './connection-types.ts'
import type { Http } from './http.ts'
import type { Store } from './offline/store.ts'
import type { Tabs } from './tabs-types.ts'

export type NewCommand = {
  /** Of what the command makes, or its own (UUIDv7). Adding the same id again adds nothing. */
  readonly id: string
  readonly method: 'POST' | 'PUT' | 'DELETE'
  /** Below `/api/v1`. */
  readonly path: string
  readonly body?: Json
  /** There being no such thing (any more) is what the command wants: a repeat finds nothing. */
  readonly isDoneWhenGone?: true
}

export type Command = NewCommand & {
  /** Commands are sent in this order. */
  readonly order: number
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Tries that brought no verdict. */
  readonly attempts: number
  /** How often it was given again after a refusal. */
  readonly retries: number
  readonly state: 'pending' | 'refused'
  /** Why it was refused. */
  readonly code?: ErrorCode
  readonly message?: string
}

/** What a command brought, until whoever asked for it has seen it elsewhere; at most a day. */
export type CommandResult = {
  readonly id: string
  readonly path: string
  readonly at: number
  /** The answer's `data`; null where it had none. */
  readonly data: Json
}

export interface Outbox extends AsyncDisposable {
  /** Resolves when what is kept has been read; until then nothing is in the lists. Rejects with `StoreError`. */
  readonly ready: Promise<void>
  /** On this device's disk when it resolves; sent as soon as can be. Rejects with `StoreError`. */
  readonly add: (command: NewCommand) => Promise<Command>
  /** All commands that are pending or refused, in their order. */
  readonly list: () => readonly Command[]
  /** The id of the refused command that has to be retried or discarded before this one can be sent; null: none. */
  readonly waitsFor: (command: Command) => string | null
  readonly results: () => readonly CommandResult[]
  /** The result is not needed any more. */
  readonly forget: (id: string) => void
  /**
   * Resolves with the answer's `data` once the server has done the command; waits while offline. Rejects with the
   * `AppError` it was refused with, `record/not-found` when it was discarded, `StoreError` `store/closed`.
   */
  readonly confirmed: <Data>(id: string) => Promise<Data>
  /** Null when nothing waits to be sent; else, and before it is ready, resolves when that may have changed. */
  readonly untilSent: () => Promise<void> | null
  /** Sends what can be sent; only in the leading tab. Rejects with `StoreError` alone. */
  readonly flush: () => Promise<void>
  /** The server can be reached (again): everything that waits is tried at once. */
  readonly online: () => void
  /** Gives a refused command once more. Rejects with `record/not-found`. */
  readonly retry: (id: string) => Promise<void>
  /**
   * Takes a command out, with those that wait for it. What the server has done already stays done. Rejects with
   * `idempotency/running` while it is being sent, `record/not-found`.
   */
  readonly discard: (id: string) => Promise<void>
  /** Called after each change of commands or results. Returns its undo. */
  readonly subscribe: (listener: () => void) => () => void
}

export interface OutboxOptions {
  /** The area of the user `owner`. */
  readonly store: Store
  readonly http: Pick<Http, 'request'>
  /** Nothing is sent while somebody else is logged in. */
  readonly owner: string
  readonly clock: Clock
  readonly random: () => number
  /** Without tabs this is the only one. */
  readonly tabs?: Pick<Tabs, 'isLeader' | 'onLeadership' | 'post' | 'onMessage'>
}
