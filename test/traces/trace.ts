// The editing traces of test/fixtures/traces: reading them, and following in which state of a document each edit was made.
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import type * as Y from 'yjs'

/** Position, how many characters go, and what comes instead. */
export type Patch = readonly [position: number, deleted: number, inserted: string]

export interface SequentialTrace {
  readonly startContent: string
  readonly endContent: string
  readonly txns: readonly { readonly patches: readonly Patch[] }[]
}

export interface ConcurrentTxn {
  /** Indexes of earlier transactions: the author's document held exactly these and their ancestors. */
  readonly parents: readonly number[]
  readonly agent: number
  readonly patches: readonly Patch[]
}

export interface ConcurrentTrace {
  readonly kind: 'concurrent'
  readonly endContent: string
  readonly numAgents: number
  readonly txns: readonly ConcurrentTxn[]
}

export const readTrace = async <Trace extends SequentialTrace | ConcurrentTrace>(name: string): Promise<Trace> => {
  const packed = await readFile(new URL(`../fixtures/traces/${name}.json.gz`, import.meta.url))
  return JSON.parse(gunzipSync(packed).toString('utf8')) as Trace
}

/** Applies one transaction of a trace as one Yjs transaction. */
export const applyPatches = (text: Y.Text, patches: readonly Patch[]): void => {
  const apply = (): void => {
    for (const [position, deleted, inserted] of patches) {
      if (deleted > 0) text.delete(position, deleted)
      if (inserted !== '') text.insert(position, inserted)
    }
  }
  const { doc } = text
  if (!doc) throw new Error('the text belongs to no document')
  doc.transact(apply)
}

/** What one author's document holds, as the trace's graph tells it. */
export interface Version {
  /** The transactions that must be added, oldest first, so that it holds `parents` and their ancestors. */
  readonly missing: (parents: readonly number[]) => number[]
  readonly add: (index: number) => void
  /** Whether it holds nothing but these transactions and their ancestors. */
  readonly isExactly: (parents: readonly number[]) => boolean
}

export const createVersion = (txns: readonly ConcurrentTxn[]): Version => {
  const held = new Set<number>()
  /** Those held that no other held one builds on. */
  const newest = new Set<number>()
  return {
    missing: (parents) => {
      const found = new Set<number>()
      const next = [...parents]
      for (let index = next.pop(); index !== undefined; index = next.pop()) {
        if (held.has(index) || found.has(index)) continue
        found.add(index)
        next.push(...(txns[index] as ConcurrentTxn).parents)
      }
      return [...found].sort((a, b) => a - b)
    },
    add: (index) => {
      held.add(index)
      for (const parent of (txns[index] as ConcurrentTxn).parents) newest.delete(parent)
      newest.add(index)
    },
    isExactly: (parents) => newest.size === parents.length && parents.every((parent) => newest.has(parent)),
  }
}
