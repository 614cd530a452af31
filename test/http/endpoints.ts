// The endpoints that the API's description names, as tests ask them: so a new route is tested as soon as it is described.
import { describeApi } from '../../server/http/openapi.ts'
import type { Json } from '../../shared/json.ts'

export type Schema = Readonly<Record<string, unknown>>

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required: boolean
  readonly schema: Schema
  readonly example?: string
}

export interface Endpoint {
  readonly method: string
  readonly path: string
  readonly parameters: readonly Parameter[]
  /** Of the body; undefined where there is none. */
  readonly schema: Schema | undefined
  readonly example: Json
}

interface Described {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema: Schema; example?: Json }>> }
}

export const listEndpoints = (): Endpoint[] =>
  Object.entries(describeApi().paths).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Described>).map(([method, { parameters = [], requestBody }]) => {
      const body = requestBody?.content['application/json']
      return { method: method.toUpperCase(), path, parameters, schema: body?.schema, example: body?.example ?? null }
    }),
  )

export interface Values {
  /** By name; what is left out of the query is not sent. */
  readonly parameters: Readonly<Record<string, string>>
  /** The text of the body. */
  readonly body: string | undefined
}

/** What the description itself gives as an example. */
export const exampleOf = ({ parameters, schema, example }: Endpoint): Values => ({
  parameters: Object.fromEntries(
    parameters.filter(({ required }) => required).map(({ name, example: value = 'example' }) => [name, value]),
  ),
  body: schema && JSON.stringify(example),
})

/** Path and query with these values in it, each encoded. */
export const addressOf = ({ path, parameters }: Endpoint, values: Values): string => {
  const query = new URLSearchParams()
  let filled = path
  for (const { name, in: place } of parameters) {
    const value = values.parameters[name]
    if (place === 'path') filled = filled.replace(`{${name}}`, encodeURIComponent((value ?? '').toWellFormed()))
    else if (value !== undefined) query.set(name, value)
  }
  return query.size > 0 ? `${filled}?${query}` : filled
}
