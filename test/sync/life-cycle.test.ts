// The life of documents: opened and left in every order without an orphan, failed loads without a trace, journals that are
// compacted under those who write.
import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'vitest'
import * as Y from 'yjs'
import { ENTRIES_BEFORE_SNAPSHOT } from '../../shared/limits.ts'
import { loadDocument } from '../../storage/updates.ts'
import { openHocuspocus, readFresh, ROOT_NAME } from '../compat/clients.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { createTeam } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { connectWire } from '../helpers/wire-client.ts'
import { startWriter } from '../compat/numbered-writer.ts'

const TEST_MS_MAX = 300_000
const MICROTASKS = 60
const STRESS_ROUNDS = 1_500
const FAILED_LOADS = 500

const microtasks = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await Promise.resolve()
}

const readDisk = async ({ storage }: OwnServer, name: string): Promise<Y.Doc> => {
  const { snapshot, updates } = await loadDocument(storage, name)
  const doc = new Y.Doc()
  for (const update of snapshot ? [snapshot, ...updates] : updates) Y.applyUpdate(doc, update)
  return doc
}

/** The letters of `expected` that the disk does not hold. */
const orphansOf = async (server: OwnServer, expected: ReadonlyMap<string, number>): Promise<string[]> => {
  const found = await Promise.all(
    [...expected].map(async ([name, count]) => {
      const { length } = (await readDisk(server, name)).getText(ROOT_NAME)
      return length === count ? [] : [`${name}: ${length} of ${count}`]
    }),
  )
  return found.flat()
}

const expectNoOrphans = async (server: OwnServer, expected: ReadonlyMap<string, number>): Promise<void> => {
  await eventually(
    () => orphansOf(server, expected),
    (orphans) => orphans.length === 0,
    { what: 'edits of every handle on disk' },
  )
}

test('[LC1] a document that is opened while it is being unloaded is no orphan, at any microtask', async () => {
  await using server = await startOwnServer()
  const expected = new Map<string, number>()
  for (let offset = 0; offset < MICROTASKS; offset++) {
    const name = `document/sweep-${String(offset).padStart(6, '0')}`
    const first = await server.sync.pin(name)
    const released = first.release()
    await microtasks(offset)
    const second = await server.sync.pin(name)
    await released
    second.doc.getText(ROOT_NAME).insert(0, 'x')
    await second.release()
    expected.set(name, 1)
  }
  await expectNoOrphans(server, expected)
})

test(
  '[LC2] 1,500 handles opened and left at random times leave no orphan and lose no edit',
  async () => {
    const random = createRandom(chooseSeed())
    process.stdout.write(`life cycle: SEED=${random.seed}\n`)
    await using server = await startOwnServer()
    const expected = new Map<string, number>()
    const use = async (chance: typeof random): Promise<void> => {
      const name = `document/stress-${String(chance.int(0, 20)).padStart(6, '0')}`
      const handle = await server.sync.pin(name)
      await microtasks(chance.int(0, 40))
      handle.doc.getText(ROOT_NAME).insert(0, 'x')
      expected.set(name, (expected.get(name) ?? 0) + 1)
      await microtasks(chance.int(0, 40))
      await handle.release()
    }
    const lanes = Array.from({ length: 6 }, async () => {
      const chance = random.fork()
      for (let i = 0; i < STRESS_ROUNDS / 6; i++) await use(chance)
    })
    await Promise.all(lanes)
    await expectNoOrphans(server, expected)
  },
  TEST_MS_MAX,
)

const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length

test(
  '[LC3] 500 loads that fail leave no timer behind, and the document opens once the database answers',
  async () => {
    await using server = await startOwnServer()
    const { people, newDocument } = await createTeam(server.url, 1)
    const [{ accessToken }] = people
    const name = await newDocument()
    const before = timers()
    await sql`alter table document_update rename to hidden`.execute(server.storage.db)
    for (let i = 0; i < FAILED_LOADS; i++) {
      const wire = await connectWire(server.syncUrl)
      await wire.open(name, accessToken)
      assert.deepEqual(await wire.closed, { code: 1013, reason: 'storage/unavailable' })
    }
    await eventually(timers, (count) => count <= before + 2, { what: `${before} timers` })
    await sql`alter table hidden rename to document_update`.execute(server.storage.db)
    using client = openHocuspocus(server, people[0], name)
    client.text.insert(0, 'here again')
    await client.stored()
    assert.equal(await readFresh(server, people[0], name), 'here again')
  },
  TEST_MS_MAX,
)

const rowsOf = async ({ storage }: OwnServer, name: string): Promise<number> => {
  const { count } = await storage.db
    .selectFrom('document_update')
    .innerJoin('document', 'document.id', 'document_id')
    .select((of) => of.fn.countAll<number>().as('count'))
    .where('name', '=', name)
    .executeTakeFirstOrThrow()
  return count
}

test(
  '[LC4] a document written thousands of times is compacted meanwhile, and neither then nor later loses an edit',
  async () => {
    await using server = await startOwnServer()
    const { people, newDocument } = await createTeam(server.url, 3)
    const name = await newDocument()
    const editsMax = 2_500
    // One edit on its way per writer: most commits hold one edit, so there are thousands of rows.
    const writers = await Promise.all(
      people.map(({ accessToken }) => startWriter(server.syncUrl, accessToken, name, { window: 1, editsMax })),
    )
    let rowsMax = 0
    const all = editsMax * writers.length
    const acked = (): number => writers.reduce((sum, writer) => sum + writer.acked(), 0)
    await eventually(
      async () => {
        rowsMax = Math.max(rowsMax, await rowsOf(server, name))
        return acked()
      },
      (count) => count === all,
      { msMax: 120_000, what: 'all edits acknowledged' },
    )
    const { upTo, head } = await loadDocument(server.storage, name)
    process.stdout.write(`life cycle: ${head} entries, ${upTo} compacted, ${rowsMax} rows at most\n`)
    assert.ok(head > 4 * ENTRIES_BEFORE_SNAPSHOT, `only ${head} entries`)
    assert.ok(rowsMax < head / 2, `${rowsMax} of ${head} rows at once`)

    for (const writer of writers) writer.close()
    await eventually(
      () => rowsOf(server, name),
      (rows) => rows < 16,
      { what: 'a short journal after the last one left' },
    )
    const doc = await readDisk(server, name)
    using reader = openHocuspocus(server, people[0], name)
    await reader.synced()
    for (const writer of writers) {
      assert.deepEqual([writer.missingIn(doc), writer.missingIn(reader.doc)], [[], []])
      assert.equal(writer.acked(), editsMax)
    }
    assert.ok(Y.equalSnapshots(Y.snapshot(doc), Y.snapshot(reader.doc)))
  },
  TEST_MS_MAX,
)
