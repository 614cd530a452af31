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

// oxlint-disable-next-line no-control-regex -- reason: control characters are what this refuses.
const CONTROLS_IN_LINES = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/
// oxlint-disable-next-line no-control-regex -- reason: as above.
const CONTROLS = /[\u0000-\u001f\u007f]/

/** Text of several lines, at most `bytesMax` in UTF-8; with no control characters and no half of a surrogate pair. */
export const isText =
  (bytesMax: number): Check =>
  (value) =>
    typeof value === 'string' &&
    value.length <= bytesMax &&
    (value.length * 3 <= bytesMax || utf8Length(value) <= bytesMax) &&
    !CONTROLS_IN_LINES.test(value) &&
    value.isWellFormed()

/** One line of at most `lengthMax` UTF-16 units, not empty. */
export const isLine =
  (lengthMax: number): Check =>
  (value) =>
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= lengthMax &&
    !CONTROLS.test(value) &&
    value.isWellFormed()

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
