// Check-ins: one for each group and period, the four scores and their total, what may be written when, and two devices
// that were offline.
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { checkCheckinChange, checkinId, CHECKINS, totalOf } from '../../shared/checkins/model.ts'
import { CHECKIN_OPERATIONS } from '../../shared/checkins/operations.ts'
import { LATE_MS_MAX, MOOD_LENGTH_MAX, NOTE_BYTES_MAX } from '../../shared/limits.ts'
import { boundsOf } from '../../shared/period.ts'
import { createChange, editChange } from '../../shared/records.ts'
import type { Change, GroupFacts } from '../../shared/rules.ts'
import { codeOf, createDevice, factsOf, GROUP, NOW, SCORES, WEEKLY } from './world.ts'

const PERIOD = '2026-W07'
const ID = checkinId(GROUP, PERIOD)
const { startsAt, endsAt } = boundsOf(PERIOD, WEEKLY.timezone)
const input = { groupId: GROUP, ...SCORES }
const base = { ...SCORES, submittedAt: NOW, timezone: WEEKLY.timezone, late: false }

test('[CI1] a check-in is of the running period unless another is named, and says when and in which zone', () => {
  const device = createDevice()
  expect(device.run('checkin.submit', { ...input, note: 'quiet', mood: '🙂', energy: 4 })).toEqual({
    groupId: GROUP,
    period: PERIOD,
  })
  expect(device.read()).toEqual([
    {
      id: ID,
      groupId: GROUP,
      period: PERIOD,
      ...SCORES,
      total: 12,
      note: 'quiet',
      mood: '🙂',
      energy: 4,
      private: false,
      submittedAt: NOW,
      updatedAt: null,
      timezone: 'Europe/Berlin',
      late: false,
      retracted: false,
    },
  ])
})

test('[CI2] the total is productive + satisfied + body - care, and is stored nowhere', () => {
  expect(totalOf({ productive: 8, satisfied: 7, body: 6, care: 9 })).toBe(12)
  expect(totalOf({ productive: 1, satisfied: 1, body: 1, care: 10 })).toBe(-7)
  expect(totalOf({ productive: 10, satisfied: 10, body: 10, care: 1 })).toBe(29)
  const device = createDevice()
  device.run('checkin.submit', input)
  expect(JSON.stringify(device.doc.toJSON())).not.toContain('total')
  expect(codeOf(() => device.run('checkin.update', { ...input, total: 29 }))).toBe('input/invalid')
})

test('[CI3] a second check-in of a period is refused; the period of another group is another', () => {
  const other = 'group-0000000002'
  const device = createDevice({ [GROUP]: WEEKLY, [other]: WEEKLY })
  device.run('checkin.submit', input)
  expect(codeOf(() => device.run('checkin.submit', input))).toBe('checkin/duplicate')
  device.run('checkin.submit', { ...input, groupId: other })
  expect(device.read().map(({ groupId }) => groupId)).toEqual([GROUP, other])
})

test('[CI4] a retracted check-in stays in one’s history, and its period can be submitted again without old traces', () => {
  const device = createDevice()
  device.run('checkin.submit', { ...input, note: 'old', mood: '🙁', energy: 1, private: true })
  device.run('checkin.update', { groupId: GROUP, care: 1 })
  device.run('checkin.retract', { groupId: GROUP })
  expect(device.read()).toMatchObject([{ retracted: true, note: 'old' }])
  for (const name of ['checkin.update', 'checkin.retract'])
    expect(codeOf(() => device.run(name, { groupId: GROUP }))).toBe('record/not-found')
  device.run('checkin.submit', input, NOW + 1)
  const fresh = createDevice()
  fresh.run('checkin.submit', input, NOW + 1)
  expect(device.read()).toEqual(fresh.read())
})

