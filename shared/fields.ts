// What a field of a record may hold: small checks, composed. They run for every change that arrives, so they are plain
// predicates; the schemas of operations, which people see, are built from the same limits.
import { isId } from './names.ts'
import { isPlainObject } from './json.ts'

export type Check = (value: unknown) => boolean

/** Bytes of a string in UTF-8, without encoding it. */
export const utf8Length = (text: string): number => {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 0x800) bytes += code >= 0xd800 && code <= 0xdbff ? 1 : 2
    else if (code >= 0x80) bytes++
    // A surrogate pair is two units and four bytes.
    if (code >= 0xd800 && code <= 0xdbff) {
      bytes++
      i++
    }
  }
  return bytes
}

/**
 * Whether `text` shows as what it is: no control characters, except tabs and line breaks where `lines` says so, and no half
 * of a surrogate pair. A loop, because a reader asks it of ten thousand records before an expression would be compiled.
 */
export const isShowable = (text: string, lines: boolean): boolean => {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 ? !lines || (code !== 0x09 && code !== 0x0a && code !== 0x0d) : code === 0x7f) return false
    if (code < 0xd800 || code > 0xdfff) continue
    const next = text.charCodeAt(++i)
    if (code > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return false
  }
  return true
}

/** Text of several lines, at most `bytesMax` in UTF-8; with no control characters and no half of a surrogate pair. */
export const isText =
  (bytesMax: number): Check =>
  (value) =>
    typeof value === 'string' &&
    value.length <= bytesMax &&
    (value.length * 3 <= bytesMax || utf8Length(value) <= bytesMax) &&
    isShowable(value, true)

/** One line of at most `lengthMax` UTF-16 units, not empty. */
export const isLine =
  (lengthMax: number): Check =>
  (value) =>
    typeof value === 'string' && value.length > 0 && value.length <= lengthMax && isShowable(value, false)

export const isInteger =
  (min: number, max: number): Check =>
  (value) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max

/** Milliseconds since the epoch, up to the year 9999. */
export const isTime: Check = isInteger(0, 253_402_300_799_999)

export const isBoolean: Check = (value) => typeof value === 'boolean'

export const isIdValue: Check = (value) => typeof value === 'string' && isId(value)

const DATE = /^\d{4}-\d{2}-\d{2}(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/

/** Of a month from 1 to 12; 0 for any other. */
const daysIn = (year: number, month: number): number => {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  if (month === 4 || month === 6 || month === 9 || month === 11) return 30
  return month >= 1 && month <= 12 ? 31 : 0
}

/** An ISO 8601 date, `2026-02-11`, or a date with time and zone, `2026-02-11T09:00:00Z`. The day must exist. */
export const isDate: Check = (value) => {
  if (typeof value !== 'string' || !DATE.test(value)) return false
  const day = Number(value.slice(8, 10))
  return day >= 1 && day <= daysIn(Number(value.slice(0, 4)), Number(value.slice(5, 7)))
}

export const isOneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    values.includes(value as string)

export const isNullOr =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)

export const isArrayOf =
  (check: Check, lengthMax: number): Check =>
  (value) =>
    Array.isArray(value) && value.length <= lengthMax && value.every(check)

/** An object with exactly these fields. */
export const isObjectOf =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) => {
    if (!isPlainObject(value)) return false
    const keys = Object.keys(value)
    return keys.length === Object.keys(fields).length && keys.every((key) => fields[key]?.(value[key]) === true)
  }
