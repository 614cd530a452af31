// How an operation is defined: a schema for its input, and a plan. Beside `operation.ts`, because whoever only runs operations
// needs no schemas of his own: a client has them with the kinds that it shows.
import type * as Y from 'yjs'
import * as z from 'zod/mini'
import type { Action } from './access.ts'
import { AppError } from './errors.ts'
import type { Operation, OperationContext, Plan } from './operation.ts'

interface FieldIssue {
  readonly field: string
  readonly message: string
}

const toIssues = (issue: z.core.$ZodIssue): FieldIssue[] => {
  const at = (part?: PropertyKey): string => [...issue.path, ...(part === undefined ? [] : [part])].join('.')
  if (issue.code !== 'unrecognized_keys') return [{ field: at(), message: issue.message }]
  return issue.keys.map((key) => ({ field: at(key.slice(0, 80)), message: 'unknown field' }))
}

/** Issues in one answer; a body may have a hundred thousand unknown fields. */
const ISSUES_MAX = 20

/** `input/invalid`, with the names of the wrong fields. Values are never repeated; some are secrets. */
export const parseInput = <Schema extends z.core.$ZodType>(schema: Schema, input: unknown): z.output<Schema> => {
  const parsed = z.safeParse(schema, input)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.flatMap(toIssues).slice(0, ISSUES_MAX)
  const fields = issues.map(({ field, message }) => (field ? `${field}: ${message}` : message))
  throw new AppError('input/invalid', fields.slice(0, 3).join('; '), { issues })
}

export const defineOperation = <Schema extends z.core.$ZodType, Result>(spec: {
  readonly name: string
  readonly needs: Action
  readonly summary: string
  readonly input: Schema
  readonly example: z.input<Schema>
  readonly plan: (doc: Y.Doc, input: z.output<Schema>, ctx: OperationContext) => Plan<Result>
}): Operation<z.input<Schema>, Result> => ({
  name: spec.name,
  needs: spec.needs,
  summary: spec.summary,
  input: spec.input,
  example: spec.example,
  parse: (input) => {
    const parsed = parseInput(spec.input, input)
    return (doc, ctx) => spec.plan(doc, parsed, ctx)
  },
})
