// Assertions that run in a page as well as under Node: values compared deeply, bytes by their content.
import { StoreError, type StoreErrorCode } from '../../client-sdk/offline/store.ts'

const SHOWN_LENGTH_MAX = 300

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const isSame = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    const areBytes = a instanceof Uint8Array && b instanceof Uint8Array && a.length === b.length
    return areBytes && a.every((byte, index) => byte === b[index])
  }
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>]
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && isSame(left[key], right[key]))
  )
}

const show = (value: unknown): string => {
  const text = JSON.stringify(value, (_key, inner: unknown) =>
    inner instanceof Uint8Array ? `bytes(${inner.length}): ${inner.slice(0, 20).join(' ')}` : inner,
  )
  return (text ?? String(value)).slice(0, SHOWN_LENGTH_MAX)
}

export const equal = (actual: unknown, expected: unknown, what = 'not equal'): void => {
  if (!isSame(actual, expected)) throw new Error(`${what}: got ${show(actual)}, expected ${show(expected)}`)
}

export const rejects = async (work: Promise<unknown>, code: StoreErrorCode): Promise<void> => {
  const outcome: unknown = await work.then(
    (value) => `resolved with ${show(value)}`,
    (error: unknown) => error,
  )
  if (!(outcome instanceof StoreError)) throw new Error(`expected ${code}: ${String(outcome)}`)
  equal(outcome.code, code)
}
