// The page of the store's tests: runs cases of the contract on IndexedDB, and writes until it is killed.
import { openIndexedDbDisk, storageHealth } from '../../client-sdk/offline/indexeddb.ts'
import { type Disk, type Store, StoreError } from '../../client-sdk/offline/store.ts'
import { STORE_CASES } from '../contract/client-store.ts'
import { readNumbers, writeNumbers } from '../contract/numbered-writes.ts'
import { createRandom } from '../helpers/random.ts'
import { expose } from './expose.ts'

const SERVER = 'http://127.0.0.1:4400'
const disk: Disk = await openIndexedDbDisk({ server: SERVER })
let kept: Store | undefined

/** What a test is told of a failure; anything else is thrown in the page and fails the test. */
const outcomeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return 'kept'
  } catch (error) {
    if (error instanceof StoreError) return error.code
    throw error
  }
}

const mustKept = (): Store => {
  if (!kept) throw new Error('no store is open')
  return kept
}

const api = {
  runCase: async (index: number, seed: number): Promise<void> => {
    const run = STORE_CASES[index]?.run
    if (!run) throw new Error(`there is no case ${index}`)
    await run(() => openIndexedDbDisk({ server: `${SERVER}/case-${index}-${seed}` }), createRandom(seed))
  },
  openArea: async (area: string): Promise<void> => {
    kept = await disk.open(area)
  },
  wipe: (area: string): Promise<void> => disk.wipe(area),
  /** A value of so many bytes under a key. */
  put: (key: string, bytes: number): Promise<string> =>
    outcomeOf(mustKept().write({ put: { [key]: createRandom(bytes).bytes(bytes) } })),
  /** All at once, so that one transaction may take them together. */
  putAll: (sizes: readonly number[]): Promise<string[]> =>
    Promise.all(sizes.map((bytes, at) => api.put(`${at}`, bytes))),
  keys: async (): Promise<string[]> => [...(await mustKept().list('')).keys()],
  read: (): Promise<string> => outcomeOf(mustKept().documents()),
  health: storageHealth,
  databases: async (): Promise<string[]> => (await indexedDB.databases()).map(({ name }) => name ?? ''),
  readNumbers: async (): Promise<number> => readNumbers(mustKept()),
  /** Calls the function `report` that the test gave the page with each number that resolved; never ends by itself. */
  writeNumbers: (next: number): void => {
    const { report } = globalThis as unknown as { report: (number: number) => void }
    void writeNumbers(mustKept(), next, report)
  },
  /** The writing transactions of one write, as they were when it resolved. */
  transactionsOfWrite: async (): Promise<string[]> => {
    // oxlint-disable-next-line typescript/unbound-method -- reason: bound again by whoever calls it
    const begin = IDBDatabase.prototype.transaction
    const seen: { durability: string; isComplete: boolean }[] = []
    IDBDatabase.prototype.transaction = function (...given) {
      const transaction = begin.apply(this, given)
      const record = { durability: transaction.durability, isComplete: false }
      if (transaction.mode === 'readwrite') seen.push(record)
      transaction.addEventListener('complete', () => (record.isComplete = true))
      return transaction
    }
    try {
      const append = ['a', 'b'].map((id) => ({ document: `tasks/${id}`, update: new Uint8Array(3) }))
      await mustKept().write({ append, confirm: [1], drop: [2], del: ['c'], put: { d: 1 } })
      return seen.map(({ durability, isComplete }) => `${durability} ${isComplete ? 'complete' : 'under way'}`)
    } finally {
      IDBDatabase.prototype.transaction = begin
    }
  },
  /** Milliseconds of so many single writes of so many bytes, one after the other. */
  measureWrites: async (writes: number, bytes: number): Promise<number[]> => {
    const update = createRandom(writes).bytes(bytes)
    const taken: number[] = []
    for (let write = 0; write < writes; write++) {
      const begin = performance.now()
      await mustKept().write({ append: [{ document: 'tasks/a', update, pending: { clientId: 1 } }] })
      taken.push(performance.now() - begin)
    }
    return taken
  },
  openSqlite: async (): Promise<string> => {
    const { openSqliteDisk } = await import('../../client-sdk/offline/sqlite.ts')
    return outcomeOf(openSqliteDisk({ path: 'disk.sqlite', server: SERVER }))
  },
}

export type StoresPage = typeof api
expose(api)
