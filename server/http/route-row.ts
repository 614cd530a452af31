// What the API's description says of a route that is written by hand, with the very schema that the route checks its body
// with. Each file of routes has its rows.
import type { z } from 'zod'
import type { Json } from '../../shared/json.ts'

export interface RouteRow {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** From the root; parts in braces are parameters. */
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly body?: z.core.$ZodType
  readonly query?: z.core.$ZodObject
  readonly example?: Json
  /** Values for the parameters of the path. */
  readonly at?: Readonly<Record<string, string>>
  /** 200 unless it says otherwise. */
  readonly status?: 201 | 204
  /** Needs no access token. */
  readonly isPublic?: true
  /** Answers something other than the envelope. */
  readonly contentType?: 'application/json' | 'text/html' | 'text/javascript'
}

/** Ids that the examples of the whole description use. */
export const EXAMPLE_USER = 'user-0000000001'
export const EXAMPLE_GROUP = 'group-0000000001'
/** The channel whose documents of `kind` the examples work on. */
export const exampleChannel = (kind: string): string => `${kind}-0000000001`
