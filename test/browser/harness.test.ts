// The browser of the tests does what tests in it rely on.
import assert from 'node:assert/strict'
import { test, vi } from 'vitest'
import { startServerProcess } from '../compat/servers.ts'
import { eventually } from '../helpers/eventually.ts'
import type { HarnessPage } from './harness-page.ts'
import { startHarness } from './harness.ts'

const ENTRY = 'harness-page.ts'
// Browsers start here several times, while other suites run beside.
vi.setConfig({ testTimeout: 120_000 })

const API_PATH = '/health'

test('[LS25] pages share storage, channels and locks, and a kill of the browser frees the locks and keeps the storage', async () => {
  await using harness = await startHarness()
  const [one, two] = [await harness.openPage<HarnessPage>(ENTRY), await harness.openPage<HarnessPage>(ENTRY)]
  await one.call('say', 'hello')
  await eventually(
    () => two.call('heard'),
    (heard) => heard.includes('hello'),
  )
  assert.deepEqual([await one.call('takeLock'), await two.call('takeLock')], [true, false])
  await one.page.close()
  await eventually(() => two.call('takeLock'), Boolean)
  await two.call('remember', 'kept')
  assert.equal(await two.call('remembered'), 'kept')
  await harness.kill()
  await harness.restart()
  const again = await harness.openPage<HarnessPage>(ENTRY)
  assert.equal(await again.call('takeLock'), true)
})

test('[LS25] offline, pages still load, and nothing reaches the server; online again, it does', async () => {
  await using server = await startServerProcess()
  await using harness = await startHarness({ server: server.url, expected: [/WebSocket connection/] })
  const page = await harness.openPage<HarnessPage>(ENTRY)
  assert.equal(await page.call('status', API_PATH), 200)
  await page.call('openSocket')
  await eventually(
    () => page.call('socketState'),
    (state) => state === 'open',
  )
  assert.equal(await page.call('isOnline'), true)

  await harness.setOffline(true)
  await eventually(
    () => page.call('socketState'),
    (state) => state === 'closed',
  )
  await harness.kill()
  await harness.restart()
  const cold = await harness.openPage<HarnessPage>(ENTRY)
  assert.deepEqual([await cold.call('isOnline'), await cold.call('status', API_PATH)], [false, 'unreachable'])
  await cold.call('openSocket')
  await eventually(
    () => cold.call('socketState'),
    (state) => state === 'closed',
  )

  await harness.setOffline(false)
  await eventually(() => cold.call('isOnline'), Boolean)
  assert.equal(await cold.call('status', API_PATH), 200)
  await cold.call('openSocket')
  await eventually(
    () => cold.call('socketState'),
    (state) => state === 'open',
  )
})

test('[LS25] what a page throws or logs as an error fails its test', async () => {
  const harness = await startHarness()
  const page = await harness.openPage<HarnessPage>(ENTRY)
  await page.call('fail')
  await eventually(
    () => harness.complaints.length,
    (complaints) => complaints === 1,
  )
  await assert.rejects(async () => harness[Symbol.asyncDispose](), /a mistake of the page/)
})
