// The rules of the outbox, without the disk and the network: what is sent next, what waits for what, and what an error
// means for a command. Pure.
import { AppError, ERRORS } from '../shared/errors.ts'
import { isPlainObject, type Json } from '../shared/json.ts'
import { isId } from '../shared/names.ts'
import { Unreachable } from './http.ts'
import type { Command, CommandResult } from './outbox-types.ts'

export const WAIT_MS_MIN = 1_000
export const WAIT_MS_MAX = 60_000

/** How long to wait after `attempts` tries in vain: twice as long each time, by up to half sooner. */
export const waitMs = (attempts: number, random: () => number): number =>
  Math.min(WAIT_MS_MAX, WAIT_MS_MIN * 2 ** Math.min(attempts - 1, 10)) * (1 - random() / 2)

/** The server keeps a refusal for repeats of its key, so a command that is given again needs another one. */
export const keyOf = ({ id, retries }: Command): string => (retries === 0 ? id : `${id}.${retries}`)

const madeId = ({ method, body }: Command): string | null => {
  const id = method === 'POST' && isPlainObject(body) ? body['id'] : undefined
  return typeof id === 'string' ? id : null
}

const mentions = ({ path, body }: Command): ReadonlySet<string> => {
  const values: readonly Json[] = isPlainObject(body) ? Object.values<Json>(body as Readonly<Record<string, Json>>) : []
  return new Set(
    [...path.split('/'), ...values].filter((value): value is string => typeof value === 'string' && isId(value)),
  )
}

/** The refused command that would have made what this one speaks of; null: none. */
export const blockerOf = (command: Command, commands: readonly Command[]): Command | null => {
  const named = mentions(command)
  for (const earlier of commands) {
    if (earlier.order >= command.order) continue
    const made = madeId(earlier)
    if (made === null || !named.has(made)) continue
    if (earlier.state === 'refused') return earlier
    const first = blockerOf(earlier, commands)
    if (first) return first
  }
  return null
}

/** This command and all that can never be sent without it. */
export const withDependents = (id: string, commands: readonly Command[]): readonly Command[] => {
  const gone: Command[] = []
  for (const command of commands) {
    const named = mentions(command)
    const isDependent = gone.some((one) => {
      const made = madeId(one)
      return made !== null && named.has(made)
    })
    if (command.id === id || isDependent) gone.push(command)
  }
  return gone
}

/** The first pending command that nothing holds up; `isHeld` says which ones are to be tried later. */
export const nextCommand = (commands: readonly Command[], isHeld: (command: Command) => boolean): Command | null => {
  const waiting: ReadonlySet<string>[] = []
  for (const command of commands) {
    if (command.state === 'refused' || blockerOf(command, commands)) continue
    const named = mentions(command)
    // Commands about one thing keep their order; others need not wait for them.
    if (!isHeld(command) && waiting.every((earlier) => earlier.isDisjointFrom(named))) return command
    waiting.push(named)
  }
  return null
}

export type Verdict =
  /** The server cannot be reached, or the disk cannot be written: everything waits. */
  | { readonly verdict: 'unreachable' }
  /** Nobody is logged in as the owner of the outbox. */
  | { readonly verdict: 'needs-login' }
  /** This one command waits: `ms` is the server's word. */
  | { readonly verdict: 'later'; readonly ms: number | null }
  | { readonly verdict: 'done' }
  | { readonly verdict: 'refused'; readonly error: AppError }

const isLater = ({ code, details }: AppError): boolean => {
  const status = details?.['status']
  // A code that this version has no word for: its status decides.
  if (code === 'internal' && typeof status === 'number') return status === 429 || status === 408
  return ERRORS[code].retry
}

/** What an error of a request means for its command. */
export const judge = (command: Command, error: unknown): Verdict => {
  if (error instanceof Unreachable) {
    // The server is there and failed at this command: others may pass.
    return error.code === 'internal' ? { verdict: 'later', ms: null } : { verdict: 'unreachable' }
  }
  if (!(error instanceof AppError)) return { verdict: 'unreachable' }
  if (ERRORS[error.code].status === 401) return { verdict: 'needs-login' }
  if (isLater(error)) {
    const ms = error.details?.['retryAfterMs']
    return { verdict: 'later', ms: typeof ms === 'number' ? ms : null }
  }
  const isGone = command.isDoneWhenGone === true && error.code === 'access/not-found'
  return isGone ? { verdict: 'done' } : { verdict: 'refused', error }
}

const byOrder = (a: Command, b: Command): number => a.order - b.order || (a.id < b.id ? -1 : 1)

const isCommand = (value: unknown): value is Command =>
  isPlainObject(value) &&
  ['id', 'method', 'path', 'state'].every((field) => typeof value[field] === 'string') &&
  ['order', 'at', 'attempts', 'retries'].every((field) => typeof value[field] === 'number')

const isResult = (value: unknown): value is CommandResult =>
  isPlainObject(value) &&
  ['id', 'path'].every((field) => typeof value[field] === 'string') &&
  typeof value['at'] === 'number'

/** What is kept of an outbox, in order; what is no command is passed over. */
export const readCommands = (values: Iterable<unknown>): readonly Command[] =>
  [...values].filter(isCommand).toSorted(byOrder)

export const readResults = (values: Iterable<unknown>): readonly CommandResult[] =>
  [...values].filter(isResult).toSorted((a, b) => a.at - b.at)
