// What a logout leaves behind: everything that the server has is taken out of the person's area; what it does not have yet
// stays, and goes out again when the same person logs in and the area is opened.
import { ADOPT, ADOPTED } from './area-keys.ts'
import { OUTBOX } from './outbox.ts'
import type { Disk, Store } from './offline/store.ts'

const SEALED = 'sealed'
/** Work that the server does not have: commands, edits that it refused, and what was taken over from a guest. */
const KEPT = [OUTBOX, 'quarantine/', ADOPT, ADOPTED]

/** What is left in a sealed area. */
export interface Sealed {
  /** Edits that the server has not acknowledged. */
  readonly pending: number
  readonly values: number
  /** Nothing is left: the area can be wiped as a whole. */
  readonly isEmpty: boolean
}

const isKept = (key: string): boolean => KEPT.some((prefix) => key.startsWith(prefix))

const confirmedIn = async (store: Store): Promise<readonly number[]> => {
  const seqs: number[] = []
  for (const { document, entries, pending } of await store.documents()) {
    if (entries === pending) continue
    for (const entry of await store.load(document)) if (!entry.pending) seqs.push(entry.seq)
  }
  return seqs
}

/**
 * Seals a person's area, in one transaction; sealing again changes nothing. Nobody may write to the area meanwhile. An edit
 * that stays is one Yjs update: it waits inside its document until the server has sent what it builds on.
 */
export const sealArea = async (store: Store): Promise<Sealed> => {
  const drop = await confirmedIn(store)
  const keys = [...(await store.list('')).keys()]
  const kept = keys.filter(isKept)
  const del = keys.filter((key) => !isKept(key))
  await store.write({ drop, del, put: { [SEALED]: true } })
  const pending = (await store.pending()).length
  const isWork = (key: string): boolean => !key.startsWith(ADOPTED)
  return { pending, values: kept.length, isEmpty: pending === 0 && !kept.some(isWork) }
}

/** An area that nobody uses, made to be wiped. */
const SCRATCH = 'wiped'

/**
 * Seals the area, and sees to it that no byte of what was taken out stays on the disk; an area in which nothing is left is
 * wiped as a whole. Its stores must be closed. A repeat after a failure goes on where it stopped.
 */
export const sealOnDisk = async (disk: Disk, area: string): Promise<Sealed> => {
  await using store = await disk.open(area)
  const sealed = await sealArea(store)
  await store[Symbol.asyncDispose]()
  // Deleted rows may still stand in a file's log and free pages. Wiping whatever area cleans the file of them.
  if (!sealed.isEmpty) await (await disk.open(SCRATCH))[Symbol.asyncDispose]()
  await disk.wipe(sealed.isEmpty ? area : SCRATCH)
  return sealed
}

export const isSealed = async (store: Store): Promise<boolean> => (await store.get(SEALED)) === true

/** The person is back: the area is used as it is. */
export const unsealArea = async (store: Store): Promise<void> => {
  await store.write({ del: [SEALED] })
}
