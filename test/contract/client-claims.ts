// The part of the update store's contract about client ids: whose an id is, first come, for ever.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import type { Storage } from '../../storage/open.ts'
import { appendUpdates, type Claim, loadClaims } from '../../storage/updates.ts'
import { bytes, type CreateDatabase, load, NOTES, SLOW_MS, TASKS, upTo, withTwo } from './helpers.ts'

const write = (storage: Storage, document: string, label: string, ...claims: Claim[]): Promise<void> =>
  appendUpdates(storage, [{ document, updates: [bytes(label)], claims }])

export const claimTests = (create: CreateDatabase): void => {
  test('[US8] a client id belongs to the user whose commit used it first; a commit that takes it is not written', async () => {
    await withTwo(create, async (one, two) => {
      const largest = 2 ** 32 - 1
      await write(one, NOTES, 'first', { clientId: 1, userId: 'alice' }, { clientId: largest, userId: 'bob' })
      await write(two, TASKS, 'elsewhere', { clientId: 1, userId: 'bob' })
      await write(two, NOTES, 'again', { clientId: 1, userId: 'alice' })
      const taken = write(two, NOTES, 'taken', { clientId: 2, userId: 'carol' }, { clientId: 1, userId: 'carol' })
      await assert.rejects(taken)
      await write(two, NOTES, 'own', { clientId: 2, userId: 'carol' })
      const owners = new Map([
        [1, 'alice'],
        [2, 'carol'],
        [largest, 'bob'],
      ])
      assert.deepEqual(new Map([...(await loadClaims(one, NOTES))].toSorted(([a], [b]) => a - b)), owners)
      assert.deepEqual(await loadClaims(two, TASKS), new Map([[1, 'bob']]))
      assert.deepEqual((await load(one, NOTES)).updates, ['first', 'again', 'own'])
    })
  })

  test(
    '[US9] of two users whose commits use the same ids at once one is written, whole, and the other is not',
    async () => {
      await withTwo(create, async (one, two) => {
        for (const round of upTo(25)) {
          const race = (storage: Storage, userId: string) =>
            appendUpdates(
              storage,
              [NOTES, TASKS].map((document) => ({
                document,
                updates: [bytes(`${userId} ${round}`)],
                claims: upTo(10).map((n) => ({ clientId: round * 100 + n, userId })),
              })),
            )
          const outcomes = await Promise.allSettled([race(one, 'alice'), race(two, 'bob')])
          const winners = ['alice', 'bob'].filter((_, index) => outcomes[index]?.status === 'fulfilled')
          assert.equal(winners.length, 1)
          for (const document of [NOTES, TASKS]) {
            assert.equal((await load(one, document)).updates.at(-1), `${winners[0]} ${round}`)
            const claims = await loadClaims(two, document)
            for (const n of upTo(10)) assert.equal(claims.get(round * 100 + n), winners[0])
          }
        }
      })
    },
    SLOW_MS,
  )
}
