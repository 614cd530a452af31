// What locks between tabs must do, as a plain list of cases: Web Locks and leases, under Vitest and inside a page. A case
// never waits for time, only for what must happen.
import type { Locks } from '../../client-sdk/exclusive.ts'
import { equal } from './in-page-checks.ts'

export interface LocksCase {
  readonly title: string
  /** `openTab` gives the locks of another tab; `name` is nobody else's. */
  readonly run: (openTab: () => Promise<Locks>, name: string) => Promise<void>
}

interface Held {
  /** Resolves when it is held. */
  readonly granted: Promise<void>
  readonly release: () => void
  /** `released`, or the name of the error. */
  readonly ended: Promise<string>
}

const nameOf = (error: unknown): string => (error instanceof DOMException ? error.name : String(error))

const hold = (locks: Locks, name: string, options: LockOptions = {}): Held => {
  const granted = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  const request = locks.request(name, options, () => {
    granted.resolve()
    return held.promise
  })
  return { granted: granted.promise, release: held.resolve, ended: request.then(() => 'released', nameOf) }
}

export const LOCKS_CASES: readonly LocksCase[] = [
  {
    title: '[TB9] one holds a name at a time, over all tabs and within each; another name is another lock',
    run: async (openTab, name) => {
      const tabs = await Promise.all([openTab(), openTab(), openTab()])
      let inside = 0
      let most = 0
      let turns = 0
      const work = async (): Promise<void> => {
        most = Math.max(most, ++inside)
        turns++
        await new Promise((resolve) => setTimeout(resolve, 1))
        inside--
      }
      const other = hold(tabs[0], `${name}-other`)
      await other.granted
      await Promise.all(tabs.flatMap((locks) => [1, 2, 3, 4].map(() => locks.request(name, work))))
      equal([most, turns, inside], [1, 12, 0])
      other.release()
      await other.ended
    },
  },
  {
    title: '[TB9] requests of one tab come one after the other, in their order',
    run: async (openTab, name) => {
      const locks = await openTab()
      const order: number[] = []
      await Promise.all([1, 2, 3, 4, 5].map((number) => locks.request(name, () => void order.push(number))))
      equal(order, [1, 2, 3, 4, 5])
    },
  },
  {
    title: '[TB9] a request has the outcome of what it ran, and the lock is free afterwards, also when that failed',
    run: async (openTab, name) => {
      const [locks, other] = [await openTab(), await openTab()]
      equal(await locks.request(name, () => 1), 1)
      equal(await locks.request(name, {}, async () => 2), 2)
      const outcome = await locks
        .request(name, () => Promise.reject(new Error('a mistake')))
        .then(String, (error: unknown) => String(error))
      equal(outcome, 'Error: a mistake')
      equal(await other.request(name, (lock) => lock?.name), name)
    },
  },
  {
    title: '[TB9] who gives up waiting hears their own reason, and is not in the way of others',
    run: async (openTab, name) => {
      const [one, other] = [await openTab(), await openTab()]
      const first = hold(one, name)
      await first.granted
      const reason = new Error('enough')
      for (const locks of [one, other]) {
        const waiting = new AbortController()
        const request = locks
          .request(name, { signal: waiting.signal }, () => 'held')
          .catch((error: unknown) => (error === reason ? 'gave up' : error))
        const next = hold(locks, name)
        waiting.abort(reason)
        equal(await request, 'gave up')
        next.release()
        const late = await locks
          .request(name, { signal: waiting.signal }, () => 'held')
          .catch((error: unknown) => error)
        equal(late === reason, true)
      }
      first.release()
      equal(await first.ended, 'released')
      // A signal that comes when it is held is too late.
      const control = new AbortController()
      const last = hold(other, name, { signal: control.signal })
      await last.granted
      control.abort()
      last.release()
      equal(await last.ended, 'released')
    },
  },
  {
    title: '[TB9] a lock that is stolen ends the request of its holder; those who wait stay in line',
    run: async (openTab, name) => {
      const [one, other] = [await openTab(), await openTab()]
      const robbed = hold(one, name)
      await robbed.granted
      const waiting = hold(one, name)
      const thief = hold(other, name, { steal: true })
      await thief.granted
      equal(await robbed.ended, 'AbortError')
      // It knows nothing of the lock that is another's now.
      robbed.release()
      const robber = hold(one, name, { steal: true })
      await robber.granted
      equal(await thief.ended, 'AbortError')
      robber.release()
      equal(await robber.ended, 'released')
      await waiting.granted
      waiting.release()
      equal(await waiting.ended, 'released')
    },
  },
  {
    title: '[TB9] many share a lock, and one alone waits for all of them',
    run: async (openTab, name) => {
      const [one, other] = [await openTab(), await openTab()]
      const sharing = [hold(one, name, { mode: 'shared' }), hold(other, name, { mode: 'shared' })]
      for (const { granted } of sharing) await granted
      let isAlone = false
      const alone = one.request(name, () => {
        isAlone = true
      })
      for (const { release, ended } of sharing) {
        equal(isAlone, false)
        release()
        equal(await ended, 'released')
      }
      await alone
      equal(isAlone, true)
    },
  },
]
