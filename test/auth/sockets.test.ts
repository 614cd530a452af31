// Logins and sockets on a running server: whatever ends a login closes its sockets before a second is over, and a ticket
// opens one socket.
import assert from 'node:assert/strict'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { tokenFrame } from '../../server/sync/frames.ts'
import { TICKET_MS } from '../../shared/limits.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { openYWebsocket } from '../compat/clients.ts'
import { ask, createTeam, login, PASSWORD, type Person, type Team } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { startOwnTime } from '../helpers/own-time.ts'
import { connectWire, type WireClient } from '../helpers/wire-client.ts'

const CLOSED_MS_MAX = 1_000
const GRACE_MS = 10_000
const ROUNDS = 5

let server: OwnServer
let team: Team
let documents: readonly string[]

beforeAll(async () => {
  server = await startOwnServer()
  team = await createTeam(server.url, 2)
  documents = [await team.newDocument(), await team.newDocument(), await team.newDocument()]
})
afterAll(() => server?.[Symbol.asyncDispose]())

const must = async <Data>(person: Person, method: string, path: string, body?: object): Promise<Data> => {
  const answer = await ask(server.url, method, path, { token: person.accessToken, ...(body && { body }) })
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.code}`)
  return answer.data as Data
}

const connect = async (token: string, names = documents): Promise<WireClient> => {
  const client = await connectWire(server.syncUrl)
  for (const name of names) await client.open(name, token)
  return client
}

const isRefused = async (token: string): Promise<void> => {
  const client = await connectWire(server.syncUrl)
  await assert.rejects(client.open(documents[0] as string, token), /permission-denied/)
  client.close()
}

const sessionOf = async (person: Person): Promise<string> => {
  const sessions = await must<{ id: string; current: boolean }[]>(person, 'GET', '/auth/sessions')
  return sessions.find(({ current }) => current)?.id as string
}

/** Lets a replaced token look older than the grace. */
const ageTokens = async (person: Person): Promise<void> => {
  await server.storage.db
    .updateTable('session')
    .set((eb) => ({ replaced_at: eb('replaced_at', '-', GRACE_MS + 1) }))
    .where('user_id', '=', person.id)
    .where('replaced_at', 'is not', null)
    .execute()
}

type End = (victim: Person, other: Person) => Promise<unknown>

const refresh = (refreshToken: string) => ask(server.url, 'POST', '/auth/refresh', { body: { refreshToken } })

/** By name: who does it, and whether the person's other logins end too. */
const ENDS: readonly (readonly [name: string, end: End, all: boolean])[] = [
  ['a log-out', (victim) => must(victim, 'POST', '/auth/logout', { refreshToken: victim.refreshToken }), false],
  [
    'a log-out everywhere',
    (_, other) => must(other, 'POST', '/auth/logout-all', { refreshToken: other.refreshToken }),
    true,
  ],
  [
    'the end of the session',
    async (victim, other) => must(other, 'DELETE', `/auth/sessions/${await sessionOf(victim)}`),
    false,
  ],
  [
    'a new password',
    (_, other) => must(other, 'POST', '/auth/password', { password: PASSWORD, newPassword: PASSWORD }),
    true,
  ],
  [
    'a refresh token that is used again',
    async (victim) => {
      await refresh(victim.refreshToken)
      await ageTokens(victim)
      assert.equal((await refresh(victim.refreshToken)).code, 'auth/token-reused')
    },
    false,
  ],
]

describe('sockets of a login', () => {
  /** Resolves with the milliseconds of own time from the request to the last close. */
  const play = async (end: End, all: boolean): Promise<number> => {
    const person = team.people[1] as Person
    const victim = await login(server.url, person)
    const other = await login(server.url, person)
    const sockets = await Promise.all([connect(victim.accessToken), connect(victim.accessToken)])
    const kept = await connect(other.accessToken)
    const owner = await connect(team.people[0].accessToken)
    using ownTime = startOwnTime()
    const startedAt = ownTime.now()
    const ending = end(victim, other)
    const closes = await Promise.all(sockets.map(({ closed }) => closed))
    const ms = ownTime.now() - startedAt
    await ending
    for (const { code, reason } of closes) assert.deepEqual([code, reason], [4401, 'revoked/session'])
    assert.equal((await ask(server.url, 'GET', '/auth/me', { token: victim.accessToken })).code, 'auth/token-invalid')
    await isRefused(victim.accessToken)
    if (all) assert.equal((await kept.closed).reason, 'revoked/session')
    else assert.equal(kept.socket.readyState, kept.socket.OPEN)
    assert.equal(owner.socket.readyState, owner.socket.OPEN)
    for (const client of [kept, owner]) client.close()
    return ms
  }

  test.each(ENDS)('[SE16] %s closes them within a second, and those of no other login', async (name, end, all) => {
    const times: number[] = []
    for (let round = 0; round < ROUNDS; round++) times.push(await play(end, all))
    const max = Math.max(...times)
    process.stdout.write(
      `sockets closed by ${name}: at most ${max.toFixed(0)} ms after the request, ${ROUNDS} rounds\n`,
    )
    assert.ok(max <= CLOSED_MS_MAX, `${max} ms`)
  })
})

interface Ticket {
  readonly ticket: string
  readonly expiresAt: number
}

const newTicket = (person: Person): Promise<Ticket> => must<Ticket>(person, 'POST', '/auth/ticket')

describe('tickets', () => {
  test('[SE18] a ticket opens one socket with all its documents, and no other, and nothing by HTTP', async () => {
    const owner = team.people[0]
    const askedAt = Date.now()
    const { ticket, expiresAt } = await newTicket(owner)
    assert.match(ticket, /^ticket_[\w-]{43}$/)
    assert.ok(expiresAt >= askedAt + TICKET_MS && expiresAt <= Date.now() + TICKET_MS)
    assert.equal((await ask(server.url, 'GET', '/auth/me', { token: ticket })).code, 'auth/token-invalid')
    const client = await connectWire(server.syncUrl)
    // Side by side, and one of them again.
    await Promise.all(documents.slice(0, 2).map((name) => client.open(name, ticket)))
    const document = await client.open(documents[2] as string, ticket)
    // Its provider may show it again for a document that is open.
    const name = documents[2] as string
    client.socket.send(tokenFrame(name, ticket))
    const { promise: answered, resolve } = Promise.withResolvers<void>()
    document.onState = resolve
    document.onClosed = () => resolve()
    document.sendStep1(Uint8Array.of(0))
    await answered
    assert.equal(document.closedWith, undefined)
    await isRefused(ticket)
    assert.equal(client.socket.readyState, client.socket.OPEN)
    client.close()
    await client.closed
    await isRefused(ticket)
  })

  test('[SE18] it works in the address of a y-websocket client, once', async () => {
    const { ticket } = await newTicket(team.people[0])
    const name = documents[0] as string
    using first = openYWebsocket(server, { accessToken: ticket }, name)
    await first.synced()
    using second = openYWebsocket(server, { accessToken: ticket }, name)
    const [close] = await eventually(
      () => second.socketCloses,
      ({ length }) => length > 0,
    )
    assert.deepEqual([close?.code, close?.reason], [4403, 'permission-denied'])
    assert.equal(first.provider.wsconnected, true)
  })

  test('[SE19] of twenty sockets that show one ticket at once one is opened', async () => {
    const { ticket } = await newTicket(team.people[0])
    const clients = await Promise.all(Array.from({ length: 20 }, () => connectWire(server.syncUrl)))
    const name = documents[0] as string
    const outcomes = await Promise.allSettled(clients.map((client) => client.open(name, ticket)))
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const client of clients) client.close()
  })

  test('[SE20] a ticket is good for a minute, while its login is; the end of the login closes its socket', async () => {
    const person = await login(server.url, team.people[0])
    const [late, unused, used] = [await newTicket(person), await newTicket(person), await newTicket(person)]
    await server.storage.db
      .updateTable('ticket')
      .set({ expires_at: Date.now() - 1 })
      .where('expires_at', '=', late.expiresAt)
      .execute()
    await isRefused(late.ticket)
    const client = await connect(used.ticket)
    await must(person, 'POST', '/auth/logout', { refreshToken: person.refreshToken })
    assert.equal((await client.closed).reason, 'revoked/session')
    await isRefused(unused.ticket)
  })
})
