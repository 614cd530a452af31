// Secrets in the wrong place: each kind of token where another belongs, tokens that nobody signed so, and tokens in
// addresses, which must not end up in the log.
import assert from 'node:assert/strict'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { openSecrets } from '../../server/secret.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { ask, createTeam, PASSWORD, type Person, type Team } from '../helpers/accounts.ts'
import { connectWire } from '../helpers/wire-client.ts'
import { openYWebsocket } from '../compat/clients.ts'

const SECRET_KEY = 'the secret key of the confusion tests'

let server: OwnServer
let team: Team
let owner: Person
let document: string
let share: string
beforeAll(async () => {
  server = await startOwnServer({ SECRET_KEY, LOG_LEVEL: 'debug' })
  team = await createTeam(server.url, 2)
  owner = team.people[0]
  document = await team.newDocument()
  const asking = { token: owner.accessToken, body: {} }
  share = ((await ask(server.url, 'POST', `/documents/${document}/shares`, asking)).data as { token: string }).token
})
afterAll(() => server?.[Symbol.asyncDispose]())

const newTicket = async (): Promise<string> => {
  const { data } = await ask(server.url, 'POST', '/auth/ticket', { token: owner.accessToken })
  return (data as { ticket: string }).ticket
}

/** The places that take a secret, and what they say to it: null when they take it. */
const PLACES = {
  'bearer of a route of accounts': async (token: string) =>
    (await ask(server.url, 'GET', '/auth/me', { token })).code ?? null,
  'bearer of a route of documents': async (token: string) =>
    (await ask(server.url, 'GET', `/documents/${document}`, { token })).code ?? null,
  'refresh token': async (refreshToken: string) =>
    // Longer than any refresh token is, an access token is refused by the schema.
    (await ask(server.url, 'POST', '/auth/refresh', { body: { refreshToken } })).code ?? null,
  'log-out everywhere': async (refreshToken: string) =>
    (await ask(server.url, 'POST', '/auth/logout-all', { body: { refreshToken } })).code ?? null,
  'access code': async (accessCode: string) =>
    (await ask(server.url, 'POST', '/groups/join', { token: owner.accessToken, body: { accessCode } })).code ?? null,
  password: async (password: string) => {
    const body = { identifier: `nobody_${Math.floor(performance.now() * 1_000)}`, password }
    return (await ask(server.url, 'POST', '/auth/login', { body })).code ?? null
  },
  socket: async (token: string) => {
    const client = await connectWire(server.syncUrl)
    const code = await client.open(document, token).then(
      () => null,
      (error: Error) => error.message,
    )
    client.close()
    return code
  },
} as const

type Place = keyof typeof PLACES

const takenBy = async (secret: string, places = Object.keys(PLACES) as Place[]): Promise<Place[]> => {
  const taken: Place[] = []
  for (const place of places) if ((await PLACES[place](secret)) === null) taken.push(place)
  return taken
}

