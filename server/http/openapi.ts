// The API's description, OpenAPI 3.1: generated from the registry of kinds, the table of facades and the rows of the
// routes written by hand, so it cannot say something else than they do.
import { z } from 'zod'
import { ERRORS } from '../../shared/errors.ts'
import { isPlainObject, type Json } from '../../shared/json.ts'
import type { Kind } from '../../shared/kind.ts'
import type { AnyOperation } from '../../shared/operation.ts'
import { KINDS } from '../../shared/registry.ts'
import { ROUTE_ROWS } from './described.ts'
import { KIND_VIEWS } from './documents.ts'
import { parametersOf } from './facade-routes.ts'
import { type Facade, FACADES } from './facades.ts'
import { EXAMPLE_GROUP, EXAMPLE_USER, exampleChannel, type RouteRow } from './route-row.ts'

const API = '/api/v1'

type Schema = Readonly<Record<string, unknown>>
type Example = Readonly<Record<string, Json>>

interface Endpoint {
  readonly method: string
  readonly path: string
  readonly tag: string
  readonly summary: string
  /** Values for the parameters of the path, and of the query that must be there. */
  readonly at: Example
  /** Further parameters, of the query. */
  readonly query?: z.core.$ZodObject
  readonly body?: Schema | undefined
  readonly example?: Json | undefined
  readonly data?: Schema
  readonly status?: number
  readonly isPublic?: boolean
  readonly contentType?: string
}

const schemaOf = (type: z.core.$ZodType): Schema => {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io: 'input' })
  return schema
}

/** `schema` of an object without the fields that come from elsewhere. */
const without = (schema: Schema, names: readonly string[]): Schema => {
  const { properties, required } = schema
  if (!isPlainObject(properties)) return schema
  return {
    ...schema,
    properties: Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name))),
    ...(Array.isArray(required) && { required: required.filter((name) => !names.includes(name as string)) }),
  }
}

const pick = (example: Example, isIn: (name: string) => boolean): Example =>
  Object.fromEntries(Object.entries(example).filter(([name]) => isIn(name)))

const exampleId = ({ name, scope }: Kind): string =>
  scope === 'channel' ? exampleChannel(name) : scope === 'group' ? EXAMPLE_GROUP : EXAMPLE_USER

const EXAMPLE_PARTS = { none: [''], record: ['', 'record-0000000001'], segment: ['', '0'], year: ['2026'] } as const

const documentEndpoints = (kind: Kind): Endpoint[] =>
  EXAMPLE_PARTS[kind.part].flatMap((part) => {
    const base = `${API}/documents/${kind.name}/{id}${part === '' ? '' : '/{part}'}`
    const view = KIND_VIEWS.get(kind.name)
    const at = { id: exampleId(kind), ...(part !== '' && { part }) }
    const reader: Endpoint = {
      method: 'GET',
      path: base,
      tag: kind.name,
      summary: view?.summary ?? `Reads a document of kind ${kind.name}.`,
      at,
      ...(view && { query: view.query }),
    }
    const operations = kind.operations.map((operation): Endpoint => ({
      method: 'POST',
      path: `${base}/operations/${operation.name}`,
      tag: kind.name,
      summary: operation.summary,
      at,
      body: schemaOf(operation.input),
      example: operation.example as Json,
      data: { type: 'object', required: ['result'], properties: { result: {} } },
    }))
    return kind.read ? [reader].concat(operations) : operations
  })

const segmentQuery = z.object({
  segment: z.string().optional().meta({ description: 'Which segment of the chat; the newest when left out.' }),
})

/** The example of a facade is the operation's own, spread over the path, the query and the body. */
const facadeEndpoint = (facade: Facade): Endpoint => {
  const kind = KINDS.get(facade.kind) as Kind
  const names = parametersOf(facade.path)
  const common = { method: facade.method, path: `${API}${facade.path}`, tag: `${kind.name}: source routes` }
  const inSegment = kind.part === 'segment' && { query: segmentQuery }
  const document: Example = facade.document === 'me' ? {} : { [facade.document]: exampleId(kind) }
  if ('view' in facade) return { ...common, summary: facade.view.summary, at: document, query: facade.view.query }
  if (!('operation' in facade)) {
    return {
      ...common,
      ...inSegment,
      summary: facade.summary,
      at: { ...facade.at, ...document },
    }
  }
  const operation = kind.operations.find(({ name }) => name === facade.operation) as AnyOperation
  const example = operation.example as Example
  const split = facade.split?.(facade.at?.['id'] ?? '') ?? {}
  const elsewhere = [...names, ...Object.keys(facade.fixed ?? {}), ...Object.keys(split)]
  const body = without(schemaOf(operation.input), elsewhere)
  return {
    ...common,
    ...inSegment,
    summary: operation.summary,
    at: { ...pick(example, (name) => names.includes(name)), ...document, ...facade.at },
    ...(facade.method !== 'DELETE' && { body, example: pick(example, (name) => !elsewhere.includes(name)) }),
    ...(facade.creates && { status: 201 }),
  }
}

