// Periods: known calendars, odd time zones, and for any instant in any zone that it is in exactly one period.
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  boundsOf,
  frequencyOf,
  isPeriodKey,
  isPeriodOf,
  nextPeriod,
  periodAt,
  type PeriodGroup,
  periodsBetween,
  previousPeriod,
  shiftPeriod,
  yearOf,
} from '../../shared/period.ts'
import { chooseSeed } from '../helpers/random.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

const seed = chooseSeed()
process.stdout.write(`periods: SEED=${seed}\n`)

const groupOf = (
  timezone: string,
  frequency: PeriodGroup['frequency'] = 'weekly',
  createdAt = Date.UTC(2026, 0, 1),
): PeriodGroup => ({ timezone, frequency, createdAt })

const zones = fc.constantFrom(...Intl.supportedValuesOf('timeZone'))
const instants = fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) })
const groups: fc.Arbitrary<PeriodGroup> = fc.record({
  timezone: zones,
  frequency: fc.constantFrom('daily' as const, 'weekly' as const, 'biweekly' as const),
  createdAt: instants,
})

/** What a calendar on the wall shows there, by another way than ours. */
const dateAt = (time: number, timeZone: string): string =>
  new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(time)

const hoursOf = (key: string, timezone: string): number => {
  const { startsAt, endsAt } = boundsOf(key, timezone)
  return (endsAt - startsAt) / HOUR_MS
}

describe('any instant in any zone', () => {
  test('[PE1] it is in exactly the period whose bounds hold it, which is one of the group’s', () => {
    fc.assert(
      fc.property(instants, groups, (time, group) => {
        const key = periodAt(time, group)
        const { startsAt, endsAt } = boundsOf(key, group.timezone)
        expect(startsAt).toBeLessThanOrEqual(time)
        expect(endsAt).toBeGreaterThan(time)
        expect([frequencyOf(key), isPeriodOf(key, group)]).toEqual([group.frequency, true])
        expect(key).not.toContain('.')
      }),
      { seed, numRuns: 1_000 },
    )
  })

  test('[PE2] each period begins when the one before it ends', () => {
    fc.assert(
      fc.property(instants, groups, fc.integer({ min: -60, max: 60 }), (time, group, count) => {
        const key = shiftPeriod(periodAt(time, group), count)
        const { startsAt, endsAt } = boundsOf(key, group.timezone)
        expect(boundsOf(nextPeriod(key), group.timezone).startsAt).toBe(endsAt)
        expect(boundsOf(previousPeriod(key), group.timezone).endsAt).toBe(startsAt)
        expect(previousPeriod(nextPeriod(key))).toBe(key)
        expect(periodsBetween(key, shiftPeriod(key, count))).toBe(count)
        expect(isPeriodOf(key, group)).toBe(true)
        if (startsAt < endsAt) expect(periodAt(startsAt, group)).toBe(key)
      }),
      { seed, numRuns: 500 },
    )
  })

  test('[PE3] a day begins with the first instant at which the calendar there shows it', () => {
    fc.assert(
      fc.property(instants, zones, (time, timezone) => {
        const key = periodAt(time, groupOf(timezone, 'daily'))
        const { startsAt } = boundsOf(key, timezone)
        expect(dateAt(startsAt, timezone) >= key).toBe(true)
        expect(dateAt(startsAt - 1, timezone) < key).toBe(true)
      }),
      { seed, numRuns: 1_000 },
    )
  })
})

test.each([
  ['2026-03-29', 'Europe/Berlin', 23],
  ['2026-10-25', 'Europe/Berlin', 25],
  ['2026-W13', 'Europe/Berlin', 7 * 24 - 1],
  ['2026-W43', 'Europe/Berlin', 7 * 24 + 1],
  ['2026-W42x2', 'Europe/Berlin', 14 * 24 + 1],
  // Half an hour of summer time.
  ['2026-04-05', 'Australia/Lord_Howe', 24.5],
  ['2026-02-11', 'Asia/Kathmandu', 24],
  // Clocks that jump over midnight, and go back over it.
  ['2018-11-04', 'America/Sao_Paulo', 23],
  ['2022-03-27', 'Asia/Beirut', 23],
  ['2010-11-06', 'America/St_Johns', 24],
  // A day that was left out altogether.
  ['2011-12-30', 'Pacific/Apia', 0],
])('[PE4] %s in %s lasts %d hours', (key, timezone, hours) => {
  expect(hoursOf(key, timezone)).toBe(hours)
})

