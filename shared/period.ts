// Periods of check-ins, in the group's time zone: which one an instant belongs to, and when one begins and ends. A key is
// `2026-02-11`, `2026-W07` (ISO week) or `2026-W07x2` (two weeks, counted from the group's creation).
import type { GroupFacts } from './rules.ts'

export type Frequency = GroupFacts['frequency']

/** What of a group decides its periods. */
export type PeriodGroup = Pick<GroupFacts, 'timezone' | 'frequency' | 'createdAt'>

/** Milliseconds since the epoch; `endsAt` is the first instant that is no longer in it. */
export interface Bounds {
  readonly startsAt: number
  readonly endsAt: number
}

const DAY_MS = 24 * 3_600_000
/** Formatters are slow to make and heavy; there are some 400 zones, but many ways to spell them. */
const FORMATTERS_MAX = 500
/** Keys and beginnings of days that are remembered: a day's costs 10 µs, and each change of a check-in asks for two. */
const REMEMBERED_MAX = 2_000

const KEY = /^(\d{4})-(?:(\d{2})-(\d{2})|W(\d{2})(x2)?)$/

const formatters = new Map<string, Intl.DateTimeFormat>()

const formatterOf = (timezone: string): Intl.DateTimeFormat => {
  const known = formatters.get(timezone)
  if (known) return known
  const formatter = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  if (formatters.size >= FORMATTERS_MAX) formatters.clear()
  formatters.set(timezone, formatter)
  return formatter
}

/** Local time minus UTC, in milliseconds. */
const offsetAt = (time: number, timezone: string): number => {
  const parts: Record<string, number> = {}
  for (const { type, value } of formatterOf(timezone).formatToParts(time)) parts[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(time / 1000) * 1000
}

/** The instant in `from` to `to` at which the offset stops being `before`. */
const transitionBetween = (from: number, to: number, before: number, timezone: string): number => {
  let [low, high] = [from, to]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle, timezone) === before) low = middle
    else high = middle
  }
  return high
}

/**
 * The first instant of a day (counted from 1970-01-01): midnight, the earlier one where clocks show it twice, or the
 * moment the clocks jump over it. No zone is a whole day from UTC, and no two changes of clocks are within two days.
 */
const findStartOfDay = (day: number, timezone: string): number => {
  const midnight = day * DAY_MS
  const before = offsetAt(midnight - DAY_MS, timezone)
  const after = offsetAt(midnight + DAY_MS, timezone)
  const early = midnight - before
  if (before === after || offsetAt(early, timezone) === before) return early
  const late = midnight - after
  if (offsetAt(late, timezone) === after) return late
  return transitionBetween(midnight - DAY_MS, midnight + DAY_MS, before, timezone)
}

const starts = new Map<string, number>()

const startOfDay = (day: number, timezone: string): number => {
  const key = `${day} ${timezone}`
  const known = starts.get(key)
  if (known !== undefined) return known
  const start = findStartOfDay(day, timezone)
  if (starts.size >= REMEMBERED_MAX) starts.clear()
  starts.set(key, start)
  return start
}

/** The day an instant belongs to. Where clocks go back over midnight it is not the one they show for a while. */
const dayAt = (time: number, timezone: string): number => {
  const shown = Math.floor((time + offsetAt(time, timezone)) / DAY_MS)
  return time >= startOfDay(shown + 1, timezone) ? shown + 1 : shown
}

/** Weeks are counted from the one of 1970-01-01, which was a Thursday; ISO names a week after the year of its Thursday. */
const weekOf = (day: number): number => Math.floor((day + 3) / 7)
const mondayOf = (week: number): number => week * 7 - 3

const pad = (number: number, length: number): string => String(number).padStart(length, '0')

const dayKey = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10)

const weekKey = (week: number): string => {
  const thursday = week * 7
  const year = new Date(thursday * DAY_MS).getUTCFullYear()
  const number = Math.floor((thursday - Date.UTC(year, 0, 1) / DAY_MS) / 7) + 1
  return `${pad(year, 4)}-W${pad(number, 2)}`
}

interface Span {
  readonly frequency: Frequency
  readonly firstDay: number
  readonly days: number
}

