// Locks between tabs where the browser has no Web Locks: leases. A record says who holds a name, with a number that only
// grows; whoever waits asks over a channel, and takes the lease of one that does not answer three times in a row.
import type { Clock } from './connection-types.ts'
import { type LeaseHolder, type LeaseStore, openLeaseStore } from './lease-store.ts'
import type { Locks } from './exclusive.ts'
import type { TabChannel } from './tabs.ts'

export interface LeaseOptions {
  readonly store: LeaseStore
  readonly createChannel: (name: string) => TabChannel
  /** Only how long this tab stood still is measured by it: no tab compares its clock with another one's. */
  readonly clock: Clock
}

/**
 * A third of a lease: so often is the holder asked, and has to renew by its answer. Nothing is written for that, and nothing
 * is done where nobody waits. The timers of a hidden tab may be slowed down to one a minute, its messages are not: so it
 * keeps what it holds.
 */
const ASK_MS = 150
const SILENT_ASKS_MAX = 3
const LEASE_MS = SILENT_ASKS_MAX * ASK_MS
/** A pause that takes longer means that this tab stood still itself, or is slowed down; an answer may wait behind it. */
const LATE_MS = 2 * ASK_MS
/** Whoever took a lease from one that was silent waits so long, because the other hears of it a moment later. */
const GRACE_MS = 50
/** Stands for whoever may hold it while the database fails. */
const UNKNOWN = -1

type Said =
  | { readonly kind: 'ask' }
  | { readonly kind: 'here'; readonly holder: LeaseHolder }
  /** These hold it no more: they gave it back, or `by` took it from them. */
  | { readonly kind: 'over'; readonly fences: readonly number[]; readonly by: LeaseHolder | null }

/** What a lease is told of: its number too. */
export interface LeaseLock extends Lock {
  readonly fence: number
}

type Callback<Result> = (lock: LeaseLock) => Result | PromiseLike<Result>

/** What this page knows of numbers: the highest of any name. */
interface Heard {
  highest: number
}

/** One request for a lock, from its waiting to its end. */
const createRequest = (
  { store, createChannel, clock }: LeaseOptions,
  heard: Heard,
  name: string,
  options: LockOptions,
) => {
  const { signal, steal = false } = options
  const isShared = options.mode === 'shared'
  const channel = createChannel(`syncline-lease/${name}`)
  const lost = Promise.withResolvers<never>()
  lost.promise.catch(() => {})
  let own: LeaseHolder | null = null
  let answeredAt = 0
  /** Who said, or of whom was said, that it is over; the record may not say so yet. */
  const left = new Set<number>()
  const silent = new Set<number>()
  /** Who is in the way, and how many asks in a row they have left without an answer. */
  let silences = new Map<number, number>()
  const answers = new Set<number>()
  let wake = (): void => {}

  const say = (said: Said): void => channel.postMessage(said)
  const isInTheWay = (other: LeaseHolder): boolean => !(isShared && other.isShared)
  const isOver = (fence: number): boolean => steal || left.has(fence) || silent.has(fence)

  const lose = (): void => {
    own = null
    lost.reject(new DOMException(`another tab took ${name}`, 'AbortError'))
  }

  /** Returns whether it was had, and from one who is only thought to be gone. */
  const take = async (): Promise<{ readonly isTaken: boolean; readonly isFromSilent: boolean }> => {
    let taken = null as LeaseHolder | null
    let removed: readonly number[] = []
    try {
      await store.update(name, (record) => {
        heard.highest = Math.max(heard.highest, record.fence)
        const others = record.holders.filter(({ fence }) => !isOver(fence))
        silences = new Map(others.filter(isInTheWay).map(({ fence }) => [fence, 0]))
        if (silences.size > 0) return null
        removed = record.holders.map(({ fence }) => fence).filter(isOver)
        taken = { fence: Math.floor(heard.highest) + 1, isShared }
        return { fence: taken.fence, holders: [...others, taken] }
      })
      silent.delete(UNKNOWN)
    } catch {
      // A full disk, say, keeps nobody from going on whom nobody answers. No other has such a number.
      const isFree = isOver(UNKNOWN)
      silences = new Map(isFree ? [] : [[UNKNOWN, 0]])
      taken = isFree ? { fence: heard.highest + Math.random(), isShared } : null
    }
    if (taken) {
      own = taken
      answeredAt = clock.now()
      say({ kind: 'over', fences: removed, by: taken })
      // Another was so fast that we hear of it first.
      if (left.has(taken.fence)) lose()
    }
    return { isTaken: taken !== null, isFromSilent: removed.some((fence) => silent.has(fence)) }
  }

  const isStillOurs = async ({ fence }: LeaseHolder): Promise<boolean> => {
    let isOurs = true
    const look = store.update(name, ({ holders }) => {
      isOurs = holders.some((holder) => holder.fence === fence)
      return null
    })
    // A database that fails says nothing of others.
    await look.catch(() => {})
    return isOurs
  }

  const answer = async (holder: LeaseHolder): Promise<void> => {
    // Whoever left so much time without an answer may have been replaced.
    if (clock.now() - answeredAt >= LEASE_MS && !(await isStillOurs(holder))) {
      if (own) lose()
    } else if (own) {
      answeredAt = clock.now()
      say({ kind: 'here', holder })
    }
  }

  const onOver = (fences: readonly number[], by: LeaseHolder | null): void => {
    for (const fence of fences) left.add(fence)
    // One that took it without the database, or in one that was cleared, knows of nobody.
    const other = by && isInTheWay(by) ? by.fence : 0
    heard.highest = Math.max(heard.highest, other)
    if (own && (fences.includes(own.fence) || other > own.fence)) lose()
    else if (own && other > 0) say({ kind: 'over', fences: [], by: own })
    wake()
  }

  channel.onmessage = ({ data }) => {
    const said = data as Said
    if (said.kind === 'over') onOver(said.fences, said.by)
    else if (said.kind === 'ask') {
      if (own) void answer(own)
    } else if (isInTheWay(said.holder)) {
      heard.highest = Math.max(heard.highest, said.holder.fence)
      answers.add(said.holder.fence).add(UNKNOWN)
    }
  }
  const stop = (): void => wake()
  signal?.addEventListener('abort', stop)

  /** Returns whether the whole time went by. */
  const pause = async (): Promise<boolean> => {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const cancel = clock.after(ASK_MS, () => resolve(true))
    wake = () => resolve(false)
    return promise.finally(cancel)
  }

  /** Asks until one of those in the way is gone. */
  const untilGone = async (): Promise<void> => {
    let wasLate = false
    for (;;) {
      if (signal?.aborted || [...silences.keys()].some(isOver)) return
      const askedAt = clock.now()
      answers.clear()
      say({ kind: 'ask' })
      if (!(await pause())) continue
      const isLate = clock.now() - askedAt > LATE_MS
      // The second time in a row it is no standstill but how this tab's timers go.
      if (isLate && !wasLate) silences = new Map([...silences.keys()].map((fence) => [fence, 0]))
      wasLate = isLate
      for (const [fence, asks] of silences) {
        silences.set(fence, answers.has(fence) ? 0 : asks + 1)
        if (!answers.has(fence) && asks + 1 >= SILENT_ASKS_MAX) silent.add(fence)
      }
    }
  }

  return {
    lost: lost.promise,
    /** Rejects when the signal says so, and where it was lost before it was used. */
    acquire: async (): Promise<LeaseHolder> => {
      for (;;) {
        signal?.throwIfAborted()
        const { isTaken, isFromSilent } = await take()
        if (!isTaken) await untilGone()
        else {
          if (isFromSilent)
            await Promise.race([new Promise<void>((resolve) => void clock.after(GRACE_MS, resolve)), lost.promise])
          signal?.throwIfAborted()
          return own ?? lost.promise
        }
      }
    },
    end: async (): Promise<void> => {
      signal?.removeEventListener('abort', stop)
      if (own) {
        const { fence } = own
        own = null
        const goodbye: Said = { kind: 'over', fences: [fence], by: null }
        // At once, because this page may be going; and when it is written, for whoever came in between.
        say(goodbye)
        const removing = store.update(name, (record) => ({
          fence: record.fence,
          holders: record.holders.filter((holder) => holder.fence !== fence),
        }))
        // Whoever finds it there still, finds that nobody answers.
        await removing.catch(() => {})
        say(goodbye)
      }
      channel.close()
    },
  }
}