describe('secrets in the wrong place', () => {
  test('[SE21] each secret is taken where it belongs and nowhere else', async () => {
    const ownPlaces = ['bearer of a route of accounts', 'bearer of a route of documents', 'socket']
    assert.deepEqual(await takenBy(owner.accessToken), ownPlaces)
    assert.deepEqual(await takenBy(share), ['bearer of a route of documents', 'socket'])
    assert.deepEqual(await takenBy(await newTicket()), ['socket'])
    assert.deepEqual(await takenBy(team.group.accessCode), ['access code'])
    assert.deepEqual(await takenBy(PASSWORD), [])
    const { id } = owner
    assert.deepEqual(await takenBy(id), [])
    const elsewhere = (Object.keys(PLACES) as Place[]).filter((place) => !/refresh|log-out/.test(place))
    assert.deepEqual(await takenBy(owner.refreshToken, elsewhere), [])
    assert.deepEqual(await takenBy(owner.refreshToken, ['refresh token']), ['refresh token'])
  })

  test('[SE22] no token that was not signed so by this server is taken, by HTTP or by a socket', async () => {
    const { accessTokenKey, refreshKey } = await openSecrets({ secretKey: SECRET_KEY, dataDir: server.folder })
    const [head, body, signature] = owner.accessToken.split('.') as [string, string, string]
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown> & { iat: number }
    const header = { alg: 'HS256', typ: 'at+jwt' }
    const sign = (payload: object, protectedHeader = header, key: Uint8Array = accessTokenKey): Promise<string> =>
      new SignJWT({ ...payload }).setProtectedHeader(protectedHeader).sign(key)
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const all: Place[] = ['bearer of a route of accounts', 'bearer of a route of documents', 'socket']
    assert.deepEqual(await takenBy(await sign(claims), all), all)

    const old = { iat: claims.iat - 3_600, exp: claims.iat - 2_700 }
    const forged: Record<string, string> = {
      'algorithm none': `${encode({ ...header, alg: 'none' })}.${body}.`,
      'algorithm none, with a signature': `${encode({ ...header, alg: 'none' })}.${body}.${signature}`,
      'algorithm NONE': `${encode({ ...header, alg: 'NONE' })}.${body}.`,
      'another algorithm': await sign(claims, { ...header, alg: 'HS512' }, new Uint8Array(64)),
      'no signature': `${head}.${body}.`,
      'a cut signature': owner.accessToken.slice(0, -4),
      'another body': `${head}.${encode({ ...claims, sub: team.people[1]?.id })}.${signature}`,
      'another key': await sign(claims, header, new Uint8Array(32)),
      'the key of refresh tokens': await sign(claims, header, refreshKey),
      'another type': await sign(claims, { ...header, typ: 'JWT' }),
      'another issuer': await sign({ ...claims, iss: 'other' }),
      'another audience': await sign({ ...claims, aud: 'other' }),
      'an audience of two': await sign({ ...claims, aud: ['other'] }),
      expired: await sign({ ...claims, ...old }),
      'expired long after': await sign({ ...claims, ...old, exp: claims.iat + 3_600 }),
      'from the future': await sign({ ...claims, iat: claims.iat + 3_600, exp: claims.iat + 4_500 }),
      'of a login that is none': await sign({ ...claims, sid: 'session-0000000001' }),
      'of the login of somebody else': await sign({ ...claims, sub: team.people[1]?.id, sid: 'nobody-at-all' }),
      'a share link that is none': `share_${'A'.repeat(43)}`,
      'a visitor without a link': await sign({ ...claims, sub: 'share-0000000001', sid: 'share-0000000001' }),
      'a ticket that is none': `ticket_${'A'.repeat(43)}`,
    }
    for (const [name, token] of Object.entries(forged)) assert.deepEqual(await takenBy(token, all), [], name)
    process.stdout.write(`token confusion: ${Object.keys(forged).length} forged tokens in 3 places, 0 taken\n`)
  })

  test('[SE23] no secret is in the log, not even of those in addresses', async () => {
    const ticket = await newTicket()
    for (const token of [owner.accessToken, share, ticket]) {
      using client = openYWebsocket(server, { accessToken: token }, document)
      await client.synced()
      for (const path of [
        `/auth/me?token=${token}`,
        `/documents/${document}?token=${token}`,
        `/none?access_token=${token}`,
      ]) {
        await ask(server.url, 'GET', path, {})
      }
      await fetch(`${server.url}/health?token=${token}`)
    }
    const { refreshToken } = owner
    const secrets = [owner.accessToken, share, ticket, refreshToken, PASSWORD, team.group.accessCode, SECRET_KEY]
    for (const secret of secrets) {
      await takenBy(secret, ['bearer of a route of accounts', 'refresh token', 'access code', 'password', 'socket'])
    }
    for (const path of ['/api/v1/auth/me', '/api/v1/none']) {
      assert.ok(
        server.logLines.some((line) => line.includes(`"${path}"`)),
        path,
      )
    }
    for (const line of server.logLines) {
      for (const secret of secrets) assert.ok(!line.includes(secret), line)
    }
    process.stdout.write(`secrets in ${server.logLines.length} log lines: 0\n`)
  })
})
