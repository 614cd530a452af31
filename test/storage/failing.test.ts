// Storage that fails and heals: a full database, a commit that is refused, a lock held by somebody else, Postgres that
// stops and comes back. What was refused is nowhere, what was accepted stays, and nothing has to be opened again.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { CompiledQuery } from 'kysely'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { openStorage, type Storage } from '../../storage/open.ts'
import { appendUpdates, loadClaims, loadDocument, replaceBySnapshot } from '../../storage/updates.ts'
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts'
import { eventually, nextTurn } from '../helpers/eventually.ts'

const NOTES = 'document/0000000001'
const TASKS = 'tasks/0000000001'
const SLOW_MS = 300_000
/** Writes on their way at most: a database that stands still must not be buried under what then waits for a connection. */
const WRITES_MAX = 16
const NO_LIMIT = 2 ** 31

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const command = ({ db }: Storage, sql: string) => db.executeQuery(CompiledQuery.raw(sql))

const append = (storage: Storage, document: string, label: string, length = 0): Promise<void> =>
  appendUpdates(storage, [{ document, updates: [bytes(label), new Uint8Array(length)] }])

/** The labels of a document's entries, and whether its numbers have no gap. */
const labels = async (storage: Storage, document: string): Promise<string[]> => {
  const { updates, head, upTo, tailEntries } = await loadDocument(storage, document)
  assert.equal(head, upTo + tailEntries)
  return updates.filter((_, index) => index % 2 === 0).map((update) => new TextDecoder().decode(update))
}

