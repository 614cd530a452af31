// The part of the update store's contract about epochs: a new one takes the place of all that is stored, whole or not at
// all, and nothing of the old one gets into it afterwards.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { EpochUnknown, loadEpoch, type NewEpoch, startEpoch } from '../../storage/epochs.ts'
import type { Storage } from '../../storage/open.ts'
import { appendUpdates, loadClaims, replaceBySnapshot } from '../../storage/updates.ts'
import { nextTurn } from '../helpers/eventually.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import {
  append,
  bytes,
  type CreateDatabase,
  entryNumbers,
  load,
  NOTES,
  SLOW_MS,
  TASKS,
  upTo,
  withTwo,
} from './helpers.ts'

const EMPTY = { snapshot: null, upTo: 0, updates: [], head: 0, tailEntries: 0, tailBytes: 0 }

/** The epoch after `epoch`, made of what was there at entry `head`. */
const next = (epoch: number, head: number, clientIds: readonly number[] = []): NewEpoch => ({
  document: NOTES,
  epoch,
  head,
  closing: bytes(`end of ${epoch}`),
  state: bytes(`start of ${epoch + 1}`),
  clientIds,
})

const epochOf = async (storage: Storage, document = NOTES) => {
  const { epoch, closing } = await loadEpoch(storage, document)
  return { epoch, closing: closing && new TextDecoder().decode(closing) }
}

/** All that is stored of the document. */
const everything = async (storage: Storage) => ({
  ...(await load(storage, NOTES)),
  ...(await epochOf(storage)),
  entries: await entryNumbers(storage, NOTES),
  claims: [...(await loadClaims(storage, NOTES))].toSorted(([a], [b]) => a - b),
})

const appendClaiming = (storage: Storage, label: string, clientId: number, userId: string): Promise<void> =>
  appendUpdates(storage, [{ document: NOTES, updates: [bytes(label)], claims: [{ clientId, userId }] }])

