// The command line of the benchmark.
import { parseArgs } from 'node:util'

export interface Options {
  readonly pairs: number
  readonly quick: boolean
  /** Scenario names to run; undefined: all. */
  readonly only: readonly string[] | undefined
  readonly peers: readonly string[]
  readonly seed: number
  /** How long the whole benchmark may wait for the machine to be quiet. */
  readonly waitSeconds: number
  /** A directory for CPU profiles of the measured windows; undefined: none. */
  readonly profile: string | undefined
}

const PAIRS = 7
const QUICK_PAIRS = 2

const listOf = (text: string): string[] => text.split(',').filter((part) => part !== '')

export const parseOptions = (args: readonly string[]): Options => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      pairs: { type: 'string' },
      peers: { type: 'string', default: 'ours,stock,y-websocket' },
      seed: { type: 'string', default: '1' },
      wait: { type: 'string', default: '180' },
      profile: { type: 'string' },
    },
  })
  const pairs = Number(values.pairs ?? (values.quick ? QUICK_PAIRS : PAIRS))
  if (!Number.isInteger(pairs) || pairs < 1) throw new Error('--pairs wants a whole number, 1 or more')
  const seed = Number(values.seed)
  const waitSeconds = Number(values.wait)
  if (!Number.isInteger(seed) || !Number.isInteger(waitSeconds)) throw new Error('--seed and --wait want whole numbers')
  return {
    pairs,
    quick: values.quick,
    only: values.only === undefined ? undefined : listOf(values.only),
    peers: listOf(values.peers),
    seed,
    waitSeconds,
    profile: values.profile,
  }
}
