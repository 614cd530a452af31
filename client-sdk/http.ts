// Requests to the API: the envelope taken off, refusals as `AppError`, and everything that only says "not now" as one
// error that can be told apart. Knows no accounts and never logs.
import { AppError, type ErrorCode, ERRORS } from '../shared/errors.ts'
import { isPlainObject, type Json } from '../shared/json.ts'
import type { Clock } from './connection-types.ts'

const API = '/api/v1'
/** A request without a whole answer by then counts as lost. */
export const REQUEST_MS_MAX = 20_000

/** The server could not be asked, or could not answer: the same request may succeed later. */
export class Unreachable extends Error {
  /** Of the HTTP answer; null where there was none. */
  readonly status: number | null
  /** The code of the server's own words; null where they were not the server's (no network, a proxy, a login page). */
  readonly code: ErrorCode | null

  constructor(message: string, at: { status?: number; code?: ErrorCode; cause?: unknown } = {}) {
    super(message, { cause: at.cause })
    this.name = 'Unreachable'
    this.status = at.status ?? null
    this.code = at.code ?? null
  }
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

export interface RequestOptions {
  readonly body?: Json
  /** Makes a repeat of this POST get the first one's answer; 1 to 255 printable ASCII characters. */
  readonly idempotencyKey?: string
  /** Sent without a token. */
  readonly isPublic?: boolean
  /** The user on whose behalf it is sent. Where somebody else is logged in, nothing is sent: `auth/required`. */
  readonly as?: string
  /** Milliseconds, instead of 20 s. */
  readonly msMax?: number
  readonly signal?: AbortSignal
}

export interface Http {
  /**
   * Sends a request below `/api/v1` and resolves with the answer's `data`; with `undefined` for an answer without content.
   * A 401 is followed by one more try with a new token. Rejects with `Unreachable`, or with an `AppError` of the server's
   * code; a code that this SDK does not know becomes `internal`, with `details` `{code, status}`.
   */
  readonly request: <Data>(method: Method, path: string, options?: RequestOptions) => Promise<Data>
}

export interface HttpOptions {
  /** `http://host:port`, without a path. */
  readonly url: string
  /** A good access token (of the user `as`, where one is named); null where nobody is logged in. */
  readonly token: (as?: string) => Promise<string | null>
  /** The server did not take this token. */
  readonly tokenRejected: (token: string) => void
  readonly clock: Pick<Clock, 'after'>
  /** For tests; the platform's own otherwise. */
  readonly fetch?: typeof fetch
}

interface Answer {
  readonly status: number
  readonly text: string
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const isCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(ERRORS, code)

/** Unknown codes stay readable in the details: a newer server may say what this version has no word for. */
const toAppError = (error: Readonly<Record<string, unknown>>, status: number): AppError => {
  const { code, message, details } = error
  const known = isPlainObject(details) ? details : undefined
  const text = typeof message === 'string' ? message : `the server answered ${status}`
  return isCode(code) ? new AppError(code, text, known) : new AppError('internal', text, { ...known, code, status })
}

const readData = ({ status, text }: Answer): unknown => {
  if (status === 204) return undefined
  const envelope = parse(text)
  const error = isPlainObject(envelope) && isPlainObject(envelope['error']) ? envelope['error'] : null
  if (error && status >= 500) {
    const { code } = error
    throw new Unreachable(`the server answered ${status}`, { status, ...(isCode(code) && { code }) })
  }
  if (error && status >= 400) throw toAppError(error, status)
  if (status < 300 && isPlainObject(envelope) && envelope['success'] === true) return envelope['data']
  // A proxy's page, or that of a network that wants a login first.
  throw new Unreachable(`an answer ${status} that is not the server's`, { status })
}

const headersOf = (accessToken: string | null, { body, idempotencyKey }: RequestOptions): Record<string, string> => ({
  ...(body !== undefined && { 'Content-Type': 'application/json' }),
  ...(idempotencyKey !== undefined && { 'Idempotency-Key': idempotencyKey }),
  ...(accessToken !== null && { Authorization: `Bearer ${accessToken}` }),
})

export const createHttp = ({ url, token, tokenRejected, clock, fetch: given }: HttpOptions): Http => {
  // Called as a plain function: browsers refuse it as a method of something else.
  const send = given ?? ((input: string, init: RequestInit): Promise<Response> => globalThis.fetch(input, init))
  const base = url.replace(/\/+$/, '') + API

  const exchange = async (
    method: Method,
    path: string,
    accessToken: string | null,
    options: RequestOptions,
  ): Promise<Answer> => {
    const { body, signal, msMax = REQUEST_MS_MAX } = options
    const timeout = new AbortController()
    const stopClock = clock.after(msMax, () => timeout.abort())
    try {
      const response = await send(base + path, {
        method,
        headers: headersOf(accessToken, options),
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal,
        // A redirect leads to a login page of the network, or would carry passwords to another place.
        redirect: 'error',
        credentials: 'omit',
        cache: 'no-store',
      })
      return { status: response.status, text: await response.text() }
    } catch (cause) {
      throw new Unreachable(timeout.signal.aborted ? `no answer within ${msMax} ms` : 'no answer', { cause })
    } finally {
      stopClock()
    }
  }

  const tokenFor = async ({ isPublic = false, as }: RequestOptions): Promise<string | null> => {
    if (isPublic) return null
    const accessToken = await token(as)
    if (accessToken === null) throw new AppError('auth/required', 'log in first')
    return accessToken
  }

  return {
    request: async <Data>(method: Method, path: string, options: RequestOptions = {}): Promise<Data> => {
      const accessToken = await tokenFor(options)
      const answer = await exchange(method, path, accessToken, options)
      if (answer.status !== 401 || accessToken === null) return readData(answer) as Data
      tokenRejected(accessToken)
      return readData(await exchange(method, path, await tokenFor(options), options)) as Data
    },
  }
}
