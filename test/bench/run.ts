// `npm run bench`: our server beside stock Hocuspocus and y-websocket, on this machine, in one run. Prints one JSON line
// per run and per figure, and a table at the end. Exits with 1 only when a run broke; a missed bar is a FAIL in the table.
import { mkdir } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { openBenchDirectory, syncP50Ms } from './disk.ts'
import { FIGURES } from './figures.ts'
import { COLD_OPEN } from './load/cold-open.ts'
import { FAN_OUT } from './load/fan-out.ts'
import { HEAP } from './load/heap.ts'
import { OPEN_LOOP } from './load/open-loop.ts'
import { REST } from './load/rest.ts'
import { SATURATED } from './load/saturated.ts'
import type { Metrics, Scenario } from './load/scenario.ts'
import { STORMS } from './load/storm.ts'
import { createQuietWait } from './meter.ts'
import { type Options, parseOptions } from './options.ts'
import { ours } from './peers/ours.ts'
import type { Peer } from './peers/peer.ts'
import { stock } from './peers/stock.ts'
import { yWebsocket } from './peers/y-websocket.ts'
import { summariseProfile } from './profile.ts'
import { renderTable, resultOf, type Run } from './table.ts'

const SCENARIOS: readonly Scenario[] = [...SATURATED, OPEN_LOOP, FAN_OUT, HEAP, COLD_OPEN, ...STORMS, REST]
/** y-websocket has no bar: a few runs of it are enough. */
const Y_WEBSOCKET_PAIRS = 3

/** A run during which others used this much of a processor is repeated: so often, and so often in all. */
const DISTURBED_SHARE = 0.25
const REPEATS_PER_RUN_MAX = 2
const REPEATS_MAX = 16

const print = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

/** Ours and stock take turns at being first; y-websocket comes last. */
const orderOf = (pair: number, { peers }: Options): Peer[] => {
  const pairOrder = pair % 2 === 0 ? [ours, stock] : [stock, ours]
  const order = pair < Y_WEBSOCKET_PAIRS ? [...pairOrder, yWebsocket] : pairOrder
  return order.filter(({ kind }) => peers.includes(kind))
}

const chosen = ({ only }: Options): readonly Scenario[] => {
  const names = SCENARIOS.map(({ name }) => name)
  const unknown = only?.find((name) => !names.includes(name))
  if (unknown !== undefined) throw new Error(`no scenario ${unknown}; there are ${names.join(', ')}`)
  return SCENARIOS.filter(({ name }) => only === undefined || only.includes(name))
}

const main = async (options: Options): Promise<boolean> => {
  await using directory = await openBenchDirectory()
  if (options.profile) await mkdir(options.profile, { recursive: true })
  print({
    event: 'start',
    ...options,
    node: process.version,
    cpus: cpus().length,
    directory: directory.path,
    diskSyncMs: await syncP50Ms(directory.path),
  })
  const runs: Run[] = []
  const untilQuiet = createQuietWait(options.waitSeconds * 1_000)
  let broken = false
  let repeatsLeft = REPEATS_MAX

  const runOne = async (scenario: Scenario, peer: Peer, pair: number): Promise<void> => {
    const name = `${scenario.name}-${peer.kind}-${pair}`
    const profilePath = options.profile ? join(options.profile, `${name}.cpuprofile`) : undefined
    const at = { scenario: scenario.name, peer: peer.kind, pair }
    const runUndisturbed = async (repeats: number): Promise<Metrics> => {
      const path = await directory.fresh(name)
      await untilQuiet()
      const metrics = await scenario.run({ peer, directory: path, quick: options.quick, profilePath })
      if ((metrics['otherCpuShare'] ?? 0) < DISTURBED_SHARE || repeats === 0 || repeatsLeft === 0) return metrics
      // Somebody else's work took the processors: that says nothing about either server.
      repeatsLeft -= 1
      print({ event: 'disturbed', ...at, ...metrics })
      return runUndisturbed(repeats - 1)
    }
    try {
      const metrics = await runUndisturbed(REPEATS_PER_RUN_MAX)
      runs.push({ ...at, metrics })
      print({ event: 'run', ...at, ...metrics })
      if (profilePath && scenario.name !== 'heap') process.stdout.write(await summariseProfile(profilePath))
    } catch (error) {
      broken = true
      print({ event: 'broken', ...at, error: error instanceof Error ? error.stack : String(error) })
    }
  }

  for (let pair = 0; pair < options.pairs; pair++) {
    for (const scenario of chosen(options)) {
      for (const peer of orderOf(pair, options)) {
        if (!scenario.without.includes(peer.kind)) await runOne(scenario, peer, pair)
      }
    }
  }
  for (const figure of FIGURES) {
    if (runs.some(({ scenario }) => scenario === figure.scenario)) {
      print({ event: 'figure', seed: options.seed, ...resultOf(runs, figure, options.seed) })
    }
  }
  process.stdout.write(`\n${renderTable(runs, options.seed)}\n${options.pairs} pairs, seed ${options.seed}\n`)
  return !broken
}

process.exitCode = (await main(parseOptions(process.argv.slice(2)))) ? 0 : 1
