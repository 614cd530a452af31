// What every update store must do, whichever database it runs on. A function, so that SQLite and Postgres pass the same
// suite; the random histories against a model are in `update-store-model.ts`.
import assert from 'node:assert/strict'
import { CompiledQuery } from 'kysely'
import { describe, test } from 'vitest'
import type { Storage } from '../../storage/open.ts'
import { appendUpdates, claimClientIds, loadClaims, loadDocument, replaceBySnapshot } from '../../storage/updates.ts'
import { eventually } from '../helpers/processes.ts'
import { createRandom, chooseSeed } from '../helpers/random.ts'
import { modelTests } from './update-store-model.ts'

/** A database of its own for one test; every `open` is another storage on it, as another node would have. */
export interface FreshDatabase extends AsyncDisposable {
  readonly open: () => Promise<Storage>
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (data: Uint8Array): string => new TextDecoder().decode(data)

const NOTES = 'document/0000000001'
const TASKS = 'tasks/0000000001'
const SLOW_MS = 60_000

const append = (storage: Storage, document: string, ...updates: string[]): Promise<void> =>
  appendUpdates(storage, [{ document, updates: updates.map(bytes) }])

const load = async (storage: Storage, document: string) => {
  const { snapshot, updates, ...rest } = await loadDocument(storage, document)
  return { snapshot: snapshot && text(snapshot), updates: updates.map(text), ...rest }
}

/** The numbers of a document's entries, as they are in the table. */
const entryNumbers = async ({ db }: Storage, document: string): Promise<number[]> => {
  const rows = await db.selectFrom('document_update').select('seq').where('document', '=', document).execute()
  return rows.map(({ seq }) => seq).sort((a, b) => a - b)
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1)

export const updateStoreContract = (name: string, create: () => Promise<FreshDatabase>): void => {
  /** Runs with two storages on one fresh database. */
  const withTwo = async (run: (one: Storage, two: Storage) => Promise<void>): Promise<void> => {
    await using database = await create()
    await using one = await database.open()
    await using two = await database.open()
    await run(one, two)
  }

  describe(`update store on ${name}`, () => {
    test('[US1] entries are numbered from 1 without gaps, and stand in the order of their appends', async () => {
      await withTwo(async (one, two) => {
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
      await withTwo(async (one) => {
        const names = [NOTES, `${NOTES}0`, `${NOTES}/1`, `${NOTES}/10`, NOTES.slice(0, -1), TASKS, NOTES.toUpperCase()]
        await appendUpdates(
          one,
          names.map((document) => ({ document, updates: [bytes(document)] })),
        )
        await claimClientIds(
          one,
          names.map((document) => ({ document, clientId: 7, userId: document })),
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
      await withTwo(async (one) => {
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
        await withTwo(async (one, two) => {
          const names = upTo(12).map((n) => `board/${String(n).padStart(10, '0')}`)
          const expected = new Map(names.map((document): [string, string[]] => [document, []]))
          const commits = upTo(200).map((commit) => {
            const chosen = names.filter(() => random.chance(0.4))
            const documents = random.chance(0.5) ? chosen : chosen.toReversed()
            for (const document of documents) expected.get(document)?.push(`commit ${commit}`)
            return appendUpdates(
              commit % 2 ? one : two,
              documents.map((document) => ({ document, updates: [bytes(`commit ${commit}`)] })),
            )
          })
          await Promise.all(commits)
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
        await withTwo(async (one, two) => {
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
            await new Promise((resolve) => setImmediate(resolve))
          }
          await appends
          assert.ok(growths > 5, `the reader saw only ${growths} states`)
          assert.equal((await load(one, NOTES)).head, 80)
        })
      },
      SLOW_MS,
    )

    test('[US6] a snapshot replaces the entries up to its number, only if no other was written meanwhile', async () => {
      await withTwo(async (one, two) => {
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
        await withTwo(async (one, two) => {
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

    test('[US8] a client id belongs to the user who claimed it first, also within one batch', async () => {
      await withTwo(async (one, two) => {
        const claim = (clientId: number, userId: string, document = NOTES) => ({ document, clientId, userId })
        const largest = 2 ** 32 - 1
        const first = [
          claim(1, 'alice'),
          claim(largest, 'bob'),
          claim(1, 'bob'),
          claim(1, 'alice'),
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
        await withTwo(async (one, two) => {
          for (const round of upTo(10)) {
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

    test('[US10] a failing transaction leaves nothing behind, takes no number, and blocks nothing', async () => {
      await withTwo(async (one, two) => {
        await append(one, NOTES, 'before')
        const good = one.db.insertInto('document').values({ name: TASKS, head: 1 }).compile()
        await assert.rejects(one.atomically([good, CompiledQuery.raw('insert into no_such_table values (1)')]))
        await assert.rejects(
          appendUpdates(one, [
            { document: NOTES, updates: [bytes('once')] },
            { document: TASKS, updates: [bytes('x')] },
            { document: NOTES, updates: [bytes('twice')] },
          ]),
        )
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
        await withTwo(async (one, two) => {
          const names = upTo(1_201).map((n) => `chat/${String(n).padStart(10, '0')}/0`)
          const entries = names.map((document) => ({ document, updates: [bytes(document)] }))
          await appendUpdates(one, entries)
          await assert.rejects(appendUpdates(two, [...entries, { document: names[0] as string, updates: [] }]))
          for (const document of names.filter((_, index) => index % 150 === 0)) {
            assert.deepEqual((await load(two, document)).updates, [document])
          }
          const claims = names.map((document, clientId) => ({ document, clientId, userId: `user ${clientId}` }))
          const owners = claims.map(({ userId }) => userId)
          assert.deepEqual(await claimClientIds(one, claims), owners)
          const late = claims.map(({ document, clientId }) => ({ document, clientId, userId: 'late' }))
          assert.deepEqual(await claimClientIds(two, late), owners)
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
      await assert.rejects(claimClientIds(storage, [{ document: NOTES, clientId: 1, userId: 'late' }]))
      await assert.rejects(replaceBySnapshot(storage, NOTES, 0, 1, bytes('late')))
      await using again = await database.open()
      const kept = labels.filter((_, index) => outcomes[index]?.status === 'fulfilled')
      const found = await load(again, NOTES)
      assert.deepEqual(found.updates.toSorted(), kept.toSorted())
      assert.ok(kept.length > 0)
      assert.deepEqual(await loadClaims(again, NOTES), new Map())
    })

    modelTests(name, create)
  })
}
