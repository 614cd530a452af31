// Requests with the ids of other people's things, and with fields that nobody asked for, on every endpoint that the API's
// description names: who is not in a group learns nothing of it and changes nothing in it.
import assert from 'node:assert/strict'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openWorld, type Person, put, type Stands, type World } from './api-world.ts'
import { addressOf, type Endpoint, exampleOf, listEndpoints, type Values } from './endpoints.ts'

/** What takes things away comes last, so that they are there for the others. */
const isLast = ({ method, path }: Endpoint): boolean => method === 'DELETE' || /\/(?:leave|bans)$/.test(path)

const endpoints = listEndpoints()
  .filter(({ path }) => path.startsWith('/api/v1/'))
  .toSorted((a, b) => Number(isLast(a)) - Number(isLast(b)))
const titleOf = ({ method, path }: Endpoint): string => `${method} ${path}`

/** Things of a group, by the ids that the examples have for them. People are known to each other. */
const OF_A_GROUP = /(?:group|task|tasks|column|card|board|chat|marks|document|record|version|share|invite)-0+1/

const standsIn = (stands: Stands, { parameters, body }: Values): Values => ({
  parameters: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, put(stands, value)])),
  body: body && put(stands, body),
})

const namesThings = ({ parameters, body }: Values): boolean =>
  Object.values(parameters).some((value) => OF_A_GROUP.test(value)) || OF_A_GROUP.test(body ?? '')

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

const ask = async (endpoint: Endpoint, values: Values, token: string, { app } = world) => {
  const { method } = endpoint
  const headers = { authorization: `Bearer ${token}` }
  const body = values.body === undefined ? {} : { body: values.body }
  const response = await app.app.request(addressOf(endpoint, values), { method, headers, ...body })
  return { status: response.status, text: await response.text() }
}

/** What an answer says besides when and to which request, with its ids as the examples have them. */
const sayingOf = ({ status, text }: Awaited<ReturnType<typeof ask>>, stands: Stands): string => {
  const { data, error } = (text ? JSON.parse(text) : {}) as { data?: unknown; error?: unknown }
  const named = new Map([...stands].map(([from, to]) => [to, from]))
  return `${status} ${put(named, JSON.stringify({ data, error }))}`
}

/** All that the owner can read of the first group. */
const readAll = async (): Promise<string[]> => {
  const readers = endpoints.filter(({ method, path }) => method === 'GET' && !path.includes('/auth/'))
  const answers = readers.map(async (endpoint) => {
    const answer = await ask(endpoint, standsIn(world.stands.mine, exampleOf(endpoint)), world.people.owner.token)
    return `${titleOf(endpoint)} ${sayingOf(answer, world.stands.mine)}`
  })
  return Promise.all(answers)
}

/** The values with each way of taking some of them from the other group, but not all. */
const mixtures = ({ parameters, body }: Values): Values[] => {
  const names = Object.keys(parameters)
  const count = 2 ** names.length
  return Array.from({ length: count }, (_, mask) => {
    const side = (index: number): Stands => (mask & (2 ** index) ? world.stands.their : world.stands.mine)
    const mixed = Object.entries(parameters).map(([name, value], index) => [name, put(side(index), value)] as const)
    const swapped = Object.fromEntries(mixed)
    return ['mine', 'their'].map((of) => ({
      parameters: swapped,
      body: body && put(world.stands[of as 'mine' | 'their'], body),
    }))
  }).flat()
}

