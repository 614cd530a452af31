// Requests of the SDK against a server that answers what proxies, login pages, newer servers and dying ones answer.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'vitest'
import { systemClock } from '../../client-sdk/system-clock.ts'
import { createHttp, type HttpOptions, Unreachable } from '../../client-sdk/http.ts'
import { AppError } from '../../shared/errors.ts'
import { createManualClock } from './connection-peer.ts'

const serve = async (listener: RequestListener) => {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

const httpFor = (url: string, options: Partial<HttpOptions> = {}) =>
  createHttp({ url, token: async () => 'the token', tokenRejected: () => {}, clock: systemClock, ...options })

const json =
  (status: number, value: unknown): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }
const html =
  (status: number): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>Welcome to the café</h1>')
  }
const error = (code: string, details?: unknown) => ({ success: false, error: { code, message: 'said so', details } })

const ask = async (listener: RequestListener, options?: Partial<HttpOptions>): Promise<unknown> => {
  await using server = await serve(listener)
  return await httpFor(server.url, options).request('GET', '/groups')
}

test('[DV1] the answer’s data comes out of its envelope; no content is undefined', async () => {
  assert.deepEqual(await ask(json(200, { success: true, data: [1] })), [1])
  assert.equal(await ask((_request, response) => void response.writeHead(204).end()), undefined)
})

test('[DV1] a refusal has the server’s code, message and details; an unknown code is internal and stays readable', async () => {
  await assert.rejects(ask(json(409, error('group/full', { max: 2 }))), (thrown) => {
    assert.ok(thrown instanceof AppError)
    assert.deepEqual([thrown.code, thrown.message, thrown.details], ['group/full', 'said so', { max: 2 }])
    return true
  })
  await assert.rejects(ask(json(402, error('billing/due', { at: 7 }))), (thrown) => {
    assert.ok(thrown instanceof AppError)
    assert.deepEqual([thrown.code, thrown.details], ['internal', { at: 7, code: 'billing/due', status: 402 }])
    return true
  })
  // A word of the language's own is no code either.
  await assert.rejects(ask(json(400, error('constructor'))), { code: 'internal' })
})

const NOT_NOW: readonly (readonly [what: string, listener: RequestListener])[] = [
  ['a page of a login portal', html(200)],
  ['a page of a proxy', html(404)],
  ['a proxy without a server', html(502)],
  ['a server that stops', json(503, error('server/stopping'))],
  ['a fault of the server', json(500, error('internal'))],
  ['somebody else’s JSON', json(200, { hello: 'world' })],
  [
    'a redirect',
    (request, response) => {
      if (request.url === '/elsewhere') json(200, { success: true, data: 'somebody else' })(request, response)
      else response.writeHead(302, { location: '/elsewhere' }).end()
    },
  ],
  ['a connection that breaks off', (request) => void request.socket.destroy()],
  [
    'an answer that breaks off',
    (_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"success":true')
      setImmediate(() => response.destroy())
    },
  ],
]

for (const [what, listener] of NOT_NOW)
  test(`[DV2] ${what} says that the server cannot be reached`, async () => {
    await assert.rejects(ask(listener), Unreachable)
  })

test('[DV2] no server, and no answer within 20 s, say so too', async () => {
  await assert.rejects(httpFor('http://127.0.0.1:1').request('GET', '/groups'), Unreachable)
  const clock = createManualClock()
  const asked = Promise.withResolvers<void>()
  const answer = ask(() => asked.resolve(), { clock })
  await asked.promise
  clock.advance(19_999)
  assert.deepEqual(clock.timers(), [1])
  clock.advance(1)
  await assert.rejects(answer, { name: 'Unreachable', message: 'no answer within 20000 ms' })
})

test('[DV2] what the server itself said of its failure is told apart from what a proxy said', async () => {
  await assert.rejects(ask(json(500, error('internal'))), { status: 500, code: 'internal' })
  await assert.rejects(ask(html(502)), { status: 502, code: null })
})

test('[DV3] a 401 brings one more try with a new token, and then it is a refusal', async () => {
  const shown: unknown[] = []
  const rejected: string[] = []
  let token = 'old'
  const options = {
    token: async () => token,
    tokenRejected: (bad: string) => {
      rejected.push(bad)
      token = 'new'
    },
  }
  const answer =
    (good: string): RequestListener =>
    (request, response) => {
      const { authorization } = request.headers
      shown.push(authorization)
      if (authorization === `Bearer ${good}`) return json(200, { success: true, data: 'in' })(request, response)
      return json(401, error('auth/token-invalid'))(request, response)
    }
  assert.equal(await ask(answer('new'), options), 'in')
  assert.deepEqual([shown.splice(0), rejected], [['Bearer old', 'Bearer new'], ['old']])
  await assert.rejects(ask(answer('another'), options), { code: 'auth/token-invalid' })
  assert.equal(shown.length, 2)
})

test('[DV3] without a login nothing is sent; public requests show no token', async () => {
  let requests = 0
  await using server = await serve((request, response) => {
    requests += 1
    json(200, { success: true, data: request.headers.authorization ?? null })(request, response)
  })
  const http = httpFor(server.url, { token: async () => null })
  await assert.rejects(http.request('GET', '/groups'), { code: 'auth/required' })
  assert.equal(requests, 0)
  assert.equal(await httpFor(server.url).request('GET', '/groups', { isPublic: true }), null)
})
