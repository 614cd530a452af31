// What is made of check-ins: trends, comparisons, streaks and insights, by examples and against slower definitions.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  MEASURES,
  periodsIn,
  readComparison,
  readGroupStatistics,
  readTrends,
  trendOf,
} from '../../shared/checkins/analytics.ts'
import { readInsights } from '../../shared/checkins/insights.ts'
import { type Checkin, checkinId, totalOf } from '../../shared/checkins/model.ts'
import { readStreak, runsOf } from '../../shared/checkins/streak.ts'
import { statsOf } from '../../shared/wall/model.ts'
import { chooseSeed } from '../helpers/random.ts'
import { GROUP, NOW, SCORES } from './world.ts'

const seed = chooseSeed()
process.stdout.write(`analytics: SEED=${seed}\n`)

const UNTIL = '2026-W12'
const range = { groupId: GROUP, until: UNTIL }

const checkinOf = (period: string, more: Partial<Checkin> = {}): Checkin => {
  const scores = { ...SCORES, ...more }
  return {
    id: checkinId(GROUP, period),
    groupId: GROUP,
    period,
    note: '',
    mood: null,
    energy: null,
    private: false,
    submittedAt: NOW,
    updatedAt: null,
    timezone: 'UTC',
    late: false,
    retracted: false,
    ...scores,
    total: totalOf(scores),
  }
}

/** Check-ins of the periods that end with `UNTIL`, oldest first; null: none. */
const weeks = (productive: readonly (number | null)[]): Checkin[] =>
  periodsIn({ until: UNTIL, count: productive.length }).flatMap((period, index) => {
    const value = productive[index]
    return typeof value === 'number' ? [checkinOf(period, { productive: value })] : []
  })

const values = fc.array(fc.option(fc.integer({ min: 1, max: 10 })), { minLength: 1, maxLength: 30 })

test('[AN1] a trend has a value for each period of the range, a moving average and a slope per period', () => {
  const { points, trends } = readTrends(weeks([2, null, 4, 5]), { ...range, count: 5, window: 2 })
  expect(points.map(({ period, scores }) => [period, scores?.productive ?? null])).toEqual([
    ['2026-W08', null],
    ['2026-W09', 2],
    ['2026-W10', null],
    ['2026-W11', 4],
    ['2026-W12', 5],
  ])
  expect(trends.productive).toEqual({ average: 11 / 3, movingAverage: [null, 2, 2, 4, 4.5], slope: 1 })
  expect(trends.total.slope).toBeCloseTo(1)
  expect(trends.body.slope).toBe(0)
})

test('[AN1] private check-ins count in one’s own trends; retracted, other groups’ and other frequencies’ do not', () => {
  const checkins = [
    checkinOf('2026-W12', { private: true }),
    checkinOf('2026-W11', { retracted: true }),
    checkinOf('2026-W10', { groupId: 'group-0000000002' }),
    checkinOf('2026-03-20'),
  ]
  const { points } = readTrends(checkins, { ...range, count: 3 })
  expect(points.map(({ scores }) => scores !== null)).toEqual([false, false, true])
})

test('[AN1] a straight line has its own slope, shifting it changes nothing, and turning it round turns the sign', () => {
  const slope = (list: readonly (number | null)[]): number => trendOf(list, 3).slope ?? 0
  fc.assert(
    fc.property(values, fc.integer({ min: -5, max: 5 }), (list, shift) => {
      expect(slope(list.map((_, index) => shift * index + 3))).toBeCloseTo(list.length > 1 ? shift : 0)
      expect(slope(list.map((value) => value && value + shift))).toBeCloseTo(slope(list))
      expect(slope(list.toReversed())).toBeCloseTo(-slope(list))
      const { movingAverage, average } = trendOf(list, list.length)
      expect(movingAverage.at(-1)).toEqual(average)
    }),
    { seed },
  )
})

const stats = (...participants: number[]) =>
  Object.fromEntries(
    periodsIn({ until: UNTIL, count: participants.length }).map((period, index) => [
      period,
      statsOf(
        Array.from({ length: participants[index] as number }, () => SCORES),
        5,
      ),
    ]),
  )

test('[AN2] a group’s statistics count from its first check-in, and say nothing of averages below three', () => {
  const { checkins, participation, periods, trends } = readGroupStatistics(stats(0, 2, 0, 4), {
    until: UNTIL,
    count: 6,
  })
  expect(checkins).toBe(6)
  expect(participation).toBeCloseTo((0.4 + 0 + 0.8) / 3)
  expect(periods.map(({ averages }) => averages?.total ?? null)).toEqual([null, null, null, null, null, 12])
  expect(trends.total).toMatchObject({ average: 12, slope: null })
  expect(readGroupStatistics({}, { until: UNTIL })).toMatchObject({ checkins: 0, participation: 0 })
})

test('[AN3] beside the group’s averages one sees the difference, and nothing where fewer than three took part', () => {
  const [first, second] = readComparison(weeks([5, 10]), stats(2, 3), { ...range, count: 2 }).periods
  expect(first).toMatchObject({
    period: '2026-W11',
    mine: { productive: 5 },
    group: null,
    difference: null,
    withheld: true,
  })
  expect(second).toMatchObject({ group: { productive: 8 }, difference: { productive: 2, total: 2 }, withheld: false })
  // Averages that should not have been written are not shown either.
  const leaking = { [UNTIL]: { ...statsOf([SCORES, SCORES, SCORES], 5), participants: 2 } }
  expect(readComparison([], leaking, { ...range, count: 1 }).periods[0]).toMatchObject({ group: null, withheld: true })
})

