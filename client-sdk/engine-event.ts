// What the leading tab tells of documents, and all tabs hear in the same order.
import type { Entry } from './offline/store.ts'
import type { ServerView } from './replica.ts'

/** What became of a document's edits, for all tabs. */
export type EngineEvent =
  | { readonly type: 'remote'; readonly document: string; readonly update: Uint8Array }
  | { readonly type: 'stored'; readonly document: string; readonly seqs: readonly number[] }
  | { readonly type: 'view'; readonly document: string; readonly view: Partial<ServerView> }
  | {
      readonly type: 'rebuilt'
      readonly document: string
      readonly replaced: readonly (readonly [from: number, to: number])[]
      readonly gone: readonly number[]
    }
  /** Edits of another tab; said by that tab itself. */
  | { readonly type: 'edits'; readonly document: string; readonly entries: readonly Entry[] }
  /** Of the server; and `opened` and `closed`, as the document is for us there. */
  | { readonly type: 'message'; readonly document: string; readonly message: { readonly type: string } }