test('[CI5] an update changes what is given and nothing else; the same again changes nothing', () => {
  const device = createDevice()
  device.run('checkin.submit', { ...input, note: 'mine' })
  device.run('checkin.update', { groupId: GROUP, care: 5, private: true }, NOW + 5)
  const [checkin] = device.read()
  expect(checkin).toMatchObject({ ...SCORES, care: 5, total: 16, note: 'mine', private: true, updatedAt: NOW + 5 })
  const before = Y.encodeStateVector(device.doc)
  device.run('checkin.update', { groupId: GROUP, care: 5 }, NOW + 6)
  expect(Y.encodeStateVector(device.doc)).toEqual(before)
  expect(codeOf(() => device.run('checkin.update', { groupId: GROUP, period: '2026-W06', care: 1 }))).toBe(
    'record/not-found',
  )
})

test('[CI6] after its period a check-in is late, for seven days, and then no more', () => {
  const lateOf = (now: number): boolean | undefined => {
    const device = createDevice()
    device.run('checkin.submit', { ...input, period: PERIOD }, now)
    return device.read()[0]?.late
  }
  expect([startsAt, endsAt - 1, endsAt, endsAt + LATE_MS_MAX].map(lateOf)).toEqual([false, false, true, true])
  for (const now of [startsAt - 1, endsAt + LATE_MS_MAX + 1])
    expect(codeOf(() => createDevice().run('checkin.submit', { ...input, period: PERIOD }, now))).toBe('period-closed')
})

test('[CI6] updating and retracting end with the same day', () => {
  const device = createDevice()
  device.run('checkin.submit', input)
  const tooLate = endsAt + LATE_MS_MAX + 1
  const target = { groupId: GROUP, period: PERIOD }
  expect(codeOf(() => device.run('checkin.update', { ...target, care: 1 }, tooLate))).toBe('period-closed')
  expect(codeOf(() => device.run('checkin.retract', target, tooLate))).toBe('period-closed')
  device.run('checkin.retract', target, tooLate - 1)
  expect(device.read()[0]?.retracted).toBe(true)
})

test('[CI7] only the periods of groups that one belongs to, and belonged to before the period was over', () => {
  const run = (groups: Record<string, GroupFacts>, more: object = {}) =>
    codeOf(() => createDevice(groups).run('checkin.submit', { ...input, ...more }))
  expect(run({})).toBe('not-a-member')
  expect(run({ [GROUP]: WEEKLY }, { period: '2026-02-11' })).toBe('key-not-allowed')
  expect(run({ [GROUP]: { ...WEEKLY, joinedAt: endsAt - 1 } })).toBe(undefined)
  const lastWeek = boundsOf('2026-W06', WEEKLY.timezone)
  expect(run({ [GROUP]: { ...WEEKLY, joinedAt: lastWeek.endsAt } }, { period: '2026-W06' })).toBe('not-a-member')
  // Created in week 7: two weeks begin there.
  const biweekly: GroupFacts = { ...WEEKLY, frequency: 'biweekly', createdAt: NOW }
  expect(run({ [GROUP]: biweekly }, { period: '2026-W06x2' })).toBe('key-not-allowed')
  expect(run({ [GROUP]: biweekly })).toBe(undefined)
})

const change = (record: object, key = ID): Change => createChange(CHECKINS, key, record as typeof base)

const ALLOWED: [what: string, change: Change][] = [
  ['a check-in', change(base)],
  ['one with everything', change({ ...base, note: 'x', mood: '🙂', energy: 5, private: true, retractedAt: null })],
  ['an edit of a score', editChange(CHECKINS, ID, 'care', 1)],
  ['a retraction', editChange(CHECKINS, ID, 'retractedAt', NOW)],
  ['a note of the largest size', change({ ...base, note: 'é'.repeat(NOTE_BYTES_MAX / 2) })],
]

test.each(ALLOWED)('[CI8] accepted: %s', (_, allowed) => {
  expect(checkCheckinChange(allowed, factsOf(NOW))).toBe(null)
})

const { care: _care, ...withoutCare } = base

