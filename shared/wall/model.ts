// The kind `wall`: what a group's members share of their check-ins in one year, and its statistics. The server alone
// writes it, out of the members' own documents.
import type * as Y from 'yjs'
import { SCORES, type Score, type Scores, totalOf } from '../checkins/model.ts'
import { type Check, isBoolean, isIdValue, isInteger, isLine, isNullOr, isObjectOf, isText, isTime } from '../fields.ts'
import { ENERGY_MAX, MOOD_LENGTH_MAX, NOTE_BYTES_MAX, PARTICIPANTS_MIN, SCORE_MAX, SCORE_MIN } from '../limits.ts'
import { firstDayOf, isPeriodKey } from '../period.ts'

export const WALL_CHECKINS = 'checkins'
export const WALL_STATS = 'stats'

/** What is stored under `userId.period`. */
export interface SharedCheckin extends Scores {
  readonly userId: string
  readonly period: string
  readonly note: string
  readonly mood: string | null
  readonly energy: number | null
  readonly submittedAt: number
  readonly late: boolean
}

/** As members read it. */
export interface WallCheckin extends SharedCheckin {
  readonly total: number
}

export type Averages = Readonly<Record<Score | 'total', number>>

/** What is stored under a period. */
export interface PeriodStats {
  readonly participants: number
  readonly members: number
  /** From 0 to 1. */
  readonly participation: number
  /** Withheld (null) while fewer than `PARTICIPANTS_MIN` took part: two could work out each other's. */
  readonly averages: Averages | null
}

export interface Wall {
  readonly checkins: readonly WallCheckin[]
  readonly stats: Readonly<Record<string, PeriodStats>>
}

const score = isInteger(SCORE_MIN, SCORE_MAX)
const isPeriod: Check = (value) => typeof value === 'string' && isPeriodKey(value)
const isSharedCheckin = isObjectOf({
  userId: isIdValue,
  period: isPeriod,
  productive: score,
  satisfied: score,
  body: score,
  care: score,
  note: isText(NOTE_BYTES_MAX),
  mood: isNullOr(isLine(MOOD_LENGTH_MAX)),
  energy: isNullOr(isInteger(1, ENERGY_MAX)),
  submittedAt: isTime,
  late: isBoolean,
})

export const sharedKey = (userId: string, period: string): string => `${userId}.${period}`

/** The shared check-ins by their keys. */
export const readShared = (doc: Y.Doc): Map<string, SharedCheckin> => {
  const shared = new Map<string, SharedCheckin>()
  doc.getMap<unknown>(WALL_CHECKINS).forEach((value, key) => {
    if (isSharedCheckin(value)) shared.set(key, value as SharedCheckin)
  })
  return shared
}

const newestFirst = (a: SharedCheckin, b: SharedCheckin): number => {
  const days = firstDayOf(b.period) - firstDayOf(a.period)
  if (days !== 0) return days
  if (a.submittedAt !== b.submittedAt) return b.submittedAt - a.submittedAt
  return a.userId < b.userId ? -1 : Number(a.userId > b.userId)
}

/** The group's shared check-ins, newest period first, and the statistics of each period. */
export const readWall = (doc: Y.Doc): Wall => {
  const checkins = [...readShared(doc).values()].sort(newestFirst)
  const stats = [...doc.getMap<PeriodStats>(WALL_STATS).entries()].filter(([period]) => isPeriodKey(period))
  stats.sort(([a], [b]) => firstDayOf(b) - firstDayOf(a))
  return {
    checkins: checkins.map((checkin) => Object.assign({ total: totalOf(checkin) }, checkin)),
    stats: Object.fromEntries(stats),
  }
}

const averageOf = (checkins: readonly Scores[], read: (checkin: Scores) => number): number =>
  checkins.reduce((sum, checkin) => sum + read(checkin), 0) / checkins.length

/** Statistics of one period; `members` may have left out people who took part and have left the group since. */
export const statsOf = (checkins: readonly Scores[], members: number): PeriodStats => {
  const participants = checkins.length
  const all = Math.max(members, participants)
  const averages =
    participants < PARTICIPANTS_MIN
      ? null
      : {
          ...(Object.fromEntries(SCORES.map((name) => [name, averageOf(checkins, (one) => one[name])])) as Scores),
          total: averageOf(checkins, totalOf),
        }
  return { participants, members: all, participation: all === 0 ? 0 : participants / all, averages }
}
