// The room that the WAL of SQLite gets ahead of its use.
import assert from 'node:assert/strict'
import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { openStorage } from '../../storage/open.ts'
import { appendUpdates, loadDocument } from '../../storage/updates.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'

const DOCUMENT = 'document/0000000001'
const COMMITS = 400
const COPIES = 12
/** What SQLite fills between two checkpoints: 4,000 pages with their heads, and its own head. */
const FULL_BYTES = 4_000 * (4_096 + 24) + 32

const openFile = (path: string) => openStorage({ sqlite: path })

test('[DU12] the WAL is as long as it will become after few hundred commits, and what it holds ahead of its use is never read', async () => {
  const seed = chooseSeed()
  const random = createRandom(seed)
  const directory = await mkdtemp(join(tmpdir(), 'syncline-wal-'))
  const path = join(directory, 'syncline.db')
  const update = (n: number): Uint8Array => new TextEncoder().encode(`update ${n}`.padEnd(random.int(20, 9_000)))
  const numbersIn = async (file: string): Promise<string[]> => {
    await using storage = await openFile(file)
    const { updates } = await loadDocument(storage, DOCUMENT)
    return updates.map((bytes) => new TextDecoder().decode(bytes).trimEnd())
  }
  try {
    const copyAfter = new Set(Array.from({ length: COPIES }, () => random.int(1, COMMITS)))
    const written: string[] = []
    {
      await using storage = await openFile(path)
      for (let n = 1; n <= COMMITS; n++) {
        await appendUpdates(storage, [{ document: DOCUMENT, updates: [update(n)] }])
        written.push(`update ${n}`)
        if (!copyAfter.has(n)) continue
        // What a crash at this moment leaves; the index beside the WAL is made anew.
        const copy = join(directory, `copy-${n}.db`)
        for (const part of ['', '-wal']) await copyFile(path + part, copy + part)
        assert.deepEqual(await numbersIn(copy), written, `SEED=${seed}, after ${n} commits`)
      }
      assert.equal((await stat(`${path}-wal`)).size, FULL_BYTES)
    }
    assert.deepEqual(await numbersIn(path), written)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
