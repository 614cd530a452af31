// Directories for the servers under test, on a disk that really syncs, and what one sync costs there.
import { mkdir, mkdtemp, open, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { median } from './statistics.ts'

const TMPFS_MAGIC = 0x0102_1994
const SYNCS = 200
const SYNC_BYTES = 4 * 1024

const ROOT = fileURLToPath(new URL('../../.tmp/', import.meta.url))

export interface BenchDirectory extends AsyncDisposable {
  readonly path: string
  /** An empty directory of its own inside. */
  readonly fresh: (name: string) => Promise<string>
}

/** Below `.tmp` of the checkout; removed when disposed. Throws when that is memory, not a disk. */
export const openBenchDirectory = async (): Promise<BenchDirectory> => {
  await mkdir(ROOT, { recursive: true })
  if ((await statfs(ROOT)).type === TMPFS_MAGIC) throw new Error(`${ROOT} is in memory; the benchmark needs a disk`)
  const path = await mkdtemp(join(ROOT, 'bench-'))
  return {
    path,
    fresh: async (name) => {
      const directory = join(path, name)
      await rm(directory, { recursive: true, force: true })
      await mkdir(directory)
      return directory
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

/** The median time to append 4 KiB to a file and sync it. */
export const syncP50Ms = async (directory: string): Promise<number> => {
  const path = join(directory, 'sync-probe')
  const file = await open(path, 'w')
  const bytes = Buffer.alloc(SYNC_BYTES, 1)
  const times: number[] = []
  try {
    for (let i = 0; i < SYNCS; i++) {
      const startedAt = performance.now()
      await file.write(bytes)
      await file.datasync()
      times.push(performance.now() - startedAt)
    }
  } finally {
    await file.close()
    await rm(path)
  }
  return median(times)
}
