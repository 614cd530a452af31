// Writes Yjs updates (v1) field by field, so that a test can say exactly what no honest client would write: wrong
// counts, foreign ids, structs that point anywhere. Checks nothing.
import * as encoding from 'lib0/encoding'

export type Id = readonly [client: number, clock: number]
export type Bytes = (encoder: encoding.Encoder) => void

export interface CraftedStruct {
  /** The content's number on the wire: `Content` of the update reader, 0 for a collected run, 10 for a hole. */
  readonly content: number
  readonly origin?: Id | undefined
  readonly rightOrigin?: Id | undefined
  /** A root's name or the id of the item that holds the type. */
  readonly parent?: string | Id
  readonly key?: string | undefined
  readonly body: Bytes
}

export interface CraftedBlock {
  readonly client: number
  readonly clock: number
  readonly structs: readonly CraftedStruct[]
}

export interface CraftedDeletes {
  readonly client: number
  readonly ranges: readonly (readonly [clock: number, length: number])[]
}

const writeId = (encoder: encoding.Encoder, [client, clock]: Id): void => {
  encoding.writeVarUint(encoder, client)
  encoding.writeVarUint(encoder, clock)
}

const ROOT: Id = [0, 0]

const writeStruct = (encoder: encoding.Encoder, struct: CraftedStruct): void => {
  const { content, origin, rightOrigin, parent, key, body } = struct
  if (content === 0 || content === 10) {
    encoding.writeUint8(encoder, content)
    body(encoder)
    return
  }
  const flags = (origin ? 0x80 : 0) | (rightOrigin ? 0x40 : 0) | (key === undefined ? 0 : 0x20)
  encoding.writeUint8(encoder, content | flags)
  if (origin) writeId(encoder, origin)
  if (rightOrigin) writeId(encoder, rightOrigin)
  if (!origin && !rightOrigin) {
    encoding.writeVarUint(encoder, typeof parent === 'string' ? 1 : 0)
    if (typeof parent === 'string') encoding.writeVarString(encoder, parent)
    else writeId(encoder, parent ?? ROOT)
    if (key !== undefined) encoding.writeVarString(encoder, key)
  }
  body(encoder)
}

export const writeUpdate = (blocks: readonly CraftedBlock[], deletes: readonly CraftedDeletes[] = []): Uint8Array => {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, blocks.length)
  for (const { client, clock, structs } of blocks) {
    encoding.writeVarUint(encoder, structs.length)
    writeId(encoder, [client, clock])
    for (const struct of structs) writeStruct(encoder, struct)
  }
  encoding.writeVarUint(encoder, deletes.length)
  for (const { client, ranges } of deletes) {
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, ranges.length)
    for (const range of ranges) writeId(encoder, range)
  }
  return encoding.toUint8Array(encoder)
}

/** Bodies: what stands behind the head of a struct. */
export const uint =
  (value: number): Bytes =>
  (encoder) =>
    encoding.writeVarUint(encoder, value)

export const raw =
  (...bytes: readonly number[]): Bytes =>
  (encoder) =>
    encoding.writeUint8Array(encoder, Uint8Array.from(bytes))

export const text =
  (value: string): Bytes =>
  (encoder) =>
    encoding.writeVarString(encoder, value)

export const binary =
  (value: Uint8Array): Bytes =>
  (encoder) =>
    encoding.writeVarUint8Array(encoder, value)

export const all =
  (...parts: readonly Bytes[]): Bytes =>
  (encoder) => {
    for (const part of parts) part(encoder)
  }

/** A counted list of values in lib0's `any` encoding. */
export const anys = (...values: readonly Bytes[]): Bytes => all(uint(values.length), ...values)
export const NULL = raw(126)

export const gc = (length: number): CraftedStruct => ({ content: 0, body: uint(length) })

/** Text in the root `root`, without neighbours. */
export const textIn = (root: string, value: string): CraftedStruct => ({ content: 4, parent: root, body: text(value) })

export const textAfter = (origin: Id, value: string): CraftedStruct => ({ content: 4, origin, body: text(value) })

/** A value under a key of the root `root`. */
export const valueAt = (root: string, key: string): CraftedStruct => ({
  content: 8,
  parent: root,
  key,
  body: anys(NULL),
})

/** One block of one client. */
export const one = (client: number, clock: number, ...structs: readonly CraftedStruct[]): Uint8Array =>
  writeUpdate([{ client, clock, structs }])

/** Bytes from hexadecimal text; spaces are for people. */
export const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

/** A zero spelt with `count` needless bytes: beyond 146 of them a naive reader multiplies zero by infinity. */
export const paddedZero = (count: number): string => `${'80'.repeat(count)}00`
