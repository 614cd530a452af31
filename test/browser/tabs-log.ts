// What a log of tabs must look like: who led when, who heard what.
import assert from 'node:assert/strict'
import type { TabEvent } from './tabs-page.ts'

export interface Span {
  readonly tab: string
  readonly from: number
  readonly to: number
}

/** From each `begin` of a tab to its next `end`, its death, or the end of time. */
const spansOf = (log: readonly TabEvent[], begin: TabEvent['what'], end: TabEvent['what']): Span[] =>
  log.flatMap((event, index) => {
    if (event.what !== begin) return []
    const ends = log.slice(index + 1).find(({ tab, what }) => tab === event.tab && (what === end || what === 'dies'))
    return [{ tab: event.tab, from: event.at, to: ends?.at ?? Number.POSITIVE_INFINITY }]
  })

export const inOrder = (log: readonly TabEvent[]): TabEvent[] => log.toSorted((a, b) => a.at - b.at)

/** The tab that leads at the end of the log and does not stand still. */
export const leaderOf = (log: readonly TabEvent[]): string | undefined => {
  const ordered = inOrder(log)
  const isEndless = ({ to }: Span): boolean => to === Number.POSITIVE_INFINITY
  const stopped = spansOf(ordered, 'stops', 'goes on').filter(isEndless)
  return spansOf(ordered, 'leads', 'ceases')
    .filter(isEndless)
    .map(({ tab }) => tab)
    .find((tab) => !stopped.some((stop) => stop.tab === tab))
}

/** Wherever two led at once, one of them stood still all the while. Returns how long the longest such time was. */
export const assertOneLeader = (log: readonly TabEvent[], at: string): number => {
  const ordered = inOrder(log)
  const leads = spansOf(ordered, 'leads', 'ceases')
  const stops = spansOf(ordered, 'stops', 'goes on')
  let longest = 0
  for (const [index, one] of leads.entries()) {
    for (const other of leads.slice(index + 1)) {
      const [from, to] = [Math.max(one.from, other.from), Math.min(one.to, other.to)]
      if (from >= to) continue
      longest = Math.max(longest, to - from)
      const excuse = stops.find(
        (stop) => (stop.tab === one.tab || stop.tab === other.tab) && stop.from <= from && stop.to >= to,
      )
      assert.ok(excuse, `${one.tab} and ${other.tab} both led for ${(to - from).toFixed(1)} ms ${at}`)
    }
  }
  return longest
}

/** Everybody heard everybody else, each message once and in order, from the moment it was open to its end. */
export const assertHeard = (log: readonly TabEvent[], at: string): number => {
  const ordered = inOrder(log)
  const tabs = ordered.filter(({ what }) => what === 'opened')
  const dead = new Set(ordered.filter(({ what }) => what === 'dies').map(({ tab }) => tab))
  let heardCount = 0
  for (const receiver of tabs) {
    for (const sender of tabs) {
      if (sender.tab === receiver.tab) continue
      const heard = log
        .filter(({ tab, what, from }) => tab === receiver.tab && what === 'hears' && from === sender.tab)
        .map(({ number }) => number as number)
      const posted = ordered.filter(({ tab, what }) => tab === sender.tab && what === 'posts')
      const due = posted.filter((event) => event.at > receiver.at).map(({ number }) => number as number)
      const pair = `${sender.tab} → ${receiver.tab} ${at}`
      const first = heard[0] ?? due[0] ?? 0
      assert.deepEqual(
        heard,
        heard.map((_, index) => first + index),
        pair,
      )
      if (heard.length > 0 && due[0] !== undefined) assert.ok(first <= due[0], `${pair} began late`)
      // Of what a tab says as it dies, the browser delivers as much as it likes; and the log may lack it.
      const isWhole = !dead.has(receiver.tab) && !dead.has(sender.tab)
      if (isWhole && due.length > 0) assert.equal(heard.at(-1), due.at(-1), pair)
      heardCount += heard.length
    }
  }
  return heardCount
}
