// The audit log against somebody who has the database, on both databases: every sort of tampering, a hundred times each,
// must be found, and nothing else.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Kysely, sql } from 'kysely'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { hashOf, verifyAudit } from '../../server/audit.ts'
import { type AuditHead, listAudit } from '../../storage/audit.ts'
import type { StorageLocation } from '../../storage/open.ts'
import type { Database } from '../../storage/schema.ts'
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts'
import { chooseSeed, createRandom, type Random } from '../helpers/random.ts'
import { add, AUDIT_KEY, endAt, mustHead, openChain, setHead, TAMPERINGS } from './audit-chain.ts'

const START_MS_MAX = 300_000
const ENTRIES = 30
const seed = chooseSeed()

let postgres: TestPostgres
let folder: string
beforeAll(async () => {
  postgres = await startPostgres()
  folder = await mkdtemp(join(tmpdir(), 'syncline-audit-'))
}, START_MS_MAX)
afterAll(async () => {
  await postgres?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

let databases = 0
const locations: Record<string, () => Promise<StorageLocation>> = {
  SQLite: async () => ({ sqlite: join(folder, String(++databases), 'syncline.sqlite') }),
  Postgres: async () => ({ postgres: await postgres.createDatabase() }),
}

class RolledBack extends Error {}

/** Does `tamper`, asks for the first broken entry, and undoes it. */
const findAfter = async (
  db: Kysely<Database>,
  anchor: AuditHead,
  tamper: (trx: Kysely<Database>) => Promise<unknown>,
) => {
  let found: number | undefined
  const tampered = db.transaction().execute(async (trx) => {
    await tamper(trx)
    found = (await verifyAudit(trx, AUDIT_KEY, anchor)).broken?.seq
    throw new RolledBack()
  })
  await tampered.catch((error: unknown) => {
    if (!(error instanceof RolledBack)) throw error
  })
  return found
}

const COLUMNS = ['at', 'actor', 'action', 'target', 'details', 'hash'] as const

const otherThan = (random: Random, value: string | number | null): string | number | null => {
  if (typeof value === 'number') return value + random.pick([1, -1, 1_000])
  if (value === null) return random.pick(['', 'null', 'user-x'])
  const at = random.int(0, value.length)
  return random.pick([`${value} `, `${value.slice(0, at)}x${value.slice(at)}`, value === '' ? 'x' : ''])
}

const shift = (trx: Kysely<Database>, from: number) =>
  // Twice, so that no number is there two times in between.
  sql`update audit_log set seq = -seq where seq >= ${from}`
    .execute(trx)
    .then(() => sql`update audit_log set seq = 1 - seq where seq < 0`.execute(trx))

/** Each tampers with a chain of `ENTRIES` and says which entry is the first that must be named. */
const SORTS: Record<string, (trx: Kysely<Database>, random: Random) => Promise<number>> = {
  'change a column': async (trx, random) => {
    const seq = random.int(1, ENTRIES)
    const column = random.pick(COLUMNS)
    const row = (await listAudit(trx, seq - 1, 1))[0] as Record<string, string | number | null> | undefined
    const value = otherThan(random, row?.[column] ?? null)
    await trx
      .updateTable('audit_log')
      .set({ [column]: value })
      .where('seq', '=', seq)
      .execute()
    return seq
  },
  'change and hash anew without the key': async (trx, random) => {
    const seq = random.int(1, ENTRIES)
    let before = seq === 1 ? '' : ((await listAudit(trx, seq - 2, 1))[0]?.hash ?? '')
    for (const row of await listAudit(trx, seq - 1, ENTRIES)) {
      const changed = { ...row, ...(row.seq === seq && { details: '{"forged":true}' }) }
      before = hashOf(new Uint8Array(32), changed, before)
      await trx
        .updateTable('audit_log')
        .set({ details: changed.details, hash: before })
        .where('seq', '=', row.seq)
        .execute()
    }
    await setHead(trx, { hash: before })
    return seq
  },
  'take one out': async (trx, random) => {
    const seq = random.int(1, ENTRIES)
    await trx.deleteFrom('audit_log').where('seq', '=', seq).execute()
    return seq
  },
  'take one out and close the gap': async (trx, random) => {
    const seq = random.int(1, ENTRIES - 1)
    await trx.deleteFrom('audit_log').where('seq', '=', seq).execute()
    await sql`update audit_log set seq = -seq where seq > ${seq}`.execute(trx)
    await sql`update audit_log set seq = -seq - 1 where seq < 0`.execute(trx)
    await endAt(trx, ENTRIES - 1)
    return seq
  },
  'cut the end off': async (trx, random) => {
    const seq = random.int(1, ENTRIES)
    await trx.deleteFrom('audit_log').where('seq', '>=', seq).execute()
    return seq
  },
  'cut the end off and mend the head': async (trx, random) => {
    const seq = random.int(1, ENTRIES)
    await trx.deleteFrom('audit_log').where('seq', '>=', seq).execute()
    await endAt(trx, seq - 1)
    return seq
  },
  'swap two': async (trx, random) => {
    const [a, b] = [random.int(1, ENTRIES - 1), random.int(1, ENTRIES - 1)]
    const [first, second] = [Math.min(a, b), Math.max(a, b) + 1]
    for (const [from, to] of [
      [first, -1],
      [second, first],
      [-1, second],
    ] as const)
      await trx.updateTable('audit_log').set({ seq: to }).where('seq', '=', from).execute()
    return first
  },
  'put one in': async (trx, random) => {
    const seq = random.int(1, ENTRIES)
    const row = (await listAudit(trx, random.int(0, ENTRIES - 1), 1))[0]
    assert.ok(row)
    await shift(trx, seq)
    await trx
      .insertInto('audit_log')
      .values({ ...row, seq })
      .execute()
    await endAt(trx, ENTRIES + 1)
    // A copy of the very entry stands for it; the one after it does not fit then.
    return row.seq === seq ? seq + 1 : seq
  },
  'put one at an end': async (trx, random) => {
    const row = (await listAudit(trx, random.int(0, ENTRIES - 1), 1))[0]
    assert.ok(row)
    const seq = random.pick([ENTRIES + 1, 0, -random.int(1, 10 ** 9)])
    await trx
      .insertInto('audit_log')
      .values({ ...row, seq })
      .execute()
    if (seq > 0 && random.chance(0.5)) await endAt(trx, seq)
    return seq > 0 ? seq : 1
  },
  'change the head': async (trx, random) => {
    if (random.chance(0.1)) {
      await trx.deleteFrom('audit_head').execute()
      return 1
    }
    if (random.chance(0.5)) await setHead(trx, { hash: random.pick(['', 'x', '0'.repeat(64)]) })
    else await setHead(trx, { seq: ENTRIES + random.pick([-ENTRIES, -1, 1, 1_000]) })
    return ENTRIES + 1
  },
}

describe.each(Object.entries(locations))('the chain on %s', (name, locate) => {
  test(`[AU1] every tampering is found and its first entry named (SEED=${seed})`, async () => {
    await using chain = await openChain(await locate(), ENTRIES)
    const { db } = chain.storage
    const anchor = await mustHead(db)
    const random = createRandom(seed)
    const counts: Record<string, number> = {}
    for (const [sort, tamper] of Object.entries(SORTS)) {
      for (let time = 0; time < TAMPERINGS; time++) {
        let expected: number | undefined
        const found = await findAfter(db, anchor, async (trx) => (expected = await tamper(trx, random)))
        assert.equal(found, expected, `${sort}, ${time}`)
        counts[sort] = (counts[sort] ?? 0) + 1
      }
    }
    assert.deepEqual(await verifyAudit(db, AUDIT_KEY, anchor), { entries: ENTRIES, broken: null })
    process.stdout.write(`audit chain on ${name}: ${JSON.stringify(counts)} tamperings, all found\n`)
  })

  test('[AU1] a long chain is whole, also while entries are added', async () => {
    await using chain = await openChain(await locate(), 0)
    const { storage, audit } = chain
    assert.deepEqual(await verifyAudit(storage.db, AUDIT_KEY, null), { entries: 0, broken: null })
    const adders = new Set([0, 1, 2, 3])
    const adding = async (who: number): Promise<void> => {
      for (let index = 0; index < 75; index++)
        await add(storage, audit, { actor: `user-${who}`, action: 'member.joined', details: { index } })
    }
    const added = Promise.all([...adders].map((who) => adding(who).finally(() => adders.delete(who))))
    let checks = 0
    while (adders.size > 0) {
      const anchor = await mustHead(storage.db)
      const { entries, broken } = await verifyAudit(storage.db, AUDIT_KEY, anchor.seq === 0 ? null : anchor)
      assert.equal(broken, null)
      assert.ok(entries >= anchor.seq)
      checks++
    }
    await added
    assert.deepEqual(await verifyAudit(storage.db, AUDIT_KEY, null), { entries: 300, broken: null })
    assert.ok(checks > 3, `only ${checks} checks`)
    process.stdout.write(`audit chain on ${name}: ${checks} checks while 300 entries were added, 0 false alarms\n`)
  })
})
