// What a logout leaves on the disk: looked for in every byte of the files.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { createMemoryDisk } from '../../client-sdk/offline/memory.ts'
import { openSqliteDisk } from '../../client-sdk/offline/sqlite.ts'
import type { NewEntry, RecordedOperation, Store } from '../../client-sdk/offline/store.ts'
import { isSealed, sealArea, sealOnDisk, unsealArea } from '../../client-sdk/logout.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'

const text = new TextEncoder()
const KNOWN = 'what-the-server-has'
const OWN = 'what-only-we-have'

const operation: RecordedOperation = {
  name: 'task.add',
  input: { title: OWN },
  actor: 'user-0000000001',
  now: 1,
  ids: [],
}
const confirmed = (document: string, more = ''): NewEntry => ({ document, update: text.encode(KNOWN + more) })
const pending = (document: string): NewEntry => ({
  document,
  update: text.encode(OWN),
  pending: { clientId: 7, operation },
})

const TASKS = 'tasks/channel-0000000001'
const BOARD = 'board/channel-0000000002'

const fill = async (store: Store): Promise<void> => {
  await store.write({ append: [confirmed(TASKS), pending(TASKS), confirmed(TASKS), confirmed(BOARD), pending(TASKS)] })
  await store.write({
    put: {
      'outbox/0001': { what: OWN },
      'quarantine/0001': { what: OWN },
      'adopt/guest-0000000001/000000000001': { what: OWN },
      'adopted/guest-0000000001': { seq: 1, order: 0 },
      'result/0001': { what: KNOWN },
      'doc/tasks': { what: KNOWN },
      outboxes: KNOWN,
    },
  })
}

test('[DV26] sealing takes out what the server has and keeps what it has not, with its numbers; a repeat changes nothing', async () => {
  const store = await createMemoryDisk().open('user-0000000001')
  await fill(store)
  const before = await store.pending()
  assert.equal(await isSealed(store), false)
  const sealed = { pending: 2, values: 4, isEmpty: false }
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(await sealArea(store), sealed)
    assert.deepEqual(await store.pending(), before)
    assert.deepEqual(await store.load(TASKS), before)
    assert.deepEqual(await store.load(BOARD), [])
    assert.deepEqual(
      [...(await store.list('')).keys()],
      ['adopt/guest-0000000001/000000000001', 'adopted/guest-0000000001', 'outbox/0001', 'quarantine/0001', 'sealed'],
    )
  }
  assert.equal(await isSealed(store), true)
  await unsealArea(store)
  assert.equal(await isSealed(store), false)
  assert.deepEqual(await store.pending(), before)
})

test('[DV26] an area of which the server has everything is empty, and can be wiped', async () => {
  const store = await createMemoryDisk().open('user-0000000001')
  await store.write({
    append: [confirmed(TASKS)],
    put: { 'result/1': 1, 'adopted/guest-0000000001': { seq: 1, order: 0 } },
  })
  assert.deepEqual(await sealArea(store), { pending: 0, values: 1, isEmpty: true })
})

test('[DV26] sealing is one transaction: a disk that fails leaves the area as it was', async () => {
  const store = await createMemoryDisk().open('user-0000000001')
  await fill(store)
  const before = [await store.load(TASKS), await store.list('')]
  const failing: Store = { ...store, write: () => Promise.reject(new Error('no disk')) }
  await assert.rejects(sealArea(failing), /no disk/)
  assert.deepEqual([await store.load(TASKS), await store.list('')], before)
})

test('[DV27] after a logout no byte of what the server has is in the files, and all that it has not is', async () => {
  const seed = chooseSeed()
  process.stdout.write(`logout: SEED=${seed}\n`)
  const random = createRandom(seed)
  const folder = await mkdtemp(join(tmpdir(), 'syncline-logout-'))
  try {
    const disk = await openSqliteDisk({ path: join(folder, 'disk.sqlite'), server: 'http://127.0.0.1:4400' })
    // As while a client runs: its own area stays open, and so does the file.
    await using device = await disk.open('device')
    await device.write({ put: { install: 'device-000000001' } })
    {
      await using store = await disk.open('user-0000000001')
      await fill(store)
      // Enough that pages fill, split and are used again; in pieces, as a device writes them.
      for (let round = 0; round < 60; round++) {
        const filler = KNOWN.repeat(random.int(1, 300))
        await store.write({
          append: [confirmed(random.pick([TASKS, BOARD]), filler), confirmed(BOARD, filler)],
          put: { [`doc/${random.int(0, 20)}`]: filler },
        })
        if (random.chance(0.2)) await store.write({ append: [pending(TASKS)] })
      }
    }
    const find = async (words: string): Promise<boolean> => {
      const files = await readdir(folder)
      const bytes = Buffer.concat(await Promise.all(files.map((file) => readFile(join(folder, file)))))
      return bytes.includes(words)
    }
    assert.deepEqual([await find(KNOWN), await find(OWN)], [true, true])
    const sealed = await sealOnDisk(disk, 'user-0000000001')
    assert.deepEqual([await find(KNOWN), await find(OWN), sealed.isEmpty], [false, true, false])
    {
      await using store = await disk.open('user-0000000001')
      assert.deepEqual([(await store.pending()).length, await isSealed(store)], [sealed.pending, true])
      await store.write({
        drop: (await store.pending()).map(({ seq }) => seq),
        del: [...(await store.list('')).keys()],
      })
    }
    assert.equal((await sealOnDisk(disk, 'user-0000000001')).isEmpty, true)
    assert.equal(await find(OWN), false)
    assert.equal(await device.get('install'), 'device-000000001')
  } finally {
    await rm(folder, { recursive: true })
  }
})
