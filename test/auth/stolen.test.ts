// The drill of a stolen database: whoever has every row, but not the key file, tries every value in it, as it is and
// encoded anew, wherever a secret would be taken.
import assert from 'node:assert/strict'
import { verify } from '@node-rs/argon2'
import { SignJWT } from 'jose'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { ask, createTeam, login, PASSWORD, type Person, register } from '../helpers/accounts.ts'
import { connectWire } from '../helpers/wire-client.ts'

const TEST_MS_MAX = 600_000
/** Shorter text is no secret of ours. */
const SECRET_LENGTH_MIN = 8
const TRIES_PER_SOCKET = 30

interface Secrets {
  readonly refreshToken: string
  readonly accessToken: string
  readonly ticket: string
  readonly share: string
  readonly accessCode: string
}

const must = async <Data>(url: string, person: Person, method: string, path: string, body?: object): Promise<Data> => {
  const answer = await ask(url, method, path, { token: person.accessToken, ...(body && { body }) })
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.code}`)
  return answer.data as Data
}

/** One of everything that opens something, all of it good while the drill goes on. */
const fill = async ({ url, storage }: OwnServer): Promise<{ secrets: Secrets; document: string }> => {
  const team = await createTeam(url, 3)
  const [owner] = team.people
  const document = await team.newDocument()
  const person = await login(url, owner)
  const fresh = await must<Person>(url, person, 'POST', '/auth/refresh', { refreshToken: person.refreshToken })
  // An answer that is kept for its repeat, with tokens in it.
  const kept = await fetch(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'drill-key-0001' },
    body: JSON.stringify({ identifier: owner.username, password: PASSWORD }),
  })
  assert.equal(kept.status, 200)
  await ask(url, 'POST', '/auth/login', { body: { identifier: 'nobody', password: 'a wrong password' } })
  const { ticket } = await must<{ ticket: string }>(url, owner, 'POST', '/auth/ticket')
  // Longer than the drill takes on any machine.
  await storage.db
    .updateTable('ticket')
    .set((eb) => ({ expires_at: eb('expires_at', '+', 10 * TEST_MS_MAX) }))
    .execute()
  const { token: share } = await must<{ token: string }>(url, owner, 'POST', `/documents/${document}/shares`, {})
  const { accessCode } = team.group
  const { accessToken, refreshToken } = fresh
  return { document, secrets: { accessToken, refreshToken, ticket, share, accessCode } }
}

type Row = Readonly<Record<string, unknown>>

const dump = async ({ storage: { db } }: OwnServer): Promise<Map<string, readonly Row[]>> => {
  const { rows } = await sql<{ name: string }>`select name from sqlite_master where type = 'table'`.execute(db)
  const tables = new Map<string, readonly Row[]>()
  for (const { name } of rows) tables.set(name, (await sql<Row>`select * from ${sql.table(name)}`.execute(db)).rows)
  return tables
}

/** Every string in it, also those inside JSON and between other bytes. */
const textsIn = (value: unknown): string[] => {
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value)
    return [bytes.toString('hex'), ...(bytes.toString('latin1').match(/[\x20-\x7e]{8,}/g) ?? []).flatMap(textsIn)]
  }
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(textsIn)
  if (typeof value !== 'string') return []
  const inside: string[] = value.split(/[^\w-]+/)
  try {
    inside.push(...textsIn(JSON.parse(value) as unknown))
  } catch {
    // reason: most of them are no JSON.
  }
  return [value, ...inside]
}

const bytesOf = (text: string): Buffer[] => [
  Buffer.from(text),
  ...(/^([0-9a-f]{2})+$/i.test(text) ? [Buffer.from(text, 'hex')] : []),
  Buffer.from(text, 'base64'),
]

const encodings = (text: string): string[] =>
  bytesOf(text).flatMap((bytes) => [bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url')])

const candidatesIn = (tables: ReadonlyMap<string, readonly Row[]>): { values: string[]; candidates: string[] } => {
  const values = [...new Set([...tables.values()].flatMap(textsIn))].filter(({ length }) => length >= SECRET_LENGTH_MIN)
  const candidates = new Set([...values, ...values.flatMap(encodings)])
  return { values, candidates: [...candidates].filter(({ length }) => length <= 2_000) }
}

/** An access token that a value of the database signed. */
const forge = async (key: Uint8Array, { sub, sid }: { sub: string; sid: string }): Promise<string> => {
  const now = Math.floor(Date.now() / 1_000)
  return new SignJWT({ sid, sub, iss: 'syncline', aud: 'syncline', iat: now, exp: now + 600 })
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
    .sign(key)
}

const isHeader = (text: string): boolean => /^[\x21-\x7e]+$/.test(text)

/** Each way in answers what let it in, or null. */
const createTries = (server: OwnServer, document: string, stranger: Person) => {
  const { url } = server
  const statuses = new Map<number, number>()
  const asked = async (...args: Parameters<typeof ask>): Promise<boolean> => {
    const { status } = await ask(...args)
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    return status < 300
  }
  const bearer = async (path: string, token: string) => isHeader(token) && (await asked(url, 'GET', path, { token }))
  return {
    statuses,
    byHttp: async (text: string): Promise<string[]> => {
      const outcomes = [
        ['access token', await bearer('/auth/me', text)],
        [
          'share link',
          (await bearer(`/documents/${document}`, text)) || (await bearer(`/documents/${document}`, `share_${text}`)),
        ],
        ['refresh token', await asked(url, 'POST', '/auth/refresh', { body: { refreshToken: text } })],
        [
          'access code',
          await asked(url, 'POST', '/groups/join', { token: stranger.accessToken, body: { accessCode: text } }),
        ],
      ] as const
      return outcomes.flatMap(([name, isIn]) => (isIn ? [`${name}: ${text}`] : []))
    },
    bySocket: async (texts: readonly string[]): Promise<string[]> => {
      let client = await connectWire(server.syncUrl)
      const opened: string[] = []
      for (const text of texts) {
        for (const token of [text, `ticket_${text}`, `share_${text}`]) {
          const outcome = await client.open(document, token).catch((error: Error) => error.message)
          if (outcome === 'permission-denied') continue
          opened.push(`socket: ${token}`)
          // What is open is not opened again.
          client.close()
          client = await connectWire(server.syncUrl)
        }
      }
      client.close()
      return opened
    },
  }
}

const slices = <Item>(items: readonly Item[], length: number): Item[][] =>
  Array.from({ length: Math.ceil(items.length / length) }, (_, at) => items.slice(at * length, (at + 1) * length))

test('[AC35] of all that a stolen database holds nothing opens anything', { timeout: TEST_MS_MAX }, async () => {
  await using server = await startOwnServer()
  const { secrets, document } = await fill(server)
  const stranger = await register(server.url, 'stranger')
  const tables = await dump(server)
  for (const name of ['user', 'session', 'group', 'share', 'ticket', 'login_failure', 'idempotency', 'audit_log']) {
    assert.ok((tables.get(name) ?? []).length > 0, `${name} is empty`)
  }
  const { values, candidates } = candidatesIn(tables)
  const tries = createTries(server, document, stranger)
  const usable: string[] = []
  // The hash of a password is in the row; without the pepper not even the right one fits it.
  for (const { password_hash: hash } of tables.get('user') ?? []) {
    if (await verify(hash as string, PASSWORD)) usable.push(`password: ${String(hash)}`)
  }
  const session = (tables.get('session') ?? []).at(-1) as { user_id: string; family_id: string }
  const claims = { sub: session.user_id, sid: session.family_id }
  for (const value of values) {
    for (const key of bytesOf(value).filter(({ length }) => length > 0)) {
      if ((await ask(server.url, 'GET', '/auth/me', { token: await forge(key, claims) })).status === 200) {
        usable.push(`signing key: ${value}`)
      }
    }
  }
  for (const text of candidates) usable.push(...(await tries.byHttp(text)))
  for (const texts of slices(candidates, TRIES_PER_SOCKET)) usable.push(...(await tries.bySocket(texts)))
  process.stdout.write(
    `stolen database: ${[...tables.values()].flat().length} rows of ${tables.size} tables, ${values.length} values, ` +
      `${candidates.length} candidates, ${usable.length} usable; answers ${JSON.stringify([...tries.statuses])}\n`,
  )
  expect(usable).toEqual([])
  expect([...tries.statuses.keys()].filter((status) => ![401, 404, 422].includes(status))).toEqual([])

  // Had one of the real ones been in it, it would have been found.
  for (const secret of [secrets.accessToken, secrets.share, secrets.accessCode, secrets.refreshToken]) {
    expect(await tries.byHttp(secret)).not.toEqual([])
  }
  expect(await tries.bySocket([secrets.ticket])).toHaveLength(1)
})
