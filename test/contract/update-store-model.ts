// Random histories of one update store beside a model that keeps plain arrays: after every step both say the same.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import type { Storage } from '../../storage/open.ts'
import { appendUpdates, loadClaims, loadDocument, replaceBySnapshot } from '../../storage/updates.ts'
import { chooseSeed, createRandom, type Random } from '../helpers/random.ts'
import type { CreateDatabase, FreshDatabase } from './helpers.ts'

const HISTORIES = 4
const STEPS = 60
const DOCUMENTS = ['document/aaaaaaaaaa', 'document/aaaaaaaaaaa', 'document/aaaaaaaaaa/1', 'tasks/aaaaaaaaaa']
const USERS = ['alice', 'bob', 'carol']

interface ModelDocument {
  snapshot: string | null
  upTo: number
  /** The entries after the snapshot; each is the hex of its updates. */
  readonly tail: string[][]
  readonly claims: Map<number, string>
}

const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex')

const createModel = () =>
  new Map(
    DOCUMENTS.map((name): [string, ModelDocument] => [name, { snapshot: null, upTo: 0, tail: [], claims: new Map() }]),
  )

type Model = ReturnType<typeof createModel>

const appendStep = async (storage: Storage, model: Model, random: Random): Promise<void> => {
  const chosen = DOCUMENTS.filter(() => random.chance(0.5))
  const entries = (random.chance(0.5) ? chosen : chosen.toReversed()).map((document) => ({
    document,
    updates: Array.from({ length: random.int(0, 4) }, () => random.bytes(random.pick([0, 1, 3, 40, 300]))),
  }))
  await appendUpdates(storage, entries)
  for (const { document, updates } of entries) model.get(document)?.tail.push(updates.map(hex))
}

const snapshotStep = async (storage: Storage, model: Model, random: Random): Promise<boolean> => {
  const name = random.pick(DOCUMENTS)
  const document = model.get(name) as ModelDocument
  if (document.tail.length === 0) return false
  const count = random.int(1, document.tail.length)
  const data = random.bytes(random.int(0, 200))
  const stale = random.chance(0.3)
  const oldUpTo = stale ? document.upTo + random.pick([1, 2]) : document.upTo
  const written = await replaceBySnapshot(storage, name, oldUpTo, document.upTo + count, data)
  // A first snapshot is written where there is none; a stale number finds nothing to replace.
  assert.equal(written, !stale)
  if (!written) return false
  document.snapshot = hex(data)
  document.upTo += count
  document.tail.splice(0, count)
  return true
}

/** Claims beside updates: of another user's id, the commit fails as a whole. */
const claimStep = async (storage: Storage, model: Model, random: Random): Promise<void> => {
  const entries = DOCUMENTS.filter(() => random.chance(0.4)).map((document) => {
    const ids = [0, 1, 2, 2 ** 31, 2 ** 32 - 1].filter(() => random.chance(0.3))
    const claims = ids.map((clientId) => ({ clientId, userId: random.pick(USERS) }))
    return { document, updates: [random.bytes(3)], claims }
  })
  const isForeign = entries.some(({ document, claims }) =>
    claims.some(({ clientId, userId }) => (model.get(document)?.claims.get(clientId) ?? userId) !== userId),
  )
  if (isForeign) {
    await assert.rejects(appendUpdates(storage, entries))
    return
  }
  await appendUpdates(storage, entries)
  for (const { document, updates, claims } of entries) {
    const known = model.get(document) as ModelDocument
    known.tail.push(updates.map(hex))
    for (const { clientId, userId } of claims) known.claims.set(clientId, userId)
  }
}

const compare = async (storage: Storage, model: Model): Promise<void> => {
  for (const [name, document] of model) {
    const found = await loadDocument(storage, name)
    assert.deepEqual(
      {
        snapshot: found.snapshot && hex(found.snapshot),
        upTo: found.upTo,
        updates: found.updates.map(hex),
        head: found.head,
        entries: found.tailEntries,
      },
      {
        snapshot: document.snapshot,
        upTo: document.upTo,
        updates: document.tail.flat(),
        head: document.upTo + document.tail.length,
        entries: document.tail.length,
      },
    )
    assert.deepEqual(new Map(await loadClaims(storage, name)), document.claims)
  }
}

const playHistory = async (database: FreshDatabase, random: Random) => {
  const model = createModel()
  const done = { appends: 0, snapshots: 0, claims: 0, reopened: 0 }
  let storage = await database.open()
  try {
    for (let step = 0; step < STEPS; step++) {
      const dice = random.int(1, 100)
      if (dice <= 55) {
        await appendStep(storage, model, random)
        done.appends++
      } else if (dice <= 80) done.snapshots += Number(await snapshotStep(storage, model, random))
      else if (dice <= 95) {
        await claimStep(storage, model, random)
        done.claims++
      } else {
        await storage[Symbol.asyncDispose]()
        storage = await database.open()
        done.reopened++
      }
      await compare(storage, model)
    }
  } finally {
    await storage[Symbol.asyncDispose]()
  }
  return done
}

export const modelTests = (name: string, create: CreateDatabase): void => {
  test('[US13] random histories of appends, snapshots, claims and restarts equal a model after every step', async () => {
    const seed = chooseSeed()
    process.stdout.write(`[US13] ${name}: SEED=${seed}\n`)
    const random = createRandom(seed)
    const total = { appends: 0, snapshots: 0, claims: 0, reopened: 0 }
    for (let history = 0; history < HISTORIES; history++) {
      await using database = await create()
      const done = await playHistory(database, random.fork())
      for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += done[key]
    }
    assert.ok(
      total.appends > 50 && total.snapshots > 10 && total.claims > 5 && total.reopened > 0,
      JSON.stringify(total),
    )
  }, 300_000)
}
