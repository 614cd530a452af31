// Bodies and path parts from outside: read, checked, refused with the names of the wrong fields.
import { bodyLimit } from 'hono/body-limit'
import type { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { BODY_BYTES_MAX } from '../../shared/limits.ts'
import { type Id, isId } from '../../shared/names.ts'
import { parseInput } from '../../shared/operation.ts'
import type { HttpContext } from './context.ts'

export const limitBody = bodyLimit({
  maxSize: BODY_BYTES_MAX,
  onError: () => {
    throw new AppError('input/too-large', `a body has at most ${BODY_BYTES_MAX} bytes`, { max: BODY_BYTES_MAX })
  },
})

/** The body as it came, not yet checked; throws `input/not-json`. */
export const readJson = async (c: HttpContext): Promise<unknown> => {
  try {
    return JSON.parse(await c.req.text())
  } catch {
    // Also when the sender went away in the middle of it.
    throw new AppError('input/not-json', 'the body is not JSON')
  }
}

export const readBody = async <Schema extends z.ZodType>(c: HttpContext, schema: Schema): Promise<z.output<Schema>> =>
  parseInput(schema, await readJson(c))

/** Null for what cannot be an id: the caller answers as for an id that nobody has. */
export const readId = <Kind extends string>(text: string): Id<Kind> | null => (isId(text) ? (text as Id<Kind>) : null)
