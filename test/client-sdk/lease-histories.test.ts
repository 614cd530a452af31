// Leases over random histories in virtual time: tabs that come, die, let go and stand still. SEED repeats them.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { chooseSeed, createRandom, type Random } from '../helpers/random.ts'
import { createLeaseWorld, holds, type Wish, wishFor } from './lease-world.ts'

const HISTORIES = 150
const STEPS = 25
const HANDOVER_MS_MAX = 1_000
const seed = chooseSeed()

interface Figures {
  grants: number
  deaths: number
  stops: number
  slowestMs: number
}

const playHistory = async (random: Random, at: string, figures: Figures): Promise<void> => {
  const world = createLeaseWorld(random.fork())
  const wishes: Wish[] = []
  const granted = new Set<Wish>()
  let fence = 0
  /** Since when nobody holds it, though somebody waits who could, and nobody stands still. */
  let freeSince: number | null = null
  const check = (): void => {
    const holders = wishes.filter(holds)
    assert.ok(holders.length <= 1, `${holders.map(({ tab }) => tab.name).join(' and ')} hold it ${at}`)
    for (const wish of wishes) {
      if (!holds(wish) || granted.has(wish)) continue
      granted.add(wish)
      figures.grants++
      assert.ok(wish.fence > fence, `the number ${wish.fence} comes after ${fence} ${at}`)
      fence = wish.fence
    }
    const isClear = wishes.every(({ tab }) => !tab.isAlive || !tab.isFrozen)
    const isWanted = wishes.some(({ tab, state }) => tab.isAlive && state === 'waits')
    if (holders.length > 0 || !isClear || !isWanted) freeSince = null
    else {
      freeSince ??= world.now()
      const ms = world.now() - freeSince
      figures.slowestMs = Math.max(figures.slowestMs, ms)
      assert.ok(ms <= HANDOVER_MS_MAX, `nobody holds it ${at}`)
    }
  }
  const join = (): void => void wishes.push(wishFor(world.open()))
  for (let count = 0; count < 4; count++) join()
  for (let step = 0; step < STEPS; step++) {
    const going = wishes.filter(({ tab, state }) => tab.isAlive && !tab.isFrozen && state !== 'over')
    const holder = going.find(holds)
    const choice = random.int(1, 10)
    if (choice <= 3 || going.length < 3) join()
    else {
      const victim = holder && random.chance(0.7) ? holder : random.pick(going)
      if (choice <= 5) {
        figures.deaths++
        // It may have been about to take it.
        freeSince = null
        world.kill(victim.tab)
      } else if (choice <= 7) victim.letGo()
      else {
        figures.stops++
        world.freeze(victim.tab, random.int(1, 3_000))
      }
    }
    await world.advance(random.chance(0.5) ? random.int(0, 100) : random.int(0, 3_000), check)
  }
  await world.advance(10_000, check)
}

test('[TB10] over random deaths, joins and stops at most one that goes on holds a lease, its number grows, and soon one does', async () => {
  const random = createRandom(seed)
  const figures: Figures = { grants: 0, deaths: 0, stops: 0, slowestMs: 0 }
  for (let run = 0; run < HISTORIES; run++) await playHistory(random.fork(), `(SEED=${seed} run ${run})`, figures)
  process.stdout.write(`leases in virtual time: ${HISTORIES} histories, SEED=${seed}, ${JSON.stringify(figures)}\n`)
  assert.ok(figures.grants > HISTORIES * 3 && figures.deaths > HISTORIES && figures.stops > HISTORIES, 'vacuous')
}, 120_000)
