// Measures how others fare on a server, in peace and under attack.
import { quantile } from '../bench/statistics.ts'
import { createTeam } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { NODE, startProcess } from '../helpers/processes.ts'
import type { Addresses } from '../compat/servers.ts'

export interface Times {
  readonly p95: number
  readonly p99: number
  readonly max: number
  readonly count: number
}

export interface Fared {
  readonly ping: Times
  readonly ack: Times
}

export interface Bystander extends AsyncDisposable {
  /** How long answers took while `during` ran. */
  readonly measure: (during: () => Promise<unknown>) => Promise<Fared>
}

const READY_MS_MAX = 10_000

const timesOf = (output: string, what: string): Times => {
  const times = [...output.matchAll(new RegExp(`^${what} (.+)$`, 'gm'))].map((match) => Number(match[1]))
  return {
    p95: quantile(times, 0.95),
    p99: quantile(times, 0.99),
    max: Math.max(0, ...times),
    count: times.length,
  }
}

export const showTimes = ({ ping, ack }: Fared): string =>
  `ping p99 ${ping.p99.toFixed(1)} max ${ping.max.toFixed(1)} ms, ` +
  `ack p95 ${ack.p95.toFixed(1)} max ${ack.max.toFixed(1)} ms (${ack.count} edits)`

export const startBystander = async ({ url, syncUrl }: Addresses): Promise<Bystander> => {
  const { people, newDocument } = await createTeam(url, 1)
  const child = startProcess(NODE, [
    'test/hostile/bystander-process.ts',
    syncUrl,
    people[0].accessToken,
    await newDocument(),
  ])
  await child.waitFor(/^ack/m, READY_MS_MAX)
  const countAcks = (from: number): number => timesOf(child.output().slice(from), 'ack').count
  const countPings = (from: number): number => timesOf(child.output().slice(from), 'ping').count
  return {
    measure: async (during) => {
      const start = child.output().length
      await during()
      // What was asked during it and is not answered yet counts too: it may be the slowest.
      const end = child.output().length
      await eventually(
        () => [countAcks(end), countPings(end)],
        ([acks, pings]) => acks !== 0 && pings !== 0,
        { msMax: READY_MS_MAX, what: 'answer to a bystander' },
      )
      const output = child.output().slice(start)
      return { ping: timesOf(output, 'ping'), ack: timesOf(output, 'ack') }
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}
