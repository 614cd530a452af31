// The part of the update store's contract about client ids: whose an id is, first come, for ever.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { claimClientIds, loadClaims } from '../../storage/updates.ts'
import { type CreateDatabase, NOTES, SLOW_MS, TASKS, upTo, withTwo } from './helpers.ts'

export const claimTests = (create: CreateDatabase): void => {
  test('[US8] a client id belongs to the user who claimed it first, also within one batch', async () => {
    await withTwo(create, async (one, two) => {
      const claim = (clientId: number, userId: string, document = NOTES) => ({ document, clientId, userId })
      const largest = 2 ** 32 - 1
      const first = [
        claim(1, 'alice'),
        claim(largest, 'bob'),
        claim(1, 'alice'),
        claim(1, 'bob'),
        claim(1, 'bob', TASKS),
      ]
      assert.deepEqual(await claimClientIds(one, first), ['alice', 'bob', 'alice', 'alice', 'bob'])
      assert.deepEqual(await claimClientIds(two, [claim(2, 'carol'), claim(1, 'carol')]), ['carol', 'alice'])
      assert.deepEqual(await claimClientIds(two, []), [])
      const owners = new Map([
        [1, 'alice'],
        [2, 'carol'],
        [largest, 'bob'],
      ])
      assert.deepEqual(new Map([...(await loadClaims(one, NOTES))].toSorted(([a], [b]) => a - b)), owners)
      assert.deepEqual(await loadClaims(two, TASKS), new Map([[1, 'bob']]))
    })
  })

  test(
    '[US9] of two users who claim the same ids at once one gets each, and both are told the same',
    async () => {
      await withTwo(create, async (one, two) => {
        for (const round of upTo(25)) {
          const claims = (userId: string) =>
            upTo(20).map((n) => ({ document: n % 2 ? NOTES : TASKS, clientId: round * 100 + n, userId }))
          const [told, toldOther] = await Promise.all([
            claimClientIds(one, claims('alice')),
            claimClientIds(two, claims('bob').toReversed()),
          ])
          assert.deepEqual(told, toldOther.toReversed())
          const stored = new Map([...(await loadClaims(one, NOTES)), ...(await loadClaims(one, TASKS))])
          for (const [n, owner] of told.entries()) assert.equal(stored.get(round * 100 + n + 1), owner)
        }
      })
    },
    SLOW_MS,
  )
}
