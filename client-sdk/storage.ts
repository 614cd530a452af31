// Which disk a client keeps its data on.
import { openIndexedDbDisk } from './offline/indexeddb.ts'
import type { Disk } from './offline/store.ts'

/** `memory` forgets; a disk of one's own may be handed in. */
export type StorageChoice = 'indexeddb' | 'memory' | { readonly sqlite: string } | { readonly disk: Disk }

export interface OpenedDisk {
  readonly disk: Disk
  /** Other tabs have the same one. */
  readonly isShared: boolean
}

export const openDisk = async (choice: StorageChoice | undefined, url: string): Promise<OpenedDisk> => {
  const server = new URL(url).origin
  const chosen = choice ?? (typeof indexedDB === 'undefined' ? 'memory' : 'indexeddb')
  if (chosen === 'memory') {
    const { createMemoryDisk } = await import('./offline/memory.ts')
    return { disk: createMemoryDisk(), isShared: false }
  }
  if (chosen === 'indexeddb') {
    return { disk: await openIndexedDbDisk({ server }), isShared: true }
  }
  if ('disk' in chosen) return { disk: chosen.disk, isShared: false }
  const { openSqliteDisk } = await import('./offline/sqlite.ts')
  return { disk: await openSqliteDisk({ path: chosen.sqlite, server }), isShared: true }
}
