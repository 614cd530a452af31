// The kind `checkins`: all check-ins of one user, private ones too. One per group and period, because that is the key.
import type * as Y from 'yjs'
import { type Check, isBoolean, isInteger, isLine, isNullOr, isText, isTime } from '../fields.ts'
import { ENERGY_MAX, LATE_MS_MAX, MOOD_LENGTH_MAX, NOTE_BYTES_MAX, SCORE_MAX, SCORE_MIN } from '../limits.ts'
import { isId } from '../names.ts'
import { boundsOf, firstDayOf, isPeriodKey, isPeriodOf } from '../period.ts'
import {
  checkRecordForm,
  collectionOf,
  defineCollection,
  forEachRecord,
  splitEditKey,
  type Values,
} from '../records.ts'
import { type Change, type Facts, type GroupFacts, refuse, type Refusal } from '../rules.ts'

export const SCORES = ['productive', 'satisfied', 'body', 'care'] as const
export type Score = (typeof SCORES)[number]
export type Scores = Readonly<Record<Score, number>>

/** From -7 to 29; computed by whoever reads, never stored. */
export const totalOf = ({ productive, satisfied, body, care }: Scores): number => productive + satisfied + body - care

export const checkinId = (groupId: string, period: string): string => `${groupId}.${period}`

/** Ids of groups and keys of periods hold no dot. Null when this is not a check-in's id. */
export const splitCheckinId = (id: string): { readonly groupId: string; readonly period: string } | null => {
  const dot = id.indexOf('.')
  const [groupId, period] = [id.slice(0, dot), id.slice(dot + 1)]
  return dot > 0 && isId(groupId) && isPeriodKey(period) ? { groupId, period } : null
}

const score = { check: isInteger(SCORE_MIN, SCORE_MAX), required: true } as const

const TIMEZONE = /^[A-Za-z0-9_+/:-]{1,64}$/

/** The form only: whether there is such a zone takes too long to ask of every change, and nobody computes with it. */
const isTimezoneName: Check = (value) => typeof value === 'string' && TIMEZONE.test(value)

export const CHECKINS = defineCollection({
  name: 'checkins',
  isId: (id) => splitCheckinId(id) !== null,
  fields: {
    productive: score,
    satisfied: score,
    body: score,
    care: score,
    note: { check: isText(NOTE_BYTES_MAX) },
    mood: { check: isNullOr(isLine(MOOD_LENGTH_MAX)) },
    energy: { check: isNullOr(isInteger(1, ENERGY_MAX)) },
    private: { check: isBoolean },
    submittedAt: { check: isTime, required: true },
    updatedAt: { check: isNullOr(isTime) },
    // The group's, as it was at submission: changing it later moves no history (K6).
    timezone: { check: isTimezoneName, required: true },
    late: { check: isBoolean },
    retractedAt: { check: isNullOr(isTime) },
  },
})

export const CHECKIN_COLLECTIONS = [CHECKINS] as const

/** Why a group's member may not write the check-in of `period` at `now`; null when they may. */
export const checkPeriod = (
  period: string,
  group: GroupFacts,
  now: number,
): 'key-not-allowed' | 'not-a-member' | 'period-closed' | null => {
  if (!isPeriodOf(period, group)) return 'key-not-allowed'
  const { startsAt, endsAt } = boundsOf(period, group.timezone)
  if (group.joinedAt >= endsAt) return 'not-a-member'
  return now < startsAt || now > endsAt + LATE_MS_MAX ? 'period-closed' : null
}

/** A check-in is written, edited and retracted while its period runs and for `LATE_MS_MAX` after; its key stays for ever. */
export const checkCheckinChange = (change: Change, facts: Facts): Refusal | null => {
  const found = collectionOf(CHECKIN_COLLECTIONS, change.root)
  if (!found) return refuse(change, 'root-not-allowed')
  if (change.value === undefined) return refuse(change, 'delete-not-allowed')
  const malformed = checkRecordForm(found.collection, change)
  if (malformed) return malformed
  const id = splitCheckinId(found.isEdits ? (splitEditKey(change.key)?.id ?? '') : change.key)
  const group = id && facts.groups.get(id.groupId)
  if (!group) return refuse(change, 'not-a-member')
  const code = checkPeriod(id.period, group, facts.now)
  return code && refuse(change, code)
}

export interface Checkin extends Scores {
  readonly id: string
  readonly groupId: string
  readonly period: string
  readonly total: number
  readonly note: string
  readonly mood: string | null
  readonly energy: number | null
  readonly private: boolean
  readonly submittedAt: number
  readonly updatedAt: number | null
  readonly timezone: string
  readonly late: boolean
  readonly retracted: boolean
}

const toCheckin = (id: string, values: Values): Checkin | null => {
  const parts = splitCheckinId(id)
  if (!parts) return null
  const [productive, satisfied, body, care] = SCORES.map((name) => values[name]) as [number, number, number, number]
  const scores = { productive, satisfied, body, care }
  return {
    id,
    ...parts,
    ...scores,
    total: totalOf(scores),
    note: (values['note'] as string | undefined) ?? '',
    mood: (values['mood'] as string | undefined) ?? null,
    energy: (values['energy'] as number | undefined) ?? null,
    private: values['private'] === true,
    submittedAt: values['submittedAt'] as number,
    updatedAt: (values['updatedAt'] as number | undefined) ?? null,
    timezone: values['timezone'] as string,
    late: values['late'] === true,
    retracted: (values['retractedAt'] ?? null) !== null,
  }
}

const newestFirst = (a: Checkin, b: Checkin): number => {
  const days = firstDayOf(b.period) - firstDayOf(a.period)
  if (days !== 0) return days
  return a.id < b.id ? -1 : Number(a.id > b.id)
}

/** Every check-in, retracted and private ones too, by their periods, newest first. */
export const readCheckins = (doc: Y.Doc): { readonly checkins: readonly Checkin[] } => {
  const checkins: Checkin[] = []
  forEachRecord(doc, CHECKINS, (values, id) => {
    const checkin = toCheckin(id, values)
    if (checkin) checkins.push(checkin)
  })
  return { checkins: checkins.sort(newestFirst) }
}
