// The one shape of every answer under the API's base, and the one place where an error becomes a status.
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { AppError, ERRORS } from '../../shared/errors.ts'
import { isStorageFailure } from '../../storage/failure.ts'
import type { HttpContext } from './context.ts'

/** The version of the API, as in its base path. */
const API_VERSION = 'v1'

const metaOf = (c: HttpContext) => ({
  timestamp: new Date(c.get('now')()).toISOString(),
  requestId: c.get('requestId'),
  version: API_VERSION,
})

/** With its length, by which it is told whether compressing is worth it. */
const answer = (c: HttpContext, value: object, status: ContentfulStatusCode): Response => {
  const text = JSON.stringify(value)
  return c.body(text, status, { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(text)) })
}

export const success = (c: HttpContext, data: unknown, status: 200 | 201 = 200): Response =>
  answer(c, { success: true, data, meta: metaOf(c) }, status)

/** What of an error the caller may know: its own sentence, or none. */
export const toAppError = (error: unknown): AppError => {
  if (error instanceof AppError) return error
  const known = isStorageFailure(error)
    ? new AppError('storage/unavailable', 'the database does not answer: try again soon')
    : new AppError('internal', 'something went wrong here; the log has it under the request id')
  known.cause = error
  return known
}

export const failure = (c: HttpContext, { code, message, details }: AppError): Response => {
  const { status } = ERRORS[code]
  if (status === 401) c.header('WWW-Authenticate', 'Bearer')
  const retryAfterMs = details?.['retryAfterMs']
  if (typeof retryAfterMs === 'number') c.header('Retry-After', String(Math.ceil(retryAfterMs / 1_000)))
  const error = details ? { code, message, details } : { code, message }
  return answer(c, { success: false, error, meta: metaOf(c) }, status)
}