const keyOf = ({ frequency, firstDay }: Pick<Span, 'frequency' | 'firstDay'>): string => {
  if (frequency === 'daily') return dayKey(firstDay)
  return frequency === 'weekly' ? weekKey(weekOf(firstDay)) : `${weekKey(weekOf(firstDay))}x2`
}

const spans = new Map<string, Span>()

/** Null for what is no key, or names a day or a week that no calendar has. */
const spanOf = (key: string): Span | null => {
  const known = spans.get(key)
  if (known) return known
  const span = parseKey(key)
  if (span && spans.size >= REMEMBERED_MAX) spans.clear()
  if (span) spans.set(key, span)
  return span
}

const parseKey = (key: string): Span | null => {
  const match = KEY.exec(key)
  if (!match) return null
  const [, year, month, day, week, two] = match
  const span: Span =
    week === undefined
      ? { frequency: 'daily', firstDay: Date.UTC(Number(year), Number(month) - 1, Number(day)) / DAY_MS, days: 1 }
      : {
          frequency: two ? 'biweekly' : 'weekly',
          // The 4th of January is always in week 1.
          firstDay: mondayOf(weekOf(Date.UTC(Number(year), 0, 4) / DAY_MS) + Number(week) - 1),
          days: two ? 14 : 7,
        }
  return keyOf(span) === key ? span : null
}

const mustSpan = (key: string): Span => {
  const span = spanOf(key)
  if (!span) throw new RangeError('not the key of a period')
  return span
}

/** The frequency whose keys look like this one; null when it is no key at all. */
export const frequencyOf = (key: string): Frequency | null => spanOf(key)?.frequency ?? null

/** Whether `key` names a period, of `frequency` where given. */
export const isPeriodKey = (key: string, frequency?: Frequency): boolean => {
  const found = frequencyOf(key)
  return found !== null && (frequency === undefined || found === frequency)
}

/** The number of the period's first day, counted from 1970-01-01: what periods are sorted by. */
export const firstDayOf = (key: string): number => mustSpan(key).firstDay

/** Two weeks begin with the week of the group's creation, or an even number of weeks from it. */
const firstWeekOfTwo = (week: number, { createdAt, timezone }: PeriodGroup): number => {
  const anchor = weekOf(dayAt(createdAt, timezone))
  return anchor + Math.floor((week - anchor) / 2) * 2
}

/** The key of the group's period that `time` is in. Throws a RangeError for a time zone nobody knows. */
export const periodAt = (time: number, group: PeriodGroup): string => {
  const { frequency, timezone } = group
  const day = dayAt(time, timezone)
  if (frequency === 'daily') return dayKey(day)
  const week = weekOf(day)
  return keyOf({ frequency, firstDay: mondayOf(frequency === 'weekly' ? week : firstWeekOfTwo(week, group)) })
}

/** Whether `key` names one of the group's periods: the right form, and for two weeks the right first week. */
export const isPeriodOf = (key: string, group: PeriodGroup): boolean => {
  const span = spanOf(key)
  if (span?.frequency !== group.frequency) return false
  const week = weekOf(span.firstDay)
  return group.frequency !== 'biweekly' || firstWeekOfTwo(week, group) === week
}

/** When a period begins and ends. A day that a zone has skipped altogether is empty. Throws a RangeError for no key. */
export const boundsOf = (key: string, timezone: string): Bounds => {
  const { firstDay, days } = mustSpan(key)
  return { startsAt: startOfDay(firstDay, timezone), endsAt: startOfDay(firstDay + days, timezone) }
}

/** The year a period is filed under: of a week the ISO year, of two weeks that of the first. */
export const yearOf = (key: string): number => Number(key.slice(0, 4))

/** The period `count` periods after `key`, before it when negative. Throws a RangeError for no key. */
export const shiftPeriod = (key: string, count: number): string => {
  const { frequency, firstDay, days } = mustSpan(key)
  return keyOf({ frequency, firstDay: firstDay + days * count })
}

export const nextPeriod = (key: string): string => shiftPeriod(key, 1)
export const previousPeriod = (key: string): string => shiftPeriod(key, -1)

/** How many periods `to` is after `from`; both of one frequency. */
export const periodsBetween = (from: string, to: string): number => {
  const { firstDay, days } = mustSpan(from)
  return (firstDayOf(to) - firstDay) / days
}
