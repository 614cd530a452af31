// The SDK's connection and rights, against the real server: documents that one may not read, rights and logins that end.
import assert from 'node:assert/strict'
import { afterAll, beforeAll, test } from 'vitest'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { ask, createTeam, login, type Person, register, type Team } from '../helpers/accounts.ts'
import { eventually, nextTurn } from '../helpers/eventually.ts'
import { handshake, openPeer, textOf } from './connection-peer.ts'

let server: OwnServer
let team: Team
let ann: Person
beforeAll(async () => {
  server = await startOwnServer()
  team = await createTeam(server.url, 1)
  ;[ann] = team.people
})
afterAll(() => server?.[Symbol.asyncDispose]())

test('[CX10] a denied document is told once, after one other token; others go on, and it waits for reopen', async () => {
  const stranger = await register(server.url)
  const name = await team.newDocument()
  const logins = [stranger.accessToken, (await login(server.url, stranger)).accessToken]
  let rejected = 0
  const tokenOf = async (): Promise<string | null> => logins[rejected] ?? null
  await using left = openPeer(server, stranger, { token: tokenOf, tokenRejected: () => void rejected++ })
  const own = left.open(`me/${stranger.id}`)
  const denied = Array.from({ length: 5 }, (_, index) =>
    left.open(index === 0 ? name : `document/unknown-${index}-000000`),
  )
  await handshake(own)
  await eventually(
    () => denied.map(({ log }) => log),
    (logs) => logs.every((log) => log.length > 0),
  )
  assert.deepEqual(
    denied.map(({ log }) => log),
    denied.map(() => ['closed permission-denied']),
  )
  // The token is known to be new by now, so that what it does not open is denied at once.
  const later = left.open('document/unknown-later-0000')
  await eventually(
    () => later.log,
    (log) => log.length > 0,
  )
  assert.deepEqual([later.log, rejected], [['closed permission-denied'], 1])
  assert.deepEqual(left.states, ['connecting', 'live'])

  // Let in meanwhile, it is still for somebody to ask; a new socket does not.
  const { accessCode } = team.group
  await ask(server.url, 'POST', '/groups/join', { token: stranger.accessToken, body: { accessCode } })
  left.connection.goOffline()
  left.connection.goOnline()
  await eventually(
    () => own.count('open'),
    (open) => open === 2,
  )
  assert.deepEqual(denied[0]?.log, ['closed permission-denied'])
  denied[0]?.attached.reopen()
  await eventually(
    () => denied[0]?.log,
    (log) => log?.[1] === 'open' && log.includes('state'),
  )
})

test('[CX14] who loses the right is told why, then closed, once; the rest of the socket goes on', async () => {
  const victim = await register(server.url)
  const { accessCode, id } = team.group
  await ask(server.url, 'POST', '/groups/join', { token: victim.accessToken, body: { accessCode } })
  const name = await team.newDocument()
  await using left = openPeer(server, victim)
  const [lost, own] = [left.open(name), left.open(`me/${victim.id}`)]
  await Promise.all([handshake(lost), handshake(own)])
  const before = lost.log.length
  await ask(server.url, 'DELETE', `/groups/${id}/members/${victim.id}`, { token: ann.accessToken })
  await eventually(
    () => lost.isOpen(),
    (isOpen) => !isOpen,
  )
  await nextTurn()
  const message = `message ${JSON.stringify({ type: 'revoked', code: 'revoked/access' })}`
  assert.deepEqual(lost.log.slice(before), [message, 'closed revoked/access'])
  textOf(lost).insert(0, 'too late')
  lost.attached.reopen()
  await eventually(
    () => lost.log.at(-1),
    (told) => told === 'closed permission-denied',
  )
  assert.ok(own.isOpen())
})

test('[CX14] whose login has ended is told so and has no login any more: denied, until there is another', async () => {
  const victim = await register(server.url)
  let token: string | null = victim.accessToken
  let rejected = 0
  const tokenRejected = (): void => {
    rejected++
    token = null
  }
  await using left = openPeer(server, victim, { token: async () => token, tokenRejected })
  const own = left.open(`me/${victim.id}`)
  await handshake(own)
  await ask(server.url, 'POST', '/auth/logout', { body: { refreshToken: victim.refreshToken } })
  await eventually(
    () => left.connection.state,
    (state) => state === 'denied',
  )
  assert.deepEqual([own.count('closed revoked/session'), own.count('closed disconnected'), rejected], [1, 0, 1])
  token = (await login(server.url, victim)).accessToken
  left.connection.loginChanged()
  await eventually(
    () => own.isOpen(),
    (isOpen) => isOpen,
  )
})