test('[PE4] where clocks go back over midnight, the day that has begun goes on', () => {
  const zone = 'America/St_Johns'
  const time = Date.UTC(2010, 10, 7, 3)
  expect(dateAt(time, zone)).toBe('2010-11-06')
  expect(periodAt(time, groupOf(zone, 'daily'))).toBe('2010-11-07')
})

test('[PE4] midnight is the one of the group’s zone', () => {
  expect(new Date(boundsOf('2026-02-11', 'Asia/Kathmandu').startsAt).toISOString()).toBe('2026-02-10T18:15:00.000Z')
  expect(new Date(boundsOf('2018-11-04', 'America/Sao_Paulo').startsAt).toISOString()).toBe('2018-11-04T03:00:00.000Z')
  const time = Date.UTC(2026, 1, 10, 23, 30)
  expect(['UTC', 'Europe/Berlin'].map((zone) => periodAt(time, groupOf(zone, 'daily')))).toEqual([
    '2026-02-10',
    '2026-02-11',
  ])
})

test.each([
  ['2026-02-11', '2026-W07'],
  ['2026-01-01', '2026-W01'],
  ['2026-12-31', '2026-W53'],
  ['2027-01-03', '2026-W53'],
  ['2027-01-04', '2027-W01'],
  ['2021-01-03', '2020-W53'],
  ['2024-12-30', '2025-W01'],
  ['2023-01-01', '2022-W52'],
])('[PE5] %s is in the ISO week %s', (date, week) => {
  expect(periodAt(Date.parse(date), groupOf('UTC'))).toBe(week)
  expect(yearOf(week)).toBe(Number(week.slice(0, 4)))
})

test('[PE5] weeks are those of a calendar that is counted through day by day', () => {
  // ISO 8601: a week belongs to the year that has most of its days.
  const mondays = Array.from({ length: 7_000 }, (_, index) => Date.UTC(1969, 11, 29) + index * 7 * DAY_MS)
  let [year, number] = [0, 0]
  for (const monday of mondays) {
    const owner = new Date(monday + 3 * DAY_MS).getUTCFullYear()
    number = owner === year ? number + 1 : 1
    year = owner
    const key = `${year}-W${String(number).padStart(2, '0')}`
    expect(boundsOf(key, 'UTC')).toEqual({ startsAt: monday, endsAt: monday + 7 * DAY_MS })
  }
})

test('[PE6] two weeks are counted from the week of the group’s creation, across years', () => {
  // A Wednesday in week 7.
  const group = groupOf('Europe/Berlin', 'biweekly', Date.UTC(2026, 1, 11, 9))
  const keyAt = (date: string): string => periodAt(Date.parse(date), group)
  expect(['2026-02-09T12:00Z', '2026-02-22T12:00Z', '2026-02-23T12:00Z', '2026-02-08T12:00Z'].map(keyAt)).toEqual([
    '2026-W07x2',
    '2026-W07x2',
    '2026-W09x2',
    '2026-W05x2',
  ])
  expect(keyAt('2027-01-05T12:00Z')).toBe('2026-W53x2')
  const later = groupOf('UTC', 'biweekly', Date.UTC(2026, 1, 18))
  expect(periodAt(later.createdAt, later)).toBe('2026-W08x2')
  expect(yearOf('2026-W53x2')).toBe(2026)
  expect(isPeriodOf('2026-W08x2', group)).toBe(false)
  expect(isPeriodOf('2026-W07', group)).toBe(false)
})

test('[PE7] what no calendar has is no period', () => {
  for (const key of [
    '2026-02-30',
    '2026-13-01',
    '2021-W53',
    '2026-W00',
    '2026-W54',
    '2026-W7',
    '2026-W07x3',
    '',
    '2026',
  ])
    assert.equal(isPeriodKey(key), false, key)
  expect(isPeriodKey('2026-W07', 'daily')).toBe(false)
  expect(isPeriodKey('2026-W53', 'weekly')).toBe(true)
  expect(() => boundsOf('2021-W53', 'UTC')).toThrow(RangeError)
})
