// Operations as methods of a handle: they run at once; a thing that is made is returned by its id.
import type { Operation } from '../../shared/operation.ts'
import type { Replica } from '../replica.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- reason: any result
export type InputOf<Op> = Op extends Operation<infer Input, any> ? Input : never
export type Makes<Op> = (input: InputOf<Op>) => string
export type Changes<Op> = (input: InputOf<Op>) => void

export const makes =
  <Input>(replica: Replica, operation: Operation<Input, { id: string }>) =>
  (input: Input): string =>
    (replica.run(operation, input) as { readonly id: string }).id

export const changes =
  <Input>(replica: Replica, operation: Operation<Input>) =>
  (input: Input): void =>
    void replica.run(operation, input)
