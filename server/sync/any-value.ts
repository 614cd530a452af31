// Reads one value in lib0's `any` encoding whose bytes were checked before (`update-bytes.ts`). lib0's own reader takes
// three times as long for a small record, most of it in one TextDecoder call per string.
//
// Source of the format: lib0 0.2.120 `decoding.js` (readAny).

class ValueReader {
  readonly #bytes: Buffer
  #at: number

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  #byte(): number {
    return this.#bytes[this.#at++] as number
  }

  uint(): number {
    let next = this.#byte()
    let value = next & 0x7f
    for (let factor = 0x80; next >= 0x80; factor *= 0x80) {
      next = this.#byte()
      value += (next & 0x7f) * factor
    }
    return value
  }

  #int(): number {
    let next = this.#byte()
    const sign = next & 0x40 ? -1 : 1
    let value = next & 0x3f
    for (let factor = 0x40; next >= 0x80; factor *= 0x80) {
      next = this.#byte()
      value += (next & 0x7f) * factor
    }
    return sign * value
  }

  #skip(length: number): number {
    const from = this.#at
    this.#at += length
    return from
  }

  #string(): string {
    const length = this.uint()
    const from = this.#skip(length)
    return this.#bytes.toString('utf8', from, from + length)
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    for (let count = this.uint(); count > 0; count--) object[this.#string()] = this.value()
    return object
  }

  #array(): unknown[] {
    const array: unknown[] = []
    for (let count = this.uint(); count > 0; count--) array.push(this.value())
    return array
  }

  #binary(): Uint8Array {
    const length = this.uint()
    const from = this.#skip(length)
    return this.#bytes.subarray(from, from + length)
  }

  value(): unknown {
    switch (this.#byte()) {
      case 126:
        return null
      case 125:
        return this.#int()
      case 124:
        return this.#bytes.readFloatBE(this.#skip(4))
      case 123:
        return this.#bytes.readDoubleBE(this.#skip(8))
      case 122:
        return this.#bytes.readBigInt64BE(this.#skip(8))
      case 121:
        return false
      case 120:
        return true
      case 119:
        return this.#string()
      case 118:
        return this.#object()
      case 117:
        return this.#array()
      case 116:
        return this.#binary()
      default:
        return undefined
    }
  }
}

/** The first of the values of an item, whose count stands at `at`. */
export const readFirstValue = (update: Uint8Array, at: number): unknown => {
  const reader = new ValueReader(Buffer.from(update.buffer, update.byteOffset, update.byteLength), at)
  reader.uint()
  return reader.value()
}
