// Random requests to every endpoint that the API's description names, by people of every standing: no answer may be a
// failure of the server, set a cookie, or have another shape than the envelope.
import { ERRORS } from '../../shared/errors.ts'
import { createRandom, type Random } from '../helpers/random.ts'
import { openWorld, put, type World } from './api-world.ts'
import { addressOf, type Endpoint, exampleOf, listEndpoints } from './endpoints.ts'
import { brokenBody, type Draw, hostileString, mutate, toText, valueOf } from './hostile-json.ts'

/** A world wears out: groups are deleted, people thrown out. */
const REQUESTS_PER_WORLD = 500
const AT_ONCE = 8
const REVIVE_EVERY = 12 * AT_ONCE
/** Asked less often: what costs a hash of a password, and what takes something away that others ask for. */
const HASHING = /auth\/(?:register|login|password)$/
const isRare = ({ method, path }: Endpoint): boolean =>
  method === 'DELETE' || HASHING.test(path) || path.endsWith('/leave') || path.endsWith('/bans')

export interface FuzzReport {
  readonly requests: number
  readonly statuses: Record<string, number>
  /** Neither "no such route" nor "log in first". */
  readonly reached: number
  /** Of these, the ones that were not kept out by who asked or what for. */
  readonly allowed: number
  /** Each with what is needed to see it again. */
  readonly faults: readonly string[]
  readonly unhandled: number
  readonly endpoints: number
  readonly slowestMs: number
}

interface Asked {
  readonly method: string
  readonly address: string
  readonly body: string | undefined
  readonly headers: Record<string, string>
}

const idsIn = ({ people, stands }: World, endpoints: readonly Endpoint[]): string[] => {
  const examples = endpoints.flatMap(({ parameters }) => parameters.map(({ example }) => example ?? 'example'))
  const known = [...new Set(examples)]
  return [
    ...Object.values(people).map(({ id }) => id),
    ...Object.values(stands).flatMap((side) => known.map((id) => put(side, id))),
  ]
}

const parametersFor = (draw: Draw, { parameters }: Endpoint, given: Readonly<Record<string, string>>) => {
  const { random, ids } = draw
  const drawn: Record<string, string> = {}
  for (const { name, required, schema } of parameters) {
    if (!required && random.chance(0.7)) continue
    const choice = random.int(0, 99)
    const example = given[name]
    if (choice < 80 && example !== undefined) drawn[name] = example
    else if (choice < 87) drawn[name] = random.pick(ids)
    else if (choice < 93) drawn[name] = toText(valueOf(draw, schema)).replaceAll('"', '')
    else drawn[name] = hostileString(random)
  }
  return drawn
}

const bodyFor = (draw: Draw, { method, schema, example }: Endpoint): string | undefined => {
  const { random } = draw
  if (!schema) return method !== 'GET' && random.chance(0.05) ? '{"unknown":1}' : undefined
  if (random.chance(0.04)) return brokenBody(random)
  let value = random.chance(0.5) ? example : valueOf(draw, schema)
  for (let times = random.pick([0, 1, 1, 1, 2]); times > 0; times--) value = mutate(draw, value)
  return toText(value)
}

const makeRequest = (draw: Draw, world: World, endpoint: Endpoint, id: string): Asked => {
  const { random } = draw
  const side = random.chance(0.85) ? world.stands.mine : world.stands.their
  const given = exampleOf(endpoint).parameters
  const stood = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, put(side, value)]))
  const address = addressOf(endpoint, { parameters: parametersFor(draw, endpoint, stood), body: undefined })
  const body = bodyFor(draw, endpoint)
  const { owner } = world.people
  const who = random.int(0, 99)
  const token =
    who < 55
      ? owner.token
      : who < 92
        ? random.pick(Object.values(world.people)).token
        : who < 95
          ? world.shareToken
          : ''
  const headers: Record<string, string> = { 'x-request-id': id }
  if (token !== '') headers['authorization'] = `Bearer ${token}`
  else if (random.chance(0.5))
    headers['authorization'] = random.pick(['Bearer x', 'Basic eDp5', 'Bearer', 'bearer a b'])
  if (random.chance(0.1)) headers['idempotency-key'] = random.pick(['one', 'two', 'a b', 'x'.repeat(300), id])
  if (random.chance(0.2)) headers['accept-encoding'] = random.pick(['gzip', 'br', '*', 'gzip;q=0', 'gzip;q=x, ,'])
  if (random.chance(0.1))
    headers['content-type'] = random.pick(['application/json', 'text/plain', 'x', 'multipart/form-data'])
  if (random.chance(0.05)) headers['if-none-match'] = random.pick(['*', '"x"', 'W/', ','])
  return { method: endpoint.method, address, body: body && put(side, body), headers }
}

