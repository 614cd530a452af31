// Locks of tabs that have no Web Locks: the contract, on Node's own locks too, and in a world of virtual time what leases
// promise when tabs die, stand still, or lose their database. Chromium plays the same for real in test/browser.
import assert from 'node:assert/strict'
import { afterEach, describe, test, vi } from 'vitest'
import { type Locks, platformLocks } from '../../client-sdk/exclusive.ts'
import { createLeaseLocks } from '../../client-sdk/lease-locks.ts'
import { type LeaseRecord, type LeaseStore, newLease } from '../../client-sdk/lease-store.ts'
import { systemClock } from '../../client-sdk/system-clock.ts'
import { openTabs } from '../../client-sdk/tabs.ts'
import { LOCKS_CASES } from '../contract/locks.ts'
import { nextTurn } from '../helpers/eventually.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { createLeaseWorld, holds, type LeaseWorld, NAME, nameOf, type Wish, wishFor } from './lease-world.ts'

const WORLDS = 40
const HANDOVER_MS_MAX = 1_000

/** As in a browser, a little later and one after the other. */
const createMemoryStore = (): LeaseStore => {
  const records = new Map<string, LeaseRecord>()
  return {
    update: async (name, change) => {
      await nextTurn()
      const next = change(records.get(name) ?? newLease())
      if (next) records.set(name, next)
      await nextTurn()
    },
  }
}

/** A tab whose locks are leases, on real time and real channels. */
const leases = (): (() => Promise<Locks>) => {
  const store = createMemoryStore()
  return async () =>
    createLeaseLocks({ store, createChannel: (called) => new BroadcastChannel(called), clock: systemClock })
}

describe.each([
  ['Web Locks', () => async () => navigator.locks],
  ['leases', leases],
] satisfies [string, () => () => Promise<Locks>][])('the contract on %s', (kind, start) => {
  for (const [index, { title, run }] of LOCKS_CASES.entries())
    test(title, () => run(start(), `contract-${process.pid}-${kind}-${index}`))
})

describe('the locks of this platform', () => {
  afterEach(() => vi.unstubAllGlobals())

  test('[TB8] Web Locks where there are some; none where leases have no database, and then a tab leads alone', async () => {
    assert.equal(await platformLocks(), navigator.locks)
    vi.stubGlobal('navigator', undefined)
    assert.equal(await platformLocks(), undefined)
    let asked = 0
    const open = (): never => {
      asked++
      throw new DOMException('not in this window', 'SecurityError')
    }
    vi.stubGlobal('indexedDB', { open })
    const name = `no-leases-${process.pid}`
    await using one = await openTabs({ name, clock: systemClock, random: Math.random })
    await using other = await openTabs({ name, clock: systemClock, random: Math.random })
    assert.deepEqual([one.isLeader, other.isLeader, asked], [true, true, 1])
  })
})

const seed = chooseSeed()

/** A world with this many tabs that all want the lock; the first holds it. */
const startWith = async (count: number, run = 0): Promise<{ world: LeaseWorld; wishes: [Wish, Wish, ...Wish[]] }> => {
  const world = createLeaseWorld(createRandom(seed + run))
  const wishes: Wish[] = []
  for (let index = 0; index < count; index++) {
    wishes.push(wishFor(world.open()))
    await world.advance(100)
  }
  assert.deepEqual(
    wishes.map(({ state }) => state),
    wishes.map((_, index) => (index === 0 ? 'holds' : 'waits')),
  )
  return { world, wishes: wishes as [Wish, Wish, ...Wish[]] }
}

