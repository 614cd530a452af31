// Ids and chance that are the same in every run: made from the device, the app and the app's own name of a thing. Synchronous,
// because steps name each other by id, and without `crypto.subtle`, which pages without TLS do not have.
import { digest } from 'lib0/hash/sha256'
import { stringify } from 'uuid'

const encoder = new TextEncoder()

const sha256 = (text: string): Uint8Array => digest(encoder.encode(text))

export const sha256Hex = (text: string): string =>
  Array.from(sha256(text), (byte) => byte.toString(16).padStart(2, '0')).join('')

/** What ids are made from, beside the key. */
export interface IdScope {
  /** Of this installation. */
  readonly install: string
  readonly app: string
  /** Empty for the first person of a device who takes the app's data over. */
  readonly scope: string
  /** One more after each undo: what was deleted keeps its id. */
  readonly generation: number
}

/** A UUID of version 8: `key` always gives the same one, another key another. */
export const stableId = ({ install, app, scope, generation }: IdScope, key: string): string => {
  const bytes = sha256(JSON.stringify([install, app, scope, generation, key])).slice(0, 16)
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  return stringify(bytes)
}

const UINT32 = 2 ** 32

/** Numbers from 0 to 1, the same ones for each id: two tabs give a record the same place. mulberry32. */
export const stableRandom = (id: string): (() => number) => {
  let state = 0
  for (let at = 0; at < id.length; at++) state = Math.imul(state ^ id.charCodeAt(at), 0x9e3779b1)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / UINT32
  }
}

/** Short, and good enough to see that a record was changed. */
export const markOf = (text: string): string => (text === '' ? '' : sha256Hex(text).slice(0, 12))
