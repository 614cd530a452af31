// A device's clock whose waits can be shortened, so that a test need not sit through pauses before the next try.
import type { Clock } from '../../client-sdk/connection-types.ts'

const CLOCK_SPEED = 20

/**
 * Once it is fast, waiting to try again is shortened, which is no part of this. So is the time for an answer, which is why
 * it is not fast from the start: what a person asks for once, such as an account, is not tried again by itself.
 */
export const createDeviceClock = () => {
  let speed = 1
  const clock: Clock = {
    now: Date.now,
    after: (ms, run) => {
      const timer = setTimeout(run, ms / speed)
      return () => clearTimeout(timer)
    },
  }
  return { clock, goFast: () => void (speed = CLOCK_SPEED) }
}
