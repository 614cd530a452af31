// Refreshing over a network that loses requests and answers, from several tabs at once, for weeks; and what is left of a
// login whose token was stolen.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { chooseSeed, createRandom, type Random } from '../helpers/random.ts'
import { type LoggedIn, openTestApp, PASSWORD, type TestApp } from '../http/test-app.ts'

const REFRESHES = 500
const THEFTS = 50
const TABS_MAX = 4
const GRACE_MS = 10_000
const LOST = 0.4
const seed = chooseSeed()

/** One browser: its tabs share what they were last given. */
interface Device {
  pair: Pick<LoggedIn, 'accessToken' | 'refreshToken'>
  readonly deviceId: string
  readonly userAgent: string
}

const send = (app: TestApp, refreshToken: string, { deviceId, userAgent }: Omit<Device, 'pair'>) =>
  app.ask('POST', '/auth/refresh', { body: { refreshToken, deviceId }, headers: { 'user-agent': userAgent } })

const logIn = ({ must }: TestApp, { deviceId, userAgent }: Omit<Device, 'pair'>): Promise<LoggedIn> =>
  must(200, 'POST', '/auth/login', {
    body: { identifier: 'alice', password: PASSWORD, deviceId },
    headers: { 'user-agent': userAgent },
  })

interface Tally {
  requests: number
  lostRequests: number
  lostAnswers: number
  parallel: number
  falseLogouts: number
}

/** Every tab asks until it hears an answer; all of that within the grace. Each keeps what it heard, the last one stays. */
const refreshFromTabs = async (app: TestApp, device: Device, random: Random, tally: Tally): Promise<void> => {
  const { refreshToken } = device.pair
  const tabs = random.int(1, TABS_MAX)
  if (tabs > 1) tally.parallel++
  const deadline = app.clock.time + GRACE_MS
  let waiting = tabs
  while (waiting > 0) {
    const asking = Array.from({ length: waiting }, async () => {
      if (random.chance(LOST)) {
        tally.lostRequests++
        return false
      }
      tally.requests++
      const { status, body } = await send(app, refreshToken, device)
      if (status !== 200) tally.falseLogouts++
      else if (random.chance(LOST) && app.clock.time < deadline) {
        tally.lostAnswers++
        return false
      } else device.pair = body.data
      return true
    })
    waiting -= (await Promise.all(asking)).filter(Boolean).length
    app.clock.time = Math.min(deadline, app.clock.time + random.int(0, 2_000))
  }
}

describe(`refreshing (seed ${seed})`, () => {
  test(`[SE17] ${REFRESHES} refreshes that lose answers, from parallel tabs, log nobody out`, async () => {
    await using app = await openTestApp()
    const random = createRandom(seed)
    const devices: Device[] = []
    await app.register('alice')
    for (let index = 0; index < 5; index++) {
      const device = { deviceId: `device-00000${index}`, userAgent: `browser ${index}` }
      devices.push({ ...device, pair: await logIn(app, device) })
    }
    const tally: Tally = { requests: 0, lostRequests: 0, lostAnswers: 0, parallel: 0, falseLogouts: 0 }
    for (let count = 0; count < REFRESHES; count++) {
      app.clock.time += random.int(GRACE_MS + 1, 30 * 60_000)
      const device = random.pick(devices)
      await refreshFromTabs(app, device, random, tally)
      const { status } = await app.ask('GET', '/auth/me', { token: device.pair.accessToken })
      if (status !== 200) tally.falseLogouts++
    }
    process.stdout.write(`${REFRESHES} lossy refreshes, seed ${seed}: ${JSON.stringify(tally)}\n`)
    assert.equal(tally.falseLogouts, 0)
    // Not for want of trying.
    assert.ok(tally.lostAnswers > REFRESHES / 4 && tally.parallel > REFRESHES / 4)
  })

  test(`[SE17] of ${THEFTS} logins whose token was stolen none lives on, and every other login does`, async () => {
    await using app = await openTestApp()
    const random = createRandom(seed)
    await app.register('alice')
    const bystander = await app.login('alice')
    const thief = { deviceId: 'device-thief', userAgent: 'thief' }
    for (let count = 0; count < THEFTS; count++) {
      const victim = { deviceId: `device-v${count + 1_000}`, userAgent: 'victim' }
      const { accessToken, refreshToken } = await logIn(app, victim)
      const stolen: string[] = [refreshToken]
      const isFirst = random.chance(0.5)
      const [first, second] = isFirst ? [thief, victim] : [victim, thief]
      const answer = await send(app, refreshToken, first)
      assert.equal(answer.status, 200)
      const tokens = [accessToken, answer.body.data.accessToken as string]
      stolen.push(answer.body.data.refreshToken as string)
      // The other one comes at any time, also within the grace.
      app.clock.time += random.int(0, 3 * GRACE_MS)
      assert.equal((await send(app, refreshToken, second)).body.error.code, 'auth/token-reused')
      for (const token of tokens) assert.equal((await app.ask('GET', '/auth/me', { token })).status, 401)
      for (const token of stolen) {
        for (const device of [thief, victim]) assert.equal((await send(app, token, device)).status, 401)
      }
    }
    assert.equal((await app.ask('GET', '/auth/sessions', { token: bystander.accessToken })).status, 200)
    process.stdout.write(`${THEFTS} thefts, seed ${seed}: ${THEFTS} logins ended, 0 others\n`)
  })
})
