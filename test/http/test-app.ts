// The whole HTTP side over a database of its own, without a port, with a clock that tests move and a log they can read.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPasswords, type Passwords } from '../../server/auth/password.ts'
import { RATE_LIMITS, type RateLimits } from '../../server/http/rate-limits.ts'
import { createLogger } from '../../server/log.ts'
import { createParts } from '../../server/parts.ts'
import { openSecrets } from '../../server/secret.ts'
import { idOf } from '../../shared/names.ts'
import { openStorage, type Storage, type StorageLocation } from '../../storage/open.ts'
import { insertUser } from '../../storage/users.ts'

export const PASSWORD = 'correct horse battery'

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- reason: tests look into answers of every shape.
  readonly body: any
}

export interface Asking {
  readonly body?: unknown
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface LoggedIn {
  readonly user: { readonly id: string; readonly username: string }
  readonly accessToken: string
  readonly refreshToken: string
  readonly expiresAt: number
}

export interface TestAppOptions {
  readonly location?: StorageLocation
  readonly allowedOrigins?: readonly string[]
  readonly publicUrl?: string
  readonly secretKey?: string
  /** Rate limits that hold; none do where there is no word of them. */
  readonly limits?: Partial<RateLimits>
  /** Puts something between the app and its database. */
  readonly wrap?: (storage: Storage) => Storage
}

/** Hashes as the server does, and counts how often. */
export const countHashes = (inner: Passwords) => {
  const counted = {
    count: 0,
    hash: (password: string) => {
      counted.count += 1
      return inner.hash(password)
    },
    verify: (hash: string | undefined, password: string) => {
      counted.count += 1
      return inner.verify(hash, password)
    },
  }
  return counted
}

export const NO_LIMITS = Object.fromEntries(
  Object.keys(RATE_LIMITS).map((name) => [name, { requests: Number.MAX_SAFE_INTEGER, seconds: 1 }]),
) as unknown as RateLimits

const numberedIds = () => {
  let last = 0
  return (): string => `id-${String(++last).padStart(12, '0')}`
}

export const openTestApp = async (options: TestAppOptions = {}) => {
  await using owned = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'syncline-http-'))
  owned.defer(() => rm(folder, { recursive: true, force: true }))
  const opened = owned.use(await openStorage(options.location ?? { sqlite: join(folder, 'syncline.sqlite') }))
  const storage = options.wrap?.(opened) ?? opened
  const secretKey = options.secretKey ?? 'the secret key of all these tests'
  const secrets = await openSecrets({ secretKey, dataDir: folder })
  const clock = { time: Date.UTC(2026, 1, 11, 9) }
  const now = (): number => clock.time
  const newId = numberedIds()
  /** What operations draw from; a test may put its own in. */
  const source = { newId, random: Math.random }
  const logLines: string[] = []
  const log = createLogger({ level: 'debug', write: (line) => logLines.push(line), now })
  const passwords = countHashes(createPasswords({ pepper: secrets.passwordPepper }))
  const config = { allowedOrigins: options.allowedOrigins ?? [], publicUrl: options.publicUrl }
  const random = (): number => source.random()
  const limits = { ...NO_LIMITS, ...options.limits }
  const parts = owned.use(
    await createParts({ storage, secrets, passwords, config, log, now, newId: () => source.newId(), random, limits }),
  )
  const { app, access, accessTokens, sessions, sync, versions } = parts

  const ask = async (method: string, path: string, { body, token, headers }: Asking = {}): Promise<Answer> => {
    const response = await app.request(path.startsWith('/health') ? path : `/api/v1${path}`, {
      method,
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const parsed: unknown = text.startsWith('{') ? JSON.parse(text) : undefined
    return { status: response.status, headers: response.headers, text, body: parsed }
  }

  /** A user with a login, without the time that hashing a password takes. */
  const person = async (username: string) => {
    const id = idOf<'user'>(`user-${username.padStart(10, '0')}`)
    const user = { id, username, email: null, name: username, password_hash: 'none', created_at: clock.time }
    await insertUser(storage.db, user)
    const device = { deviceId: null, userAgent: null }
    const session = await storage.db.transaction().execute((trx) => sessions.start(trx, id, device))
    const { accessToken } = await accessTokens.sign(session)
    return { id, token: accessToken, refreshToken: session.refreshToken, sessionId: session.sessionId }
  }

  /** The data of an answer that must have this status. */
  const must = async <Data>(status: number, method: string, path: string, asking: Asking = {}): Promise<Data> => {
    const answer = await ask(method, path, asking)
    assert.equal(answer.status, status, `${method} ${path}: ${answer.text}\n${logLines.at(-2)}`)
    return answer.body?.data as Data
  }

  const kept = owned.move()
  return {
    app,
    ask,
    must,
    person,
    access,
    clock,
    source,
    sync,
    versions,
    folder,
    logLines,
    passwords,
    sessions,
    accessTokens,
    storage,
    secrets,
    /** Asks, and checks that it is refused with this status and code. */
    refused: async (status: number, code: string, method: string, path: string, asking: Asking = {}) => {
      const answer = await ask(method, path, asking)
      assert.deepEqual([answer.status, answer.body?.error?.code], [status, code], `${method} ${path}: ${answer.text}`)
      return answer.body.error as { message: string; details?: { issues?: { field: string }[] } }
    },
    register: (username: string, more: Readonly<Record<string, unknown>> = {}): Promise<LoggedIn> =>
      must(201, 'POST', '/auth/register', { body: { username, password: PASSWORD, ...more } }),
    login: (identifier: string, headers: Readonly<Record<string, string>> = {}): Promise<LoggedIn> =>
      must(200, 'POST', '/auth/login', { body: { identifier, password: PASSWORD }, headers }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

export type TestApp = Awaited<ReturnType<typeof openTestApp>>
