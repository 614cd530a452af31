// Measures one server process over a window: CPU time of all its threads, event-loop delay, memory; and the CPU share of
// the load generator, which must stay below one core or it is the load generator that is measured.
import { readFile } from 'node:fs/promises'
import type { RunningPeer } from './peers/peer.ts'

export interface Usage extends Record<string, number> {
  readonly seconds: number
  readonly cpuMs: number
  readonly cpuShare: number
  readonly loadCpuShare: number
  readonly loopP50Ms: number
  readonly loopP99Ms: number
  readonly loopMaxMs: number
  readonly rssMb: number
}

/** Linux counts CPU time in hundredths of a second. */
const TICK_MS = 10

const cpuMsOf = async (pid: number): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The name, field 2, may hold spaces: count from its closing bracket. Fields 14 and 15 are user and system time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

export const startMeter = async (server: RunningPeer, profilePath?: string) => {
  const { probe, pid } = server
  if (profilePath) await probe.startProfile()
  await probe.reset()
  const cpuBefore = await cpuMsOf(pid)
  const loadBefore = process.cpuUsage()
  const startedAt = performance.now()
  return {
    stop: async (): Promise<Usage> => {
      const seconds = (performance.now() - startedAt) / 1_000
      const cpuMs = (await cpuMsOf(pid)) - cpuBefore
      const load = process.cpuUsage(loadBefore)
      const { loopP50Ms, loopP99Ms, loopMaxMs, rssMb } = await probe.report()
      if (profilePath) await probe.stopProfile(profilePath)
      return {
        seconds,
        cpuMs,
        cpuShare: cpuMs / 1_000 / seconds,
        loadCpuShare: (load.user + load.system) / 1e6 / seconds,
        loopP50Ms,
        loopP99Ms,
        loopMaxMs,
        rssMb,
      }
    },
  }
}
