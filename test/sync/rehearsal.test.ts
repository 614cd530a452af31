// What the server plays before it listens must be what clients do: one that is turned away warms nothing up.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { rehearse } from '../../server/sync/rehearsal.ts'

test('[MA5] every client of the rehearsal gets every answer, whichever port other servers have', async () => {
  assert.deepEqual(await Promise.all([rehearse(), rehearse()]), [0, 0])
})