const REFUSED: [what: string, change: Change, code: string][] = [
  ['a score of 0', change({ ...base, care: 0 }), 'value-not-allowed'],
  ['a score of 11', change({ ...base, care: 11 }), 'value-not-allowed'],
  ['a score of 7.5', change({ ...base, care: 7.5 }), 'value-not-allowed'],
  ['three scores', change(withoutCare), 'value-not-allowed'],
  ['a stored total', change({ ...base, total: 12 }), 'value-not-allowed'],
  ['a long note', change({ ...base, note: 'é'.repeat(NOTE_BYTES_MAX / 2 + 1) }), 'value-not-allowed'],
  ['a long mood', change({ ...base, mood: 'x'.repeat(MOOD_LENGTH_MAX + 1) }), 'value-not-allowed'],
  ['energy of 6', editChange(CHECKINS, ID, 'energy', 6), 'value-not-allowed'],
  ['a zone that is none', change({ ...base, timezone: 'a b' }), 'value-not-allowed'],
  ['another field', editChange(CHECKINS, ID, 'other', 1), 'key-not-allowed'],
  ['a key that is no period', change(base, `${GROUP}.2026-W54`), 'key-not-allowed'],
  ['a key that is no group', change(base, `short.${PERIOD}`), 'key-not-allowed'],
  ['a group one is not in', change(base, `group-0000000009.${PERIOD}`), 'not-a-member'],
  ['an edit in such a group', editChange(CHECKINS, `group-0000000009.${PERIOD}`, 'care', 1), 'not-a-member'],
  ['a day in a group of weeks', change(base, checkinId(GROUP, '2026-02-11')), 'key-not-allowed'],
  ['a later period', change(base, checkinId(GROUP, '2026-W08')), 'period-closed'],
  ['an edit of an old one', editChange(CHECKINS, checkinId(GROUP, '2026-W05'), 'care', 1), 'period-closed'],
  ['a deleted key', { root: 'checkins', key: ID, value: undefined }, 'delete-not-allowed'],
  ['a deleted edit', { root: 'checkins:edits', key: `${ID}.care`, value: undefined }, 'delete-not-allowed'],
  ['another root', { root: 'stats', key: ID, value: base }, 'root-not-allowed'],
]

test.each(REFUSED)('[CI8] refused: %s', (_, refused, code) => {
  expect(checkCheckinChange(refused, factsOf(NOW))?.code).toBe(code)
})

test('[CI9] two devices that submit one period offline make one check-in, whole from one of them', () => {
  for (const [first, second] of [
    [1, 2],
    [2, 1],
  ] as const) {
    const [phone, laptop] = [createDevice(), createDevice()]
    phone.doc.clientID = first
    laptop.doc.clientID = second
    phone.run('checkin.submit', { ...input, note: 'phone', energy: 1 })
    laptop.run('checkin.submit', { ...input, productive: 1, satisfied: 2, body: 3, care: 4, mood: 'x' })
    const candidates = [phone.read(), laptop.read()]
    Y.applyUpdate(phone.doc, Y.encodeStateAsUpdate(laptop.doc))
    Y.applyUpdate(laptop.doc, Y.encodeStateAsUpdate(phone.doc))
    expect(phone.read()).toEqual(laptop.read())
    expect(phone.read()).toHaveLength(1)
    expect(candidates).toContainEqual(phone.read())
  }
})

test('[CI10] check-ins are read newest period first, and what is not valid is left out', () => {
  const device = createDevice()
  device.run('checkin.submit', { ...input, period: '2026-W06' })
  device.run('checkin.submit', input)
  const records = device.doc.getMap('checkins')
  records.set('nonsense', base)
  records.set(checkinId(GROUP, '2026-W05'), { ...base, care: 'much' })
  device.doc.getMap('checkins:edits').set(`${ID}.care`, 99)
  expect(device.read().map(({ period, care }) => [period, care])).toEqual([
    ['2026-W07', 9],
    ['2026-W06', 9],
  ])
})

test('[CI11] the examples of the operations work one after the other', () => {
  const device = createDevice()
  for (const { name, example } of CHECKIN_OPERATIONS) device.run(name, example)
  expect(device.read()).toMatchObject([{ retracted: true, private: true, care: 5 }])
})
