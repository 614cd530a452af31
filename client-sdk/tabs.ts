// The tabs of one person on one device: one leads, chosen by an exclusive lock, and all hear each other over a
// BroadcastChannel. A leader that stands still is replaced. Knows nothing of what the messages are about.
import type { Clock } from './connection-types.ts'
import { createListeners } from './listeners.ts'
import { type Locks, platformLocks } from './exclusive.ts'
import { soloTabs } from './solo-tabs.ts'
import type { TabMessage, Tabs } from './tabs-types.ts'

/** The part of a BroadcastChannel that is used. */
export interface TabChannel {
  readonly postMessage: (message: unknown) => void
  readonly close: () => void
  onmessage: ((event: MessageEvent) => void) | null
}

export interface TabsOptions {
  /** Tabs of one name belong together: one server, one user. */
  readonly name: string
  /** The platform's own otherwise, as with `createChannel`. Where there is neither, this tab leads alone. */
  readonly locks?: Locks
  readonly createChannel?: (name: string) => TabChannel
  readonly clock: Clock
  readonly random: () => number
}

/** What all but the new leader hear from `onMessage` when the lead changes: what was said to the old one may be lost. */
export const LEADING = 'tabs/leading'
/** What a tab hears from `onMessage` when it returns from where messages do not reach: it may have missed some. */
export const MISSED = 'tabs/missed'

/** A leader that does not answer for so long stands still. */
const ANSWER_MS = 1_000
/** Added by chance, so that not all followers take the lead at once. */
const ANSWER_SPREAD_MS = 250
/** A timer that fires later than this means that this tab stood still itself; the answer may wait behind it. */
const LATE_MS = 500
/** How often a visible tab asks whether somebody leads. */
const BEAT_MS = 2_000
/** Whoever took the lead from another waits so long, because the other hears of it a moment later. */
const GRACE_MS = 50
/** `openTabs` resolves at the latest then, though nobody may lead yet. */
const OPEN_MS_MAX = 300

/** What goes over the channel. `term` is higher with each leader. */
type Said =
  | { readonly kind: 'say'; readonly message: TabMessage }
  | { readonly kind: 'ping' }
  | { readonly kind: 'lead'; readonly term: number }

/** `taking`: has the lock, and waits for the old leader to notice. `away`: gone, or where no messages reach. */
type State = 'following' | 'taking' | 'leading' | 'away'

const isVisible = (): boolean => globalThis.document?.visibilityState !== 'hidden'

/** Calls back when the page is put away or stopped, when it returns, and when it is looked at. Returns its undo. */
const watchPage = (calls: { hide: () => void; stop: () => void; show: () => void; look: () => void }): (() => void) => {
  const { document } = globalThis
  if (!document) return () => {}
  const control = new AbortController()
  const { signal } = control
  const look = (): void => void (isVisible() && calls.look())
  globalThis.addEventListener('pagehide', calls.hide, { signal })
  globalThis.addEventListener('pageshow', calls.show, { signal })
  document.addEventListener('freeze', calls.stop, { signal })
  document.addEventListener('resume', calls.show, { signal })
  document.addEventListener('visibilitychange', look, { signal })
  return () => control.abort()
}

/**
 * Joins the tabs of `name`. Resolves within a third of a second, mostly as soon as it is known who leads; disposing gives
 * the lead to the next tab.
 */