describe('in virtual time', () => {
  test('[TB10] the lease of a tab that died without a word has another holder within a second, with a higher number', async () => {
    const { world, wishes } = await startWith(5)
    const [first, ...others] = wishes
    await world.advance(60_000)
    assert.equal(first.state, 'holds')
    assert.equal(others.filter(holds).length, 0, 'who answers keeps it')
    world.kill(first.tab)
    await world.advance(HANDOVER_MS_MAX)
    const [next, ...more] = others.filter(holds)
    assert.ok(next && more.length === 0)
    assert.ok(next.fence > first.fence)
  })

  test('[TB10] one that is given back, or of which the page said that it goes, has another at once', async () => {
    const { world, wishes } = await startWith(2)
    const [first, second] = wishes
    first.letGo()
    await world.advance(60)
    assert.deepEqual([first.state, second.state], ['over', 'holds'])
    const third = wishFor(world.open())
    await world.advance(100)
    second.letGo()
    await nextTurn()
    // What it wrote is lost with it; what it said is not.
    world.kill(second.tab)
    await world.advance(60)
    assert.equal(third.state, 'holds')
  })

  test('[TB11] a holder that stood still too long has lost it, and knows before it answers anybody', async () => {
    const { world, wishes } = await startWith(2)
    const [first, second] = wishes
    world.freeze(first.tab, 5_000)
    await world.advance(4_999)
    assert.equal(second.state, 'holds')
    await world.advance(30)
    assert.deepEqual([first.state, nameOf(first.error), second.state], ['over', 'AbortError', 'holds'])
  })

  test('[TB11] so has one whose robber is dead by the time it goes on; whoever asks it first is told nothing', async () => {
    const { world, wishes } = await startWith(2)
    const [first, second] = wishes
    world.freeze(first.tab, 5_000)
    await world.advance(2_000)
    assert.equal(second.state, 'holds')
    world.kill(second.tab)
    await world.advance(4_000)
    const third = wishFor(world.open())
    await world.advance(HANDOVER_MS_MAX)
    assert.deepEqual([first.state, third.state], ['over', 'holds'])
    assert.ok(third.fence > second.fence)
  })

  test('[TB11] one that stood still, and was asked by nobody, still has it', async () => {
    const world = createLeaseWorld(createRandom(seed))
    const first = wishFor(world.open())
    await world.advance(100)
    world.freeze(first.tab, 60_000)
    await world.advance(60_100)
    const second = wishFor(world.open())
    await world.advance(10_000)
    assert.deepEqual([first.state, second.state], ['holds', 'waits'])
  })

  test('[TB11] a tab that stood still itself takes nothing from one that answers', async () => {
    const { world, wishes } = await startWith(2)
    const [first, second] = wishes
    for (const ms of [100, 450, 1_000, 5_000]) {
      world.freeze(second.tab, ms)
      await world.advance(ms + 333)
    }
    assert.deepEqual([first.state, second.state], ['holds', 'waits'])
  })

  test('[TB12] clocks that jump change nothing', async () => {
    const { world, wishes } = await startWith(3)
    for (const ms of [3_600_000, -7_200_000, 3_600_000]) {
      world.jump(ms)
      await world.advance(5_000)
      assert.deepEqual(
        wishes.map(({ state }) => state),
        ['holds', 'waits', 'waits'],
      )
    }
    world.jump(-3_600_000)
    world.kill(wishes[0].tab)
    await world.advance(HANDOVER_MS_MAX)
    assert.equal(wishes.filter(holds).length, 1)
  })

  test('[TB12] where the database fails tabs go on, and where it is cleared one still holds it in the end', async () => {
    const { world, wishes } = await startWith(2)
    const [first, second] = wishes
    world.setFailing(true)
    const third = wishFor(world.open())
    await world.advance(10_000)
    assert.deepEqual([first.state, second.state, third.state], ['holds', 'waits', 'waits'], 'who answers keeps it')
    first.letGo()
    await world.advance(HANDOVER_MS_MAX)
    assert.equal([second, third].filter(holds).length, 1)
    const thief = wishFor([second, third].find((wish) => !holds(wish))?.tab ?? world.open(), { steal: true })
    await world.advance(50)
    assert.equal(thief.state, 'holds')

    // Nothing of it is in the database: whoever comes next finds the lock free.
    world.setFailing(false)
    const late = wishFor(world.open())
    await world.advance(HANDOVER_MS_MAX)
    assert.deepEqual(
      [thief.state, nameOf(thief.error), [second, third, late].filter(holds).length],
      ['over', 'AbortError', 1],
    )
    world.clear()
    const last = wishFor(world.open())
    await world.advance(HANDOVER_MS_MAX)
    assert.equal([second, third, late, last].filter(holds).length, 1)
  })

  test('[TB11] one whose robber died before it could say so finds out when it is asked, and not by what it hears', async () => {
    const { world, wishes } = await startWith(2)
    const [first, second] = wishes
    world.freeze(first.tab, 2_000)
    while (world.records.get(NAME)?.fence === first.fence) await world.advance(1)
    world.kill(second.tab)
    await world.advance(3_000)
    wishFor(world.open())
    await world.advance(100)
    assert.deepEqual([first.state, nameOf(first.error)], ['over', 'AbortError'])
  })

  test('[TB11] an answer that waits behind a standstill of whoever asked counts', async () => {
    for (let run = 0; run < WORLDS; run++) {
      const { world, wishes } = await startWith(2, run)
      const [first, second] = wishes
      world.freeze(first.tab, 440)
      await world.advance(400)
      world.freeze(second.tab, 1_000)
      await world.advance(3_000)
      assert.deepEqual([first.state, second.state], ['holds', 'waits'], `SEED=${seed} world ${run}`)
    }
  })

  test('[TB10] two never hold it, at whatever moment the one that was replaced goes on', async () => {
    for (let ms = 350; ms < 750; ms++) {
      const { world, wishes } = await startWith(2, ms)
      const check = (): void =>
        assert.ok(wishes.filter(holds).length <= 1, `after a standstill of ${ms} ms, SEED=${seed}`)
      world.freeze(wishes[0].tab, ms)
      await world.advance(1_500, check)
      assert.equal(wishes.filter(holds).length, 1)
    }
  })

  test('[TB9] requests of a tab come in their order also when one comes just as the lock is free', async () => {
    for (let run = 0; run < WORLDS; run++) {
      const { world, wishes } = await startWith(1, run)
      const [first] = wishes
      const second = wishFor(first.tab)
      await world.advance(1_000)
      first.letGo()
      await world.advance(run % 12)
      const third = wishFor(first.tab)
      await world.advance(100)
      assert.deepEqual([second.state, third.state], ['holds', 'waits'], `SEED=${seed} world ${run}`)
    }
  })

  test('[TB9] who gives up waiting hears of it at once', async () => {
    const { world, wishes } = await startWith(1)
    const waiting = new AbortController()
    const second = wishFor(world.open(), { signal: waiting.signal })
    const third = wishFor(wishes[0].tab)
    await world.advance(1_000)
    waiting.abort()
    await world.advance(0)
    assert.deepEqual([second.state, nameOf(second.error)], ['over', 'AbortError'])
    wishes[0].letGo()
    await world.advance(100)
    assert.equal(third.state, 'holds')
  })
})