const withSqlite = async (run: (storage: Storage, path: string) => Promise<void>): Promise<void> => {
  const directory = await mkdtemp(join(tmpdir(), 'syncline-failing-'))
  try {
    const path = join(directory, 'syncline.db')
    await using storage = await openStorage({ sqlite: path })
    await run(storage, path)
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** What each database needs so that a commit which appends to a document is refused at its very end, and heals. */
const COMMIT_FAULTS = {
  sqlite: {
    break: [
      'create table parent (id integer primary key)',
      'create table child (id integer references parent (id) deferrable initially deferred)',
      'create trigger fault after insert on document_update begin insert into child values (1); end',
      'create trigger fault_snapshot after insert on document_snapshot begin insert into child values (1); end',
    ],
    heal: ['drop trigger fault', 'drop trigger fault_snapshot'],
  },
  postgres: {
    break: [
      `create function refuse() returns trigger language plpgsql as $$ begin raise 'refused at commit'; end $$`,
      'create constraint trigger fault after insert on document_update deferrable initially deferred ' +
        'for each row execute function refuse()',
      'create constraint trigger fault after insert on document_snapshot deferrable initially deferred ' +
        'for each row execute function refuse()',
    ],
    heal: ['drop trigger fault on document_update', 'drop trigger fault on document_snapshot'],
  },
}

const checkRefusedCommit = async (storage: Storage, fault: (typeof COMMIT_FAULTS)['sqlite']): Promise<void> => {
  await append(storage, NOTES, 'before')
  for (const sql of fault.break) await command(storage, sql)
  await assert.rejects(append(storage, NOTES, 'refused'))
  assert.deepEqual(await labels(storage, NOTES), ['before'])

  // Others write while a transaction fails: it must not take along what they were told is stored.
  let refused = 0
  const written: string[] = []
  const failures: unknown[] = []
  for (let round = 0; round < 5; round++) {
    const goesOn = { on: true }
    const snapshot = replaceBySnapshot(storage, NOTES, 0, 1, bytes('refused'))
      .catch(() => refused++)
      .finally(() => (goesOn.on = false))
    const writes: Promise<unknown>[] = []
    for (let n = 0; goesOn.on; n++) {
      if (n >= WRITES_MAX) await Promise.race([snapshot, writes[n - WRITES_MAX]])
      const name = `board/${round}.${n}`
      const write = command(storage, `insert into document (name, head) values ('${name}', 1)`)
      writes.push(
        write.then(
          () => written.push(name),
          (error) => failures.push(error),
        ),
      )
      await nextTurn()
    }
    await Promise.all([snapshot, ...writes])
  }
  assert.equal(refused, 5)
  assert.deepEqual(failures, [])
  const rows = await storage.db.selectFrom('document').select('name').where('name', 'like', 'board/%').execute()
  assert.deepEqual(rows.map(({ name }) => name).toSorted(), written.toSorted())

  for (const sql of fault.heal) await command(storage, sql)
  await append(storage, NOTES, 'after')
  assert.deepEqual(await labels(storage, NOTES), ['before', 'after'])
  assert.equal(await replaceBySnapshot(storage, NOTES, 0, 1, bytes('merged')), true)
}

describe('SQLite', () => {
  test('[DU1] a full database refuses appends whole, keeps what it has, and takes the next one once there is room', async () => {
    await withSqlite(async (storage) => {
      await append(storage, NOTES, 'before')
      const { rows } = await command(storage, 'pragma page_count')
      const pages = (rows[0] as { page_count: number }).page_count
      await command(storage, `pragma max_page_count = ${pages + 8}`)
      const full = { code: 'SQLITE_FULL' }
      const large = new Uint8Array(100_000)
      const both = [NOTES, TASKS].map((document) => ({ document, updates: [bytes('both'), large] }))
      await assert.rejects(appendUpdates(storage, both), full)
      await assert.rejects(replaceBySnapshot(storage, NOTES, 0, 1, large), full)
      const claims = Array.from({ length: 5_000 }, (_, clientId) => ({ clientId, userId: 'alice' }))
      await assert.rejects(appendUpdates(storage, [{ document: NOTES, updates: [], claims }]), full)
      assert.deepEqual(await labels(storage, NOTES), ['before'])
      assert.equal((await loadDocument(storage, TASKS)).head, 0)
      assert.equal((await loadClaims(storage, NOTES)).size, 0)
      await append(storage, NOTES, 'small')
      await command(storage, `pragma max_page_count = ${NO_LIMIT}`)
      await appendUpdates(storage, both)
      assert.deepEqual(await labels(storage, NOTES), ['before', 'small', 'both'])
      assert.deepEqual(await labels(storage, TASKS), ['both'])
    })
  })

  test('[DU2] a commit that is refused at its end leaves nothing and takes nobody else’s write along', async () => {
    await withSqlite((storage) => checkRefusedCommit(storage, COMMIT_FAULTS.sqlite))
  })

  test('[DU3] while another process holds the write lock, writes reject; they go on when it lets go', async () => {
    await withSqlite(async (storage, path) => {
      await append(storage, NOTES, 'before')
      await command(storage, 'pragma busy_timeout = 20')
      const other = new Sqlite(path)
      try {
        other.exec('begin immediate')
        const busy = { code: 'SQLITE_BUSY' }
        await assert.rejects(append(storage, NOTES, 'locked'), busy)
        await assert.rejects(replaceBySnapshot(storage, NOTES, 0, 1, bytes('locked')), busy)
        await assert.rejects(append(storage, NOTES, 'locked'), busy)
        assert.deepEqual(await labels(storage, NOTES), ['before'])
        other.exec('rollback')
      } finally {
        other.close()
      }
      await append(storage, NOTES, 'after')
      assert.deepEqual(await labels(storage, NOTES), ['before', 'after'])
      assert.equal(await replaceBySnapshot(storage, NOTES, 0, 1, bytes('before')), true)
    })
  })
})

describe('Postgres', () => {
  let postgres: TestPostgres
  beforeAll(async () => {
    postgres = await startPostgres()
  }, SLOW_MS)
  afterAll(() => postgres[Symbol.asyncDispose]())

  const open = async (): Promise<Storage> => openStorage({ postgres: await postgres.createDatabase() })

  test('[DU2] a commit that is refused at its end leaves nothing and takes nobody else’s write along', async () => {
    await using storage = await open()
    await checkRefusedCommit(storage, COMMIT_FAULTS.postgres)
  })

  test('[DU4] a database that has become read-only refuses appends, and takes them again once it may write', async () => {
    await using storage = await open()
    await append(storage, NOTES, 'before')
    const setReadOnly = async (value: 'on' | 'off'): Promise<void> => {
      // Its own session must be allowed to write the setting back.
      await storage.atomically([CompiledQuery.raw('set transaction read write')])
      await command(storage, `alter system set default_transaction_read_only = ${value}`)
      await command(storage, 'select pg_reload_conf()')
      await eventually(
        async () => (await command(storage, 'show default_transaction_read_only')).rows[0],
        (row) => (row as { default_transaction_read_only: string }).default_transaction_read_only === value,
      )
    }
    await setReadOnly('on')
    await assert.rejects(append(storage, NOTES, 'read only'), { code: '25006' })
    assert.deepEqual(await labels(storage, NOTES), ['before'])
    await setReadOnly('off')
    await append(storage, NOTES, 'after')
    assert.deepEqual(await labels(storage, NOTES), ['before', 'after'])
  })

  /** Appends without a pause from several writers until told to stop; returns what was accepted, by writer. */
  const writeUntil = async (storage: Storage, goesOn: () => boolean, accepted: string[][]): Promise<number> => {
    let rejected = 0
    await Promise.all(
      accepted.map(async (own, writer) => {
        for (let n = 0; goesOn(); n++) {
          const label = `${writer}.${n}`
          try {
            await appendUpdates(storage, [
              { document: NOTES, updates: [bytes(label), bytes('')] },
              { document: TASKS, updates: [bytes(label), bytes('')] },
            ])
            own.push(label)
          } catch {
            rejected++
          }
        }
      }),
    )
    return rejected
  }

  for (const how of ['killAll', 'stopImmediately'] as const) {
    test(
      `[DU5] after ${how} of Postgres under load appends reject, and work again without reopening; nothing accepted is lost`,
      async () => {
        await using storage = await open()
        const accepted: string[][] = [[], [], [], []]
        const total = (): number => accepted.reduce((sum, own) => sum + own.length, 0)
        let goesOn = true
        const writing = writeUntil(storage, () => goesOn, accepted)
        await eventually(total, (count) => count >= 50)
        await postgres[how]()
        const atStop = total()
        await assert.rejects(append(storage, NOTES, 'while it is down'))
        await postgres.start()
        await eventually(total, (count) => count >= atStop + 50)
        goesOn = false
        const rejected = await writing
        assert.ok(rejected > 0, 'nothing was rejected: the stop came too late')
        const [notes, tasks] = await Promise.all([labels(storage, NOTES), labels(storage, TASKS)])
        // One commit wrote both documents: whatever is in one must be in the other.
        assert.deepEqual(notes.toSorted(), tasks.toSorted())
        assert.equal(new Set(notes).size, notes.length)
        const stored = new Set(notes)
        assert.deepEqual(
          accepted.flat().filter((label) => !stored.has(label)),
          [],
        )
      },
      SLOW_MS,
    )
  }
})
