// The parts that inputs of operations and bodies of requests are built from.
import * as z from 'zod/mini'
import { isDate, isShowable, isText } from './fields.ts'
import { LABEL_LENGTH_MAX, LABELS_MAX } from './limits.ts'
import { isId } from './names.ts'

export const id = z.string().check(z.refine(isId, 'expected 10 to 40 of A-Z a-z 0-9 _ -'))

/** A name: one line, not empty. Control characters show nothing, and a zero byte is an error to Postgres. */
export const line = (lengthMax: number) =>
  z.string().check(
    z.trim(),
    z.minLength(1),
    z.maxLength(lengthMax),
    z.refine((value) => isShowable(value, false), 'expected no control characters'),
  )

/** A text of several lines, possibly empty. */
export const lines = (bytesMax: number) =>
  z
    .string()
    .check(
      z.maxLength(bytesMax, { abort: true }),
      z.refine(isText(bytesMax), `expected at most ${bytesMax} bytes of text without control characters`),
    )

export const date = z.string().check(z.refine(isDate, 'expected a date such as 2026-02-11 or 2026-02-11T09:00:00Z'))

export const labels = z.array(line(LABEL_LENGTH_MAX)).check(z.maxLength(LABELS_MAX))
