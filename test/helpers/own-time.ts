// Time as a test and its server had it, for bounds on waiting that must hold however busy the machine is: what passes
// while the machine keeps them from running is not counted; their own work and every wait of their own is.
import { readFileSync } from 'node:fs'

const TICK_MS = 10
/** Wall time between two looks that needs no CPU to be explained: a tick, and a timer that is a little late. */
const WAIT_MS_MAX = 2 * TICK_MS

export interface OwnTime extends Disposable {
  /** Milliseconds of own time; only differences mean something. */
  readonly now: () => number
}

/** How long the main thread of a process ran, and how long it stood in line for a CPU; null where Linux does not say. */
const accountOf = (pid: number): { readonly ranMs: number; readonly queuedMs: number } | null => {
  try {
    const [ran, queued] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ').map(Number)
    return ran && queued !== undefined ? { ranMs: ran / 1e6, queuedMs: queued / 1e6 } : null
  } catch {
    return null
  }
}

/**
 * Starts to count for this process, and for `serverPid` where the server is another. Where Linux keeps no account of that
 * one it counts plain time.
 */
export const startOwnTime = (serverPid?: number): OwnTime => {
  const look = () => {
    const { user, system } = process.cpuUsage()
    const server = serverPid === undefined ? { ranMs: 0, queuedMs: 0 } : accountOf(serverPid)
    return { wallMs: performance.now(), cpuMs: (user + system) / 1_000, server }
  }
  let last = look()
  let ownMs = 0
  const now = (): number => {
    const present = look()
    const passedMs = present.wallMs - last.wallMs
    if (!present.server || !last.server) ownMs += passedMs
    else {
      const workedMs = present.cpuMs - last.cpuMs + present.server.ranMs - last.server.ranMs
      const queuedMs = present.server.queuedMs - last.server.queuedMs
      ownMs += Math.max(0, Math.min(passedMs - queuedMs, WAIT_MS_MAX + workedMs))
    }
    last = present
    return ownMs
  }
  const timer = setInterval(now, TICK_MS)
  timer.unref()
  return { now, [Symbol.dispose]: () => clearInterval(timer) }
}
