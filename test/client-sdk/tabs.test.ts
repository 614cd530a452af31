// The tabs of one person: by the rules, on this platform's own locks and channels, and in a world of virtual time over
// random histories. Chromium plays the same for real in test/browser.
import assert from 'node:assert/strict'
import { afterEach, describe, test, vi } from 'vitest'
import { soloTabs } from '../../client-sdk/solo-tabs.ts'
import { LEADING, openTabs, type TabChannel } from '../../client-sdk/tabs.ts'
import type { TabMessage, Tabs } from '../../client-sdk/tabs-types.ts'
import { eventually, nextTurn } from '../helpers/eventually.ts'
import { chooseSeed, createRandom, type Random } from '../helpers/random.ts'
import { createManualClock } from './connection-peer.ts'
import { createWorld, type World, type WorldTab } from './tabs-world.ts'

const HISTORIES = 100
const STEPS = 25
const HANDOVER_MS_MAX = 1_000
/** A beat, a second and a quarter without an answer, the grace, and messages on their way. */
const LEADERLESS_MS_MAX = 3_600

let names = 0
const newName = (): string => `tabs-test-${process.pid}-${names++}`

/** Its time stands still: no beat and no second without an answer comes in between, however slow the machine is. */
const open = (name: string, rest: Partial<Parameters<typeof openTabs>[0]> = {}): Promise<Tabs> =>
  openTabs({ name, clock: createManualClock(), random: () => 0, ...rest })

const heardBy = (tabs: Tabs): TabMessage[] => {
  const heard: TabMessage[] = []
  tabs.onMessage((message) => heard.push(message))
  return heard
}

/** Of a tab that hears nothing and says nothing while it is deaf. */
const deafChannel = () => {
  let isDeaf = false
  const createChannel = (called: string): TabChannel => {
    const real = new BroadcastChannel(called)
    return {
      set onmessage(hear: ((event: MessageEvent) => void) | null) {
        real.onmessage = (event) => void (isDeaf || hear?.(event))
      },
      postMessage: (message) => void (isDeaf || real.postMessage(message)),
      close: () => real.close(),
    }
  }
  return { createChannel, setDeaf: (deaf: boolean) => void (isDeaf = deaf) }
}

