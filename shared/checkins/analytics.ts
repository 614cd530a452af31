// What check-ins say over time: one person's trends, a group's statistics, one beside the other. Pure readers of plain
// values; they run in the SDK and on the server alike.
import { PARTICIPANTS_MIN } from '../limits.ts'
import { frequencyOf, periodsBetween, shiftPeriod } from '../period.ts'
import type { Averages, PeriodStats, Wall } from '../wall/model.ts'
import { type Checkin, SCORES, totalOf } from './model.ts'

export const MEASURES = [...SCORES, 'total'] as const
export type Measure = (typeof MEASURES)[number]

/** Which periods are looked at: the last `count` up to and including `until`, the one that runs (`periodAt`). */
export interface Range {
  readonly until: string
  /** At least 1. */
  readonly count: number
}

/** The keys of a range, oldest first. Throws a RangeError for what is no key. */
export const periodsIn = ({ until, count }: Range): string[] =>
  Array.from({ length: count }, (_, index) => shiftPeriod(until, index - count + 1))

/**
 * One's own check-ins in a group by period: not retracted, private ones too, and of the frequency that `until` has (a
 * group that has changed its frequency starts anew).
 */
export const checkinsByPeriod = (
  checkins: readonly Checkin[],
  { groupId, until }: { readonly groupId: string; readonly until: string },
): Map<string, Checkin> => {
  const frequency = frequencyOf(until)
  const own = checkins.filter(
    (checkin) => checkin.groupId === groupId && !checkin.retracted && frequencyOf(checkin.period) === frequency,
  )
  return new Map(own.map((checkin) => [checkin.period, checkin]))
}

