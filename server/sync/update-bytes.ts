// The bytes of a Yjs update (v1), one value at a time, each checked before it is believed. Allocates no more than it has
// been sent, and stops at the first byte that cannot be.
//
// Source of the format: yjs 13.6.33 `utils/UpdateDecoder.js` and `structs/Content*.js`; values as in lib0 0.2.120
// `decoding.js` (readAny).
import { isUtf8 } from 'node:buffer'
import type { ErrorCode } from '../../shared/errors.ts'
import { CLIENT_ID_MAX, CLOCK_MAX, DELETED_RUN_MAX, DEPTH_MAX, KEY_BYTES_MAX } from '../../shared/limits.ts'

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

/** The bytes are not an update an honest client could have written. */
export class UnreadableUpdate extends Error {
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string) {
    super(message)
    this.name = 'UnreadableUpdate'
    this.code = code
  }
}

export const malformed = (message: string): UnreadableUpdate => new UnreadableUpdate('malformed', message)

const TYPE_REF_MAX = 6
const TYPE_REF_XML_ELEMENT = 3
const TYPE_REF_XML_HOOK = 5

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

export class UpdateBytes {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The offset of the next byte. */
  get at(): number {
    return this.#at
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
      // Nobody spells a number longer than it needs: 8 bytes hold 53 bits. Further on, zero times infinity is NaN.
      if (factor === 0x80 ** 7) throw malformed('number too long')
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

  json(mayBeUndefined: boolean): void {
    const text = this.string(Number.MAX_SAFE_INTEGER)
    if (mayBeUndefined && text === 'undefined') return
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
    let value = next & 0x3f
    // As lib0 reads it: beyond 53 bits it throws as soon as another byte follows.
    for (let factor = 0x40; next >= 0x80; factor *= 0x80) {
      if (value > Number.MAX_SAFE_INTEGER || factor > 2 ** 49) throw malformed('number too large')
      next = this.byte()
      value += (next & 0x7f) * factor
    }
  }

  /** What Yjs writes beside a subdocument's guid; anything else would reach the constructor of Y.Doc. */
  #subdocOptions(): void {
    if (this.byte() !== 118) throw malformed('bad subdocument')
    for (let count = this.uint(); count > 0; count--) {
      const key = this.string(KEY_BYTES_MAX)
      if (key === 'meta') this.any(1)
      else if ((key !== 'gc' && key !== 'autoLoad') || (this.byte() & 0xfe) !== 120) throw malformed('bad subdocument')
    }
  }

  /** Steps over the content of an item and returns its length in clock units. */
  content(content: number): number {
    switch (content) {
      case Content.Deleted:
        return this.uintUpTo(DELETED_RUN_MAX, 'deleted run')
      case Content.JSON: {
        const length = this.uint()
        for (let i = 0; i < length; i++) this.json(true)
        return length
      }
      case Content.Binary:
        this.#slice()
        return 1
      case Content.String:
        return this.stringLength()
      case Content.Embed:
        this.json(false)
        return 1
      case Content.Format:
        this.key()
        this.json(false)
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
        this.#subdocOptions()
        return 1
      default:
        throw malformed('unknown content')
    }
  }
}
