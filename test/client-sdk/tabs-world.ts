// A device with tabs, played in virtual time: locks and channels as browsers have them, with delays, and tabs that die,
// leave, or stand still while what they should hear waits in queues. Nothing in it is left to the machine.
import { type TabChannel, openTabs } from '../../client-sdk/tabs.ts'
import type { Tabs } from '../../client-sdk/tabs-types.ts'
import { nextTurn } from '../helpers/eventually.ts'
import type { Random } from '../helpers/random.ts'

const LATENCY_MS_MAX = 5
const NAME = 'world'

/** What comes from one source comes in order; between sources there is none. */
type Source = 'timer' | 'channel' | 'lock'

export interface WorldTab {
  readonly name: string
  /** Null before it is open, and from when it leaves. */
  tabs: Tabs | null
  isAlive: boolean
  isFrozen: boolean
  readonly heard: { readonly from: string; readonly number: number }[]
  /** From then on it listens. */
  openedAt: number
  readonly postedAt: number[]
}

interface Inside extends WorldTab {
  readonly waiting: Record<Source, (() => void)[]>
  readonly arrivals: Map<unknown, number>
  channel: TabChannel | null
}

interface LockRequest {
  readonly tab: Inside
  readonly run: () => void
  readonly rob: () => void
}

interface Due {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

export interface World {
  readonly now: () => number
  readonly tabs: readonly WorldTab[]
  readonly join: () => WorldTab
  /** Without a word: the browser notices a little later. */
  readonly kill: (tab: WorldTab) => void
  readonly leave: (tab: WorldTab) => void
  readonly freeze: (tab: WorldTab, ms: number) => void
  /** Plays on; `check` is called after everything that happens. */
  readonly advance: (ms: number, check: () => void) => Promise<void>
}

export const createWorld = (random: Random): World => {
  const tabs: Inside[] = []
  let due: Due[] = []
  let order = 0
  let now = 1_000_000
  let holder: LockRequest | null = null
  let queue: LockRequest[] = []

  const plan = (at: number, run: () => void): Due => {
    const planned = { at, order: order++, run }
    due.push(planned)
    return planned
  }

  /** What comes from `from` reaches the tab after a while, in order; a dead one never, a frozen one when it goes on. */
  const deliver = (tab: Inside, source: Source, from: unknown, run: () => void): void => {
    const at = Math.max(now + random.int(0, LATENCY_MS_MAX), tab.arrivals.get(from) ?? 0)
    tab.arrivals.set(from, at)
    plan(at, () => receive(tab, source, run))
  }
  const receive = (tab: Inside, source: Source, run: () => void): void => {
    if (!tab.isAlive) return
    if (tab.isFrozen) tab.waiting[source].push(run)
    else run()
  }

  const grant = (): void => {
    if (holder || queue.length === 0) return
    holder = queue.shift() as LockRequest
    deliver(holder.tab, 'lock', 'locks', holder.run)
  }
  const release = (request: LockRequest): void => {
    if (holder === request) holder = null
    grant()
  }

  const requestLock = (tab: Inside, options: LockOptions, callback: (lock: Lock) => unknown): Promise<unknown> => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const fail = (): void => reject(new DOMException('taken away', 'AbortError'))
    const own: LockRequest = {
      tab,
      run: () => {
        void Promise.resolve(callback({ name: NAME, mode: 'exclusive' })).then((result) => {
          resolve(result)
          release(own)
        })
      },
      rob: () => deliver(tab, 'lock', 'locks', fail),
    }
    if (options.steal) {
      holder?.rob()
      holder = own
      deliver(tab, 'lock', 'locks', own.run)
    } else {
      queue.push(own)
      options.signal?.addEventListener('abort', () => {
        if (!queue.includes(own)) return
        queue = queue.filter((one) => one !== own)
        fail()
      })
      grant()
    }
    return promise
  }

  const createChannel = (tab: Inside): TabChannel => {
    const channel: TabChannel = {
      onmessage: null,
      postMessage: (message) => {
        if (tab.channel !== channel) throw new Error('the channel is closed')
        const data: unknown = structuredClone(message)
        for (const other of tabs) {
          const to = other.channel
          if (to && to !== channel) deliver(other, 'channel', tab, () => to.onmessage?.({ data } as MessageEvent))
        }
      },
      close: () => {
        channel.onmessage = null
        tab.channel = null
      },
    }
    tab.channel = channel
    return channel
  }

  const open = async (tab: Inside, own: Random): Promise<void> => {
    const locks = {
      request: (_name: string, options: LockOptions, callback: (lock: Lock) => unknown) =>
        requestLock(tab, options, callback),
    } as unknown as LockManager
    const after = (ms: number, run: () => void): (() => void) => {
      let isOver = false
      plan(now + ms, () => receive(tab, 'timer', () => void (isOver || run())))
      return () => {
        isOver = true
      }
    }
    tab.tabs = await openTabs({
      name: NAME,
      locks,
      createChannel: () => createChannel(tab),
      clock: { now: () => now, after },
      random: () => own.int(0, 999) / 1_000,
    })
    tab.openedAt = now
    tab.tabs.onMessage(({ type, from, number }) => {
      if (type === 'test') tab.heard.push({ from: from as string, number: number as number })
    })
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

  return {
    now: () => now,
    tabs,
    join: () => {
      const tab: Inside = {
        name: `tab ${tabs.length}`,
        tabs: null,
        isAlive: true,
        isFrozen: false,
        heard: [],
        openedAt: Number.POSITIVE_INFINITY,
        postedAt: [],
        waiting: { timer: [], channel: [], lock: [] },
        arrivals: new Map(),
        channel: null,
      }
      tabs.push(tab)
      void open(tab, random.fork())
      return tab
    },
    kill: (tab) => {
      tab.isAlive = false
      const inside = tab as Inside
      plan(now + random.int(0, LATENCY_MS_MAX), () => {
        inside.channel = null
        queue = queue.filter((request) => request.tab !== inside)
        if (holder?.tab === inside) release(holder)
      })
    },
    leave: (tab) => {
      const leaving = tab.tabs?.[Symbol.asyncDispose]()
      tab.tabs = null
      void leaving?.then(() => {
        tab.isAlive = false
      })
    },
    freeze: (tab, ms) => {
      tab.isFrozen = true
      plan(now + ms, () => thaw(tab as Inside))
    },
    advance: async (ms, check) => {
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
