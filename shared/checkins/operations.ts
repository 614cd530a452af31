// What people do with their check-ins: submit one for a period, change it, retract it.
import type * as Y from 'yjs'
import * as z from 'zod/mini'
import { AppError } from '../errors.ts'
import { id, line, lines } from '../inputs.ts'
import { ENERGY_MAX, MOOD_LENGTH_MAX, NOTE_BYTES_MAX, SCORE_MAX, SCORE_MIN } from '../limits.ts'
import { defineOperation } from '../define-operation.ts'
import type { OperationContext, Plan } from '../operation.ts'
import { boundsOf, isPeriodKey, isPeriodOf, periodAt } from '../period.ts'
import { createChange, editChange, editChanges, readRecord, type Values } from '../records.ts'
import type { GroupFacts } from '../rules.ts'
import { CHECKINS, checkinId } from './model.ts'

const score = z.int().check(z.minimum(SCORE_MIN), z.maximum(SCORE_MAX))
const period = z.optional(
  z.string().check(z.refine((key) => isPeriodKey(key), 'expected a period such as 2026-02-11, 2026-W07 or 2026-W07x2')),
)
const more = {
  note: z.optional(lines(NOTE_BYTES_MAX)),
  mood: z.nullish(line(MOOD_LENGTH_MAX)),
  energy: z.nullish(z.int().check(z.minimum(1), z.maximum(ENERGY_MAX))),
  private: z.optional(z.boolean()),
}

/** Which check-in it was: its group, and the period in the group's time zone, such as `2026-W07`. */
export interface Result {
  readonly groupId: string
  readonly period: string
}

interface Target {
  readonly id: string
  readonly group: GroupFacts
  readonly result: Result
}

/** The check-in that is meant: of the running period unless another is named. */
const mustTarget = (
  input: { readonly groupId: string; readonly period?: string | undefined },
  { groups, now }: OperationContext,
): Target => {
  const { groupId } = input
  const group = groups.get(groupId)
  if (!group) throw new AppError('not-a-member', 'check-ins are for groups that you belong to', { groupId })
  const key = input.period ?? periodAt(now, group)
  if (!isPeriodOf(key, group))
    throw new AppError('key-not-allowed', `the periods of this group are ${group.frequency}`, { period: key })
  return { id: checkinId(groupId, key), group, result: { groupId, period: key } }
}

const isRetracted = (checkin: Values): boolean => (checkin['retractedAt'] ?? null) !== null

/** A check-in that is there and was not retracted. */
const mustCheckin = (doc: Y.Doc, { id: checkin, result }: Target): Values => {
  const values = readRecord(doc, CHECKINS, checkin)
  if (values && !isRetracted(values)) return values
  throw new AppError('record/not-found', 'no check-in for this period', { ...result })
}

/** What a retracted check-in is cleared to before it is submitted again: its key, and so its edits, are there for ever. */
const EMPTY = { note: '', mood: null, energy: null, private: false, updatedAt: null, retractedAt: null }

const submit = defineOperation({
  name: 'checkin.submit',
  needs: 'write',
  summary: 'Submits the check-in of a period, the running one unless another is named. There is one for each period.',
  input: z.strictObject({
    groupId: id,
    period,
    productive: score,
    satisfied: score,
    body: score,
    care: score,
    ...more,
  }),
  example: {
    groupId: 'group-0000000001',
    productive: 8,
    satisfied: 7,
    body: 6,
    care: 9,
    note: 'A quiet week',
    energy: 4,
  },
  plan: (doc, input, ctx): Plan<Result> => {
    const target = mustTarget(input, ctx)
    const { id: checkin, group, result } = target
    const known = readRecord(doc, CHECKINS, checkin)
    if (known && !isRetracted(known))
      throw new AppError('checkin/duplicate', 'this period has its check-in already', { ...result })
    const { groupId: _group, period: _period, ...fields } = input
    const { timezone } = group
    const late = ctx.now >= boundsOf(result.period, timezone).endsAt
    const record = { ...fields, submittedAt: ctx.now, timezone, late }
    if (!known) return { changes: [createChange(CHECKINS, checkin, record)], result }
    const given = Object.entries(record).filter(([, value]) => value !== undefined)
    return { changes: editChanges(CHECKINS, checkin, known, { ...EMPTY, ...Object.fromEntries(given) }), result }
  },
})

const update = defineOperation({
  name: 'checkin.update',
  needs: 'write',
  summary: 'Changes fields of a check-in while its period can still be written; fields that are left out stay.',
  input: z.strictObject({
    groupId: id,
    period,
    productive: z.optional(score),
    satisfied: z.optional(score),
    body: z.optional(score),
    care: z.optional(score),
    ...more,
  }),
  example: { groupId: 'group-0000000001', care: 5, private: true },
  plan: (doc, input, ctx) => {
    const { groupId: _group, period: _period, ...fields } = input
    const target = mustTarget(input, ctx)
    const known = mustCheckin(doc, target)
    const edits = editChanges(CHECKINS, target.id, known, fields)
    if (edits.length > 0) edits.push(editChange(CHECKINS, target.id, 'updatedAt', ctx.now))
    return { changes: edits, result: target.result }
  },
})

const retract = defineOperation({
  name: 'checkin.retract',
  needs: 'write',
  summary: 'Takes a check-in back. It stays in one’s own history as retracted, and the period can be submitted again.',
  input: z.strictObject({ groupId: id, period }),
  example: { groupId: 'group-0000000001' },
  plan: (doc, input, ctx) => {
    const target = mustTarget(input, ctx)
    mustCheckin(doc, target)
    return { changes: [editChange(CHECKINS, target.id, 'retractedAt', ctx.now)], result: target.result }
  },
})

export const CHECKIN_OPERATIONS = [submit, update, retract] as const
