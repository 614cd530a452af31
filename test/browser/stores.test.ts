// What a browser keeps: the store's contract inside Chromium, full and lost storage, and the kill -9 of the browser.
import assert from 'node:assert/strict'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { STORE_CASES } from '../contract/client-store.ts'
import { eventually } from '../helpers/eventually.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { type Harness, startHarness, type TestPage } from './harness.ts'
import type { StoresPage } from './stores-page.ts'

const ENTRY = 'stores-page.ts'
const KILL_ROUNDS = 10
/** The whole suite runs beside it. */
const CASE_MS_MAX = 120_000
const KILL_MS_MAX = 600_000
const QUOTA_BYTES = 2_000_000
const MEASURED_WRITES = 200
const MEASURED_BYTES = 200

const seed = chooseSeed()
process.stdout.write(`stores in Chromium: SEED=${seed}\n`)

const percentile = (sorted: readonly number[], share: number): string =>
  (sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN).toFixed(1)

describe('a disk in IndexedDB', () => {
  let harness: Harness
  let page: TestPage<StoresPage>

  beforeAll(async () => {
    harness = await startHarness()
    page = await harness.openPage<StoresPage>(ENTRY)
  })
  afterAll(() => harness[Symbol.asyncDispose]())

  for (const [index, { title }] of STORE_CASES.entries()) {
    test(title, () => page.call('runCase', index, seed), CASE_MS_MAX)
  }

  test('[LS18] when one tab wipes an area, stores of other tabs close by themselves and the database is gone', async () => {
    await using other = await harness.openPage<StoresPage>(ENTRY)
    await page.call('openArea', 'shared')
    await other.call('openArea', 'shared')
    assert.equal(await other.call('put', 'a', 10), 'kept')
    const last = page.call('putAll', [200, 200, 200])
    await other.call('wipe', 'shared')
    // What had begun may have been kept before the wipe; nothing hangs and nothing comes after it.
    for (const outcome of await last) assert.ok(['kept', 'store/closed'].includes(outcome), outcome)
    assert.deepEqual([await page.call('put', 'b', 10), await page.call('read')], ['store/closed', 'store/closed'])
    const names = await page.call('databases')
    assert.deepEqual(
      names.filter((name) => name.endsWith('/shared')),
      [],
    )
    await page.call('openArea', 'shared')
    assert.deepEqual(await page.call('keys'), [])
  })

  test('[LS19] a store whose data the user clears is closed', async () => {
    await using other = await harness.openPage<StoresPage>(ENTRY)
    await other.call('openArea', 'cleared')
    const session = await harness.context().newCDPSession(other.page)
    await session.send('Storage.clearDataForOrigin', { origin: harness.url, storageTypes: 'indexeddb' })
    await eventually(
      () => other.call('put', 'a', 10),
      (outcome) => outcome === 'store/closed',
    )
    assert.equal(await other.call('read'), 'store/closed')
  })

  test('[LS20] the health of the storage says what it takes and whether the browser may clear it', async () => {
    await page.call('openArea', 'health')
    assert.equal(await page.call('put', 'a', 1_000_000), 'kept')
    const { persisted, usageBytes, quotaBytes } = await page.call('health')
    assert.equal(typeof persisted, 'boolean')
    assert.ok(usageBytes !== null && quotaBytes !== null && usageBytes > 1_000_000 && quotaBytes > usageBytes)
  })

  test('[LS21] a bundle for browsers holds what Node needs only as a part that is not loaded, and says so when it is', async () => {
    assert.equal(await page.call('openSqlite'), 'store/failed')
  })

  test('[LS22] a write is one transaction, strictly durable, and resolves when that is complete', async () => {
    await page.call('openArea', 'measured')
    assert.deepEqual(await page.call('transactionsOfWrite'), ['strict complete'])
    const taken = await page.call('measureWrites', MEASURED_WRITES, MEASURED_BYTES)
    const sorted = taken.toSorted((a, b) => a - b)
    process.stdout.write(
      `IndexedDB: ${MEASURED_WRITES} strict writes of ${MEASURED_BYTES} bytes, ` +
        `p50 ${percentile(sorted, 0.5)} ms, p95 ${percentile(sorted, 0.95)} ms\n`,
    )
  })
})

test('[LS16] a full disk rejects what does not fit, keeps the rest, and goes on', async () => {
  // A browser of its own: Chromium remembers for half a minute how much space there was.
  await using harness = await startHarness()
  await using page = await harness.openPage<StoresPage>(ENTRY)
  const session = await harness.context().newCDPSession(page.page)
  await session.send('Storage.overrideQuotaForOrigin', { origin: harness.url, quotaSize: QUOTA_BYTES })
  await page.call('openArea', 'full')
  assert.deepEqual(await page.call('putAll', [10, 2 * QUOTA_BYTES, 30, 40]), ['kept', 'store/full', 'kept', 'kept'])
  assert.deepEqual(await page.call('keys'), ['0', '2', '3'])
  assert.equal(await page.call('put', '4', 2 * QUOTA_BYTES), 'store/full')
  assert.equal(await page.call('put', '4', 100), 'kept')
  assert.deepEqual(await page.call('keys'), ['0', '2', '3', '4'])
})

test(
  '[LS17] no kill -9 of the browser loses a write that had resolved, or keeps one in part',
  async () => {
    const random = createRandom(seed)
    await using harness = await startHarness()
    let known = 0
    let unreported = 0
    for (let round = 0; round < KILL_ROUNDS; round++) {
      if (round > 0) await harness.restart()
      const page = await harness.openPage<StoresPage>(ENTRY)
      await page.call('openArea', 'killed')
      const found = await page.call('readNumbers')
      assert.ok(found >= known, `round ${round}: ${known} had resolved, ${found} are there (SEED=${seed})`)
      unreported += found - known
      known = found
      const strikeAt = found + random.int(1, 200)
      await new Promise<void>((resolve, reject) => {
        const report = (number: number): void => {
          known = Math.max(known, number)
          if (number >= strikeAt) resolve()
        }
        page.page
          .exposeFunction('report', report)
          .then(() => page.call('writeNumbers', found + 1))
          .catch(reject)
      })
      await harness.kill()
    }
    await harness.restart()
    const page = await harness.openPage<StoresPage>(ENTRY)
    await page.call('openArea', 'killed')
    const found = await page.call('readNumbers')
    assert.ok(found >= known, `in the end ${known} had resolved, ${found} are there (SEED=${seed})`)
    process.stdout.write(
      `kill -9 of Chromium: ${KILL_ROUNDS} rounds, ${known} resolved, 0 lost, ` +
        `${unreported + found - known} kept without an answer\n`,
    )
  },
  KILL_MS_MAX,
)