describe('on this platform', () => {
  afterEach(() => vi.unstubAllGlobals())

  test('[TB4] where there are no locks or no channels a tab leads alone, and so does a store that nobody shares', async () => {
    for (const missing of ['BroadcastChannel', 'navigator']) {
      vi.stubGlobal(missing, undefined)
      await using tabs = await open(newName())
      vi.unstubAllGlobals()
      assert.equal(tabs.isLeader, true, missing)
      tabs.post({ type: 'a' })
    }
    assert.equal(soloTabs().isLeader, true)
  })

  test('[TB5] the first tab leads; who gives it back is followed by the next, and the others hear of it', async () => {
    const name = newName()
    const first = await open(name)
    await using second = await open(name)
    await using third = await open(name)
    await using stranger = await open(`${name}-other`)
    assert.deepEqual(
      [first, second, third, stranger].map(({ isLeader }) => isLeader),
      [true, false, false, true],
    )
    const heard = heardBy(third)
    const told: boolean[] = []
    first.onLeadership((isLeader) => told.push(isLeader))
    second.onLeadership((isLeader) => {
      told.push(isLeader)
      assert.equal(second.isLeader, isLeader)
      if (isLeader) second.post({ type: 'first word' })
    })
    await first[Symbol.asyncDispose]()
    await first[Symbol.asyncDispose]()
    assert.equal(first.isLeader, false)
    await eventually(
      () => heard.map(({ type }) => type),
      (types) => types.length === 2,
    )
    assert.deepEqual(
      [told, heard.map(({ type }) => type)],
      [
        [false, true],
        [LEADING, 'first word'],
      ],
    )
  })

  test('[TB1] what a tab says reaches all others of its name in order, and not itself; a tab that is gone says nothing', async () => {
    const name = newName()
    const one = await open(name)
    await using other = await open(name)
    await using stranger = await open(`${name}-`)
    const [own, heard, foreign] = [heardBy(one), heardBy(other), heardBy(stranger)]
    for (let number = 0; number < 200; number++) one.post({ type: 'n', number, bytes: Uint8Array.of(number) })
    await eventually(
      () => heard.length,
      (length) => length === 200,
    )
    assert.deepEqual(
      heard.map(({ number, bytes }) => [number, (bytes as Uint8Array)[0]]),
      heard.map((_, index) => [index, index]),
    )
    await one[Symbol.asyncDispose]()
    one.post({ type: 'late' })
    await eventually(
      () => other.isLeader,
      (isLeader) => isLeader,
    )
    assert.deepEqual([own, foreign, heard.length], [[], [], 200])
  })

  test('[TB3] a leader that is heard no more is replaced a second after it was asked, not by a tab that stood still itself', async () => {
    const name = newName()
    const { createChannel, setDeaf } = deafChannel()
    const time = createManualClock()
    let jumpedMs = 0
    const clock = { now: () => time.now() + jumpedMs, after: time.after }
    await using leader = await open(name, { createChannel })
    await using follower = await open(name, { clock })
    const ceased: boolean[] = []
    leader.onLeadership((isLeader) => ceased.push(isLeader, leader.isLeader))
    setDeaf(true)
    follower.post({ type: 'is anybody there?' })
    // Its own clock jumps: the answer may be waiting.
    jumpedMs = 5_000
    time.advance(1_000)
    time.advance(900)
    await nextTurn()
    assert.equal(leader.isLeader, true)
    time.advance(101)
    await eventually(
      () => leader.isLeader,
      (isLeader) => !isLeader,
    )
    assert.equal(follower.isLeader, false, 'the old leader is given a moment to notice')
    await eventually(
      () => time.advance(10),
      () => follower.isLeader,
    )
    assert.deepEqual(ceased, [false, false])
    setDeaf(false)
    await follower[Symbol.asyncDispose]()
    await eventually(
      () => leader.isLeader,
      (isLeader) => isLeader,
    )
  })

  test('[TB3] nor does a tab answer for it that led before, and has not noticed yet that it does no more', async () => {
    const name = newName()
    const { createChannel, setDeaf } = deafChannel()
    const time = createManualClock()
    await using leader = await open(name, { createChannel })
    await using follower = await open(name, { clock: time })
    const heard = heardBy(follower)
    setDeaf(true)
    follower.post({ type: 'is anybody there?' })
    const old = new BroadcastChannel(`syncline/${name}`)
    old.postMessage({ kind: 'lead', term: 1 })
    old.postMessage({ kind: 'say', message: { type: 'behind it' } })
    await eventually(
      () => heard.length,
      (length) => length === 1,
    )
    time.advance(1_001)
    await eventually(
      () => leader.isLeader,
      (isLeader) => !isLeader,
    )
    old.close()
  })

  test('[TB7] a leader that hears of a later one ceases to lead, and tells an earlier one of itself', async () => {
    const name = newName()
    await using leader = await open(name)
    await using next = await open(name)
    const old = new BroadcastChannel(`syncline/${name}`)
    const told: unknown[] = []
    old.onmessage = (event: unknown) => told.push((event as MessageEvent).data)
    old.postMessage({ kind: 'lead', term: 1 })
    const [answer] = await eventually(
      () => told as { readonly kind: string; readonly term: number }[],
      (heard) => heard.length > 0,
    )
    assert.deepEqual([answer?.kind, leader.isLeader], ['lead', true])
    old.postMessage({ kind: 'lead', term: (answer?.term ?? 0) + 1 })
    await eventually(
      () => next.isLeader,
      (isLeader) => isLeader,
    )
    assert.equal(leader.isLeader, false)
    old.close()
  })
})

const leads = (tab: WorldTab): boolean => tab.isAlive && !tab.isFrozen && tab.tabs?.isLeader === true

