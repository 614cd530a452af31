// Measures one server process over a window: CPU time of all its threads, event-loop delay, memory; and the CPU share of
// the load generator, which must stay below one core or it is the load generator that is measured.
import { readFile } from 'node:fs/promises'
import type { Report } from './probe.ts'
import type { RunningPeer } from './peers/peer.ts'

interface ProcessUsage {
  readonly seconds: number
  readonly cpuMs: number
  readonly cpuShare: number
  readonly loadCpuShare: number
  /** Processors that everything else on the machine used: near 0, or the run was disturbed. */
  readonly otherCpuShare: number
}

export type Usage = ProcessUsage & Report

/** Linux counts CPU time in hundredths of a second. */
const TICK_MS = 10

const cpuMsOf = async (pid: number): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The name, field 2, may hold spaces: count from its closing bracket. Fields 14 and 15 are user and system time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

/** Processor time that all processes of the machine used. */
const machineCpuMs = async (): Promise<number> => {
  const [first = ''] = (await readFile('/proc/stat', 'utf8')).split('\n', 1)
  // user, nice, system, idle, waiting for a disk, interrupts, soft interrupts
  const ticks = first.split(/\s+/).slice(1, 8).map(Number)
  return [0, 1, 2, 5, 6].reduce((sum, field) => sum + (ticks[field] ?? 0), 0) * TICK_MS
}

const QUIET_SHARE = 0.25
const QUIET_LOOK_MS = 500

/** Waits until nothing else uses the machine much; gives up for good after waiting `msMax` in all. */
export const createQuietWait = (msMax: number): (() => Promise<void>) => {
  let left = msMax
  return async () => {
    while (left > 0) {
      const before = await machineCpuMs()
      await new Promise((resolve) => setTimeout(resolve, QUIET_LOOK_MS))
      if ((await machineCpuMs()) - before <= QUIET_LOOK_MS * QUIET_SHARE) return
      left -= QUIET_LOOK_MS
    }
  }
}

export const startMeter = async (server: RunningPeer, profilePath?: string) => {
  const { probe, pid } = server
  if (profilePath) await probe.startProfile()
  await probe.reset()
  const cpuBefore = await cpuMsOf(pid)
  const machineBefore = await machineCpuMs()
  const loadBefore = process.cpuUsage()
  const startedAt = performance.now()
  return {
    stop: async (): Promise<Usage> => {
      const seconds = (performance.now() - startedAt) / 1_000
      const cpuMs = (await cpuMsOf(pid)) - cpuBefore
      const load = process.cpuUsage(loadBefore)
      const loadMs = (load.user + load.system) / 1_000
      const otherMs = (await machineCpuMs()) - machineBefore - cpuMs - loadMs
      const report = await probe.report()
      if (profilePath) await probe.stopProfile(profilePath)
      return {
        seconds,
        cpuMs,
        cpuShare: cpuMs / 1_000 / seconds,
        loadCpuShare: loadMs / 1_000 / seconds,
        otherCpuShare: Math.max(0, otherMs / 1_000 / seconds),
        ...report,
      }
    },
  }
}
