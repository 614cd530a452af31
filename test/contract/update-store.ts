// What every update store must do, whichever database it runs on. A function, so that SQLite and Postgres pass the same
// suite; client ids, failures and random histories have files of their own beside this one.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import type { Storage } from '../../storage/open.ts'
import { appendUpdates, loadClaims, loadDocument, replaceBySnapshot } from '../../storage/updates.ts'
import { eventually, nextTurn } from '../helpers/eventually.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { claimTests } from './client-claims.ts'
import { epochTests } from './epochs.ts'
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
import { failureTests } from './update-store-failures.ts'
import { modelTests } from './update-store-model.ts'

export const updateStoreContract = (name: string, create: CreateDatabase): void => {
  describe(`update store on ${name}`, () => {
    test('[US1] entries are numbered from 1 without gaps, and stand in the order of their appends', async () => {
      await withTwo(create, async (one, two) => {
        const empty = { snapshot: null, upTo: 0, updates: [], head: 0, tailEntries: 0, tailBytes: 0 }
        assert.deepEqual(await load(one, NOTES), empty)
        for (const label of ['a', 'b', 'c']) await append(one, NOTES, label)
        await append(two, NOTES, 'd')
        await append(one, TASKS, 'other')
        const found = { snapshot: null, upTo: 0, updates: ['a', 'b', 'c', 'd'], head: 4, tailEntries: 4, tailBytes: 8 }
        assert.deepEqual(await load(one, NOTES), found)
        assert.deepEqual(await load(two, NOTES), found)
        assert.deepEqual(await entryNumbers(one, NOTES), [1, 2, 3, 4])
      })
    })

    test('[US2] loading a document never returns bytes of one whose name starts or ends alike', async () => {
      await withTwo(create, async (one) => {
        const names = [NOTES, `${NOTES}0`, `${NOTES}/1`, `${NOTES}/10`, NOTES.slice(0, -1), TASKS, NOTES.toUpperCase()]
        await appendUpdates(
          one,
          names.map((document) => ({
            document,
            updates: [bytes(document)],
            claims: [{ clientId: 7, userId: document }],
          })),
        )
        for (const document of names) {
          assert.deepEqual((await load(one, document)).updates, [document])
          assert.deepEqual(await loadClaims(one, document), new Map([[7, document]]))
        }
        assert.deepEqual((await load(one, 'document/000000000%')).updates, [])
        assert.deepEqual((await load(one, 'document/000000000_')).updates, [])
      })
    })

    test('[US3] an entry keeps its updates apart and in order, empty and binary ones too', async () => {
      await withTwo(create, async (one) => {
        const every = Uint8Array.from({ length: 256 }, (_, value) => value)
        const large = createRandom(1).bytes(1_000_000)
        const updates = [bytes('a'), new Uint8Array(), every, new Uint8Array(), large]
        await appendUpdates(one, [
          { document: NOTES, updates },
          { document: TASKS, updates: [] },
        ])
        const found = await loadDocument(one, NOTES)
        assert.deepEqual(
          found.updates.map((update) => Buffer.from(update).toString('hex')),
          updates.map((update) => Buffer.from(update).toString('hex')),
        )
        assert.equal(found.tailEntries, 1)
        const none = { snapshot: null, upTo: 0, updates: [], head: 1, tailEntries: 1, tailBytes: 0 }
        assert.deepEqual(await load(one, TASKS), none)
        await append(one, TASKS, 'next')
        assert.deepEqual((await load(one, TASKS)).updates, ['next'])
      })
    })

    test(
      '[US4] 200 commits at once from two storages over the same documents all succeed, gapless, each once',
      async () => {
        const seed = chooseSeed()
        process.stdout.write(`[US4] ${name}: SEED=${seed}\n`)
        const random = createRandom(seed)
        await withTwo(create, async (one, two) => {
          const names = upTo(12).map((n) => `board/${String(n).padStart(10, '0')}`)
          const expected = new Map(names.map((document): [string, string[]] => [document, []]))
          const underWay: Promise<unknown>[] = []
          for (const commit of upTo(200)) {
            const chosen = names.filter(() => random.chance(0.4))
            const documents = random.chance(0.5) ? chosen : chosen.toReversed()
            for (const document of documents) expected.get(document)?.push(`commit ${commit}`)
            const claims = [{ clientId: commit % 10, userId: `user ${commit % 10}` }]
            const entries = documents.map((document) => ({ document, updates: [bytes(`commit ${commit}`)], claims }))
            underWay.push(appendUpdates(commit % 2 ? one : two, entries))
          }
          await Promise.all(underWay)
          for (const [document, labels] of expected) {
            assert.deepEqual(await entryNumbers(one, document), upTo(labels.length))
            assert.deepEqual((await load(two, document)).updates.toSorted(), labels.toSorted())
          }
        })
      },
      SLOW_MS,
    )

    test(
      '[US5] a reader beside appends sees a document grow, never a gap, and never half a commit of one document',
      async () => {
        await withTwo(create, async (one, two) => {
          const writing = { on: true }
          const appends = Promise.all(
            [one, two].map(async (storage, writer) => {
              for (const n of upTo(40)) await append(storage, NOTES, `${writer}.${n}`, `${writer}.${n} again`)
            }),
          ).finally(() => (writing.on = false))
          let seen: string[] = []
          let growths = 0
          while (writing.on) {
            const { updates, head, tailEntries } = await load(two, NOTES)
            assert.equal(head, tailEntries)
            assert.equal(updates.length, 2 * head)
            assert.deepEqual(updates.slice(0, seen.length), seen)
            if (updates.length > seen.length) growths++
            seen = updates
            // Reads on SQLite run on this thread: let the writers' answers in.
            await nextTurn()
          }
          await appends
          assert.ok(growths > 5, `the reader saw only ${growths} states`)
          assert.equal((await load(one, NOTES)).head, 80)
        })
      },
      SLOW_MS,
    )

    test('[US6] a snapshot replaces the entries up to its number, only if no other was written meanwhile', async () => {
      await withTwo(create, async (one, two) => {
        for (const label of ['a', 'b', 'c', 'd']) await append(one, NOTES, label)
        await append(one, TASKS, 'untouched')
        assert.equal(await replaceBySnapshot(one, NOTES, 0, 2, bytes('ab')), true)
        const after = { snapshot: 'ab', upTo: 2, updates: ['c', 'd'], head: 4, tailEntries: 2, tailBytes: 4 }
        assert.deepEqual(await load(two, NOTES), after)
        assert.equal(await replaceBySnapshot(two, NOTES, 0, 3, bytes('stale')), false)
        assert.equal(await replaceBySnapshot(two, NOTES, 1, 3, bytes('stale')), false)
        assert.deepEqual(await load(one, NOTES), after)
        assert.equal(await replaceBySnapshot(two, NOTES, 2, 4, bytes('abcd')), true)
        assert.deepEqual(await entryNumbers(one, NOTES), [])
        await append(one, NOTES, 'e')
        const last = { snapshot: 'abcd', upTo: 4, updates: ['e'], head: 5, tailEntries: 1, tailBytes: 2 }
        assert.deepEqual(await load(one, NOTES), last)
        assert.deepEqual((await load(one, TASKS)).updates, ['untouched'])
        const racing = await Promise.all([
          replaceBySnapshot(one, TASKS, 0, 1, bytes('one')),
          replaceBySnapshot(two, TASKS, 0, 1, bytes('two')),
        ])
        assert.equal(racing.filter(Boolean).length, 1)
        assert.equal((await load(one, TASKS)).snapshot, racing[0] ? 'one' : 'two')
      })
    })

    test(
      '[US7] snapshots written from two storages while appends go on lose nothing and double nothing',
      async () => {
        await withTwo(create, async (one, two) => {
          const writing = { on: true }
          const appends = Promise.all(
            [one, two].map(async (storage, writer) => {
              for (const n of upTo(60)) await append(storage, NOTES, `${writer}.${n};`)
            }),
          ).finally(() => (writing.on = false))
          let written = 0
          const compact = async (storage: Storage): Promise<void> => {
            while (writing.on) {
              const { snapshot, upTo: oldUpTo, updates, head } = await load(storage, NOTES)
              const merged = bytes((snapshot ?? '') + updates.join(''))
              if (await replaceBySnapshot(storage, NOTES, oldUpTo, head, merged)) written++
            }
          }
          // A number of 0 means an empty document, and a snapshot of that would be none.
          await eventually(
            () => load(one, NOTES),
            ({ head }) => head > 0,
          )
          await Promise.all([appends, compact(one), compact(two)])
          const { snapshot, updates, head } = await load(one, NOTES)
          const labels = ((snapshot ?? '') + updates.join('')).split(';').slice(0, -1)
          assert.equal(head, 120)
          for (const writer of [0, 1]) {
            const own = labels.filter((label) => label.startsWith(`${writer}.`))
            assert.deepEqual(
              own,
              upTo(60).map((n) => `${writer}.${n}`),
            )
          }
          assert.ok(written > 3, `only ${written} snapshots were written`)
        })
      },
      SLOW_MS,
    )

    claimTests(create)
    epochTests(create)
    failureTests(create)
    modelTests(name, create)
  })
}
