// Bodies and path parts from outside: read, checked, refused with the names of the wrong fields.
import { bodyLimit } from 'hono/body-limit'
import { createMiddleware } from 'hono/factory'
import type { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { BODY_BYTES_MAX } from '../../shared/limits.ts'
import { type Id, isId } from '../../shared/names.ts'
import { parseInput } from '../../shared/define-operation.ts'
import type { HttpContext, HttpEnv } from './context.ts'

const limitLength = bodyLimit({
  maxSize: BODY_BYTES_MAX,
  onError: () => {
    throw new AppError('input/too-large', `a body has at most ${BODY_BYTES_MAX} bytes`, { max: BODY_BYTES_MAX })
  },
})

/** Reads bodies whose length is not announced, so it is here that a sender may break off. */
export const limitBody = createMiddleware<HttpEnv>(async (c, next) => {
  try {
    return await limitLength(c, next)
  } catch (error) {
    throw error instanceof AppError ? error : brokenOff()
  }
})

const brokenOff = (): AppError => new AppError('input/not-json', 'the body broke off')

/** The body to the byte. Handlers can read it again. */
export const readBytes = async (c: HttpContext): Promise<Uint8Array> => {
  try {
    return new Uint8Array(await c.req.arrayBuffer())
  } catch {
    throw brokenOff()
  }
}

/** Plain text is what `fetch` calls a string of which nobody says anything. */
const JSON_TYPES = /^\s*(?:application\/(?:[\w.+-]+\+)?json|text\/plain)\s*(?:;|$)/i

/** The body as it came, not yet checked; throws `input/not-json`. */
export const readJson = async (c: HttpContext): Promise<unknown> => {
  const type = c.req.header('Content-Type')
  if (type !== undefined && !JSON_TYPES.test(type))
    throw new AppError('input/not-json', 'the body is said not to be JSON')
  try {
    return JSON.parse(await c.req.text())
  } catch {
    // Also when the sender went away in the middle of it.
    throw new AppError('input/not-json', 'the body is not JSON')
  }
}

export const readBody = async <Schema extends z.core.$ZodType>(
  c: HttpContext,
  schema: Schema,
): Promise<z.output<Schema>> => parseInput(schema, await readJson(c))

/** Null for what cannot be an id: the caller answers as for an id that nobody has. */
export const readId = <Kind extends string>(text: string): Id<Kind> | null => (isId(text) ? (text as Id<Kind>) : null)
