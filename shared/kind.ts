// What a kind of document is: what it holds, whose it is, who may write, what may be done to it.
import type * as Y from 'yjs'
import type { ChannelType } from './channels.ts'
import type { AnyOperation } from './operation.ts'
import type { Collection } from './records.ts'
import type { Rule } from './rules.ts'

export interface Kind {
  readonly name: string
  /** What the id in the document's name is the id of. */
  readonly scope: 'channel' | 'user' | 'group'
  /** The type of the channels that have a document of this kind of their own. */
  readonly channelType?: Exclude<ChannelType, 'VOICE'>
  /** What stands behind the id: nothing, the id of a record or nothing, a chat's segment, a year. */
  readonly part: 'none' | 'record' | 'segment' | 'year'
  /** Members by their role; the one user it belongs to; or the server alone. */
  readonly writers: 'members' | 'user' | 'server'
  /** `any`: editors choose their root names, up to ROOTS_MAX of them. */
  readonly roots: 'any' | readonly string[]
  /** Absent where anything may be written that has the right form. With it, every root is a Y.Map of plain JSON values. */
  readonly rule?: Rule
  /** What the rule asks besides who writes, and when; only such kinds pay for the look-up. */
  readonly asks?: 'members' | 'groups'
  readonly collections: readonly Collection[]
  readonly operations: readonly AnyOperation[]
  /** The document as people read it. */
  readonly read?: (doc: Y.Doc) => unknown
  /** From now on `read` keeps what it has read of this doc; only kinds that grow large have it. Returns its undo. */
  readonly keep?: (doc: Y.Doc) => () => void
}

/** The roots of collections: one of records, one of edits each. */
export const rootsOf = (collections: readonly Collection[]): string[] =>
  collections.flatMap(({ name, edits }) => [name, edits])