/** What is wrong with an answer; null when nothing is. */
const faultIn = (response: Response, text: string): string | null => {
  const { status, headers } = response
  if (status >= 500) return `${status} ${text}`
  if (headers.has('set-cookie')) return `a cookie: ${headers.get('set-cookie')}`
  if (status < 400) return null
  try {
    const { success, error } = JSON.parse(text) as { success: unknown; error: { code: string } }
    return success === false && error.code in ERRORS ? null : `no error of ours: ${text}`
  } catch {
    return `not JSON: ${text}`
  }
}

const codeOf = (text: string): string => /"code":"([^"]*)"/.exec(text)?.[1] ?? ''

export const fuzz = async (requests: number, seed: number): Promise<FuzzReport> => {
  const endpoints = listEndpoints()
  const statuses: Record<string, number> = {}
  const faults: string[] = []
  let [reached, allowed, asked, unhandled, slowestMs] = [0, 0, 0, 0, 0]
  const onUnhandled = (error: unknown): void => {
    unhandled++
    faults.push(`unhandled: ${String(error)}`)
  }
  process.on('unhandledRejection', onUnhandled)

  const pick = (random: Random): Endpoint => {
    const endpoint = random.pick(endpoints)
    return isRare(endpoint) && random.chance(0.8) ? pick(random) : endpoint
  }

  const askOne = async (world: World, draw: Draw): Promise<void> => {
    const id = `fuzz-${++asked}`
    const { method, address, body, headers } = makeRequest(draw, world, pick(draw.random), id)
    const startedAt = performance.now()
    const response = await world.app.app.request(address, { method, headers, ...(body !== undefined && { body }) })
    const text = await response.text()
    slowestMs = Math.max(slowestMs, performance.now() - startedAt)
    statuses[response.status] = (statuses[response.status] ?? 0) + 1
    if (response.status !== 401 && codeOf(text) !== 'http/no-route') reached++
    if (![401, 403, 404].includes(response.status)) allowed++
    const fault = faultIn(response, text)
    if (fault === null) return
    const log = world.app.logLines.find((line) => line.includes(`"${id}"`) && line.includes('"error"'))
    faults.push(
      `${method} ${address} ${body?.slice(0, 500)} ${JSON.stringify(headers)}: ${fault}\n${log?.slice(0, 1_500)}`,
    )
  }

  /** Logs in again whoever was logged out. */
  const revive = async ({ app, people }: World): Promise<void> => {
    for (const person of Object.values(people)) {
      if (await app.access.isLive(person)) continue
      const device = { deviceId: null, userAgent: null }
      const { storage, sessions, accessTokens } = app
      const session = await storage.db.transaction().execute((trx) => sessions.start(trx, person.id, device))
      Object.assign(person, { sessionId: session.sessionId, token: (await accessTokens.sign(session)).accessToken })
    }
  }

  try {
    const random = createRandom(seed)
    for (let from = 0; from < requests; from += REQUESTS_PER_WORLD) {
      await using world = await openWorld()
      const draw = { random, ids: idsIn(world, endpoints) }
      const end = Math.min(requests, from + REQUESTS_PER_WORLD)
      for (let at = from; at < end; at += AT_ONCE) {
        await Promise.all(Array.from({ length: Math.min(AT_ONCE, end - at) }, () => askOne(world, draw)))
        if ((at - from) % REVIVE_EVERY === 0) await revive(world)
      }
    }
  } finally {
    process.off('unhandledRejection', onUnhandled)
  }
  return { requests: asked, statuses, reached, allowed, faults, unhandled, endpoints: endpoints.length, slowestMs }
}
