// The API's description, held against the routes there are, and every example in it against a server that runs.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { parseConfig } from '../../server/config.ts'
import { describeApi } from '../../server/http/openapi.ts'
import { createLogger } from '../../server/log.ts'
import { type RunningServer, startServer } from '../../server/start.ts'
import { KINDS } from '../../shared/registry.ts'
import { ROOT } from '../helpers/processes.ts'
import { prepareGroupExample } from './group-examples.ts'
import { NO_LIMITS, openTestApp } from './test-app.ts'

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required: boolean
  readonly example?: string
}

type Schema = Parameters<typeof z.fromJSONSchema>[0]

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema; readonly example?: unknown }>>
}

interface Endpoint {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly security?: readonly unknown[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: Content
  readonly responses: Readonly<Record<string, Content>>
}

interface Description {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Endpoint>>>>
}

const JSON_TYPE = 'application/json'

const resolve = (root: unknown, reference: string): unknown =>
  reference
    .slice(2)
    .split('/')
    .reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], root)

/** The value with every reference replaced by what it refers to. */
const inline = (root: unknown, value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((inner) => inline(root, inner))
  if (typeof value !== 'object' || value === null) return value
  const { $ref } = value as { $ref?: unknown }
  if (typeof $ref === 'string') {
    const target = resolve(root, $ref)
    if (target === undefined) throw new Error(`${$ref} refers to nothing`)
    return inline(root, target)
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inline(root, inner)]))
}

const raw = describeApi()
const description = inline(raw, raw) as Description
const endpoints = Object.entries(description.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, endpoint]) => Object.assign(endpoint, { method: method.toUpperCase(), path })),
)

/** The paths that the generic routes stand for, kind by kind. */
const expand = (route: string): string[] =>
  [...KINDS.values()].flatMap((kind) => {
    const takesPart = kind.part !== 'none'
    const needsPart = kind.part === 'year'
    const hasPart = route.includes('{part}')
    if (hasPart ? !takesPart : needsPart) return []
    const path = route.replace('{kind}', kind.name)
    if (route.includes('/versions')) return kind.name === 'document' ? [path] : []
    if (route.includes('{name}')) return kind.operations.map(({ name }) => path.replace('{name}', name))
    return kind.read ? [path] : []
  })

describe('the description', () => {
  test('[OA1] it names every route there is, and nothing else', async () => {
    await using app = await openTestApp()
    const routes = app.app.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
    const expected = routes.flatMap((route) => (route.includes('{kind}') ? expand(route) : [route]))
    const described = endpoints.map(({ method, path }) => `${method} ${path}`)
    expect(expected.length).toBeGreaterThan(80)
    expect([...new Set(described)].toSorted()).toEqual([...new Set(expected)].toSorted())
  })

  test('[OA2] it is OpenAPI 3.1 whose references, names and parameters fit together', () => {
    expect(description.openapi).toBe('3.1.0')
    const ids = endpoints.map(({ operationId }) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { path, parameters = [], summary } of endpoints) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
      expect(parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(inPath)
      expect(summary).not.toBe('')
    }
  })

  test('[OA3] every example is what its schema says', () => {
    for (const { requestBody, operationId } of endpoints) {
      const content = requestBody?.content?.[JSON_TYPE]
      if (content)
        expect(z.fromJSONSchema(content.schema).safeParse(content.example).error, operationId).toBeUndefined()
    }
  })
})

/** What must be in a document before the examples of its kind can be run. */
const PREPARED: Readonly<Record<string, readonly (readonly [name: string, input: object])[]>> = {
  tasks: [['task.add', { id: 'task-0000000001', title: 'Buy milk' }]],
  board: [
    ['column.add', { id: 'column-00000001', name: 'To do' }],
    ['card.add', { id: 'card-0000000001', column: 'column-00000001', title: 'Paint the fence' }],
  ],
  chat: [['message.send', { id: 'user-0000000001.message-00000001', body: 'Lunch at one?' }]],
}

const CHANNEL_TYPES = { tasks: 'TODO', board: 'KANBAN', chat: 'CHAT', marks: 'CHAT', document: 'DOC' }

/** Stands for the token of somebody whom an example is for; no example holds it. */
const OWN_TOKEN = 'the token to ask with'

