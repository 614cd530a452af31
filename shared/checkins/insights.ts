// Insights into one's own check-ins. They are rules over numbers, and say so: nothing here guesses, and each sentence
// comes with the data it is made of.
import { MEASURES, type Measure, readTrends, type TrendPoint, type Trend } from './analytics.ts'
import type { Checkin } from './model.ts'
import { readStreak } from './streak.ts'

/** Periods looked at. */
const PERIODS = 12
/** Check-ins before a trend or an outlier is spoken of. */
const CHECKINS_MIN = 4
/** Change over the whole range that is worth a sentence: points of a score, and of the total. */
const CHANGE_MIN = 2
const TOTAL_CHANGE_MIN = 4
/** A value so many standard deviations from the mean of those before it stands out. */
const OUTLIER_DEVIATIONS = 2
/** Below it deviations say nothing: somebody who always gives a 7 is no outlier with an 8. */
const DEVIATION_MIN = 1
const STREAK_MIN = 3

export interface Insight {
  readonly rule: 'trend' | 'streak' | 'outlier'
  readonly measure: Measure | null
  /** One plain sentence in English. */
  readonly text: string
  /** The numbers in the sentence. */
  readonly data: Readonly<Record<string, number | string>>
}

export interface Insights {
  readonly groupId: string
  /** How they came about; there is no other way. */
  readonly basis: 'rules'
  readonly insights: readonly Insight[]
}

const LABELS: Record<Measure, string> = {
  productive: 'Productive',
  satisfied: 'Satisfied',
  body: 'Body',
  care: 'Care',
  total: 'The total',
}

const round = (value: number): number => Math.round(value * 10) / 10

const valuesOf = (points: readonly TrendPoint[], measure: Measure) =>
  points.flatMap(({ period, scores }) => (scores ? [{ period, value: scores[measure] }] : []))

const trendInsight = (measure: Measure, points: readonly TrendPoint[], { slope }: Trend): Insight[] => {
  const checkins = valuesOf(points, measure).length
  if (slope === null || checkins < CHECKINS_MIN) return []
  const first = points.findIndex(({ scores }) => scores !== null)
  const periods = points.findLastIndex(({ scores }) => scores !== null) - first
  const change = round(slope * periods)
  if (Math.abs(change) < (measure === 'total' ? TOTAL_CHANGE_MIN : CHANGE_MIN)) return []
  const way = change > 0 ? 'risen' : 'fallen'
  const text = `${LABELS[measure]} has ${way} by about ${Math.abs(change)} over the last ${periods + 1} periods.`
  return [{ rule: 'trend', measure, text, data: { change, periods: periods + 1, checkins } }]
}

const outlierInsight = (measure: Measure, points: readonly TrendPoint[]): Insight[] => {
  const values = valuesOf(points, measure)
  const last = values.pop()
  if (!last || values.length < CHECKINS_MIN) return []
  const usual = values.reduce((sum, { value }) => sum + value, 0) / values.length
  const variance = values.reduce((sum, { value }) => sum + (value - usual) ** 2, 0) / values.length
  const deviation = Math.max(Math.sqrt(variance), DEVIATION_MIN)
  if (Math.abs(last.value - usual) < OUTLIER_DEVIATIONS * deviation) return []
  const way = last.value > usual ? 'above' : 'below'
  const text = `${LABELS[measure]} was ${last.value} in ${last.period}, well ${way} your usual ${round(usual)}.`
  return [{ rule: 'outlier', measure, text, data: { period: last.period, value: last.value, usual: round(usual) } }]
}

const streakInsight = (current: number, forgiven: number): Insight[] => {
  if (current < STREAK_MIN) return []
  const text = `You have checked in ${current} times in a row${forgiven > 0 ? `, with ${forgiven} missed and forgiven` : ''}.`
  return [{ rule: 'streak', measure: null, text, data: { current, forgiven } }]
}

/** Rule-based insights into a person's own check-ins in a group: its streak, the trends, and a last value that stands out. */
export const readInsights = (
  checkins: readonly Checkin[],
  options: { readonly groupId: string; readonly until: string },
): Insights => {
  const { groupId } = options
  const { points, trends } = readTrends(checkins, { ...options, count: PERIODS })
  const { current, forgiven } = readStreak(checkins, options)
  return {
    groupId,
    basis: 'rules',
    insights: [
      ...streakInsight(current, forgiven),
      ...MEASURES.flatMap((measure) => trendInsight(measure, points, trends[measure])),
      ...MEASURES.flatMap((measure) => outlierInsight(measure, points)),
    ],
  }
}
