// Whether a socket is being read. Not reading is how a client is slowed down: TCP tells it, nothing is lost or refused.
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { WAITING_BYTES_BEFORE_LOGIN_MAX, WAITING_BYTES_MAX, WAITING_FRAMES_MAX } from '../../shared/limits.ts'

/** Frames wait for their document to open; too much came before a login; work is over budget; the journal is behind. */
type Pause = 'waiting' | 'login' | 'budget' | 'journal'

/** Share of one core that one socket may use up with work it can ask for at will. Sending what it asks for is not counted
 * and comes on top; together they stay below a tenth (RT-26). */
const BUDGET_SHARE = 0.05
/** However much work there was, a socket is not left unread for longer; its peer would take it for dead. */
const BUDGET_PAUSE_MS_MAX = 10_000
/** Work that is never charged for: opening a thousand small documents stays below it. */
const BUDGET_BURST_MS = 100

const BUDGET_LEVEL_MAX = BUDGET_BURST_MS + BUDGET_PAUSE_MS_MAX * BUDGET_SHARE

/** CPU milliseconds of this thread. Not the clock: a machine that gives us no time must not make clients wait for it. */
const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

/** CPU time at the start of this turn of the event loop; asking is a system call, once for each frame is too often. */
let cpuMsOfTurn: number | undefined
const endTurn = (): void => {
  cpuMsOfTurn = undefined
}

/** Starts a measurement; what it returns gives the CPU milliseconds since, at most: the clock is cheap and never less. */
export const startCpuTimer = (): ((freeMs?: number) => number) => {
  if (cpuMsOfTurn === undefined) {
    cpuMsOfTurn = cpuMs()
    setImmediate(endTurn)
  }
  const startedAt = performance.now()
  const cpuMsBefore = cpuMsOfTurn
  return (freeMs = 0) => {
    const elapsed = performance.now() - startedAt
    return elapsed <= freeMs ? elapsed : Math.min(elapsed, cpuMs() - cpuMsBefore)
  }
}

/** Booked work of all sockets in one turn of the event loop; what is beyond it waits for the next, so nobody waits long. */
const TURN_MS_MAX = 8

let turnMs = 0
let isTurnOpen = false
let nextTurn: Promise<void> | undefined
const openNextTurn = (): void => {
  turnMs = 0
  isTurnOpen = false
  nextTurn = undefined
}

/** Takes `ms` of this turn; once it is used up, frames that were already read should wait for the promise. */
const takeTurn = (ms: number): Promise<void> | undefined => {
  if (!isTurnOpen) setImmediate(openNextTurn)
  isTurnOpen = true
  turnMs += ms
  if (turnMs <= TURN_MS_MAX) return undefined
  return (nextTurn ??= new Promise((resolve) => setImmediate(resolve)))
}

/** `raw` is the connection under `ws`. */
export const createReading = (ws: WebSocket, raw: Duplex) => {
  const pauses = new Set<Pause>()
  let isLoggedIn = false
  let waitingFrames = 0
  let waitingBytes = 0
  /** A leaky bucket of CPU milliseconds. */
  let level = 0
  let leakedAt = 0

  const pause = (why: Pause): void => {
    if (pauses.size === 0) ws.pause()
    pauses.add(why)
  }
  const resume = (why: Pause): void => {
    if (pauses.delete(why) && pauses.size === 0) ws.resume()
  }

  // Before its first document is open, a socket is read no further than a login needs: half a frame is memory too.
  let bytesBeforeLogin = 0
  const onData = ({ length }: Buffer): void => {
    bytesBeforeLogin += length
    if (bytesBeforeLogin > WAITING_BYTES_BEFORE_LOGIN_MAX) pause('login')
  }
  raw.on('data', onData)

  return {
    pause,
    resume,
    /** Its first document is open. */
    loggedIn: (): void => {
      isLoggedIn = true
      raw.off('data', onData)
      resume('login')
    },
    /** Counts what waits, documents that are opening included; reads on only while that is little. */
    count: (frames: number, bytes: number): void => {
      waitingFrames += frames
      waitingBytes += bytes
      const bytesMax = isLoggedIn ? WAITING_BYTES_MAX : WAITING_BYTES_BEFORE_LOGIN_MAX
      if (waitingFrames > WAITING_FRAMES_MAX || waitingBytes > bytesMax) pause('waiting')
      else if (waitingFrames < WAITING_FRAMES_MAX / 2 && waitingBytes < bytesMax / 2) resume('waiting')
    },
    /**
     * Books CPU time. Over budget, the socket is read again once the bucket has leaked; until the promise resolves,
     * frames that were already read should wait too. So they do while all sockets together use up a turn.
     */
    charge: (ms: number): Promise<void> | undefined => {
      const now = performance.now()
      level = Math.min(BUDGET_LEVEL_MAX, Math.max(0, level - (now - leakedAt) * BUDGET_SHARE) + ms)
      leakedAt = now
      if (level <= BUDGET_BURST_MS) return takeTurn(ms)
      pause('budget')
      return new Promise((resolve) => {
        const again = (): void => {
          resume('budget')
          resolve()
        }
        setTimeout(again, Math.min(BUDGET_PAUSE_MS_MAX, (level - BUDGET_BURST_MS) / BUDGET_SHARE)).unref()
      })
    },
  }
}
