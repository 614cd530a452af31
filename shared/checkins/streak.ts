// Streaks that forgive: one missed period now and then does not end them.
import { periodsBetween, shiftPeriod } from '../period.ts'
import { checkinsByPeriod, firstPeriodOf } from './analytics.ts'
import type { Checkin } from './model.ts'

/** One missed period is forgiven in any row of so many. */
const FORGIVE_EVERY = 4

export interface Streak {
  readonly groupId: string
  /** Check-ins in the streak that is still going; 0 when none is. */
  readonly current: number
  /** Check-ins in the longest streak there ever was. */
  readonly longest: number
  /** Missed periods that the current streak has been forgiven. */
  readonly forgiven: number
}

interface Run {
  readonly checkins: number
  readonly missed: number
}

/**
 * The run that ends with the last of `done` (one for each period, oldest first), and the longest of all. A run is a row of
 * periods of which any `forgiveEvery` that stand in a row hold at most one that was missed; it is worth its check-ins,
 * and missed periods before the first of them are not part of it.
 */
export const runsOf = (done: readonly boolean[], forgiveEvery: number): { current: Run; longest: number } => {
  let [start, lastMissed, checkins, missed, longest] = [0, -Infinity, 0, 0, 0]
  for (const [index, isDone] of done.entries()) {
    if (isDone) checkins++
    else if (checkins === 0) start = index + 1
    else {
      // Two that are too close: the run begins anew after the first of them.
      if (lastMissed >= start && index - lastMissed < forgiveEvery) {
        checkins = index - lastMissed - 1
        start = lastMissed + 1
        missed = 0
      }
      missed++
      if (checkins === 0) [start, missed] = [index + 1, 0]
    }
    if (!isDone) lastMissed = index
    longest = Math.max(longest, checkins)
  }
  return { current: { checkins, missed }, longest }
}

/**
 * A person's streak in a group, in check-ins. Late ones count like others, so a streak can be mended while its gap can
 * still be submitted; retracted ones do not. A period is missed when it has no check-in, except `until`, the one that
 * still runs: it counts once it is done. One missed period in any row of `forgiveEvery` (at least 2) is forgiven; it is
 * not counted as a check-in.
 */
export const readStreak = (
  checkins: readonly Checkin[],
  options: { readonly groupId: string; readonly until: string; readonly forgiveEvery?: number },
): Streak => {
  const { groupId, until, forgiveEvery = FORGIVE_EVERY } = options
  const own = checkinsByPeriod(checkins, options)
  const first = firstPeriodOf(own.keys(), until)
  if (first === null) return { groupId, current: 0, longest: 0, forgiven: 0 }
  const length = periodsBetween(first, until) + (own.has(until) ? 1 : 0)
  const done = Array.from({ length }, (_, index) => own.has(shiftPeriod(first, index)))
  const { current, longest } = runsOf(done, forgiveEvery)
  return { groupId, current: current.checkins, longest, forgiven: current.missed }
}
