// Bodies and path parts from outside: read, checked, refused with the names of the wrong fields. Values are never
// repeated in an answer; some are passwords.
import { bodyLimit } from 'hono/body-limit'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { BODY_BYTES_MAX } from '../../shared/limits.ts'
import { type Id, isId } from '../../shared/names.ts'
import type { HttpContext } from './context.ts'

export const limitBody = bodyLimit({
  maxSize: BODY_BYTES_MAX,
  onError: () => {
    throw new AppError('input/too-large', `a body has at most ${BODY_BYTES_MAX} bytes`, { max: BODY_BYTES_MAX })
  },
})

interface FieldIssue {
  readonly field: string
  readonly message: string
}

const toIssues = (issue: z.core.$ZodIssue): FieldIssue[] => {
  const at = (part?: PropertyKey): string => [...issue.path, ...(part === undefined ? [] : [part])].join('.')
  if (issue.code !== 'unrecognized_keys') return [{ field: at(), message: issue.message }]
  return issue.keys.map((key) => ({ field: at(key.slice(0, 80)), message: 'unknown field' }))
}

/** Issues in one answer; a body may have a hundred thousand unknown fields. */
const ISSUES_MAX = 20

export const readBody = async <Schema extends z.ZodType>(c: HttpContext, schema: Schema): Promise<z.output<Schema>> => {
  let body: unknown
  try {
    body = JSON.parse(await c.req.text())
  } catch {
    // Also when the sender went away in the middle of it.
    throw new AppError('input/not-json', 'the body is not JSON')
  }
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.flatMap(toIssues).slice(0, ISSUES_MAX)
  const fields = issues.map(({ field, message }) => (field ? `${field}: ${message}` : message))
  throw new AppError('input/invalid', fields.slice(0, 3).join('; '), { issues })
}

/** Null for what cannot be an id: the caller answers as for an id that nobody has. */
export const readId = <Kind extends string>(text: string): Id<Kind> | null => (isId(text) ? (text as Id<Kind>) : null)

/** Control characters show nothing, and a zero byte is an error to Postgres. */
// oxlint-disable-next-line no-control-regex -- reason: control characters are what this refuses.
const CONTROLS = /[\u0000-\u001f\u007f]/
// oxlint-disable-next-line no-control-regex -- reason: as above, but for line breaks and tabs.
const CONTROLS_IN_LINES = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/

const text = (lengthMax: number, controls: RegExp) =>
  z
    .string()
    .trim()
    .max(lengthMax)
    .refine((value) => !controls.test(value) && value.isWellFormed(), 'expected no control characters')

/** A name: one line, not empty. */
export const line = (lengthMax: number) => text(lengthMax, CONTROLS).min(1)

/** A text of several lines, possibly empty. */
export const lines = (lengthMax: number) => text(lengthMax, CONTROLS_IN_LINES)

export const id = z.string().refine(isId, 'expected 10 to 40 of A-Z a-z 0-9 _ -')
