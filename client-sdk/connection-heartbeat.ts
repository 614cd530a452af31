// Whether the server at the other end of a socket is still there: asked now and then, given up when nothing came for two
// beats. A browser shows neither the protocol's own pings nor how far a large frame has come.
import type { Clock } from './connection-types.ts'

export const HEARTBEAT_MS = 15_000
/** Beats without a word after which a socket is dead. */
export const SILENT_BEATS_MAX = 2
/** The same while a large state may be on its way, which counts as nothing until it is there: 10 MiB at 0.7 Mbit/s. */
export const SILENT_BEATS_WHILE_LOADING_MAX = 8
/** An answer to a question out of turn takes no longer. */
export const PROBE_MS_MAX = 5_000

export interface HeartbeatOptions {
  readonly clock: Clock
  readonly ping: () => void
  /** Bytes that wait to be sent; getting fewer is a sign of life. */
  readonly bufferedBytes: () => number
  readonly isLoading: () => boolean
  /** Called once; the heartbeat has stopped then. */
  readonly onMissed: () => void
}

export interface Heartbeat extends Disposable {
  /** Something came. */
  readonly heard: () => void
  /** Asks now: the network may have gone. */
  readonly probe: () => void
}

export const startHeartbeat = (options: HeartbeatOptions): Heartbeat => {
  const { clock, ping, bufferedBytes, isLoading, onMissed } = options
  let hasHeard = true
  let silentBeats = 0
  let bufferedBefore = 0
  let cancelBeat = (): void => {}
  let cancelProbe: (() => void) | null = null

  const stop = (): void => {
    cancelBeat()
    cancelProbe?.()
  }
  const miss = (): void => {
    stop()
    onMissed()
  }
  const beat = (): void => {
    const buffered = bufferedBytes()
    silentBeats = hasHeard || buffered < bufferedBefore ? 0 : silentBeats + 1
    hasHeard = false
    bufferedBefore = buffered
    if (silentBeats >= (isLoading() ? SILENT_BEATS_WHILE_LOADING_MAX : SILENT_BEATS_MAX)) {
      miss()
      return
    }
    cancelBeat = clock.after(HEARTBEAT_MS, beat)
    ping()
  }
  cancelBeat = clock.after(HEARTBEAT_MS, beat)

  return {
    heard: () => {
      hasHeard = true
      cancelProbe?.()
      cancelProbe = null
    },
    probe: () => {
      // While something large is on its way, its silence says nothing.
      if (cancelProbe || isLoading() || bufferedBytes() > 0) return
      cancelProbe = clock.after(PROBE_MS_MAX, miss)
      ping()
    },
    [Symbol.dispose]: stop,
  }
}