export const openTabs = async (options: TabsOptions): Promise<Tabs> => {
  const { name, clock, random } = options
  const locks = options.locks ?? (await platformLocks())
  const createChannel =
    options.createChannel ??
    (typeof BroadcastChannel === 'undefined' ? null : (called: string) => new BroadcastChannel(called))
  if (!locks || !createChannel) return soloTabs()

  const lockName = `syncline/${name}`
  const messages = createListeners<TabMessage>()
  const leadership = createListeners<boolean>()
  const settled = Promise.withResolvers<void>()
  let state: State = 'away'
  let isDisposed = false
  let channel: TabChannel | null = null
  /** The highest heard of, or one's own. */
  let term = 0
  /** Only the latest request for the lock counts. */
  let requests = 0
  let withdraw = (): void => {}
  let request: Promise<void> = Promise.resolve()
  let cancelAnswer: (() => void) | null = null
  let cancelBeat = (): void => {}
  let cancelGrace = (): void => {}

  const holdsLock = (): boolean => state === 'taking' || state === 'leading'
  const say = (said: Said): void => channel?.postMessage(said)

  const stopWaiting = (): void => {
    cancelAnswer?.()
    cancelAnswer = null
  }

  const lead = (): void => {
    state = 'leading'
    settled.resolve()
    leadership.tell(true)
  }

  const onGranted = (isStolen: boolean): void => {
    stopWaiting()
    state = 'taking'
    // Time goes on, also where the former leaders cannot be heard any more.
    term = Math.max(clock.now(), term + 1)
    say({ kind: 'lead', term })
    if (isStolen) cancelGrace = clock.after(GRACE_MS, lead)
    else lead()
  }

  const ask = (steal: boolean): void => {
    withdraw()
    const own = ++requests
    const control = new AbortController()
    const { promise: held, resolve: release } = Promise.withResolvers<void>()
    withdraw = () => {
      release()
      control.abort()
    }
    const hold = (): Promise<void> | undefined => {
      if (own !== requests) return undefined
      onGranted(steal)
      return held
    }
    request = locks.request(lockName, steal ? { steal } : { signal: control.signal }, hold).then(
      () => {},
      () => {
        // Another took the lock. A request that failed otherwise is made again when the next ping is not answered.
        if (own === requests && holdsLock()) follow()
      },
    )
  }

  /** Ceases to lead before anything else, gives back the lock or the place in its queue, and does not ask again. */
  const retire = (next: 'following' | 'away'): void => {
    const wasLeader = state === 'leading'
    state = next
    requests++
    cancelGrace()
    stopWaiting()
    withdraw()
    if (wasLeader) leadership.tell(false)
  }

  const follow = (): void => {
    retire('following')
    ask(false)
  }

  /** Asks whether somebody leads, and takes the lead where nobody answers. */
  const ping = (): void => {
    if (state !== 'following' || cancelAnswer) return
    const waitMs = ANSWER_MS + random() * ANSWER_SPREAD_MS
    const dueAt = clock.now() + waitMs
    say({ kind: 'ping' })
    cancelAnswer = clock.after(waitMs, () => {
      cancelAnswer = null
      if (clock.now() > dueAt + LATE_MS) ping()
      else ask(true)
    })
  }

  const onLead = (heard: number): void => {
    // A tab that led long ago, and has not noticed yet, is no answer: whoever leads now may stand still.
    if (heard >= term) stopWaiting()
    settled.resolve()
    if (heard > term) {
      term = heard
      if (holdsLock()) follow()
      messages.tell({ type: LEADING })
    } else if (holdsLock() && heard < term) say({ kind: 'lead', term })
  }

  const hear = (event: MessageEvent): void => {
    const said = event.data as Said
    if (said.kind === 'say') messages.tell(said.message)
    else if (said.kind === 'ping' && holdsLock()) say({ kind: 'lead', term })
    else if (said.kind === 'lead') onLead(said.term)
  }

  const beat = (): void => {
    cancelBeat = clock.after(BEAT_MS, () => {
      if (isVisible()) ping()
      beat()
    })
  }

  const join = (): void => {
    if (!channel) {
      channel = createChannel(lockName)
      channel.onmessage = hear
    }
    state = 'following'
    ask(false)
    ping()
    beat()
  }

  /** Neither leads nor waits to; what is said still reaches it when it goes on. */
  const stop = (): void => {
    if (state === 'away') return
    cancelBeat()
    retire('away')
  }

  const leave = (): void => {
    stop()
    channel?.close()
    channel = null
  }

  const unwatch = watchPage({
    hide: leave,
    stop,
    show: () => {
      if (state !== 'away' || isDisposed) return
      const hasMissed = channel === null
      join()
      if (hasMissed) messages.tell({ type: MISSED })
    },
    look: ping,
  })
  join()
  const cancelOpening = clock.after(OPEN_MS_MAX, settled.resolve)
  await settled.promise
  cancelOpening()

  return {
    get isLeader() {
      return state === 'leading'
    },
    onLeadership: leadership.add,
    post: (message) => {
      say({ kind: 'say', message })
      ping()
    },
    onMessage: messages.add,
    [Symbol.asyncDispose]: async () => {
      isDisposed = true
      unwatch()
      leave()
      await request
    },
  }
}