export interface Trend {
  /** Of the periods with a check-in; null when there is none. */
  readonly average: number | null
  /** For each period the mean of the values in the `window` periods that end with it; null where there is none. */
  readonly movingAverage: readonly (number | null)[]
  /** Change per period, by least squares over the periods that have a value; null with fewer than two. */
  readonly slope: number | null
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length

const isNumber = (value: number | null): value is number => value !== null

const slopeOf = (values: readonly (number | null)[]): number | null => {
  const points = values.flatMap((value, x) => (value === null ? [] : [{ x, y: value }]))
  if (points.length < 2) return null
  const middleX = mean(points.map(({ x }) => x)) as number
  const middleY = mean(points.map(({ y }) => y)) as number
  const spread = points.reduce((sum, { x }) => sum + (x - middleX) ** 2, 0)
  return points.reduce((sum, { x, y }) => sum + (x - middleX) * (y - middleY), 0) / spread
}

/** The trend of values that stand one period apart; null where a period has none. `window` is at least 1. */
export const trendOf = (values: readonly (number | null)[], window: number): Trend => ({
  average: mean(values.filter(isNumber)),
  movingAverage: values.map((_, index) =>
    mean(values.slice(Math.max(0, index - window + 1), index + 1).filter(isNumber)),
  ),
  slope: slopeOf(values),
})

export interface TrendPoint {
  readonly period: string
  /** Null: no check-in, or a retracted one. */
  readonly scores: Averages | null
}

export interface Trends {
  readonly groupId: string
  /** Oldest first, one for each period of the range. */
  readonly points: readonly TrendPoint[]
  readonly trends: Readonly<Record<Measure, Trend>>
}

const trendsOf = (points: readonly TrendPoint[], window: number): Record<Measure, Trend> =>
  Object.fromEntries(
    MEASURES.map((name) => [
      name,
      trendOf(
        points.map(({ scores }) => scores?.[name] ?? null),
        window,
      ),
    ]),
  ) as Record<Measure, Trend>

const scoresOf = ({ productive, satisfied, body, care }: Checkin): Averages => {
  const scores = { productive, satisfied, body, care }
  return { ...scores, total: totalOf(scores) }
}

const pointsOf = (checkins: ReadonlyMap<string, Checkin>, range: Range): TrendPoint[] =>
  periodsIn(range).map((period) => {
    const checkin = checkins.get(period)
    return { period, scores: checkin ? scoresOf(checkin) : null }
  })

/** A person's own trends in a group: each score and the total over the last `count` periods. */
export const readTrends = (
  checkins: readonly Checkin[],
  {
    groupId,
    until,
    count = 12,
    window = 4,
  }: { readonly groupId: string; readonly until: string } & Partial<Range> & {
      readonly window?: number
    },
): Trends => {
  const points = pointsOf(checkinsByPeriod(checkins, { groupId, until }), { until, count })
  return { groupId, points, trends: trendsOf(points, window) }
}

/** Averages of a period's statistics, withheld here too in case whoever wrote them did not. */
const averagesOf = (stats: PeriodStats | undefined): Averages | null =>
  stats && stats.participants >= PARTICIPANTS_MIN ? stats.averages : null

export interface GroupStatistics {
  readonly checkins: number
  /** Mean of the shares of members who took part, over the periods since the first with a check-in: 0 to 1. */
  readonly participation: number
  /** Oldest first. */
  readonly periods: readonly {
    readonly period: string
    readonly participants: number
    readonly participation: number
    /** Null: withheld, or nobody took part. */
    readonly averages: Averages | null
  }[]
  /** Of the averages that are not withheld. */
  readonly trends: Readonly<Record<Measure, Trend>>
}

/**
 * A group's statistics over the last `count` periods, from what its walls show: one of each year the range touches, their
 * `stats` as one object. Private check-ins are in none of it.
 */
export const readGroupStatistics = (
  stats: Wall['stats'],
  { until, count = 12, window = 4 }: { readonly until: string; readonly count?: number; readonly window?: number },
): GroupStatistics => {
  const periods = periodsIn({ until, count }).map((period) => {
    const { participants = 0, participation = 0 } = stats[period] ?? {}
    return { period, participants, participation, averages: averagesOf(stats[period]) }
  })
  const since = periods.findIndex(({ participants }) => participants > 0)
  const counted = since < 0 ? [] : periods.slice(since)
  return {
    checkins: periods.reduce((sum, { participants }) => sum + participants, 0),
    participation: mean(counted.map(({ participation }) => participation)) ?? 0,
    periods,
    trends: trendsOf(
      periods.map(({ period, averages }) => ({ period, scores: averages })),
      window,
    ),
  }
}

export interface Comparison {
  readonly groupId: string
  /** Oldest first. */
  readonly periods: readonly {
    readonly period: string
    readonly mine: Averages | null
    /** Null: withheld, or nobody took part. */
    readonly group: Averages | null
    /** Mine minus the group's; null when either is missing. */
    readonly difference: Averages | null
    /** Fewer than three took part, so the group's averages are not shown. */
    readonly withheld: boolean
  }[]
}

const differenceOf = (mine: Averages | null, group: Averages | null): Averages | null =>
  mine && group && (Object.fromEntries(MEASURES.map((name) => [name, mine[name] - group[name]])) as Averages)

/** One's own check-ins beside the group's averages (of which one's own shared ones are part), period by period. */
export const readComparison = (
  checkins: readonly Checkin[],
  stats: Wall['stats'],
  { groupId, until, count = 12 }: { readonly groupId: string; readonly until: string; readonly count?: number },
): Comparison => {
  const own = checkinsByPeriod(checkins, { groupId, until })
  const periods = pointsOf(own, { until, count }).map(({ period, scores: mine }) => {
    const group = averagesOf(stats[period])
    const withheld = (stats[period]?.participants ?? 0) < PARTICIPANTS_MIN
    return { period, mine, group, difference: differenceOf(mine, group), withheld }
  })
  return { groupId, periods }
}

/** The first period with a check-in, up to `until`; null when there is none. */
export const firstPeriodOf = (periods: Iterable<string>, until: string): string | null => {
  let first: string | null = null
  for (const period of periods)
    if (periodsBetween(period, until) >= 0 && (first === null || periodsBetween(period, first) > 0)) first = period
  return first
}
