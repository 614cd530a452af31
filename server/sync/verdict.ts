// May this update be applied to this document by this user? Judged statically, before anything is applied: form, gaps,
// authorship, roots, keys, depth, size (design 4.2). Pure: reads the live doc, changes nothing, waits for nothing.
// The caller applies in the same synchronous step, so nothing can come between.
import * as Y from 'yjs'
import type { ErrorCode } from '../../shared/errors.ts'
import {
  DEPTH_MAX,
  DOCUMENT_BYTES_MAX,
  ROOTS_MAX,
  SUBDOCUMENTS_MAX,
  SERVER_CLIENT_ID_MIN,
} from '../../shared/limits.ts'
import type { Kind } from '../../shared/kind.ts'
import type { Facts as RuleFacts } from '../../shared/rules.ts'
import { Content, type StructId, UnreadableUpdate } from './update-bytes.ts'
import { type Block, readUpdate, type ReadUpdate, type Struct } from './update-reader.ts'
import { type Coverage, createCoverage } from './coverage.ts'
import { type Effort, searchEffort, splitEffort } from './effort.ts'
import { liveDeletes } from './live-deletes.ts'
import { createHomes, type HomeOf } from './homes.ts'
import { createPlacement } from './placement.ts'
import { judgeRecords } from './record-verdict.ts'

/** What the verdict needs to know, loaded before it is asked. */
export interface Facts extends RuleFacts {
  readonly doc: Y.Doc
  readonly kind: Pick<Kind, 'roots' | 'rule'>
  readonly readOnly: boolean
  /** Owner of each claimed client id of the document. */
  readonly claims: ReadonlyMap<number, string>
  /** Encoded size of the document, about. */
  readonly documentBytes: number
}

export type Verdict =
  /** Apply `update`: what came, less what the server already has. `claims` are client ids that belong to nobody yet. */
  | { readonly verdict: 'accept'; readonly update: Uint8Array; readonly claims: readonly number[] }
  /** Nothing in it is new: there is nothing to apply, and it may be acknowledged. */
  | { readonly verdict: 'known' }
  | {
      readonly verdict: 'refuse'
      readonly code: ErrorCode
      readonly path: string
      readonly clientId: number
      readonly clock: number
    }

/** Thrown inside this file only, and turned into a verdict at its border. */
class Refusal extends Error {
  readonly code: ErrorCode
  readonly path: string
  constructor(code: ErrorCode, path = '') {
    super(code)
    this.code = code
    this.path = path
  }
}

const hasOverlap = (doc: Y.Doc, { blocks }: ReadUpdate): boolean =>
  blocks.some(({ client, clock }) => clock < Y.getState(doc.store, client))

const areDeletesKnown = (doc: Y.Doc, deletes: readonly number[]): boolean =>
  liveDeletes(doc, deletes).next().done === true

/**
 * Each struct must find what it refers to: in the document, earlier in its own block, or in another block of this
 * update, without a circle. Otherwise Yjs would keep it as pending, invisible to every check, or throw half way.
 */
const checkDependencies = (doc: Y.Doc, blocks: readonly Block[]): void => {
  const stateOf = (client: number): number => Y.getState(doc.store, client)
  const byClient = new Map(blocks.map((block) => [block.client, block]))
  const done = new Map(blocks.map((block) => [block.client, 0]))

  /** What of another block this struct must wait for, or null. */
  const blockedBy = (block: Block, struct: Struct): StructId | null => {
    for (const id of [struct.origin, struct.rightOrigin, struct.parent]) {
      if (id === null || typeof id === 'string') continue
      if (id.client === block.client) {
        if (id.clock >= struct.clock) throw new Refusal('malformed')
        continue
      }
      if (id.clock < stateOf(id.client)) continue
      const other = byClient.get(id.client)
      if (!other || id.clock >= other.end) throw new Refusal('gap')
      const reached = other.structs[done.get(other.client) as number]
      if (reached && id.clock >= reached.clock) return id
    }
    return null
  }

  // Depth first, each block only as far as the one above it needs: every struct is looked at once, and once more for each
  // block it waits for. A block that is asked for while it waits itself is part of a circle.
  const isOpen = new Set<number>()
  const open: { block: Block; until: number }[] = []
  const push = (block: Block, until: number): void => {
    if (isOpen.has(block.client)) throw new Refusal('gap')
    isOpen.add(block.client)
    open.push({ block, until })
  }
  for (const root of blocks) {
    push(root, root.end)
    for (let top = open.at(-1); top; top = open.at(-1)) {
      const { block, until } = top
      let index = done.get(block.client) as number
      let blocker: StructId | null = null
      for (; index < block.structs.length; index++) {
        const struct = block.structs[index] as Struct
        if (struct.clock >= until) break
        blocker = blockedBy(block, struct)
        if (blocker) break
      }
      done.set(block.client, index)
      if (blocker) push(byClient.get(blocker.client) as Block, blocker.clock + 1)
      else {
        isOpen.delete(block.client)
        open.pop()
      }
    }
  }
}

/**
 * Both neighbours of a struct stand in the same list, or both were collected; and a map holds one value per key, unless
 * they are deleted: a client that keeps what is deleted, to undo it, has merged those. Anything else makes Yjs throw half
 * way, at once or when it collects the type.
 */
