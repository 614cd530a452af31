// A leaky bucket of CPU time per socket, for work a client can ask for again and again at no cost to itself: repeated
// state requests and refused updates. Over budget the socket is read later, never closed.

/** Share of one core that one socket may use up this way (RT-26). */
const SHARE = 0.1
const BURST_MS = 100

export interface CpuBudget {
  /** Books `ms` of work; returns for how many milliseconds the socket must be left unread, 0 when within budget. */
  readonly charge: (ms: number, now: number) => number
}

export const createCpuBudget = (): CpuBudget => {
  let level = 0
  let at = 0
  return {
    charge: (ms, now) => {
      level = Math.max(0, level - (now - at) * SHARE) + ms
      at = now
      return level > BURST_MS ? (level - BURST_MS) / SHARE : 0
    },
  }
}
