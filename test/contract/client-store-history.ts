// Random histories of one area, seen through two stores, beside plain maps that are told the same.
import type { Batch, Disk, Entry, NewEntry, StoredValue } from '../../client-sdk/offline/store.ts'
import type { Random } from '../helpers/random.ts'
import { equal } from './in-page-checks.ts'

const STEPS = 60
const DOCUMENTS = ['tasks/a', 'tasks/ab', 'tasks/a/1', 'board/a']
const KEYS = ['a', 'a/', 'a/b', 'ab', 'b']

interface Model {
  readonly entries: Map<number, Entry>
  readonly values: Map<string, StoredValue>
}

const newEntry = (random: Random): NewEntry => ({
  document: random.pick(DOCUMENTS),
  update: random.bytes(random.int(0, 40)),
  ...(random.chance(0.6) && { pending: { clientId: random.int(1, 3) } }),
})

const newBatch = ({ entries }: Model, random: Random): Batch => {
  const some = <Item>(max: number, make: () => Item): Item[] => Array.from({ length: random.int(0, max) }, make)
  const known = [...entries.keys(), 0, 1_000_000]
  return {
    append: some(3, () => newEntry(random)),
    confirm: some(3, () => random.pick(known)),
    drop: some(1, () => random.pick(known)),
    del: some(1, () => random.pick(KEYS)),
    put: Object.fromEntries(some(2, () => [random.pick(KEYS), { n: random.int(0, 9), bytes: random.bytes(3) }])),
  }
}

const apply = (model: Model, batch: Batch, numbers: readonly number[]): void => {
  for (const [index, entry] of (batch.append ?? []).entries()) {
    const seq = numbers[index] ?? 0
    model.entries.set(seq, { seq, ...entry })
  }
  for (const seq of batch.confirm ?? []) {
    const entry = model.entries.get(seq)
    if (entry) model.entries.set(seq, { seq, document: entry.document, update: entry.update })
  }
  for (const seq of batch.drop ?? []) model.entries.delete(seq)
  for (const key of batch.del ?? []) model.values.delete(key)
  for (const [key, value] of Object.entries(batch.put ?? {})) model.values.set(key, value)
}

export const playHistory = async (disk: Disk, area: string, random: Random): Promise<void> => {
  await using one = await disk.open(area)
  await using two = await disk.open(area)
  const model: Model = { entries: new Map(), values: new Map() }
  const entriesWhere = (passes: (entry: Entry) => boolean): Entry[] =>
    [...model.entries.values()].filter(passes).sort((a, b) => a.seq - b.seq)
  for (let step = 0; step < STEPS; step++) {
    const writer = random.pick([one, two])
    // One to three at once, which one transaction may take together.
    const batches = Array.from({ length: random.int(1, 3) }, () => newBatch(model, random))
    const numbers = await Promise.all(batches.map(writer.write))
    for (const [index, batch] of batches.entries()) apply(model, batch, numbers[index] ?? [])
    const reader = random.pick([one, two])
    const document = random.pick(DOCUMENTS)
    const where = `step ${step}, seed ${random.seed}`
    equal(
      await reader.load(document),
      entriesWhere((entry) => entry.document === document),
      where,
    )
    equal(
      await reader.pending(),
      entriesWhere((entry) => entry.pending !== undefined),
      where,
    )
    const prefix = random.pick(['', ...KEYS])
    const values = [...model.values].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1))
    equal([...(await reader.list(prefix))], values, where)
    const key = random.pick(KEYS)
    equal(await reader.get(key), model.values.get(key), where)
    const summaries = DOCUMENTS.toSorted().flatMap((name) => {
      const entries = entriesWhere((entry) => entry.document === name)
      const bytes = entries.reduce((sum, { update }) => sum + update.length, 0)
      const pending = entries.filter((entry) => entry.pending).length
      return entries.length > 0 ? [{ document: name, entries: entries.length, bytes, pending }] : []
    })
    equal(await reader.documents(), summaries, where)
  }
}