/** The same storage, but for one thing that happens to the next transaction: before it, in it, or to its answer. */
const withFault = (storage: Storage, fault: 'no commit' | 'lost answer' | 'lost for good'): Storage => {
  const lost = () => Promise.reject(new Error('connection lost'))
  const transaction = () => ({
    execute: async (run: Parameters<ReturnType<Storage['db']['transaction']>['execute']>[0]) => {
      await storage.db.transaction().execute(async (trx) => {
        await run(trx)
        if (fault === 'no commit') await lost()
      })
      return lost()
    },
  })
  const db = new Proxy(storage.db, {
    get: (target, key) => {
      if (key === 'transaction') return transaction
      if (key === 'updateTable' && fault === 'lost for good') return () => assert.fail('connection lost')
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  return { ...storage, db }
}

export const epochTests = (create: CreateDatabase): void => {
  test('[EP4] a new epoch takes the place of snapshot and entries; what is appended then comes after it', async () => {
    await withTwo(create, async (one, two) => {
      assert.deepEqual(await epochOf(one), { epoch: 0, closing: null })
      for (const label of ['a', 'b', 'c']) await append(one, NOTES, label)
      await append(one, TASKS, 'untouched')
      await replaceBySnapshot(one, NOTES, 0, 2, bytes('ab'))
      assert.equal(await startEpoch(two, next(0, 3)), true)
      const begun = { snapshot: 'start of 1', upTo: 3, updates: [], head: 3, tailEntries: 0, tailBytes: 0 }
      const expected = { ...begun, epoch: 1, closing: 'end of 0', entries: [], claims: [] }
      assert.deepEqual(await everything(one), expected)
      await append(one, NOTES, 'd')
      assert.deepEqual(await load(two, NOTES), { ...begun, updates: ['d'], head: 4, tailEntries: 1, tailBytes: 2 })
      assert.deepEqual(await entryNumbers(one, NOTES), [4])
      assert.deepEqual((await load(one, TASKS)).updates, ['untouched'])
      assert.deepEqual(await epochOf(one, TASKS), { epoch: 0, closing: null })
      // Of the one before the last nothing is kept.
      assert.equal(await startEpoch(one, next(1, 4)), true)
      const again = { ...expected, snapshot: 'start of 2', upTo: 4, head: 4, epoch: 2, closing: 'end of 1' }
      assert.deepEqual(await everything(two), again)
    })
  })

  test('[EP4] made of what is not the newest any more, a new epoch changes nothing', async () => {
    await withTwo(create, async (one, two) => {
      assert.equal(await startEpoch(one, next(0, 0)), false)
      assert.deepEqual(await load(one, NOTES), EMPTY)
      for (const label of ['a', 'b']) await appendClaiming(one, label, 7, 'alice')
      const before = await everything(one)
      for (const stale of [next(0, 1), next(0, 3), next(1, 2)]) {
        assert.equal(await startEpoch(two, { ...stale, clientIds: [8] }), false)
        assert.deepEqual(await everything(one), before)
      }
      assert.equal(await startEpoch(one, next(0, 2)), true)
      const after = await everything(one)
      assert.equal(await startEpoch(two, next(0, 2)), false)
      assert.deepEqual(await everything(two), after)
    })
  })

  test('[EP4] a failure in the middle leaves the old epoch as it was', async () => {
    await withTwo(create, async (one) => {
      await appendClaiming(one, 'a', 7, 'alice')
      const before = await everything(one)
      // Claims are what it writes last, and one of them is none.
      const broken = { ...next(0, 1), clientIds: [8, null as unknown as number] }
      await assert.rejects(startEpoch(one, broken), (error) => !(error instanceof EpochUnknown))
      assert.deepEqual(await everything(one), before)
      await assert.rejects(startEpoch(withFault(one, 'no commit'), next(0, 1)), /connection lost/)
      assert.deepEqual(await everything(one), before)
      assert.equal(await startEpoch(one, next(0, 1)), true)
    })
  })

  test('[EP4] a commit whose answer got lost is looked up; only where that fails too nobody knows', async () => {
    await withTwo(create, async (one, two) => {
      await append(one, NOTES, 'a')
      assert.equal(await startEpoch(withFault(one, 'lost answer'), next(0, 1)), true)
      assert.deepEqual(await epochOf(two), { epoch: 1, closing: 'end of 0' })
      await assert.rejects(startEpoch(withFault(one, 'lost for good'), next(1, 1)), EpochUnknown)
      assert.deepEqual(await epochOf(two), { epoch: 2, closing: 'end of 1' })
    })
  })

  test(
    '[EP4] whoever wrote in the old epoch owns nothing in the new one, more than fit one statement too',
    async () => {
      await withTwo(create, async (one, two) => {
        const users = upTo(700)
        const claims = users.map((clientId) => ({ clientId, userId: `user ${clientId % 3}` }))
        await appendUpdates(one, [
          { document: NOTES, updates: [bytes('a')], claims },
          { document: TASKS, updates: [bytes('a')], claims: [{ clientId: 1, userId: 'alice' }] },
        ])
        // The server's own ids nobody claimed; some users wrote nothing that is left.
        const wrote = [...users.slice(0, 300), ...upTo(1_203).map((n) => 10_000 + n), 2 ** 32 - 1]
        assert.equal(await startEpoch(two, next(0, 1, wrote)), true)
        const owners = await loadClaims(one, NOTES)
        assert.deepEqual(new Set(owners.keys()), new Set([...users, ...wrote]))
        assert.deepEqual([...new Set(owners.values())], [''])
        assert.deepEqual(await loadClaims(one, TASKS), new Map([[1, 'alice']]))
        const before = await everything(one)
        for (const clientId of [1, 700, 11_203, 2 ** 32 - 1]) {
          await assert.rejects(appendClaiming(two, 'late', clientId, 'user 1'))
        }
        assert.deepEqual(await everything(one), before)
        await appendClaiming(two, 'new', 50_000, 'user 1')
        assert.deepEqual((await load(one, NOTES)).updates, ['new'])
        assert.equal((await loadClaims(one, NOTES)).get(50_000), 'user 1')
        // And so again: who wrote in the second epoch, and those of the first, who stay.
        assert.equal(await startEpoch(one, next(1, 2, [50_000, 60_000])), true)
        assert.deepEqual([...new Set((await loadClaims(one, NOTES)).values())], [''])
        assert.equal((await loadClaims(one, NOTES)).size, owners.size + 2)
      })
    },
    SLOW_MS,
  )

  test('[EP4] a snapshot of the old epoch does not take the place of the new one', async () => {
    for (const had of ['no snapshot', 'a snapshot']) {
      await withTwo(create, async (one, two) => {
        for (const label of ['a', 'b', 'c']) await append(one, NOTES, label)
        if (had === 'a snapshot') await replaceBySnapshot(one, NOTES, 0, 2, bytes('ab'))
        const { upTo: oldUpTo, head } = await load(one, NOTES)
        assert.equal(await startEpoch(two, next(0, head)), true)
        assert.equal(await replaceBySnapshot(one, NOTES, oldUpTo, head, bytes('stale')), false)
        await append(one, NOTES, 'd')
        assert.equal(await replaceBySnapshot(one, NOTES, oldUpTo, head, bytes('stale')), false)
        const { snapshot, updates } = await load(two, NOTES)
        assert.deepEqual({ snapshot, updates }, { snapshot: 'start of 1', updates: ['d'] }, had)
        // Nor can one that nothing was written after.
        assert.equal(await replaceBySnapshot(one, NOTES, head, head, bytes('stale')), false)
        assert.equal(await replaceBySnapshot(one, NOTES, head, head + 1, bytes('start of 1, d')), true)
      })
    }
  })

  test(
    '[EP4] of several that begin an epoch at once one does, and a snapshot beside them is of the old one or lost',
    async () => {
      await withTwo(create, async (one, two) => {
        for (const round of upTo(15)) {
          await append(one, NOTES, `round ${round}`)
          const { upTo: oldUpTo, head } = await load(one, NOTES)
          const begin = (storage: Storage, n: number) =>
            startEpoch(storage, { ...next(round - 1, head, [1_000 * round + n]), state: bytes(`by ${n}`) })
          const [, ...begun] = await Promise.all([
            replaceBySnapshot(two, NOTES, oldUpTo, head, bytes('stale')),
            ...upTo(6).map((n) => begin(n % 2 ? one : two, n)),
          ])
          assert.equal(begun.filter(Boolean).length, 1)
          const winner = begun.indexOf(true) + 1
          const { snapshot, updates, upTo: reached } = await load(two, NOTES)
          assert.deepEqual({ snapshot, updates, reached }, { snapshot: `by ${winner}`, updates: [], reached: head })
          assert.equal((await loadEpoch(one, NOTES)).epoch, round)
          const claimed = [...(await loadClaims(one, NOTES)).keys()].filter((id) => id > 1_000 * round)
          assert.deepEqual(claimed, [1_000 * round + winner])
        }
      })
    },
    SLOW_MS,
  )

  test(
    '[EP4] what is appended at the same time is in the old epoch, and no new one begins, or it is in the new one',
    async () => {
      await withTwo(create, async (one, two) => {
        const random = createRandom(chooseSeed())
        process.stdout.write(`[EP4] SEED=${random.seed}\n`)
        const writing = { on: true }
        let appended = 0
        const appends = (async () => {
          while (writing.on) {
            await append(one, NOTES, `${appended++};`)
            // Without a rest it would nearly always be too late for a new epoch.
            for (let turns = random.int(0, 30); turns > 0; turns--) await nextTurn()
          }
        })()
        // Should this fail, it stops before the database is closed.
        await using _ = { [Symbol.asyncDispose]: () => ((writing.on = false), appends) }
        let begun = 0
        let refused = 0
        // Each new epoch holds what the old one held: as texts, all that was ever appended, in order.
        while (begun < 10) {
          // Reads on SQLite run on this thread: let the writer's answers in.
          await nextTurn()
          const { snapshot, updates, head } = await load(two, NOTES)
          if (head === 0) continue
          const state = bytes((snapshot ?? '') + updates.join(''))
          const isBegun = await startEpoch(two, { ...next(begun, head), closing: state, state })
          if (isBegun) begun++
          else refused++
          // Entries that came in between stand after it, numbered on.
          if (isBegun) assert.equal((await load(two, NOTES)).upTo, head)
        }
        writing.on = false
        await appends
        const { snapshot, updates, head } = await load(one, NOTES)
        assert.equal(head, appended)
        const labels = ((snapshot ?? '') + updates.join('')).split(';').slice(0, -1)
        assert.deepEqual(
          labels,
          upTo(appended).map((n) => String(n - 1)),
        )
        process.stdout.write(`[EP4] ${begun} epochs began, ${refused} came too late, beside ${appended} appends\n`)
      })
    },
    SLOW_MS,
  )
}
