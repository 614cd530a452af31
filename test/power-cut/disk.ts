// A disk that forgets: replays recorded events up to the moment of a power cut and says what a directory may hold
// afterwards. Synced bytes stay; of the rest nothing, a part in any order, or single sectors survive.
//
// Assumptions: a file's name is durable once its directory was synced (no file system's extra kindness counts), names
// change in order, and a sector of 512 bytes is written whole or not at all.
import type { Random } from '../helpers/random.ts'
import type { DiskEvent } from './record.ts'

const SECTOR_BYTES = 512

type Change =
  | { readonly kind: 'write'; readonly offset: number; readonly data: Buffer }
  | { readonly kind: 'truncate'; readonly length: number }

interface File {
  durable: Buffer
  readonly unsynced: Change[]
  /** How many of the unsynced changes a running sync covers. */
  covered: number
}

type NameChange = { readonly name: string; readonly file: File | null }

/** What survives of the changes that were not synced. */
export const SURVIVALS = ['nothing', 'prefix', 'subset', 'sectors'] as const
export type Survival = (typeof SURVIVALS)[number]

export interface Image {
  readonly files: ReadonlyMap<string, Buffer>
  /** Changes that were not synced at the moment of the cut. */
  readonly unsynced: number
}

const apply = (content: Buffer, change: Change): Buffer => {
  if (change.kind === 'truncate') {
    const resized = Buffer.alloc(change.length)
    content.copy(resized)
    return resized
  }
  const end = change.offset + change.data.length
  // What lies between the old end and a write beyond it reads as zeros.
  const grown = end > content.length ? Buffer.concat([content, Buffer.alloc(end - content.length)]) : content
  change.data.copy(grown, change.offset)
  return grown
}

/** The first part of a write, up to a random boundary of a sector on the disk. */
const torn = (change: Change, random: Random): Change => {
  if (change.kind === 'truncate') return change
  const first = SECTOR_BYTES - (change.offset % SECTOR_BYTES)
  const boundaries = Math.max(0, Math.ceil((change.data.length - first) / SECTOR_BYTES))
  const length = random.chance(0.3) ? 0 : first + random.int(0, boundaries) * SECTOR_BYTES
  return { ...change, data: change.data.subarray(0, length) }
}

/** A write as single sectors, each of which may be lost. */
const shorn = (change: Change, random: Random): Change[] => {
  if (change.kind === 'truncate') return random.chance(0.5) ? [change] : []
  const parts: Change[] = []
  for (let at = 0; at < change.data.length;) {
    const length = SECTOR_BYTES - ((change.offset + at) % SECTOR_BYTES)
    const data = change.data.subarray(at, at + length)
    if (random.chance(0.5)) parts.push({ kind: 'write', offset: change.offset + at, data })
    at += data.length
  }
  return parts
}

const tearLast = (changes: Change[], random: Random): Change[] => {
  const last = changes.at(-1)
  return last ? [...changes.slice(0, -1), torn(last, random)] : []
}

const survivors = (unsynced: readonly Change[], survival: Survival, random: Random): Change[] => {
  if (survival === 'nothing') return []
  if (survival === 'prefix') return tearLast(unsynced.slice(0, random.int(0, unsynced.length)), random)
  if (survival === 'sectors') return unsynced.flatMap((change) => shorn(change, random))
  const share = random.pick([0.1, 0.5, 0.9])
  const kept = unsynced.filter(() => random.chance(share))
  return tearLast(kept, random)
}

/** An empty directory; feed it events in order, ask for images in between. */
export const createDisk = () => {
  const live = new Map<string, File>()
  const durableNames = new Map<string, File>()
  const unsyncedNames: NameChange[] = []
  let coveredNames = 0

  const mustFile = (name: string): File => {
    const file = live.get(name)
    if (!file) throw new Error(`${name} is written but was never created`)
    return file
  }
  const syncNames = (count: number): void => {
    for (const { name, file } of unsyncedNames.splice(0, count)) {
      if (file) durableNames.set(name, file)
      else durableNames.delete(name)
    }
  }
  const play = (event: DiskEvent): void => {
    if (event.kind === 'ack') return
    if (event.kind === 'create') {
      const file: File = { durable: Buffer.alloc(0), unsynced: [], covered: 0 }
      live.set(event.name, file)
      unsyncedNames.push({ name: event.name, file })
    } else if (event.kind === 'unlink') {
      live.delete(event.name)
      unsyncedNames.push({ name: event.name, file: null })
    } else if (event.kind === 'write' || event.kind === 'truncate') mustFile(event.name).unsynced.push(event)
    else if (event.name === '.') {
      if (event.kind === 'sync-start') coveredNames = unsyncedNames.length
      else syncNames(coveredNames)
    } else {
      const file = mustFile(event.name)
      if (event.kind === 'sync-start') file.covered = file.unsynced.length
      else for (const change of file.unsynced.splice(0, file.covered)) file.durable = apply(file.durable, change)
    }
  }

  /** What the directory may hold if the power goes now. */
  const cut = (survival: Survival, random: Random): Image => {
    const names = new Map(durableNames)
    const keptNames = survival === 'nothing' ? 0 : random.int(0, unsyncedNames.length)
    for (const { name, file } of unsyncedNames.slice(0, keptNames)) {
      if (file) names.set(name, file)
      else names.delete(name)
    }
    const files = new Map<string, Buffer>()
    let unsynced = 0
    for (const [name, file] of names) {
      if (name.endsWith('-shm')) continue
      const kept = survivors(file.unsynced, survival, random)
      let content: Buffer = Buffer.from(file.durable)
      for (const change of kept) content = apply(content, change)
      files.set(name, content)
      unsynced += file.unsynced.length
    }
    return { files, unsynced }
  }
  return { play, cut }
}