const streak = (done: string, forgiveEvery = 4) => {
  const { current, longest, forgiven } = readStreak(weeks(Array.from(done, (letter) => (letter === 'x' ? 5 : null))), {
    ...range,
    forgiveEvery,
  })
  return [current, longest, forgiven]
}

test.each([
  ['xxx', [3, 3, 0]],
  // The period that runs is not missed yet.
  ['xxx.', [3, 3, 0]],
  // One missed in four is forgiven, two are not.
  ['xx.xx', [4, 4, 1]],
  ['xxx.xxx.xx', [8, 8, 2]],
  ['xxx.xx.xx', [4, 5, 1]],
  ['xxxx..xx', [2, 4, 0]],
  ['xxx.. ', [0, 3, 0]],
  ['xxx. .', [0, 3, 0]],
  ['xxx..', [3, 3, 1]],
  ['...x', [1, 1, 0]],
  ['....', [0, 0, 0]],
])('[AN4] the streak of %s is %j', (done, expected) => {
  expect(streak(done)).toEqual(expected)
})

/** By the definition, in cubic time: the most check-ins in any row with at most one missed in any `every` in a row. */
const longestBySearch = (done: readonly boolean[], every: number, endsAtLast: boolean): number => {
  let best = 0
  for (let from = 0; from < done.length; from++) {
    for (let to = endsAtLast ? done.length : from + 1; to <= done.length; to++) {
      const row = done.slice(from, to)
      const isRun = row.every((_, at) => row.slice(at, at + every).filter((isDone) => !isDone).length <= 1)
      if (isRun) best = Math.max(best, row.filter(Boolean).length)
    }
  }
  return best
}

test('[AN4] streaks are what the definition says, whatever was missed', () => {
  let forgiven = 0
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 18 }), fc.integer({ min: 2, max: 6 }), (done, every) => {
      const { current, longest } = runsOf(done, every)
      forgiven += current.missed
      expect([current.checkins, longest]).toEqual([
        longestBySearch(done, every, true),
        longestBySearch(done, every, false),
      ])
    }),
    { seed, numRuns: 1_000 },
  )
  expect(forgiven).toBeGreaterThan(0)
})

test('[AN4] a late check-in mends a streak, and submitting one never shortens it', () => {
  expect(streak('xxx..xx')).toEqual([2, 3, 0])
  expect(streak('xxx.xxx')).toEqual([6, 6, 1])
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }), fc.nat(), (done, at) => {
      const before = runsOf(done, 4)
      const after = runsOf(done.with(at % done.length, true), 4)
      expect(after.current.checkins).toBeGreaterThanOrEqual(before.current.checkins)
      expect(after.longest).toBeGreaterThanOrEqual(before.longest)
    }),
    { seed, numRuns: 500 },
  )
})

test('[AN5] insights are rules, say so, and come with their numbers', () => {
  const { basis, insights } = readInsights(weeks([2, 3, 4, 5, 6, 7]), range)
  expect(basis).toBe('rules')
  expect(insights).toContainEqual({
    rule: 'streak',
    measure: null,
    text: 'You have checked in 6 times in a row.',
    data: { current: 6, forgiven: 0 },
  })
  expect(insights).toContainEqual({
    rule: 'trend',
    measure: 'productive',
    text: 'Productive has risen by about 5 over the last 6 periods.',
    data: { change: 5, periods: 6, checkins: 6 },
  })
  expect(insights.filter(({ measure }) => measure === 'body')).toEqual([])
  const outlier = readInsights(weeks([8, 8, 7, 8, 8, 2]), range).insights.find(({ rule }) => rule === 'outlier')
  expect(outlier).toEqual({
    rule: 'outlier',
    measure: 'productive',
    text: 'Productive was 2 in 2026-W12, well below your usual 7.8.',
    data: { period: '2026-W12', value: 2, usual: 7.8 },
  })
})

test('[AN5] little or steady data gives no insight but the streak', () => {
  expect(readInsights([], range).insights).toEqual([])
  expect(readInsights(weeks([1, 10]), range).insights).toEqual([])
  expect(readInsights(weeks([7, 8, 7, 8, 7, 8]), range).insights.map(({ rule }) => rule)).toEqual(['streak'])
})

test('[AN6] whatever was checked in, every reader answers', () => {
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 20 }), (list, count) => {
      const checkins = weeks(list)
      expect(readTrends(checkins, { ...range, count }).points).toHaveLength(count)
      expect(readComparison(checkins, {}, { ...range, count }).periods).toHaveLength(count)
      const { current, longest } = readStreak(checkins, range)
      expect(current).toBeLessThanOrEqual(longest)
      expect(longest).toBeLessThanOrEqual(checkins.length)
      for (const { text, measure } of readInsights(checkins, range).insights) {
        expect(text).toMatch(/^[A-Z].*\.$/)
        expect([null, ...MEASURES]).toContain(measure)
      }
    }),
    { seed },
  )
})
