// Reads a Yjs update (v1) byte by byte and by itself, so that hostile bytes meet no code that allocates or applies
// before it checks. Reading needs no document: form only. What the structs may do is the verdict's business.
//
// Source of the format: yjs 13.6.33, `utils/encoding.js` (readClientsStructRefs), `utils/UpdateDecoder.js`,
// `utils/DeleteSet.js` and `structs/Content*.js`; values as in lib0 0.2.120 `decoding.js` (readAny).
import { isUtf8 } from 'node:buffer'
import {
  CLIENT_ID_MAX,
  CLOCK_MAX,
  DELETED_RUN_MAX,
  DEPTH_MAX,
  KEY_BYTES_MAX,
  NEW_CLIENTS_PER_UPDATE_MAX,
} from '../../shared/limits.ts'
import type { ErrorCode } from '../../shared/errors.ts'

export interface StructId {
  readonly client: number
  readonly clock: number
}

/** What a struct holds, numbered as on the wire. */
export const Content = {
  GC: 0,
  Deleted: 1,
  JSON: 2,
  Binary: 3,
  String: 4,
  Embed: 5,
  Format: 6,
  Type: 7,
  Any: 8,
  Doc: 9,
} as const

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

/** The bytes are not an update an honest client could have written. */
export class UnreadableUpdate extends Error {
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string) {
    super(message)
    this.name = 'UnreadableUpdate'
    this.code = code
  }
}

const malformed = (message: string): UnreadableUpdate => new UnreadableUpdate('malformed', message)

const HAS_ORIGIN = 0x80
const HAS_RIGHT_ORIGIN = 0x40
const HAS_PARENT_SUB = 0x20
const CONTENT_BITS = 0x1f
const SKIP = 10
const TYPE_REF_MAX = 6
const TYPE_REF_XML_ELEMENT = 3
const TYPE_REF_XML_HOOK = 5
/** Garbage-collected neighbours are one struct in anything Yjs writes; a few more are tolerated from other encoders. */
const UNMERGED_GC_MAX = 1_000

const CONTROL = /\p{Cc}/u

/** Keys and root names: no control characters, nothing that changes an object's prototype. */
const checkKey = (key: string): string => {
  if (key === '__proto__' || CONTROL.test(key)) throw new UnreadableUpdate('key-not-allowed', 'key not allowed')
  return key
}

const checkJson = (value: unknown, depth: number): void => {
  if (typeof value !== 'object' || value === null) return
  if (depth >= DEPTH_MAX) throw new UnreadableUpdate('too-deep', 'value nested too deep')
  for (const [key, inner] of Object.entries(value)) {
    if (key === '__proto__') throw new UnreadableUpdate('key-not-allowed', 'key not allowed')
    checkJson(inner, depth + 1)
  }
}

