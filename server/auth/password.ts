// Password hashes: argon2id over the peppered password, a few at a time. Hashing is slow on purpose, so the queue before
// it is what keeps a burst of logins from taking the whole machine.
import { createHmac, randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { hash, verify } from '@node-rs/argon2'
import { AppError } from '../../shared/errors.ts'
import { WAITING_HASHES_MAX } from '../../shared/limits.ts'

export interface Passwords {
  readonly hash: (password: string) => Promise<string>
  /** Without a hash (an unknown user) it computes as long, and is false. */
  readonly verify: (hash: string | undefined, password: string) => Promise<boolean>
}

const ARGON2ID = 2
const COST = { algorithm: ARGON2ID, memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 } as const

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replaceAll('=', '')

/** The hash of no password: random bytes in the form of a hash, with the cost of a real one. */
const makeDummyHash = (): string =>
  `$argon2id$v=19$m=${COST.memoryCost},t=${COST.timeCost},p=${COST.parallelism}` +
  `$${base64(randomBytes(16))}$${base64(randomBytes(COST.outputLen))}`

/** Runs at most `running` tasks at once and lets at most `waiting` more wait; refuses the rest with `auth/busy`. */
const createQueue = (runningMax: number, waitingMax: number) => {
  const waiting: (() => void)[] = []
  let running = 0
  return async <Result>(task: () => Promise<Result>): Promise<Result> => {
    if (running < runningMax) {
      running += 1
    } else {
      if (waiting.length >= waitingMax)
        throw new AppError('auth/busy', 'too many people log in at once: try again soon')
      // Whoever ends passes its place on, so `running` stays as it is.
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }
}

export interface PasswordsOptions {
  readonly pepper: Uint8Array
  readonly runningMax?: number
  readonly waitingMax?: number
}

export const createPasswords = ({
  pepper,
  runningMax = availableParallelism(),
  waitingMax = WAITING_HASHES_MAX,
}: PasswordsOptions): Passwords => {
  const queued = createQueue(runningMax, waitingMax)
  const dummyHash = makeDummyHash()
  /** As text: the library's `verify` refuses bytes that are not UTF-8, although its types allow them. */
  const peppered = (password: string): string => createHmac('sha256', pepper).update(password, 'utf8').digest('base64')
  return {
    hash: (password) => queued(() => hash(peppered(password), COST)),
    verify: async (known, password) => {
      const matches = await queued(() => verify(known ?? dummyHash, peppered(password)))
      return matches && known !== undefined
    },
  }
}
