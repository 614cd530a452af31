// Tabs that have no Web Locks, played in virtual time: the database they share and its transactions, their channels, and tabs
// that die, or stand still while what they should hear waits in queues. Nothing in it is left to the machine.
import type { Locks } from '../../client-sdk/exclusive.ts'
import { createLeaseLocks, type LeaseLock } from '../../client-sdk/lease-locks.ts'
import { type LeaseRecord, newLease } from '../../client-sdk/lease-store.ts'
import type { TabChannel } from '../../client-sdk/tabs.ts'
import { nextTurn } from '../helpers/eventually.ts'
import type { Random } from '../helpers/random.ts'

const LATENCY_MS_MAX = 5

type Source = 'timer' | 'channel' | 'database'

export interface LeaseTab {
  readonly name: string
  readonly locks: Locks
  isAlive: boolean
  isFrozen: boolean
}

interface Inside extends LeaseTab {
  readonly waiting: Record<Source, (() => void)[]>
  readonly arrivals: Map<unknown, number>
  readonly channels: Set<TabChannel & { readonly called: string }>
}

interface Due {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

export interface LeaseWorld {
  readonly now: () => number
  readonly records: ReadonlyMap<string, LeaseRecord>
  readonly open: () => LeaseTab
  /** Without a word. */
  readonly kill: (tab: LeaseTab) => void
  readonly freeze: (tab: LeaseTab, ms: number) => void
  /** The database takes nothing more, and gives nothing. */
  readonly setFailing: (isFailing: boolean) => void
  /** The user clears what the browser keeps. */
  readonly clear: () => void
  /** Everybody's clock says another time, and goes on from there; timers are not touched. */
  readonly jump: (ms: number) => void
  /** Plays on; `check` is called after everything that happens. */
  readonly advance: (ms: number, check?: () => void) => Promise<void>
}

export const createLeaseWorld = (random: Random): LeaseWorld => {
  const tabs: Inside[] = []
  const records = new Map<string, LeaseRecord>()
  let due: Due[] = []
  let order = 0
  let now = 1_000_000
  let jumpedMs = 0
  let isFailing = false
  /** Transactions come one after the other. */
  let busyUntil = 0

  const plan = (at: number, run: () => void): void => void due.push({ at, order: order++, run })
  const receive = (tab: Inside, source: Source, run: () => void): void => {
    if (!tab.isAlive) return
    if (tab.isFrozen) tab.waiting[source].push(run)
    else run()
  }
  /** What comes from `from` reaches the tab after a while, in order; a dead one never, a frozen one when it goes on. */
  const deliver = (tab: Inside, source: Source, from: unknown, run: () => void): void => {
    const at = Math.max(now + random.int(0, LATENCY_MS_MAX), tab.arrivals.get(from) ?? 0)
    tab.arrivals.set(from, at)
    plan(at, () => receive(tab, source, run))
  }

  const createChannel = (tab: Inside, called: string): TabChannel => {
    const channel: TabChannel & { readonly called: string } = {
      called,
      onmessage: null,
      postMessage: (message) => {
        if (tab.isAlive && !tab.channels.has(channel)) throw new Error('the channel is closed')
        const data: unknown = structuredClone(message)
        for (const other of tabs)
          for (const to of other.channels)
            if (to !== channel && to.called === called)
              deliver(other, 'channel', tab, () => to.onmessage?.({ data } as MessageEvent))
      },
      close: () => {
        channel.onmessage = null
        tab.channels.delete(channel)
      },
    }
    tab.channels.add(channel)
    return channel
  }

  const update = (tab: Inside, name: string, change: (record: LeaseRecord) => LeaseRecord | null): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    busyUntil = Math.max(busyUntil, now + random.int(0, LATENCY_MS_MAX))
    plan(busyUntil, () => {
      // The change is made by the tab: one that is dead by then has written nothing.
      receive(tab, 'database', () => {
        if (isFailing) return reject(new DOMException('full', 'QuotaExceededError'))
        const next = change(structuredClone(records.get(name) ?? newLease()))
        if (next) records.set(name, structuredClone(next))
        return deliver(tab, 'database', 'database', resolve)
      })
    })
    return promise
  }

  /** A tab that goes on finds its queues full; which of them comes first is up to its browser. */
  const thaw = (tab: Inside): void => {
    const sources = (Object.keys(tab.waiting) as Source[]).filter((source) => tab.waiting[source].length > 0)
    if (!tab.isAlive) return
    if (sources.length === 0) tab.isFrozen = false
    else {
      tab.waiting[random.pick(sources)].shift()?.()
      plan(now, () => thaw(tab))
    }
  }

  const open = (): LeaseTab => {
    const after = (ms: number, run: () => void): (() => void) => {
      let isOver = false
      plan(now + ms, () => receive(tab, 'timer', () => void (isOver || run())))
      return () => {
        isOver = true
      }
    }
    const tab: Inside = {
      name: `tab ${tabs.length}`,
      isAlive: true,
      isFrozen: false,
      waiting: { timer: [], channel: [], database: [] },
      arrivals: new Map(),
      channels: new Set(),
      locks: createLeaseLocks({
        store: { update: (name, change) => update(tab, name, change) },
        createChannel: (called) => createChannel(tab, called),
        clock: { now: () => now + jumpedMs, after },
      }),
    }
    tabs.push(tab)
    return tab
  }

  return {
    now: () => now,
    records,
    open,
    kill: (tab) => {
      tab.isAlive = false
      ;(tab as Inside).channels.clear()
    },
    freeze: (tab, ms) => {
      tab.isFrozen = true
      plan(now + ms, () => thaw(tab as Inside))
    },
    setFailing: (failing) => void (isFailing = failing),
    clear: () => records.clear(),
    jump: (ms) => void (jumpedMs += ms),
    advance: async (ms, check = () => {}) => {
      const until = now + ms
      // What the caller did takes effect before time passes.
      await nextTurn()
      for (;;) {
        const next = due.reduce<Due | null>(
          (first, one) =>
            !first || one.at < first.at || (one.at === first.at && one.order < first.order) ? one : first,
          null,
        )
        if (!next || next.at > until) break
        due = due.filter((one) => one !== next)
        now = next.at
        next.run()
        await nextTurn()
        check()
      }
      now = until
    },
  }
}

/** The lock that wishes are for. */
export const NAME = 'name'

/** One that wants the lock and keeps it until it is told to let go; a tab may have many. */
export interface Wish {
  readonly tab: LeaseTab
  state: 'waits' | 'holds' | 'over'
  /** The number of its lease. */
  fence: number
  readonly letGo: () => void
  error: unknown
}

export const wishFor = (tab: LeaseTab, options: LockOptions = {}): Wish => {
  const held = Promise.withResolvers<void>()
  const letGo = (): void => {
    wish.state = 'over'
    held.resolve()
  }
  const wish: Wish = { tab, state: 'waits', fence: 0, letGo, error: null }
  const end = (error: unknown): void => {
    wish.state = 'over'
    wish.error = error
  }
  tab.locks
    .request(NAME, options, (lock) => {
      // It may have been told to let go before.
      if (wish.state === 'waits') wish.state = 'holds'
      wish.fence = (lock as LeaseLock).fence
      return held.promise
    })
    .then(() => end(null), end)
  return wish
}

export const nameOf = (error: unknown): string | null => (error instanceof DOMException ? error.name : null)
export const holds = (wish: Wish): boolean => wish.state === 'holds' && wish.tab.isAlive && !wish.tab.isFrozen