class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  byte(): number {
    const value = this.#bytes[this.#at++]
    if (value === undefined) throw malformed('unexpected end')
    return value
  }

  /** A whole number of at most 53 bits. */
  uint(): number {
    let value = this.byte()
    if (value < 0x80) return value
    value &= 0x7f
    let factor = 0x80
    for (;;) {
      const next = this.byte()
      value += (next & 0x7f) * factor
      if (value > Number.MAX_SAFE_INTEGER) throw malformed('number too large')
      if (next < 0x80) return value
      factor *= 0x80
    }
  }

  uintUpTo(max: number, what: string): number {
    const value = this.uint()
    if (value > max) throw malformed(`${what} too large`)
    return value
  }

  skip(count: number): void {
    if (count > this.#bytes.length - this.#at) throw malformed('unexpected end')
    this.#at += count
  }

  #slice(): Uint8Array {
    const length = this.uint()
    const start = this.#at
    this.skip(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** Steps over a string and returns its length in UTF-16 units. */
  stringLength(): number {
    const slice = this.#slice()
    let ascii = true
    let units = 0
    for (const byte of slice) {
      if (byte < 0x80) units++
      else {
        ascii = false
        if (byte >= 0xc0) units += byte >= 0xf0 ? 2 : 1
      }
    }
    if (!ascii && !isUtf8(slice)) throw malformed('invalid UTF-8')
    return units
  }

  string(bytesMax: number): string {
    const slice = this.#slice()
    if (slice.length > bytesMax) throw new UnreadableUpdate('key-not-allowed', 'name too long')
    if (!isUtf8(slice)) throw malformed('invalid UTF-8')
    return Buffer.from(slice.buffer, slice.byteOffset, slice.byteLength).toString('utf8')
  }

  /** A key or root name. */
  key(): string {
    return checkKey(this.string(KEY_BYTES_MAX))
  }

  json(): void {
    const text = this.string(Number.MAX_SAFE_INTEGER)
    if (text === 'undefined') return
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      throw malformed('invalid JSON')
    }
    checkJson(value, 0)
  }

  id(): StructId {
    return { client: this.uintUpTo(CLIENT_ID_MAX, 'client id'), clock: this.uintUpTo(CLOCK_MAX, 'clock') }
  }

  /** Steps over one lib0 `any` value. */
  any(depth: number): void {
    const type = this.byte()
    switch (type) {
      case 127: // undefined
      case 126: // null
      case 121: // false
      case 120: // true
        return
      case 125: // integer: varInt, whose first byte holds 6 bits
        this.#varInt()
        return
      case 124: // float32
        this.skip(4)
        return
      case 123: // float64
      case 122: // bigint64
        this.skip(8)
        return
      case 119:
        this.stringLength()
        return
      case 118:
      case 117: {
        if (depth >= DEPTH_MAX) throw new UnreadableUpdate('too-deep', 'value nested too deep')
        const count = this.uint()
        for (let i = 0; i < count; i++) {
          if (type === 118 && this.string(Number.MAX_SAFE_INTEGER) === '__proto__')
            throw new UnreadableUpdate('key-not-allowed', 'key not allowed')
          this.any(depth + 1)
        }
        return
      }
      case 116: // bytes
        this.#slice()
        return
      default:
        throw malformed('unknown value type')
    }
  }

  #varInt(): void {
    let next = this.byte()
    for (let count = 1; next >= 0x80; count++) {
      if (count > 8) throw malformed('number too large')
      next = this.byte()
    }
  }

  /** Steps over the content of an item and returns its length in clock units. */
  content(content: number): number {
    switch (content) {
      case Content.Deleted:
        return this.uintUpTo(DELETED_RUN_MAX, 'deleted run')
      case Content.JSON: {
        const length = this.uint()
        for (let i = 0; i < length; i++) this.json()
        return length
      }
      case Content.Binary:
        this.#slice()
        return 1
      case Content.String:
        return this.stringLength()
      case Content.Embed:
        this.json()
        return 1
      case Content.Format:
        this.key()
        this.json()
        return 1
      case Content.Type: {
        const type = this.uintUpTo(TYPE_REF_MAX, 'type')
        if (type === TYPE_REF_XML_ELEMENT || type === TYPE_REF_XML_HOOK) this.key()
        return 1
      }
      case Content.Any: {
        const length = this.uint()
        for (let i = 0; i < length; i++) this.any(0)
        return length
      }
      case Content.Doc:
        this.key()
        this.any(0)
        return 1
      default:
        throw malformed('unknown content')
    }
  }
}

const readStruct = (reader: Reader, clock: number): Struct => {
  const info = reader.byte()
  const content = info & CONTENT_BITS
  if (content === SKIP) throw new UnreadableUpdate('gap', 'the update has a hole')
  if (content === Content.GC) {
    if (info !== 0) throw malformed('unknown struct')
    const length = reader.uintUpTo(DELETED_RUN_MAX, 'collected run')
    return { content, clock, length, origin: null, rightOrigin: null, parent: null, parentSub: null }
  }
  const origin = info & HAS_ORIGIN ? reader.id() : null
  const rightOrigin = info & HAS_RIGHT_ORIGIN ? reader.id() : null
  let parent: string | StructId | null = null
  let parentSub: string | null = null
  if (!origin && !rightOrigin) {
    parent = reader.uint() === 1 ? reader.key() : reader.id()
    if (info & HAS_PARENT_SUB) parentSub = reader.key()
  }
  return { content, clock, length: reader.content(content), origin, rightOrigin, parent, parentSub }
}

const readBlock = (reader: Reader): Block => {
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

const readDeletes = (reader: Reader, mayDelete: (client: number, end: number) => boolean): number[] => {
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

/**
 * Reads `update`; throws {@link UnreadableUpdate}. `knownEnd` gives the clock up to which a client's structs exist
 * already: a delete set that reaches further than that and the update itself is refused at its first such range.
 */
export const readUpdate = (update: Uint8Array, knownEnd: (client: number) => number): ReadUpdate => {
  const reader = new Reader(update)
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
  return { blocks, deletes }
}
