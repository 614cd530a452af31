// Reads a Yjs update (v1) byte by byte and by itself, so that hostile bytes meet no code that allocates or applies
// before it checks. Reading needs no document: form only. What the structs may do is the verdict's business.
//
// Source of the format: yjs 13.6.33 `utils/encoding.js` (readClientsStructRefs) and `utils/DeleteSet.js`.
import {
  CLIENT_ID_MAX,
  CLOCK_MAX,
  DELETED_RUN_MAX,
  MERGED_VALUES_MAX,
  NEW_CLIENTS_PER_UPDATE_MAX,
} from '../../shared/limits.ts'
import { Content, malformed, type StructId, UnreadableUpdate, UpdateBytes } from './update-bytes.ts'

export interface Struct {
  readonly content: number
  readonly clock: number
  /** In Yjs clock units; at least 1. */
  readonly length: number
  readonly origin: StructId | null
  readonly rightOrigin: StructId | null
  /** A root's name, the id of the item that holds the parent type, or null: the parent of the origins. */
  readonly parent: string | StructId | null
  /** The map key, where the struct names its parent itself. */
  readonly parentSub: string | null
  /** Where its content stands in the update. */
  readonly at: number
}

export interface Block {
  readonly client: number
  readonly clock: number
  /** The clock after the last struct. */
  readonly end: number
  readonly structs: readonly Struct[]
}

export interface ReadUpdate {
  readonly blocks: readonly Block[]
  /** Deleted ranges as `client, clock, length` triples, flat; per client sorted and disjoint. */
  readonly deletes: readonly number[]
}

const HAS_ORIGIN = 0x80
const HAS_RIGHT_ORIGIN = 0x40
const HAS_PARENT_SUB = 0x20
const CONTENT_BITS = 0x1f
const SKIP = 10
/** Garbage-collected neighbours are one struct in anything Yjs writes; a few more are tolerated from other encoders. */
const UNMERGED_GC_MAX = 1_000

const readStruct = (reader: UpdateBytes, clock: number): Struct => {
  const info = reader.byte()
  const content = info & CONTENT_BITS
  if (content === SKIP) throw new UnreadableUpdate('gap', 'the update has a hole')
  if (content === Content.GC) {
    if (info !== 0) throw malformed('unknown struct')
    const length = reader.uintUpTo(DELETED_RUN_MAX, 'collected run')
    return {
      content,
      clock,
      length,
      origin: null,
      rightOrigin: null,
      parent: null,
      parentSub: null,
      at: reader.at,
    }
  }
  const origin = info & HAS_ORIGIN ? reader.id() : null
  const rightOrigin = info & HAS_RIGHT_ORIGIN ? reader.id() : null
  let parent: string | StructId | null = null
  let parentSub: string | null = null
  if (!origin && !rightOrigin) {
    parent = reader.uint() === 1 ? reader.key() : reader.id()
    if (info & HAS_PARENT_SUB) parentSub = reader.key()
  }
  const { at } = reader
  return {
    content,
    clock,
    length: reader.content(content),
    origin,
    rightOrigin,
    parent,
    parentSub,
    at,
  }
}

const readBlock = (reader: UpdateBytes): Block => {
  const count = reader.uint()
  if (count === 0) throw malformed('empty block')
  const client = reader.uintUpTo(CLIENT_ID_MAX, 'client id')
  const clock = reader.uintUpTo(CLOCK_MAX, 'clock')
  const structs: Struct[] = []
  let end = clock
  let unmerged = 0
  let last: number = Content.Deleted
  for (let i = 0; i < count; i++) {
    const struct = readStruct(reader, end)
    if (struct.length === 0) throw malformed('empty struct')
    if (struct.content === Content.GC && last === Content.GC && ++unmerged > UNMERGED_GC_MAX) {
      throw malformed('too many collected structs side by side')
    }
    last = struct.content
    end += struct.length
    if (end > CLOCK_MAX) throw malformed('clock too large')
    structs.push(struct)
  }
  return { client, clock, end, structs }
}

