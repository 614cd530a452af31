// What people do with marks.
import * as z from 'zod/mini'
import { isTime } from '../fields.ts'
import { defineOperation } from '../define-operation.ts'
import type { Plan } from '../operation.ts'
import { MARKS, markKey, readMarks } from './model.ts'

const read = defineOperation({
  name: 'mark.read',
  needs: 'write',
  summary: 'Marks what was sent up to a time, in milliseconds since the epoch, as read. Going back changes nothing.',
  input: z.strictObject({ upTo: z.int().check(z.refine(isTime, 'expected milliseconds since the epoch')) }),
  example: { upTo: 1_770_800_000_000 },
  plan: (doc, { upTo }, ctx): Plan<{ upTo: number }> => {
    const known = readMarks(doc).marks[ctx.actor]
    if (known !== undefined && known >= upTo) return { changes: [], result: { upTo: known } }
    const change = { root: MARKS, key: markKey(ctx.actor, ctx.deviceId), value: { upTo, at: ctx.now } }
    return { changes: [change], result: { upTo } }
  },
})

export const MARKS_OPERATIONS = [read] as const
