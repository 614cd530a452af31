// The part of the update store's contract about what goes wrong: failing transactions, very large ones, and closing.
import assert from 'node:assert/strict'
import { CompiledQuery } from 'kysely'
import { test } from 'vitest'
import { appendUpdates, loadClaims, replaceBySnapshot } from '../../storage/updates.ts'
import {
  append,
  bytes,
  type CreateDatabase,
  entryNumbers,
  load,
  NOTES,
  plantEntry,
  SLOW_MS,
  TASKS,
  upTo,
  withTwo,
} from './helpers.ts'

export const failureTests = (create: CreateDatabase): void => {
  test('[US10] a failing transaction leaves nothing behind, takes no number, and blocks nothing', async () => {
    await withTwo(create, async (one, two) => {
      await append(one, NOTES, 'before')
      const good = one.db.insertInto('document').values({ name: TASKS, head: 1 }).compile()
      await assert.rejects(one.atomically([good, CompiledQuery.raw('insert into no_such_table values (1)')]))
      const uproot = await plantEntry(one, NOTES, 2)
      const both = [TASKS, NOTES].map((document) => ({ document, updates: [bytes('refused')] }))
      for (const storage of [one, two]) await assert.rejects(appendUpdates(storage, both))
      await uproot()
      for (const storage of [one, two]) {
        assert.deepEqual(await entryNumbers(storage, TASKS), [])
        assert.deepEqual((await load(storage, NOTES)).updates, ['before'])
      }
      await Promise.all([append(one, TASKS, 'first'), append(two, NOTES, 'after')])
      assert.equal((await load(one, TASKS)).head, 1)
      assert.deepEqual((await load(one, NOTES)).updates, ['before', 'after'])
    })
  })

  test(
    '[US11] a commit of more documents, or a claim of more ids, than fit one statement is still one transaction',
    async () => {
      await withTwo(create, async (one, two) => {
        const names = upTo(1_201).map((n) => `chat/${String(n).padStart(10, '0')}/0`)
        const entries = names.map((document) => ({ document, updates: [bytes(document)] }))
        await appendUpdates(one, entries)
        const uproot = await plantEntry(one, names.at(-1) as string, 2)
        await assert.rejects(appendUpdates(two, entries))
        await uproot()
        for (const document of names.filter((_, index) => index % 150 === 0)) {
          assert.deepEqual((await load(two, document)).updates, [document])
        }
        const claimedBy = (userId: string) =>
          names.map((document, clientId) => ({ document, updates: [], claims: [{ clientId, userId }] }))
        await appendUpdates(one, claimedBy('early'))
        const late = claimedBy('late')
        await assert.rejects(
          appendUpdates(two, [...late.slice(0, -1), { ...entries.at(-1)!, claims: late.at(-1)!.claims }]),
        )
        for (const [clientId, document] of names.entries()) {
          if (clientId % 150 === 0) assert.deepEqual(await loadClaims(two, document), new Map([[clientId, 'early']]))
        }
      })
    },
    SLOW_MS,
  )

  test('[US12] closing lets every append under way end, is harmless twice, and every later use rejects', async () => {
    await using database = await create()
    const storage = await database.open()
    const labels = upTo(40).map((n) => `under way ${n}`)
    const underWay = Promise.allSettled(labels.map((label) => append(storage, NOTES, label)))
    await storage[Symbol.asyncDispose]()
    await storage[Symbol.asyncDispose]()
    const outcomes = await underWay
    await assert.rejects(append(storage, NOTES, 'late'))
    await assert.rejects(load(storage, NOTES))
    await assert.rejects(loadClaims(storage, NOTES))
    await assert.rejects(replaceBySnapshot(storage, NOTES, 0, 1, bytes('late')))
    await using again = await database.open()
    const kept = labels.filter((_, index) => outcomes[index]?.status === 'fulfilled')
    const found = await load(again, NOTES)
    assert.deepEqual(found.updates.toSorted(), kept.toSorted())
    assert.ok(kept.length > 0)
    assert.deepEqual(await loadClaims(again, NOTES), new Map())
  })

  test(
    '[US15] storages that open a new database at the same moment all find it ready',
    async () => {
      for (let round = 0; round < 5; round++) {
        await using database = await create()
        const opened = await Promise.allSettled([database.open(), database.open(), database.open()])
        const storages = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
        try {
          assert.deepEqual(
            opened.map((one) => (one.status === 'rejected' ? String(one.reason) : 'ready')),
            ['ready', 'ready', 'ready'],
          )
          await Promise.all(storages.map((storage, index) => append(storage, NOTES, `from ${index}`)))
          for (const storage of storages) assert.equal((await load(storage, NOTES)).head, 3)
        } finally {
          for (const storage of storages) await storage[Symbol.asyncDispose]()
        }
      }
    },
    SLOW_MS,
  )
}
