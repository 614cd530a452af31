// The kind `marks`: how far everybody has read.
import { expect, test } from 'vitest'
import { MARKS_KIND } from '../../shared/marks/kind.ts'
import { readMarks } from '../../shared/marks/model.ts'
import { ANNA, BEN, meet, NOW, openDevice, transactionsOf } from './device.ts'

const open = (actor: string, deviceId: string) => openDevice(MARKS_KIND, { actor, deviceId })

test('[MK1] the greatest mark of a user’s devices counts, whichever device comes last', () => {
  const [phone, laptop, ben] = [open(ANNA, 'device-phone'), open(ANNA, 'device-laptop'), open(BEN, 'device-ben01')]
  phone.run('mark.read', { upTo: 50 })
  laptop.run('mark.read', { upTo: 30 })
  ben.run('mark.read', { upTo: 10 })
  meet(phone, laptop, ben)
  for (const { doc } of [phone, laptop, ben]) expect(readMarks(doc)).toEqual({ marks: { [ANNA]: 50, [BEN]: 10 } })
  expect(laptop.doc.getMap('marks').get(`${ANNA}.device-laptop`)).toEqual({ upTo: 30, at: NOW })
})

test('[MK2] a mark that does not go forward is a success and changes nothing, on any device', () => {
  const [phone, laptop] = [open(ANNA, 'device-phone'), open(ANNA, 'device-laptop')]
  phone.run('mark.read', { upTo: 50 })
  meet(phone, laptop)
  const writes = transactionsOf(laptop.doc, () => {
    for (const upTo of [0, 49, 50]) expect(laptop.run('mark.read', { upTo })).toEqual({ upTo: 50 })
  })
  expect(writes).toBe(0)
  laptop.run('mark.read', { upTo: 51 })
  expect(readMarks(laptop.doc).marks).toEqual({ [ANNA]: 51 })
  for (const upTo of [-1, 1.5, '50', null, 1e18]) expect(laptop.refusal('mark.read', { upTo })).toBe('input/invalid')
})

test('[MK3] everybody sets marks of their own, of the right form, and takes none away', () => {
  const { rule } = open(ANNA, 'device-phone')
  const mark = { upTo: 5, at: 6 }
  const own = `${ANNA}.device-phone`
  expect(rule('marks', own, mark)).toBeNull()
  expect(rule('marks', `${ANNA}.device-other`, mark)).toBeNull()
  expect(rule('marks', `${BEN}.device-phone`, mark)).toBe('not-yours')
  expect(rule('marks', own, undefined)).toBe('delete-not-allowed')
  expect(rule('marks', `${BEN}.device-phone`, undefined)).toBe('not-yours')
  for (const value of [5, null, { upTo: 5 }, { ...mark, more: 1 }, { upTo: -1, at: 6 }])
    expect([value, rule('marks', own, value)]).toEqual([value, 'value-not-allowed'])
  for (const key of [ANNA, `${own}.x`, `${ANNA}.`, ''])
    expect([key, rule('marks', key, mark)]).toEqual([key, 'key-not-allowed'])
  expect(rule('messages', own, mark)).toBe('root-not-allowed')
})