const checkHomes = (homeOf: HomeOf, { blocks, deletes }: ReadUpdate): void => {
  let isCovered: Coverage | undefined
  for (const { client, structs } of blocks) {
    for (const { origin, rightOrigin, length, content, clock } of structs) {
      if (origin && rightOrigin) {
        const left = homeOf(origin)
        const right = homeOf(rightOrigin)
        if (left?.holder !== right?.holder || left?.key !== right?.key) throw new Refusal('malformed')
      }
      if (length > 1 && content !== Content.GC && content !== Content.Deleted) {
        if (typeof homeOf({ client, clock })?.key !== 'string') continue
        isCovered ??= createCoverage(deletes)
        if (content !== Content.Any || !isCovered(client, clock, length)) throw new Refusal('malformed')
      }
    }
  }
}

/** Refuses foreign and reserved client ids; returns those that nobody owns yet. */
const checkAuthors = (facts: Facts, blocks: readonly Block[]): number[] =>
  blocks.flatMap(({ client }) => {
    const owner = facts.claims.get(client)
    if (owner === facts.actor) return []
    if (owner !== undefined || client >= SERVER_CLIENT_ID_MIN) throw new Refusal('client-id-taken')
    return [client]
  })

const checkRoots = ({ doc, kind }: Facts, blocks: readonly Block[]): void => {
  const added = new Set<string>()
  for (const { structs } of blocks) {
    for (const { parent } of structs) {
      if (typeof parent !== 'string' || added.has(parent)) continue
      if (kind.roots !== 'any' && !kind.roots.includes(parent)) throw new Refusal('root-not-allowed', parent)
      if (doc.share.has(parent)) continue
      added.add(parent)
      if (doc.share.size + added.size > ROOTS_MAX) throw new Refusal('root-not-allowed', parent)
    }
  }
}

/** Each costs a whole Y.Doc, however short it is on the wire. */
const checkSubdocuments = ({ doc }: Facts, blocks: readonly Block[]): void => {
  let count = doc.subdocs.size
  for (const { structs } of blocks) for (const { content } of structs) if (content === Content.Doc) count++
  if (count > SUBDOCUMENTS_MAX) throw new Refusal('too-large')
}

/** Shared types may not nest deeper than readers and deletes can follow. */
const checkDepth = ({ doc }: Facts, blocks: readonly Block[]): void => {
  if (!blocks.some(({ structs }) => structs.some(({ content }) => content === Content.Type))) return
  const placement = createPlacement(doc, blocks)
  for (const { client, structs } of blocks) {
    for (const { content, clock } of structs) {
      if (content === Content.Type && placement.depthOf({ client, clock }) >= DEPTH_MAX) throw new Refusal('too-deep')
    }
  }
}

/** Where plain records are kept, every change is asked about. */
const checkRecords = (facts: Facts, read: ReadUpdate, update: Uint8Array, homeOf: HomeOf): void => {
  const { doc, kind } = facts
  if (!kind.rule) return
  const refusal = judgeRecords({ doc, read, update, homeOf, rule: kind.rule, facts })
  if (refusal) throw new Refusal(refusal.code, refusal.path)
}

const demand = (effort: Effort): void => {
  if (effort === 'never-ending') throw new Refusal('malformed')
  if (effort === 'too-much') throw new Refusal('too-large')
}

const judgeNew = (facts: Facts, update: Uint8Array, read: ReadUpdate): Verdict => {
  const { doc, readOnly, documentBytes } = facts
  const { blocks, deletes } = read
  if (blocks.length === 0 && areDeletesKnown(doc, deletes)) return { verdict: 'known' }
  if (readOnly) throw new Refusal('read-only')
  for (const { client, clock } of blocks) if (clock > Y.getState(doc.store, client)) throw new Refusal('gap')
  const claims = checkAuthors(facts, blocks)
  checkDependencies(doc, blocks)
  const homeOf = createHomes(doc, blocks)
  checkHomes(homeOf, read)
  demand(searchEffort(doc, blocks))
  demand(splitEffort(doc, deletes))
  checkRoots(facts, blocks)
  checkRecords(facts, read, update, homeOf)
  checkDepth(facts, blocks)
  checkSubdocuments(facts, blocks)
  if (blocks.length > 0 && documentBytes + update.byteLength > DOCUMENT_BYTES_MAX) throw new Refusal('too-large')
  return { verdict: 'accept', update, claims }
}

/** Judges one update, as it came off the wire. Never throws; takes time in proportion to what is new. */
export const judge = (facts: Facts, update: Uint8Array): Verdict => {
  const { doc } = facts
  const knownEnd = (client: number): number => Y.getState(doc.store, client)
  let read: ReadUpdate = { blocks: [], deletes: [] }
  try {
    read = readUpdate(update, knownEnd)
    // What the server has already is cut away first: an overlap would make Yjs split structs it may have collected.
    if (!hasOverlap(doc, read)) return judgeNew(facts, update, read)
    const fresh = Y.diffUpdate(update, Y.encodeStateVector(doc))
    read = readUpdate(fresh, knownEnd)
    return judgeNew(facts, fresh, read)
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof UnreadableUpdate)) throw error
    const first = read.blocks.find(({ client, end }) => end > knownEnd(client))
    return {
      verdict: 'refuse',
      code: error.code,
      path: error instanceof Refusal ? error.path : '',
      clientId: first?.client ?? -1,
      clock: first ? Math.max(first.clock, knownEnd(first.client)) : -1,
    }
  }
}
