// `Idempotency-Key`: a POST that is repeated because its answer got lost is not run again, but answered as it was.
import { createHash } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { AppError } from '../../shared/errors.ts'
import { IDEMPOTENCY_KEY_LENGTH_MAX, IDEMPOTENCY_MS, IDEMPOTENCY_RUNNING_MS_MAX } from '../../shared/limits.ts'
import { claimKey, giveUpKey, keepAnswer, type KeptAnswer, sweepAnswers } from '../../storage/idempotency.ts'
import type { Storage } from '../../storage/open.ts'
import type { Logger } from '../log.ts'
import { repeatEvery } from '../repeat.ts'
import { type AppDependencies, findVisitor, type HttpContext, type HttpEnv } from './context.ts'
import { readBytes } from './validate.ts'

const HEADER = 'Idempotency-Key'
const REPLAYED = 'Idempotency-Replayed'
const KEY = new RegExp(`^[\\x21-\\x7e]{1,${IDEMPOTENCY_KEY_LENGTH_MAX}}$`)
/** Headers of an answer that a repeat gets too; the others are of the request, or of every answer. */
const KEPT_HEADERS = ['content-type', 'location', 'www-authenticate'] as const
const ANSWER = 'idempotency answer'
const SWEEP_MS = 10 * 60_000

/** Failures of ours and "too many" say nothing about the request: a repeat is to be tried. */
const isWorthKeeping = (status: number): boolean => status < 500 && status !== 429

interface Answer {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const mustKey = (text: string): string => {
  if (KEY.test(text)) return text
  const issue = { field: HEADER, message: `expected 1 to ${IDEMPOTENCY_KEY_LENGTH_MAX} printable ASCII characters` }
  throw new AppError('input/invalid', `${HEADER}: ${issue.message}`, { issues: [issue] })
}

const answerOf = async (response: Response): Promise<Answer> => {
  const headers: Record<string, string> = {}
  for (const name of KEPT_HEADERS) {
    const value = response.headers.get(name)
    if (value !== null) headers[name] = value
  }
  return { headers, body: await response.clone().text() }
}

type IdempotencyDependencies = Pick<AppDependencies, 'access' | 'storage' | 'sealing' | 'log' | 'now'>

/** Also of the body, keyed: a plain hash of a login's body would let readers of the database guess passwords. */
const hashRequest = async ({ sealing }: IdempotencyDependencies, c: HttpContext): Promise<string> => {
  const { pathname, search } = new URL(c.req.url)
  const body = createHash('sha256')
    .update(await readBytes(c))
    .digest('hex')
  return sealing.lookUp(JSON.stringify([c.req.method, pathname + search, body]), 'idempotency request')
}

const replay = ({ sealing }: IdempotencyDependencies, c: HttpContext, requestHash: string, kept: KeptAnswer) => {
  const { request_hash, status, answer_sealed } = kept
  if (request_hash !== requestHash)
    throw new AppError('idempotency/mismatch', `another request was made with this ${HEADER}`)
  if (status === null) throw new AppError('idempotency/running', 'the first request with this key is still running')
  const text = sealing.unseal(answer_sealed ?? '', ANSWER)
  if (text === null) throw new Error('a kept answer cannot be unsealed')
  const { headers, body } = JSON.parse(text) as Answer
  for (const [name, value] of Object.entries({ ...headers, [REPLAYED]: 'true' })) c.header(name, value)
  return status === 204 ? c.body(null, 204) : c.body(body, status as ContentfulStatusCode)
}

/** For every POST below the base. Comes after whatever limits the size of bodies. */
export const keepAnswers = (deps: IdempotencyDependencies): MiddlewareHandler<HttpEnv> =>
  createMiddleware<HttpEnv>(async (c, next) => {
    const given = c.req.header(HEADER)
    if (given === undefined || c.req.method !== 'POST') return next()
    const { db } = deps.storage
    const key = mustKey(given)
    const requestHash = await hashRequest(deps, c)
    const actor = (await findVisitor(deps, c))?.userId ?? null
    const keyHash = deps.sealing.lookUp(JSON.stringify([actor, key]), 'idempotency key')
    const now = deps.now()
    const claim = { keyHash, requestHash, now, keptSince: now - IDEMPOTENCY_MS }
    const kept = await claimKey(db, { ...claim, runningSince: now - IDEMPOTENCY_RUNNING_MS_MAX })
    if (kept) return replay(deps, c, requestHash, kept)

    await next()
    try {
      if (!isWorthKeeping(c.res.status)) return await giveUpKey(db, claim)
      const sealed = deps.sealing.seal(JSON.stringify(await answerOf(c.res)), ANSWER)
      await keepAnswer(db, claim, { status: c.res.status, answer_sealed: sealed })
    } catch (error) {
      // What was asked for is done or refused, and the caller must hear of it; a repeat will be taken for a new request.
      deps.log.warn('http.answer-not-kept', { requestId: c.get('requestId'), error })
    }
  })

/** Deletes what is too old to be asked for, now and from time to time. */
export const sweepKeptAnswers = (deps: {
  readonly storage: Storage
  readonly log: Logger
  readonly now: () => number
}): AsyncDisposable => {
  const sweep = async (): Promise<void> => {
    try {
      await sweepAnswers(deps.storage.db, deps.now() - IDEMPOTENCY_MS)
    } catch (error) {
      deps.log.warn('http.answers-not-swept', { error })
    }
  }
  return repeatEvery(SWEEP_MS, sweep, sweep())
}