/** Exclusive and shared locks, as Web Locks have them; only between pages there is no order of who comes next. */
export const createLeaseLocks = (options: LeaseOptions): Locks => {
  const heard: Heard = { highest: 0 }
  /** The last request of this page for each name: those of one page come one after the other. */
  const lines = new Map<string, Promise<void>>()

  /** Resolves when all before it have had their turn; returns how the next one gets its own. */
  const lineUp = async (name: string, signal: AbortSignal | undefined): Promise<() => void> => {
    const before = lines.get(name)
    const { promise, resolve } = Promise.withResolvers<void>()
    const line = Promise.all([before, promise]).then(() => {
      if (lines.get(name) === line) lines.delete(name)
    })
    lines.set(name, line)
    const aborted = Promise.withResolvers<void>()
    signal?.addEventListener('abort', () => aborted.resolve(), { once: true })
    await Promise.race([before, aborted.promise])
    return resolve
  }

  const request = async <Result>(
    name: string,
    given: LockOptions | Callback<Result>,
    then?: Callback<Result>,
  ): Promise<Result> => {
    const [rest, callback] = typeof given === 'function' ? [{}, given] : [given, then as Callback<Result>]
    rest.signal?.throwIfAborted()
    const pass = rest.steal ? () => {} : await lineUp(name, rest.signal)
    const own = createRequest(options, heard, name, rest)
    try {
      const { fence } = await own.acquire().finally(pass)
      const { mode = 'exclusive' } = rest
      return await Promise.race([own.lost, callback({ name, mode, fence })])
    } finally {
      await own.end()
    }
  }
  return { request }
}

let opened: Promise<Locks | undefined> | undefined

/** Of this browser, the same for all in this page; undefined where it keeps nothing. */
export const openLeaseLocks = (): Promise<Locks | undefined> =>
  (opened ??= openLeaseStore().then(
    (store) =>
      createLeaseLocks({
        store,
        createChannel: (name) => new BroadcastChannel(name),
        // The time of day may be set.
        clock: {
          now: () => performance.now(),
          after: (ms, run) => {
            const timer = setTimeout(run, ms)
            return () => clearTimeout(timer)
          },
        },
      }),
    () => undefined,
  ))