describe('ids of others', () => {
  test('[HP22] neither strangers, nor people of another group, nor somebody invited learn or change anything', async () => {
    const before = await readAll()
    expect(before.filter((line) => line.includes(world.secrets.SECRET)).length).toBeGreaterThan(20)
    const { stranger, mallory } = world.people
    const counts = { requests: 0, denied: 0 }
    const leaks: string[] = []
    const check = async (endpoint: Endpoint, values: Values, who: Person, mustDeny: boolean): Promise<void> => {
      const answer = await ask(endpoint, values, who.token)
      counts.requests++
      if (answer.status >= 400) counts.denied++
      const leak = Object.values(world.secrets).find((secret) => answer.text.includes(secret))
      if (leak !== undefined || answer.status >= 500 || (mustDeny && answer.status < 400))
        leaks.push(`${titleOf(endpoint)} ${JSON.stringify(values)}: ${answer.status} ${answer.text.slice(0, 300)}`)
    }
    for (const endpoint of endpoints) {
      const example = exampleOf(endpoint)
      // Their own logins and accounts are their own to end.
      if (/auth\/(?:password|logout|sessions)|groups\/join/.test(endpoint.path)) continue
      const values = standsIn(world.stands.mine, example)
      for (const who of [stranger, mallory]) await check(endpoint, values, who, namesThings(example))
      for (const mixture of mixtures(example)) await check(endpoint, mixture, mallory, false)
    }
    expect(leaks).toEqual([])
    expect(await readAll()).toEqual(before)
    process.stdout.write(`swapping: ${endpoints.length} endpoints, ${JSON.stringify(counts)}, 0 leaks\n`)
  }, 300_000)

  test('[HP23] what is forbidden to a stranger is answered as what does not exist', async () => {
    const { stranger } = world.people
    const compared = []
    for (const endpoint of endpoints) {
      const example = exampleOf(endpoint)
      if (!namesThings(example)) continue
      const { mine, nobody } = world.stands
      const known = sayingOf(await ask(endpoint, standsIn(mine, example), stranger.token), mine)
      const unknown = sayingOf(await ask(endpoint, standsIn(nobody, example), stranger.token), nobody)
      expect(known, titleOf(endpoint)).toBe(unknown)
      compared.push(endpoint)
    }
    expect(compared.length).toBeGreaterThan(80)
    process.stdout.write(`unknown and forbidden: ${compared.length} endpoints answer alike\n`)
  })

  test('[HP24] guests and members see no code, no link and no token of others', async () => {
    const { guest, member } = world.people
    const { accessCode, shareToken } = world.secrets
    for (const endpoint of endpoints.filter(({ method }) => method === 'GET')) {
      const values = standsIn(world.stands.mine, exampleOf(endpoint))
      for (const who of [guest, member]) {
        const { text } = await ask(endpoint, values, who.token)
        assert.ok(!text.includes(accessCode) && !text.includes(shareToken), `${titleOf(endpoint)}: ${text}`)
      }
    }
  })
})

describe('fields that nobody asked for', () => {
  const withBody = endpoints.filter(({ schema }) => schema)

  test.each(withBody.map((endpoint) => [titleOf(endpoint), endpoint] as const))(
    '[HP25] %s refuses them, in its body and inside of it',
    async (_, endpoint) => {
      const { owner } = world.people
      const { parameters, body = '' } = standsIn(world.stands.mine, exampleOf(endpoint))
      for (const field of ['unknown', 'role_', 'userId_', '__proto__']) {
        const changed = body.replace(/^\{/, body === '{}' ? `{"${field}":1` : `{"${field}":1,`)
        const { status, text } = await ask(endpoint, { parameters, body: changed }, owner.token)
        assert.deepEqual([status, /"code":"([^"]*)"/.exec(text)?.[1]], [422, 'input/invalid'], text)
        assert.ok(text.includes(`"${field}"`), text)
      }
    },
  )

  test('[HP25] every object in every schema is closed', () => {
    const open: string[] = []
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return
      const { type, properties, additionalProperties } = value as Record<string, unknown>
      if (type === 'object' && properties !== undefined && additionalProperties !== false) open.push(path)
      for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`)
    }
    for (const endpoint of withBody) visit(endpoint.schema, titleOf(endpoint))
    expect(open).toEqual([])
  })
})
