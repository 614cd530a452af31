// The port to what a device keeps: the entries of documents, and values by key. One store holds one *area*: the device's
// own settings, or everything of one user. What resolved is on the disk; an adapter reports every failure by rejecting.
import type { Json } from '../../shared/json.ts'

/** How an operation is run again, exactly: on another base, under another client id, it asks for the same. */
export interface RecordedOperation {
  /** Its registered name, such as `task.add`. */
  readonly name: string
  readonly input: Json
  readonly actor: string
  /** Milliseconds since the epoch. */
  readonly now: number
  /** The ids it drew, in order. */
  readonly ids: readonly string[]
}

/** What this device made and the server has not acknowledged yet. */
export interface Pending {
  /** The Yjs client id that wrote the update. */
  readonly clientId: number
  /** Absent where an editor wrote the shared types itself. */
  readonly operation?: RecordedOperation
}

export interface NewEntry {
  /** The document's name, `kind/id[/part]`. */
  readonly document: string
  /** One Yjs update (version 1). */
  readonly update: Uint8Array
  readonly pending?: Pending
}

export interface Entry extends NewEntry {
  /** Ascending over the whole store, never used twice. */
  readonly seq: number
}

/** What was appended, with the numbers that `write` gave. */
export const numbered = (entries: readonly NewEntry[], seqs: readonly number[]): readonly Entry[] =>
  entries.map(({ document, update, pending }, index) => ({
    seq: seqs[index] as number,
    document,
    update,
    ...(pending && { pending }),
  }))

/** Anything that the structured clone of browsers takes, without functions; adapters keep it by value. */
export type StoredValue =
  | Json
  | Uint8Array
  | { readonly [key: string]: StoredValue | undefined }
  | readonly StoredValue[]

/** One transaction. In this order: appended, confirmed, dropped, deleted, put. What is not there is passed over. */
export interface Batch {
  readonly append?: readonly NewEntry[]
  /** Entries that are no longer pending. */
  readonly confirm?: readonly number[]
  /** Entries that are taken out. */
  readonly drop?: readonly number[]
  readonly del?: readonly string[]
  readonly put?: Readonly<Record<string, StoredValue>>
}

export interface DocumentSummary {
  readonly document: string
  readonly entries: number
  readonly bytes: number
  readonly pending: number
}

/**
 * One area of a disk: the entries of documents, and values by key. Nothing is in it that was not wholly written, and what
 * `write` has resolved for outlives a crash. Every method rejects with `StoreError`; after a close, or when the area was
 * wiped, with `store/closed`.
 */
export interface Store extends AsyncDisposable {
  /**
   * Does all of `batch` or nothing, and resolves with the numbers of what was appended once it is on the disk. Batches take
   * effect in the order of the calls. Rejects with `store/full`, `store/closed` or `store/failed` (`StoreError`).
   */
  readonly write: (batch: Batch) => Promise<readonly number[]>
  /** All entries of a document, in the order of their numbers. */
  readonly load: (document: string) => Promise<readonly Entry[]>
  /** All pending entries of all documents, in the order of their numbers. */
  readonly pending: () => Promise<readonly Entry[]>
  readonly documents: () => Promise<readonly DocumentSummary[]>
  readonly get: (key: string) => Promise<StoredValue | undefined>
  /** Values whose key starts with `prefix`, by key, in the order of the keys. */
  readonly list: (prefix: string) => Promise<ReadonlyMap<string, StoredValue>>
}

/** All the areas of a device for one server. */
export interface Disk {
  /** Opens an area, and makes it where it is not there. Areas are named by `[A-Za-z0-9_-]{1,60}`. */
  readonly open: (area: string) => Promise<Store>
  /** Takes an area out, with every byte of it. Its open stores are closed first. */
  readonly wipe: (area: string) => Promise<void>
}

/**
 * `store/full`: the disk or the browser's share of it; what was there stays. `store/closed`: closed, or wiped, or cleared by
 * the user. `store/failed`: anything else, with its `cause`.
 */
export type StoreErrorCode = 'store/full' | 'store/closed' | 'store/failed'

/** After a failed write to the disk, it is tried again. */
export const STORE_RETRY_MS = 2_000

/** The device could not keep or read something; nothing of the batch was written. */
export class StoreError extends Error {
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'StoreError'
    this.code = code
  }
}