/** Everybody heard everybody: each message once, in order, none left out since it joined. */
const assertHeard = (world: World, tab: WorldTab, at: string): number => {
  for (const from of world.tabs) {
    if (from === tab) continue
    const numbers = tab.heard.filter((one) => one.from === from.name).map(({ number }) => number)
    const pair = `${from.name} → ${tab.name} ${at}`
    const [last, due] = [from.postedAt.length - 1, from.postedAt.findIndex((postedAt) => postedAt > tab.openedAt)]
    const first = numbers[0] ?? last + 1
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => first + index),
      pair,
    )
    assert.ok(due < 0 || first <= due, `${pair} began late`)
    // What a tab said just before it died may be lost.
    if (from.isAlive && due >= 0) assert.equal(numbers.at(-1), last, pair)
  }
  return tab.heard.length
}

interface Figures {
  heard: number
  deaths: number
  stops: number
  slowestMs: number
  leaderlessMs: number
}

const playHistory = async (random: Random, at: string, figures: Figures): Promise<void> => {
  const world = createWorld(random.fork())
  let leaderlessSince: number | null = null
  /** When the leader died while nobody stood still; null when it was followed, or somebody stops. */
  let diedAt: number | null = null
  const check = (): void => {
    const leaders = world.tabs.filter(leads)
    assert.ok(leaders.length <= 1, `${leaders.map(({ name }) => name).join(' and ')} lead ${at}`)
    if (leaders.length === 1) {
      if (diedAt !== null) figures.slowestMs = Math.max(figures.slowestMs, world.now() - diedAt)
      leaderlessSince = diedAt = null
    } else leaderlessSince ??= world.now()
    if (leaderlessSince !== null) {
      figures.leaderlessMs = Math.max(figures.leaderlessMs, world.now() - leaderlessSince)
      assert.ok(world.now() - leaderlessSince <= LEADERLESS_MS_MAX, `nobody leads ${at}`)
    }
    if (diedAt !== null) assert.ok(world.now() - diedAt <= HANDOVER_MS_MAX, `nobody follows ${at}`)
  }
  for (let tab = 0; tab < 5; tab++) world.join()
  await world.advance(random.int(0, 500), check)
  for (let step = 0; step < STEPS; step++) {
    const going = world.tabs.filter(({ isAlive, isFrozen, tabs }) => isAlive && !isFrozen && tabs !== null)
    for (const tab of going) {
      if (random.chance(0.7)) continue
      tab.tabs?.post({ type: 'test', from: tab.name, number: tab.postedAt.length })
      tab.postedAt.push(world.now())
    }
    const leader = going.find(leads)
    const choice = random.int(1, 10)
    if (choice <= 3 && going.length < 8) world.join()
    // Somebody must be left to lead, and to take the lead undisturbed.
    else if (leader && going.length > 2) {
      const victim = random.chance(0.7) ? leader : random.pick(going)
      const isClear = world.tabs.every(({ isFrozen, isAlive }) => !isFrozen || !isAlive)
      if (choice <= 6) {
        if (victim === leader && isClear) diedAt = world.now()
        figures.deaths++
        if (random.chance(0.7)) world.kill(victim)
        else world.leave(victim)
      } else {
        diedAt = null
        figures.stops++
        world.freeze(victim, random.int(1, 5_000))
      }
    }
    await world.advance(random.chance(0.5) ? random.int(0, 100) : random.int(0, 4_000), check)
  }
  await world.advance(20_000, check)
  for (const tab of world.tabs) if (tab.isAlive) figures.heard += assertHeard(world, tab, at)
}

test('[TB1] in virtual time, over random deaths, joins and stops, at most one that goes on leads, and soon one does', async () => {
  const seed = chooseSeed()
  const random = createRandom(seed)
  const figures: Figures = { heard: 0, deaths: 0, stops: 0, slowestMs: 0, leaderlessMs: 0 }
  for (let run = 0; run < HISTORIES; run++) await playHistory(random.fork(), `(SEED=${seed} run ${run})`, figures)
  process.stdout.write(`tabs in virtual time: ${HISTORIES} histories, SEED=${seed}, ${JSON.stringify(figures)}\n`)
  assert.ok(figures.heard > HISTORIES * 10 && figures.deaths > HISTORIES && figures.stops > HISTORIES, 'vacuous')
}, 120_000)
