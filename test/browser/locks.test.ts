// Locks between tabs in Chromium, Web Locks and leases by the same contract; and the SDK in pages that came over plain http,
// which have no Web Locks: one socket, and live edits between tabs without a network.
import assert from 'node:assert/strict'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { startOwnServer } from '../compat/servers.ts'
import { LOCKS_CASES } from '../contract/locks.ts'
import { PASSWORD } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import type { ClientPage } from './client-page.ts'
import { type Harness, startHarness, type TestPage } from './harness.ts'
import type { LocksPage } from './locks-page.ts'

const ENTRY = 'locks-page.ts'
const HOST = 'app.test'
const TABS = 3
const MS_MAX = 300_000

type Tab = TestPage<ClientPage>

const socketsOf = async (tabs: readonly Tab[]): Promise<number> =>
  (await Promise.all(tabs.map((tab) => tab.call('sockets')))).reduce((sum, count) => sum + count, 0)

/** A tab that the machine kept still was replaced: then it takes a moment until it closes its own. */
const oneSocket = (tabs: readonly Tab[]): Promise<number> =>
  eventually(
    () => socketsOf(tabs),
    (sockets) => sockets === 1,
    { what: 'one socket' },
  )

const allShow = async (tabs: readonly Tab[], list: string, titles: readonly string[]): Promise<void> => {
  await eventually(
    () => Promise.all(tabs.map(async (tab) => (await tab.call('tasks', list)).map(({ title }) => title).toSorted())),
    (shown) => shown.every((one) => one.join() === titles.toSorted().join()),
    { what: `${titles.join()} in all tabs` },
  )
}

for (const [kind, host] of [
  ['Web Locks', undefined],
  ['leases', undefined],
  ['leases', HOST],
] as const)
  describe(`the contract on ${kind}${host ? ' over plain http' : ''}`, () => {
    let harness: Harness
    let page: TestPage<LocksPage>

    beforeAll(async () => {
      harness = await startHarness(host === undefined ? {} : { host })
      page = await harness.openPage<LocksPage>(ENTRY)
    })
    afterAll(() => harness[Symbol.asyncDispose]())

    for (const [index, { title }] of LOCKS_CASES.entries()) test(title, () => page.call('runCase', index, kind), MS_MAX)

    test('[TB13] a page has Web Locks just where it is secure', async () => {
      assert.deepEqual(
        [await page.call('isSecure'), await page.call('hasWebLocks')],
        [host === undefined, host === undefined],
      )
    })
  })

test(
  '[TB13] over plain http tabs keep one socket, hear each other without a network, and go on when the leader is gone',
  async () => {
    await using server = await startOwnServer()
    await using harness = await startHarness({ server: server.url, host: HOST })
    let tabs: Tab[] = []
    for (let count = 0; count < TABS; count++) tabs.push(await harness.openPage<ClientPage>('client-page.ts'))
    const [first] = tabs as [Tab]
    assert.equal(await first.page.evaluate(() => isSecureContext || 'locks' in navigator), false)
    for (const tab of tabs) await tab.call('open')
    await first.call('register', 'plain_http', PASSWORD)
    for (const tab of tabs)
      await eventually(
        () => tab.call('user'),
        ({ username }) => username === 'plain_http',
        { what: 'the same person in every tab' },
      )
    const list = await first.call('makeList')
    for (const tab of tabs) await tab.call('tasks', list)
    await eventually(
      () => Promise.all(tabs.map((tab) => tab.call('status'))),
      (all) => all.every((status) => status === 'live'),
      { what: 'all tabs live' },
    )
    await oneSocket(tabs)
    await first.call('add', list, 'online')
    await allShow(tabs, list, ['online'])

    await harness.setOffline(true)
    const titles = ['online']
    for (const [index, tab] of tabs.entries()) {
      titles.push(`offline ${index}`)
      await tab.call('add', list, `offline ${index}`)
      await allShow(tabs, list, titles)
    }
    await harness.setOffline(false)
    for (const tab of tabs) await tab.call('goOnline')
    await Promise.all(tabs.map((tab) => tab.call('stored', list)))
    await oneSocket(tabs)

    for (const death of ['close', 'crash']) {
      const sockets = await Promise.all(tabs.map((tab) => tab.call('sockets')))
      const leader = tabs[Math.max(0, sockets.indexOf(1))] as Tab
      tabs = tabs.filter((tab) => tab !== leader)
      if (death === 'close') await leader.page.close()
      else {
        const session = await harness.context().newCDPSession(leader.page)
        session.send('Page.crash').catch(() => {})
      }
      const [left] = tabs as [Tab]
      titles.push(`after a ${death}`)
      await left.call('add', list, `after a ${death}`)
      await left.call('stored', list)
      await allShow(tabs, list, titles)
      await oneSocket(tabs)
    }
    const stored = await server.sync.withDocument(`tasks/${list}`, (doc) => doc.getMap('tasks').size)
    assert.equal(stored, titles.length)
    // All the same person, logged in anew: what changes the login takes locks too.
    const [last] = tabs as [Tab]
    await last.call('close')
  },
  MS_MAX,
)
