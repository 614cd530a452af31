// Five tabs of one person: one socket, and all the same at every step, also while there is no network for an hour.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { startOwnServer } from '../compat/servers.ts'
import { PASSWORD } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import type { ClientPage } from './client-page.ts'
import { startHarness, type TestPage } from './harness.ts'

const TABS = 5
const STEPS = 60
const MINUTE_MS = 60_000
/** Until there are so many, tasks are only added. */
const TASKS_MIN = 6

test(
  '[SY8] five tabs keep one socket, and are equal after every edit of an hour offline; the server has it all afterwards',
  { timeout: 300_000 },
  async () => {
    const seed = chooseSeed()
    const random = createRandom(seed)
    await using server = await startOwnServer()
    await using harness = await startHarness({ server: server.url })
    const tabs: TestPage<ClientPage>[] = []
    for (let count = 0; count < TABS; count++) tabs.push(await harness.openPage<ClientPage>('client-page.ts'))
    const [first] = tabs as [(typeof tabs)[number]]
    for (const tab of tabs) await tab.call('open')
    await first.call('register', 'five_tabs', PASSWORD)
    for (const tab of tabs) {
      await eventually(
        () => tab.call('user'),
        ({ username }) => username === 'five_tabs',
        { what: 'the same person in every tab' },
      )
    }
    const list = await first.call('makeList')
    for (const tab of tabs) await tab.call('tasks', list)
    /** A tab that the machine kept still was replaced: then it takes a moment until it closes its own. */
    const oneSocket = (): Promise<number> =>
      eventually(
        async () => (await Promise.all(tabs.map((tab) => tab.call('sockets')))).reduce((sum, count) => sum + count, 0),
        (sockets) => sockets === 1,
        { what: 'one socket' },
      )
    await eventually(
      () => Promise.all(tabs.map((tab) => tab.call('status'))),
      (all) => all.every((status) => status === 'live'),
      { what: 'all tabs live' },
    )
    await oneSocket()

    await harness.setOffline(true)
    const allEqual = async (what: string): Promise<void> => {
      await eventually(
        async () =>
          (await Promise.all(tabs.map((tab) => tab.call('tasks', list)))).map((tasks) => JSON.stringify(tasks)),
        (shown) => new Set(shown).size === 1,
        { what: `${what}, SEED=${seed}` },
      )
    }
    for (let step = 1; step <= STEPS; step++) {
      for (const tab of tabs) await tab.call('pass', MINUTE_MS)
      const tab = random.pick(tabs)
      const tasks = await tab.call('tasks', list)
      const task = tasks.length > TASKS_MIN && random.chance(0.5) ? random.pick(tasks) : null
      if (!task) await tab.call('add', list, `step ${step}`)
      else if (random.chance(0.4)) await tab.call('complete', list, task.id, !task.done)
      else if (random.chance(0.7)) await tab.call('move', list, task.id, null)
      else await tab.call('remove', list, task.id)
      await allEqual(`the same in all tabs after step ${step}`)
    }
    const shown = await first.call('tasks', list)
    assert.ok(shown.length >= TASKS_MIN, 'vacuous')

    await harness.setOffline(false)
    for (const tab of tabs) await tab.call('goOnline')
    await Promise.all(tabs.map((tab) => tab.call('stored', list)))
    await allEqual('the same in all tabs online')
    await oneSocket()
    const stored = await server.sync.withDocument(`tasks/${list}`, (doc) => doc.getMap('tasks').size)
    assert.ok(stored >= shown.length)
    process.stdout.write(
      `five tabs, ${STEPS} steps of a minute, SEED=${seed}: ${shown.length} tasks left, one socket\n`,
    )
  },
)