const describedEndpoint = ({ body, at, ...row }: RouteRow): Endpoint => ({
  ...row,
  at: at ?? {},
  ...(body && { body: schemaOf(body) }),
})

const refer = (section: string, name: string): Schema => ({ $ref: `#/components/${section}/${name}` })

const envelope = (data: Schema): Schema => ({
  type: 'object',
  required: ['success', 'data', 'meta'],
  properties: { success: { const: true }, data, meta: refer('schemas', 'Meta') },
})

const answerOf = ({ data = {}, status = 200, contentType }: Endpoint): Schema => {
  if (status === 204) return { description: 'Done.' }
  const schema = contentType === undefined ? envelope(data) : {}
  return { description: 'Done.', content: { [contentType ?? 'application/json']: { schema } } }
}

const queryParameter = (name: string, type: z.core.$ZodType): Schema => {
  const { examples, ...schema } = schemaOf(type)
  const parameter = { name, in: 'query', required: !z.safeParse(type, undefined).success, schema }
  return Array.isArray(examples) ? { ...parameter, example: examples[0] as unknown } : parameter
}

const parametersFor = ({ path, at, query }: Endpoint): Schema[] => {
  const inPath = parametersOf(path)
  const given = Object.entries(at).map(([name, example]) => ({
    name,
    in: inPath.includes(name) ? 'path' : 'query',
    required: true,
    schema: { type: 'string' },
    example,
  }))
  const further = Object.entries(query?._zod.def.shape ?? {}).map(([name, type]) => queryParameter(name, type))
  return [...given, ...further]
}

const describe = (endpoint: Endpoint): Schema => {
  const { method, path, tag, summary, body, example, status = 200, isPublic } = endpoint
  const parameters = parametersFor(endpoint)
  return {
    operationId: `${method.toLowerCase()}${path.replaceAll(/[^A-Za-z0-9]+/g, '_')}`,
    tags: [tag],
    summary,
    ...(isPublic && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: { 'application/json': { schema: body, example } } } }),
    responses: { [status]: answerOf(endpoint), default: refer('responses', 'Error') },
  }
}

const text = { type: 'string' }

const COMPONENTS = {
  securitySchemes: { accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
  schemas: {
    Meta: {
      type: 'object',
      required: ['timestamp', 'requestId', 'version'],
      properties: { timestamp: { ...text, format: 'date-time' }, requestId: text, version: { const: 'v1' } },
    },
    Error: {
      type: 'object',
      required: ['success', 'error', 'meta'],
      properties: {
        success: { const: false },
        error: {
          type: 'object',
          required: ['code', 'message'],
          properties: { code: { enum: Object.keys(ERRORS) }, message: text, details: { type: 'object' } },
        },
        meta: refer('schemas', 'Meta'),
      },
    },
  },
  responses: {
    Error: {
      description: 'Refused, or failed; the code says why.',
      content: { 'application/json': { schema: refer('schemas', 'Error') } },
    },
  },
}

/** The whole description; the same for as long as the process lives. */
export const describeApi = () => {
  const endpoints = [
    ...ROUTE_ROWS.map(describedEndpoint),
    ...[...KINDS.values()].flatMap(documentEndpoints),
    ...FACADES.map(facadeEndpoint),
  ]
  const paths: Record<string, Record<string, Schema>> = {}
  for (const endpoint of endpoints) (paths[endpoint.path] ??= {})[endpoint.method.toLowerCase()] = describe(endpoint)
  return {
    openapi: '3.1.0',
    info: {
      title: 'Syncline',
      version: 'v1',
      description:
        'Documents by REST: the same operations that the SDK runs, answered once they are on disk. ' +
        'Every answer but the bare ones is an envelope of `success`, `data` or `error`, and `meta`.',
    },
    servers: [{ url: '/' }],
    security: [{ accessToken: [] }],
    tags: [...new Set(endpoints.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: COMPONENTS,
  }
}