describe('a running server', () => {
  let folder: string
  let server: RunningServer
  let token: string
  const password = 'a quiet violet kettle'

  const ask = (method: string, path: string, body?: unknown, as?: string) =>
    fetch(`${server.url}${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': JSON_TYPE }),
        ...(as !== undefined && { authorization: `Bearer ${as}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })

  // oxlint-disable-next-line typescript/no-explicit-any -- reason: answers of every shape.
  const must = async (method: string, path: string, body?: unknown, as = token): Promise<any> => {
    const response = await ask(method, `/api/v1${path}`, body, as)
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return text === '' ? undefined : (JSON.parse(text) as { data: unknown }).data
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'syncline-openapi-'))
    const log = createLogger({ level: 'error' })
    server = await startServer(parseConfig({ PORT: '0', DATA_DIR: folder }), log, { limits: NO_LIMITS })
    token = (await must('POST', '/auth/register', { id: 'user-0000000001', username: 'olga', password }, ''))
      .accessToken
    await must('POST', '/auth/register', { username: 'ada', password, id: 'user-0000000002' }, '')
  })

  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  let lastNumber = 0

  /** Fresh things for one example, by the ids that stand for them in the description. */
  const prepare = async ({ method, path, tags }: (typeof endpoints)[number]): Promise<Map<string, string>> => {
    const number = String(++lastNumber).padStart(10, '0')
    const tag = tags[0]?.split(':')[0] ?? ''
    // One belongs to a hundred groups at most, so a new one is made only for what is a group's.
    const group = tag in CHANNEL_TYPES ? 'shared-group-0001' : `fresh-group-${number}`
    await must('POST', '/groups', { id: group, name: 'Friday club' })
    const stands = new Map([['group-0000000001', group]])
    for (const [kind, type] of Object.entries(CHANNEL_TYPES)) {
      if (kind !== tag && tag !== 'channels') continue
      const { id } = await must('POST', `/groups/${group}/channels`, { type, name: kind })
      stands.set(`${kind}-0000000001`, id)
      for (const [name, input] of PREPARED[kind] ?? [])
        await must('POST', `/documents/${kind}/${id}/operations/${name}`, input)
    }
    if (tag === 'accounts') {
      if (path.endsWith('register')) stands.set('"ada"', '"ada_again"').set('user-0000000002', `fresh-user-${number}`)
      const login = await must('POST', '/auth/login', { identifier: 'olga', password }, '')
      stands.set('the-refresh-token-of-the-last-answer', login.refreshToken)
      if (path.endsWith('password')) {
        // It ends every login of whoever asks.
        const other = await must('POST', '/auth/register', { username: `person_${number}`, password }, '')
        stands.set(OWN_TOKEN, other.accessToken)
      }
      if (path.includes('logout-all')) {
        const other = await must('POST', '/auth/login', { identifier: 'ada', password }, '')
        stands.set('the-refresh-token-of-the-last-answer', other.refreshToken)
      }
      const sessions: { id: string; current?: boolean }[] = await must(
        'GET',
        '/auth/sessions',
        undefined,
        login.accessToken,
      )
      stands.set('session-0000000001', sessions.find(({ current }) => !current)?.id ?? '')
    }
    if (path.endsWith('/join')) {
      const ada = await must('POST', '/auth/login', { identifier: 'ada', password }, '')
      const { accessCode } = await must('POST', '/groups', { name: 'Theirs' }, ada.accessToken)
      stands.set('THE-CODE-00', accessCode)
    }
    const logInOther = async () => {
      const { accessToken } = await must('POST', '/auth/login', { identifier: 'ada', password }, '')
      return (verb: string, at: string, body?: unknown) => must(verb, at, body, accessToken)
    }
    const example = { route: `${method} ${path}`, group, must, logInOther }
    for (const [from, to] of await prepareGroupExample(example)) stands.set(from, to)
    if (tag === 'checkins' && !path.endsWith('submit') && path !== '/api/v1/checkins') {
      const scores = { productive: 5, satisfied: 5, body: 5, care: 5 }
      const { period } = await must('POST', '/checkins', { groupId: group, ...scores })
      stands.set('2026-W07', period)
    }
    if (path.includes('/versions')) {
      const document = `document/${stands.get('document-0000000001')}${path.includes('{part}') ? '/record-0000000001' : ''}`
      stands.set('version-0000000001', (await must('POST', `/documents/${document}/versions`, {})).id)
    }
    if (path.includes('/shares')) {
      const document = `document/${stands.get('document-0000000001')}`
      stands.set('share-000000000000001', (await must('POST', `/documents/${document}/shares`, {})).id)
    }
    return stands
  }

  const put = <Value>(stands: ReadonlyMap<string, string>, value: Value): Value => {
    let text = JSON.stringify(value)
    for (const [from, to] of stands) text = text.replaceAll(from, to)
    return JSON.parse(text) as Value
  }

  test.each(endpoints.map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint] as const))(
    '[OA4] the example of %s answers as it says',
    async (_, endpoint) => {
      const stands = await prepare(endpoint)
      const parameters = put(stands, endpoint.parameters ?? [])
      const query = new URLSearchParams()
      let path = endpoint.path
      for (const { name, in: place, example, required } of parameters) {
        if (place === 'path') path = path.replace(`{${name}}`, encodeURIComponent(example as string))
        else if (required) query.set(name, example as string)
      }
      const body = put(stands, endpoint.requestBody?.content?.[JSON_TYPE]?.example ?? null)
      const as = endpoint.security ? undefined : (stands.get(OWN_TOKEN) ?? token)
      const response = await ask(endpoint.method, `${path}?${query}`, body ?? undefined, as)
      const text = await response.text()
      const [status, answer] = Object.entries(endpoint.responses)[0] as [string, Content]
      expect(`${response.status} ${response.ok ? '' : text}`.trim()).toBe(status)
      const type = Object.keys(answer.content ?? {})[0]
      if (type === undefined) expect(text).toBe('')
      else expect(response.headers.get('content-type')).toContain(type)
      const schema = answer.content?.[JSON_TYPE]?.schema
      if (schema) {
        expect(z.fromJSONSchema(schema).safeParse(JSON.parse(text)).error).toBeUndefined()
      }
    },
  )

  test('[OA5] the page loads nothing from elsewhere, and may not', async () => {
    const page = await ask('GET', '/docs')
    const html = await page.text()
    expect([...html.matchAll(/(?:src|href|spec-url)="([^"]*)"/g)].map((match) => match[1])).toEqual([
      '/openapi.json',
      '/docs/openapi-explorer.min.js',
      '/openapi.json',
    ])
    expect(html).not.toMatch(/https?:/)
    expect(page.headers.get('content-security-policy')?.split('; ')).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'unsafe-inline'",
      'img-src data:',
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ])
    expect(page.headers.get('x-frame-options')).toBe('DENY')
    const script = await ask('GET', '/docs/openapi-explorer.min.js')
    const file = join(ROOT, 'node_modules/openapi-explorer/dist/browser/openapi-explorer.min.js')
    expect(Buffer.from(await script.arrayBuffer()).equals(await readFile(file))).toBe(true)
  })
})
