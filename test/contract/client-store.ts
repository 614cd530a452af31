// What every adapter of the device's store must do, as a plain list of cases: they run under Vitest and inside a page.
import type { Store } from '../../client-sdk/offline/store.ts'
import { BATCH_CASES } from './client-store-batches.ts'
import { entry, NEAR, PENDING, type StoreCase, TASKS, texts, withStore } from './client-store-helpers.ts'
import { playHistory } from './client-store-history.ts'
import { equal, rejects } from './in-page-checks.ts'

const MANY_ENTRIES = 10_000
const BIG_BYTES = 5 * 2 ** 20
const HISTORIES = 5

export const STORE_CASES: readonly StoreCase[] = [
  ...BATCH_CASES,
  {
    title: '[LS9] two stores on one area, of one disk or two, see the same at once',
    run: withStore(async (store, disk, open) => {
      const elsewhere = await open()
      await using beside = await disk.open('area')
      await using other = await elsewhere.open('area')
      const stores = [store, beside, other]
      for (const [index, writer] of stores.entries()) {
        const [seq = 0] = await writer.write({ append: [entry(TASKS, `${index}`, PENDING)], put: { n: index } })
        for (const reader of stores) {
          equal(await reader.get('n'), index)
          equal(texts(await reader.pending()), [`${index}`])
        }
        await (stores[(index + 1) % 3] as Store).write({ confirm: [seq] })
      }
      const racing = await Promise.all(
        stores.flatMap((writer) => ['x', 'y'].map((text) => writer.write({ append: [entry(NEAR, text)] }))),
      )
      equal(new Set(racing.flat()).size, 6)
      for (const reader of stores) equal((await reader.load(NEAR)).length, 6)
    }),
  },
  {
    title: '[LS10] a closed store has kept what was handed over before, and rejects everything after',
    run: async (open) => {
      const disk = await open()
      const store = await disk.open('area')
      await using other = await disk.open('area')
      const writes = ['a', 'b', 'c'].map((text) => store.write({ append: [entry(TASKS, text)] }))
      const closing = store[Symbol.asyncDispose]()
      await rejects(store.write({ put: { late: 1 } }), 'store/closed')
      await Promise.all([closing, ...writes])
      await rejects(store.write({}), 'store/closed')
      await rejects(store.load(TASKS), 'store/closed')
      await rejects(store.pending(), 'store/closed')
      await rejects(store.documents(), 'store/closed')
      await rejects(store.get('late'), 'store/closed')
      await rejects(store.list(''), 'store/closed')
      await store[Symbol.asyncDispose]()
      equal(texts(await other.load(TASKS)), ['a', 'b', 'c'])
      equal(await other.get('late'), undefined)
      await using again = await (await open()).open('area')
      equal(texts(await again.load(TASKS)), ['a', 'b', 'c'])
    },
  },
  {
    title: '[LS11] wiping an area closes its stores, those of other disks too, and leaves other areas alone',
    run: async (open) => {
      const [disk, elsewhere] = [await open(), await open()]
      const stores = [await disk.open('area'), await disk.open('area'), await elsewhere.open('area')]
      await using near = await disk.open('area1')
      await using capital = await elsewhere.open('Area')
      for (const store of [...stores, near, capital]) {
        await store.write({ append: [entry(TASKS, 'a', PENDING)], put: { k: 1 } })
      }
      await disk.wipe('area')
      for (const store of stores) {
        await rejects(store.write({ put: { k: 2 } }), 'store/closed')
        await rejects(store.load(TASKS), 'store/closed')
      }
      await using again = await elsewhere.open('area')
      equal([await again.load(TASKS), await again.pending(), await again.documents()], [[], [], []])
      equal([...(await again.list(''))], [])
      await again.write({ put: { k: 3 } })
      for (const store of stores) {
        await rejects(store.get('k'), 'store/closed')
        await store[Symbol.asyncDispose]()
      }
      for (const store of [near, capital]) {
        equal(texts(await store.pending()), ['a'])
        equal(await store.get('k'), 1)
      }
      await disk.wipe('never-opened')
      await disk.wipe('area')
      await disk.wipe('area')
      await rejects(again.get('k'), 'store/closed')
    },
  },
  {
    title: '[LS12] an area has a name of its own kind; everything else is refused',
    run: async (open) => {
      const disk = await open()
      for (const name of ['', 'a/b', 'a b', 'ä', '../x', 'x'.repeat(61), 'a\n']) {
        await rejects(disk.open(name), 'store/failed')
        await rejects(disk.wipe(name), 'store/failed')
      }
      await using store = await disk.open('x'.repeat(60))
      await store.write({ put: { a: 1 } })
      equal(await store.get('a'), 1)
    },
  },
  {
    title: '[LS13] 5 MB in one update and in one value come back whole',
    run: withStore(async (store, _disk, _open, random) => {
      const big = random.bytes(BIG_BYTES)
      await store.write({ append: [{ document: TASKS, update: big }], put: { big } })
      equal((await store.load(TASKS))[0]?.update, big)
      equal(await store.get('big'), big)
      equal(await store.documents(), [{ document: TASKS, entries: 1, bytes: BIG_BYTES, pending: 0 }])
    }),
  },
  {
    title: '[LS13] 10,000 entries come back in order, one by one and in one batch',
    run: withStore(async (store) => {
      const half = MANY_ENTRIES / 2
      const one = await store.write({
        append: Array.from({ length: half }, (_, index) => entry(index % 2 ? NEAR : TASKS, `${index}`, PENDING)),
      })
      const single = await Promise.all(
        Array.from({ length: half }, (_, index) => store.write({ append: [entry(TASKS, `${half + index}`)] })),
      )
      await store.write({ confirm: one.slice(0, half / 2) })
      equal([...one, ...single.flat()].length, MANY_ENTRIES)
      const summaries = await store.documents()
      equal(
        summaries.map((summary) => [summary.entries, summary.pending]),
        [
          [half + half / 2, half / 4],
          [half / 2, half / 4],
        ],
      )
      equal(
        texts(await store.load(NEAR)),
        Array.from({ length: half / 2 }, (_, index) => `${2 * index + 1}`),
      )
      const pending = await store.pending()
      equal(
        pending.map(({ seq }) => seq),
        one.slice(half / 2),
      )
    }),
  },
  {
    title: '[LS14] any history of batches gives what plain maps give, in every store of the area',
    run: async (open, random) => {
      for (let round = 0; round < HISTORIES; round++) await playHistory(await open(), `history-${round}`, random.fork())
    },
  },
]
