// The tabs of one person in pages over plain http, which have leases for locks: pages that are closed, crash and stand still.
// It measures time, and so runs alone.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { type Harness, startHarness, type TestPage } from '../browser/harness.ts'
import type { LeadEvent, LocksPage } from '../browser/locks-page.ts'
import { assertOneLeader } from '../browser/tabs-log.ts'
import { eventually } from '../helpers/eventually.ts'
import { assertInTime } from './in-time.ts'

const HOST = 'app.test'
const TABS = 5
const HANDOVER_MS_MAX = 1_000
const LONG_MS = 180_000

type Tab = TestPage<LocksPage>

const openAll = async (harness: Harness, count: number): Promise<Tab[]> => {
  const tabs: Tab[] = []
  for (let index = 0; index < count; index++) {
    const tab = await harness.openPage<LocksPage>('locks-page.ts')
    await tab.call('open', 'shared', `page ${index}`)
    tabs.push(tab)
  }
  assert.equal(await tabs[0]?.call('hasWebLocks'), false)
  return tabs
}

const untilLed = (tabs: readonly Tab[]): Promise<Tab> =>
  eventually(
    async () => (await Promise.all(tabs.map(async (tab) => ((await tab.call('isLeader')) ? [tab] : [])))).flat(),
    (leaders) => leaders.length === 1,
    { what: 'one leader' },
  ).then(([leader]) => leader as Tab)

const logOf = async (tabs: readonly Tab[]): Promise<LeadEvent[]> =>
  (await Promise.all(tabs.map((tab) => tab.call('log')))).flat()

test(
  '[TB10] when the leading page is closed or crashes, another leads within a second, and never two do',
  async () => {
    await using harness = await startHarness({ host: HOST })
    let tabs = await openAll(harness, TABS)
    const taken: string[] = []
    const ended: LeadEvent[] = []
    for (const death of ['close', 'crash', 'crash', 'close']) {
      const leader = await untilLed(tabs)
      tabs = tabs.filter((tab) => tab !== leader)
      const session = await harness.context().newCDPSession(leader.page)
      ended.push(...(await leader.call('log')))
      const tab = ended.at(-1)?.tab as string
      const diedAt = Date.now()
      if (death === 'close') await leader.page.close()
      else session.send('Page.crash').catch(() => {})
      ended.push({ tab, at: diedAt, what: 'ceases' })
      const next = await untilLed(tabs)
      const begun = (await next.call('log')).findLast(({ what }) => what === 'leads')
      const ms = (begun?.at ?? Number.POSITIVE_INFINITY) - diedAt
      taken.push(`${death} ${ms.toFixed(0)} ms`)
      assertInTime(ms <= HANDOVER_MS_MAX, `${death}: ${ms} ms`)
    }
    assertOneLeader([...ended, ...(await logOf(tabs))], 'in pages over plain http')
    process.stdout.write(`handover between pages over plain http: ${taken.join(', ')}\n`)
  },
  LONG_MS,
)

test(
  '[TB11] a page that stands still is replaced, and ceases to lead when it goes on',
  async () => {
    await using harness = await startHarness({ host: HOST })
    const tabs = await openAll(harness, 3)
    const leader = await untilLed(tabs)
    const others = tabs.filter((tab) => tab !== leader)
    await leader.call('stop', 4_000)
    const next = await untilLed(others)
    await eventually(
      () => leader.call('isLeader'),
      (isLeader) => !isLeader,
    )
    await eventually(
      () => leader.call('log'),
      (log) => log.some(({ what }) => what === 'goes on'),
    )
    await next.call('post', 7)
    await eventually(
      () => leader.call('heard'),
      (heard) => heard.includes(7),
    )
    const overlap = assertOneLeader(await logOf(tabs), 'in three pages')
    process.stdout.write(`two pages led at once, one of them standing still: ${overlap.toFixed(0)} ms\n`)
  },
  LONG_MS,
)
