// What batches do to the entries and values of one area, on every adapter of the device's store.
import type { Pending } from '../../client-sdk/offline/store.ts'
import type { Json } from '../../shared/json.ts'
import { entry, NEAR, PENDING, type StoreCase, TASKS, texts, withStore } from './client-store-helpers.ts'
import { equal, rejects } from './in-page-checks.ts'

export const BATCH_CASES: readonly StoreCase[] = [
  {
    title: '[LS2] entries are numbered ascending over all documents, and no number is used twice',
    run: withStore(async (store, disk) => {
      const first = await store.write({ append: [entry(TASKS, 'a'), entry(NEAR, 'b'), entry(TASKS, 'c')] })
      equal(first.length, 3)
      await store.write({ drop: first })
      await using other = await disk.open('area')
      const second = await Promise.all([
        store.write({ append: [entry(TASKS, 'd')] }),
        store.write({ append: [entry(NEAR, 'e'), entry(TASKS, 'f')] }),
      ])
      const third = await other.write({ append: [entry(TASKS, 'g')] })
      const all = [...first, ...second.flat(), ...third]
      equal(
        all,
        [...new Set(all)].sort((a, b) => a - b),
      )
      equal(await store.write({ put: { a: 1 } }), [])
      equal(await store.write({}), [])
    }),
  },
  {
    title:
      '[LS3] a document has its own entries in the order of their numbers, and nothing of one whose name begins alike',
    run: withStore(async (store) => {
      const long = 'a longer update before a short one'
      await store.write({ append: [entry(TASKS, long), entry(NEAR, 'near'), entry(TASKS, ''), entry('tasks', 'up')] })
      await store.write({ append: [entry(TASKS, 'b'), entry(`${TASKS}/1`, 'part'), entry('tasks/A', 'capital')] })
      equal(texts(await store.load(TASKS)), [long, '', 'b'])
      equal(texts(await store.load(NEAR)), ['near'])
      equal(texts(await store.load('tasks')), ['up'])
      equal(texts(await store.load('tasks/')), [])
    }),
  },
  {
    title: '[LS3] values are listed by prefix in the order of their keys, and found by their whole key alone',
    run: withStore(async (store) => {
      const keys = [
        '',
        'out',
        'out/',
        'out/1',
        'out/10',
        'out/2',
        'out/\uFFFF',
        'out/\u{10FFFF}\uFFFF',
        'out0',
        'ou',
        'Out/',
      ]
      await store.write({ put: Object.fromEntries(keys.map((key) => [key, key])) })
      const under = (prefix: string): string[] => keys.filter((key) => key.startsWith(prefix)).sort()
      for (const prefix of ['', 'o', 'out', 'out/', 'out/1', 'out/\uFFFF', 'x']) {
        const found = await store.list(prefix)
        equal([...found.keys()], under(prefix))
        equal([...found.values()], under(prefix))
      }
      equal(await store.get('out/'), 'out/')
      equal(await store.get('out/3'), undefined)
    }),
  },
  {
    title: '[LS1] a batch that holds what cannot be stored leaves nothing, and takes no other with it',
    run: withStore(async (store) => {
      const before = store.write({ append: [entry(TASKS, 'a')], put: { kept: 1 } })
      const bad = { append: [entry(TASKS, 'bad')], put: { good: 1, bad: (() => 1) as unknown as Json } }
      const halfName = { put: { ['\uD800']: 1 } }
      const noBytes = { append: [{ document: TASKS, update: 'text' as unknown as Uint8Array }], put: { good: 1 } }
      const failing = [bad, halfName, noBytes].map((batch) => rejects(store.write(batch), 'store/failed'))
      const after = store.write({ append: [entry(TASKS, 'b')], del: ['kept'] })
      await Promise.all([before, ...failing, after])
      equal(texts(await store.load(TASKS)), ['a', 'b'])
      equal([...(await store.list('')).keys()], [])
    }),
  },
  {
    title: '[LS4] inside a batch entries are appended, confirmed, dropped, then values deleted, then put',
    run: withStore(async (store) => {
      const [first = 0, second = 0] = await store.write({
        append: [entry(TASKS, 'a', PENDING), entry(TASKS, 'b', PENDING)],
        put: { a: 1, b: 1 },
      })
      await store.write({
        put: { a: 2, c: 2 },
        del: ['a', 'b', 'c'],
        drop: [first],
        confirm: [first, second, first],
        append: [entry(TASKS, 'c', PENDING)],
      })
      equal(texts(await store.load(TASKS)), ['b', 'c'])
      equal(texts(await store.pending()), ['c'])
      equal(
        [...(await store.list(''))],
        [
          ['a', 2],
          ['c', 2],
        ],
      )
    }),
  },
  {
    title:
      '[LS4] batches take effect in the order of the calls, and what is read includes all that were handed over before',
    run: withStore(async (store) => {
      const numbers = Array.from({ length: 100 }, (_, index) => index)
      const writes = numbers.map((index) =>
        store.write({
          append: [entry(TASKS, `${index}`)],
          ...(index % 3 === 0 ? { del: ['n'] } : { put: { n: index } }),
        }),
      )
      const [loaded, value] = await Promise.all([store.load(TASKS), store.get('n')])
      equal(texts(loaded), numbers.map(String))
      equal(value, undefined)
      const seqs = (await Promise.all(writes)).flat()
      equal(
        seqs,
        loaded.map(({ seq }) => seq),
      )
    }),
  },
  {
    title: '[LS5] what is not there is passed over',
    run: withStore(async (store) => {
      const [seq = 0] = await store.write({ append: [entry(TASKS, 'a', PENDING)] })
      await store.write({ confirm: [seq + 1, 999, -1], drop: [seq + 1, 0], del: ['nothing'] })
      await store.write({ drop: [seq] })
      await store.write({ confirm: [seq], drop: [seq] })
      equal(await store.load(TASKS), [])
      equal(await store.pending(), [])
      equal(await store.documents(), [])
      equal(await store.get('nothing'), undefined)
    }),
  },
  {
    title: '[LS6] pending entries of all documents come back with their operations until they are confirmed',
    run: withStore(async (store) => {
      const editor: Pending = { clientId: 1 }
      const numbers = await store.write({
        append: [entry(NEAR, 'a', PENDING), entry(TASKS, 'b'), entry(TASKS, 'c', editor), entry(TASKS, 'd', PENDING)],
      })
      const [a = 0, b = 0, c = 0, d = 0] = numbers
      equal(await store.pending(), [
        { seq: a, ...entry(NEAR, 'a', PENDING) },
        { seq: c, ...entry(TASKS, 'c', editor) },
        { seq: d, ...entry(TASKS, 'd', PENDING) },
      ])
      await store.write({ confirm: [a, b, c] })
      equal(await store.pending(), [{ seq: d, ...entry(TASKS, 'd', PENDING) }])
      equal((await store.load(NEAR)).concat(await store.load(TASKS)), [
        { seq: a, ...entry(NEAR, 'a') },
        { seq: b, ...entry(TASKS, 'b') },
        { seq: c, ...entry(TASKS, 'c') },
        { seq: d, ...entry(TASKS, 'd', PENDING) },
      ])
    }),
  },
  {
    title: '[LS7] each document has a summary of its entries, their bytes and how many are pending',
    run: withStore(async (store) => {
      const [, near = 0] = await store.write({
        append: [entry(TASKS, 'abc', PENDING), entry(NEAR, 'de', PENDING), entry(TASKS, 'f'), entry('board/a', '')],
      })
      await store.write({ append: [entry(TASKS, 'gh', { clientId: 2 })], put: { 'tasks/a': 1 } })
      const board = { document: 'board/a', entries: 1, bytes: 0, pending: 0 }
      const tasks = { document: TASKS, entries: 3, bytes: 6, pending: 2 }
      equal(await store.documents(), [board, tasks, { document: NEAR, entries: 1, bytes: 2, pending: 1 }])
      await store.write({ confirm: [near] })
      equal((await store.documents())[2], { document: NEAR, entries: 1, bytes: 2, pending: 0 })
      await store.write({ drop: [near] })
      equal(await store.documents(), [board, tasks])
    }),
  },
  {
    title: '[LS8] bytes and values come back as they were when they were handed over, as copies',
    run: withStore(async (store, _disk, _open, random) => {
      const all = Uint8Array.from({ length: 256 }, (_, index) => index)
      const view = new Uint8Array(all.buffer, 100, 3)
      const value = {
        text: 'ä\u0000\u{1F600}',
        none: null,
        number: -0.5,
        list: [1, [], {}],
        own: JSON.parse('{"__proto__":{"a":1}}') as Json,
        bytes: view.slice(),
        deep: { er: [{ view }] },
        absent: undefined,
      }
      const input = { list: [1] }
      const pending: Pending = { clientId: 1, operation: { name: 'x', input, actor: 'ada', now: 0, ids: [] } }
      const written = store.write({
        append: [
          { document: TASKS, update: view, pending },
          { document: TASKS, update: all },
        ],
        put: { value, null: null, empty: '', zero: 0, no: false, bytes: view },
      })
      const expected = { ...value, deep: { er: [{ view: view.slice() }] }, list: [1, [], {}] }
      value.list.push(2)
      input.list.push(2)
      view.fill(0)
      await written
      const original = Uint8Array.from({ length: 256 }, (_, index) => index)
      const [first] = await store.load(TASKS)
      equal(first?.update, original.slice(100, 103))
      equal(first?.update.buffer.byteLength, 3)
      equal(first?.pending?.operation?.input, { list: [1] })
      equal(await store.get('value'), expected)
      equal(
        [...(await store.list(''))].map(([key]) => key),
        ['bytes', 'empty', 'no', 'null', 'value', 'zero'],
      )
      equal(
        [await store.get('null'), await store.get('empty'), await store.get('zero'), await store.get('no')],
        [null, '', 0, false],
      )
      first?.update.fill(9)
      ;((await store.get('value')) as typeof value).list.push(3)
      equal((await store.load(TASKS))[0]?.update, original.slice(100, 103))
      equal(await store.get('value'), expected)
      const noise = random.bytes(100_000)
      await store.write({ append: [{ document: NEAR, update: noise }] })
      equal((await store.load(NEAR))[0]?.update, noise)
    }),
  },
]
