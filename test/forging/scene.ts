// A scene of forging: people, what they have honestly done in a document of some kind, and what a crafted client then
// tries there. Everything it tries must be refused.
import * as Y from 'yjs'
import type { Kind } from '../../shared/kind.ts'
import { type OperationContext, runOperation } from '../../shared/operation.ts'

/** Who is who, in ids. In a document of one user the victim is another device of the attacker's. */
export interface Cast {
  readonly victim: string
  readonly attacker: string
  readonly group: string
}

export interface Forgery {
  readonly title: string
  /** What a crafted client does to its copy of the document, or the bytes it sends. */
  readonly write: (doc: Y.Doc, clientId: number) => void | Uint8Array
  readonly code?: string
  /** Not over a socket: what it needs is no fact there. */
  readonly facts?: Partial<OperationContext>
}

export interface Scene {
  readonly kind: Kind
  /** Honest operations: who, which, and with what input. */
  readonly honest: (cast: Cast) => readonly (readonly [who: 'victim' | 'attacker', operation: string, input: unknown])[]
  /** Whether what the server itself writes is in the document. */
  readonly isSettled?: (doc: Y.Doc) => boolean
  /** One more honest operation, by the victim. */
  readonly after: (cast: Cast) => readonly [operation: string, input: unknown]
  readonly forgeries: (cast: Cast) => readonly Forgery[]
  /** Roots in which the user keeps any JSON, under keys of any form that `isKey` takes. */
  readonly free?: { readonly roots: readonly string[]; readonly isKey: (key: string) => boolean }
  /** Keys of the honest document that the attacker may delete, `root/key`. */
  readonly deletable?: (cast: Cast) => readonly string[]
}

/** Runs an operation of the kind on `doc`. */
export const run = (
  { kind }: Pick<Scene, 'kind'>,
  doc: Y.Doc,
  name: string,
  input: unknown,
  ctx: OperationContext,
): void => {
  const operation = kind.operations.find((one) => one.name === name)
  if (!operation || !kind.rule) throw new Error(`no operation ${name}`)
  runOperation({ collections: kind.collections, rule: kind.rule }, operation, doc, input, ctx)
}

/** One update with all that `write` does to a copy of `doc` under `clientId`; no rule is asked. */
export const forge = (doc: Y.Doc, clientId: number, { write }: Pick<Forgery, 'write'>): Uint8Array => {
  const copy = new Y.Doc()
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
  copy.clientID = clientId
  const updates: Uint8Array[] = []
  copy.on('update', (update: Uint8Array) => updates.push(update))
  const bytes = copy.transact(() => write(copy, clientId))
  if (bytes) return bytes
  if (updates.length === 0) throw new Error('the forgery does nothing')
  return Y.mergeUpdates(updates)
}

/** Sets a key to a value as any Yjs client can. */
export const set =
  (root: string, key: string, value: unknown): Forgery['write'] =>
  (doc) =>
    void doc.getMap<unknown>(root).set(key, value)

export const remove =
  (root: string, key: string): Forgery['write'] =>
  (doc) =>
    doc.getMap(root).delete(key)
