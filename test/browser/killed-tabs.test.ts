// Tabs that die at any moment of an offline session, by themselves or with the whole browser: what was said to be on the
// device is there afterwards, once. SEED repeats the choices, KILLED_SESSIONS lengthens it.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { startOwnServer } from '../compat/servers.ts'
import { PASSWORD } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { chooseSeed, createRandom, type Random } from '../helpers/random.ts'
import type { ClientPage } from './client-page.ts'
import { type Harness, startHarness } from './harness.ts'

/** `npm run test:tabs` runs 200. */
const SESSIONS = Number(process.env['KILLED_SESSIONS'] ?? 32)
const TABS_AT_ONCE = 4
const LIFE_MS_MAX = 300
const BROWSER_KILLS = 0.1
const TEST_MS_MAX = 120_000 + SESSIONS * 6_000
/** Every second session lives on until so many edits are said to be on the device, however slow the machine is. */
const SAID_MIN = 3

interface Seen {
  readonly saved: Set<string>
  silent: number
}

/** Lives for a while, and is gone without a goodbye. */
const session = async (
  harness: Harness,
  list: string,
  number: number,
  random: Random,
  seen: Seen,
): Promise<() => Promise<void>> => {
  const { page, call } = await harness.openPage<ClientPage>('client-page.ts')
  let said = 0
  page.on('console', (message) => {
    const title = /^saved (.+)$/.exec(message.text())?.[1]
    if (title === undefined) return
    seen.saved.add(title)
    said++
  })
  await call('open')
  const pausesMs = Array.from({ length: 5 }, () => random.pick([0, 0, 1, 3, 10]))
  // It never ends by itself.
  call('scribble', list, `${number}`, pausesMs).catch(() => {})
  if (number % 2 === 1)
    await eventually(
      () => said,
      (count) => count >= SAID_MIN,
      { what: `${SAID_MIN} edits of session ${number}` },
    )
  await new Promise((resolve) => setTimeout(resolve, random.int(0, LIFE_MS_MAX)))
  return async () => {
    await page.close({ runBeforeUnload: false })
    if (said === 0) seen.silent++
  }
}

test(
  `[SY9] no edit whose *local* had resolved is lost or doubled, whenever its tab dies`,
  { timeout: TEST_MS_MAX },
  async () => {
    const seed = chooseSeed()
    const random = createRandom(seed)
    await using server = await startOwnServer()
    // A dying page may lose what it was doing with its disk.
    await using harness = await startHarness({ server: server.url, expected: [/client/] })
    await using first = await harness.openPage<ClientPage>('client-page.ts')
    await first.call('open')
    await first.call('register', 'killed_tabs', PASSWORD)
    const list = await first.call('makeList')
    await first.call('addSaved', list, 'the first')
    await first.call('stored', list)
    await first.page.close()
    await harness.setOffline(true)

    const seen: Seen = { saved: new Set(['the first']), silent: 0 }
    let kills = 0
    for (let done = 0; done < SESSIONS; done += TABS_AT_ONCE) {
      const forks = Array.from({ length: Math.min(TABS_AT_ONCE, SESSIONS - done) }, () => random.fork())
      const ends = await Promise.all(forks.map((own, index) => session(harness, list, done + index, own, seen)))
      if (random.chance(BROWSER_KILLS)) {
        kills++
        await harness.kill()
        await harness.restart()
      } else await Promise.all(ends.map((end) => end()))
    }

    await harness.setOffline(false)
    await using last = await harness.openPage<ClientPage>('client-page.ts')
    await last.call('open')
    await last.call('stored', list)
    const titles = await server.sync.withDocument(`tasks/${list}`, (doc) =>
      [...doc.getMap<{ readonly title: string }>('tasks').values()].map(({ title }) => title),
    )
    const shown = (await last.call('tasks', list)).map(({ title }) => title)
    const lost = [...seen.saved].filter((title) => !titles.includes(title))
    const doubled = titles.filter((title, index) => titles.indexOf(title) !== index)
    process.stdout.write(
      `killed tabs SEED=${seed}: ${SESSIONS} sessions, ${kills} kills of the browser, ${seen.saved.size} edits said to be ` +
        `on the device, ${titles.length} at the server, ${lost.length} lost, ${doubled.length} doubled, ` +
        `${seen.silent} sessions died before their first\n`,
    )
    assert.deepEqual(lost, [], `SEED=${seed}`)
    assert.deepEqual(doubled, [], `SEED=${seed}`)
    assert.deepEqual(shown.toSorted(), titles.toSorted(), `SEED=${seed}`)
    assert.ok(seen.saved.size > SESSIONS, 'vacuous')
  },
)
