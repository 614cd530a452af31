// The process whose system calls are recorded: appends to the real storage and notes in a file what it was told is
// stored. Arguments: database file, acknowledgement file, seed, number of appends, FULL or NORMAL.
import { openSync, writeSync } from 'node:fs'
import { CompiledQuery } from 'kysely'
import { openStorage, type Storage } from '../../storage/open.ts'
import { appendUpdates, loadDocument, replaceBySnapshot } from '../../storage/updates.ts'
import { createRandom } from '../helpers/random.ts'
import { acknowledgement, countOfSnapshot, DOCUMENTS, snapshotOf, updateOf } from './workload.ts'

const [path = '', ackPath = '', seed, appendsMax, synchronous] = process.argv.slice(2)
const random = createRandom(Number(seed))
const appends = Number(appendsMax)
const acks = openSync(ackPath, 'a')
const IN_FLIGHT_MAX = 5
/** Few pages, so that checkpoints happen all the time. */
const CHECKPOINT_PAGES = 80

const open = async (): Promise<Storage> => {
  const storage = await openStorage({ sqlite: path, synchronous: synchronous === 'NORMAL' ? 'NORMAL' : 'FULL' })
  await storage.db.executeQuery(CompiledQuery.raw(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`))
  const { rows } = await storage.db.executeQuery(CompiledQuery.raw('pragma mmap_size'))
  const [row] = rows as { mmap_size: number }[]
  if (row?.mmap_size !== 0) throw new Error('SQLite writes through mmap: the record of system calls would miss it')
  return storage
}

/** How many updates each document has got so far. */
const written = new Map(DOCUMENTS.map((document): [string, number] => [document, 0]))

const append = async (storage: Storage): Promise<void> => {
  const chosen = DOCUMENTS.filter(() => random.chance(0.4))
  const entries = chosen.map((document) => {
    const from = (written.get(document) ?? 0) + 1
    const to = from + random.int(0, 4)
    written.set(document, to)
    return {
      document,
      to,
      updates: Array.from({ length: to - from + 1 }, (_, index) => updateOf(document, from + index)),
    }
  })
  await appendUpdates(storage, entries)
  writeSync(acks, entries.map(({ document, to }) => acknowledgement(document, to)).join(''))
}

const compact = async (storage: Storage): Promise<void> => {
  const document = random.pick(DOCUMENTS)
  const { snapshot, upTo, updates, head } = await loadDocument(storage, document)
  if (head === upTo) return
  const count = (snapshot ? countOfSnapshot(snapshot) : 0) + updates.length
  await replaceBySnapshot(storage, document, upTo, head, snapshotOf(document, count))
}

let storage = await open()
for (let done = 0; done < appends;) {
  const burst = random.int(1, IN_FLIGHT_MAX)
  const work = Array.from({ length: burst }, () => append(storage))
  if (random.chance(0.1)) work.push(compact(storage))
  await Promise.all(work)
  done += burst
  if (random.chance(0.01)) {
    await storage[Symbol.asyncDispose]()
    storage = await open()
  }
}
await storage[Symbol.asyncDispose]()
