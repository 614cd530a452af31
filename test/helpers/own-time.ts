// Time as a test and its server had it, for bounds on waiting that must hold however busy the machine is: what passes
// while the machine keeps them from running, or its disk does not answer, is not counted; their own work and every wait of
// their own is.
import { readdirSync, readFileSync } from 'node:fs'

const TICK_MS = 10
/** Wall time between two looks that needs no CPU to be explained: a tick, and a timer that is a little late. */
const WAIT_MS_MAX = 2 * TICK_MS
/** A thread that stands in one system call for longer waits for a disk that does not answer, as shared ones do at times. */
const DISK_MS_MAX = 100

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

/** Whether some thread of a process is in the middle of a disk's work, which Linux calls state D. */
const isOnDisk = (pid: number): boolean => {
  try {
    return readdirSync(`/proc/${pid}/task`).some((thread) => {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1')
      // After the name, which may hold anything.
      return stat[stat.lastIndexOf(')') + 2] === 'D'
    })
  } catch {
    // No such thing, or a thread that has just ended.
    return false
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
    const onDisk = isOnDisk(process.pid) || (serverPid !== undefined && isOnDisk(serverPid))
    return { wallMs: performance.now(), cpuMs: (user + system) / 1_000, server, onDisk }
  }
  let last = look()
  let ownMs = 0
  /** How long the disk has been at work without a break. */
  let onDiskMs = 0
  const now = (): number => {
    const present = look()
    const wallMs = present.wallMs - last.wallMs
    const onDiskBeforeMs = onDiskMs
    onDiskMs = present.onDisk && last.onDisk ? onDiskMs + wallMs : 0
    const passedMs = wallMs - Math.max(0, onDiskMs - Math.max(onDiskBeforeMs, DISK_MS_MAX))
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