const readDeletes = (reader: UpdateBytes, mayDelete: (client: number, end: number) => boolean): number[] => {
  const deletes: number[] = []
  const clients = reader.uint()
  const seen = new Set<number>()
  for (let i = 0; i < clients; i++) {
    const client = reader.uintUpTo(CLIENT_ID_MAX, 'client id')
    if (seen.has(client)) throw malformed('client twice in the delete set')
    seen.add(client)
    const ranges = reader.uint()
    let end = 0
    for (let j = 0; j < ranges; j++) {
      const clock = reader.uintUpTo(CLOCK_MAX, 'clock')
      const length = reader.uintUpTo(CLOCK_MAX, 'deleted range')
      if (clock < end || length === 0) throw malformed('delete set out of order')
      end = clock + length
      if (!mayDelete(client, end)) throw new UnreadableUpdate('gap', 'deletes what is not there')
      deletes.push(client, clock, length)
    }
  }
  return deletes
}

/** Whether `struct` goes on where `last` ended, so that Yjs would merge the two if both are deleted or neither. */
const goesOn = (client: number, last: Struct, { content, origin, rightOrigin, clock }: Struct): boolean =>
  content === last.content &&
  origin?.client === client &&
  origin.clock === clock - 1 &&
  rightOrigin?.client === last.rightOrigin?.client &&
  rightOrigin?.clock === last.rightOrigin?.clock

/** Elements Yjs copies to merge the rows of a block; `isDeleted` tells what it will not merge with its neighbours. */
const copiesOf = ({ client, structs }: Block, isDeleted: (clock: number) => boolean): number => {
  let copies = 0
  let row = 0
  let last: Struct | null = null
  let wasDeleted = false
  for (const struct of structs) {
    if (struct.content !== Content.Any && struct.content !== Content.JSON) {
      last = null
      continue
    }
    const deleted = isDeleted(struct.clock)
    row = last && wasDeleted === deleted && goesOn(client, last, struct) ? row + 1 : 0
    copies += row * struct.length
    last = struct
    wasDeleted = deleted
  }
  return copies
}

/** Refuses long rows of single values: merging them costs Yjs the square of their number, in time and memory. */
const checkRows = (block: Block, deletes: readonly number[]): void => {
  if (copiesOf(block, () => false) <= MERGED_VALUES_MAX) return
  // Rare: a client that collects nothing sends what it deleted here and there as a row, which Yjs leaves as it is.
  let at = 0
  const isDeleted = (clock: number): boolean => {
    while (
      at < deletes.length &&
      (deletes[at] !== block.client || (deletes[at + 1] as number) + (deletes[at + 2] as number) <= clock)
    ) {
      at += 3
    }
    return at < deletes.length && (deletes[at + 1] as number) <= clock
  }
  if (copiesOf(block, isDeleted) > MERGED_VALUES_MAX) {
    throw new UnreadableUpdate('too-large', 'too many unmerged values')
  }
}

/**
 * Reads `update`; throws {@link UnreadableUpdate}. `knownEnd` gives the clock up to which a client's structs exist
 * already: a delete set that reaches further than that and the update itself is refused at its first such range.
 */
export const readUpdate = (update: Uint8Array, knownEnd: (client: number) => number): ReadUpdate => {
  const reader = new UpdateBytes(update)
  const count = reader.uint()
  const blocks: Block[] = []
  const ends = new Map<number, number>()
  let newClients = 0
  for (let i = 0; i < count; i++) {
    const block = readBlock(reader)
    if (ends.has(block.client)) throw malformed('client twice in one update')
    if (knownEnd(block.client) === 0 && ++newClients > NEW_CLIENTS_PER_UPDATE_MAX) {
      throw new UnreadableUpdate('too-large', 'too many client ids')
    }
    ends.set(block.client, block.end)
    blocks.push(block)
  }
  const deletes = readDeletes(reader, (client, end) => end <= Math.max(knownEnd(client), ends.get(client) ?? 0))
  if (!reader.isAtEnd) throw malformed('bytes after the end')
  for (const block of blocks) checkRows(block, deletes)
  return { blocks, deletes }
}
