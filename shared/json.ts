// Plain JSON: what a record may hold. No NaN, no bigint, no bytes, no `undefined`, nothing that changes a prototype.
import { DEPTH_MAX } from './limits.ts'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

export const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)

const isKey = (key: string): boolean => key !== '__proto__' && key.isWellFormed()

export const isJson = (value: unknown, depth = 0): value is Json => {
  if (value === null || typeof value === 'boolean') return true
  // Half of a surrogate pair would be another character on every other device.
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value === 'number') return Number.isFinite(value)
  if (depth >= DEPTH_MAX) return false
  if (Array.isArray(value)) return value.every((inner) => isJson(inner, depth + 1))
  return (
    isPlainObject(value) &&
    Object.keys(value).every(isKey) &&
    Object.values(value).every((inner) => isJson(inner, depth + 1))
  )
}

/** Whether two values are equal as JSON; the order of keys does not count. */
export const isSameJson = (a: unknown, b: unknown): boolean => {
  if (a === b) return true
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((inner, index) => isSameJson(inner, b[index]))
  }
  if (!isPlainObject(a) || !isPlainObject(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isSameJson(a[key], b[key]))
  )
}
