// What is read by REST beyond one document's reader: pages of it, a part of it, or several documents put together.
import type { z } from 'zod'
import { parseInput } from '../../shared/define-operation.ts'
import type { AccessClaims } from '../auth/access-token.ts'
import type { OperateDependencies } from './operate.ts'

export interface Asking<Query> {
  readonly deps: OperateDependencies
  readonly claims: AccessClaims
  /** The id of the channel or group that is looked at; one's own where the view has no other. */
  readonly id: string
  /** What stands behind the id in the document's name. */
  readonly part?: string | undefined
  readonly query: Query
}

export interface View {
  /** One sentence for people who read the API's description. */
  readonly summary: string
  readonly query: z.core.$ZodObject
  /** Throws `input/invalid` for a query that is not as described, and what access and the documents say. */
  readonly read: (asking: Asking<unknown>) => Promise<unknown>
}

export const defineView = <Query extends z.core.$ZodObject>(spec: {
  readonly summary: string
  readonly query: Query
  readonly read: (asking: Asking<z.output<Query>>) => Promise<unknown>
}): View => ({
  ...spec,
  read: (asking) => spec.read({ ...asking, query: parseInput(spec.query, asking.query) }),
})
