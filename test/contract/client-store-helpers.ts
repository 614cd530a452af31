// What the cases of the device's store share: its areas, documents and entries in terms of short texts.
import type { Disk, Entry, Pending, Store } from '../../client-sdk/offline/store.ts'
import type { Random } from '../helpers/random.ts'
import { bytes } from './in-page-checks.ts'

export interface StoreCase {
  readonly title: string
  /** `open` opens a disk that is empty at first; each time another one on the same data, as another tab does. */
  readonly run: (open: () => Promise<Disk>, random: Random) => Promise<void>
}

export const TASKS = 'tasks/a'
/** A document whose name begins as the other's. */
export const NEAR = 'tasks/ab'
export const PENDING: Pending = {
  clientId: 4_294_967_295,
  operation: {
    name: 'task.add',
    input: { title: 'milk', due: null, tags: ['a', ''] },
    actor: 'ada',
    now: 7,
    ids: ['x'],
  },
}

export const entry = (document: string, text: string, pending?: Pending) => ({
  document,
  update: bytes(text),
  ...(pending && { pending }),
})

export const texts = (entries: readonly Entry[]): string[] =>
  entries.map(({ update }) => new TextDecoder().decode(update))

export const withStore = (
  run: (store: Store, disk: Disk, open: () => Promise<Disk>, random: Random) => Promise<void>,
) =>
  (async (open, random) => {
    const disk = await open()
    await using store = await disk.open('area')
    await run(store, disk, open, random)
  }) satisfies StoreCase['run']
