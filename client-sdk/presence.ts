// Who is in a group and what they are doing, over its attached document: announces this device, hears of the others, and
// believes nothing that it has not heard of for too long. Nothing of it is kept on disk.
import type { ErrorCode } from '../shared/errors.ts'
import { isSameJson } from '../shared/json.ts'
import {
  PRESENCE_BATCH_MS,
  PRESENCE_RENEW_MS,
  PRESENCE_TTL_MS,
  PRESENCE_TYPING_MS,
  PRESENCE_TYPING_RENEW_MS,
} from '../shared/limits.ts'
import {
  EMPTY_PRESENCE,
  mergePresence,
  peopleOf,
  type PresenceInput,
  type PresenceMessage,
  type PresencePerson,
  type PresenceRequest,
  type PresenceState,
  type PresenceView,
  readPresenceMessage,
  toPresenceState,
  withDevice,
  withoutDevice,
} from '../shared/presence.ts'
import type { Clock } from './connection-types.ts'
import { createListeners } from './listeners.ts'

export interface PresenceOptions {
  /** Sends a stateless message on `group/{id}`. */
  readonly send: (message: PresenceRequest) => void
  readonly clock: Clock
  /** The server does not show what was announced (`rate/too-many`: the group is full). It is tried again by itself. */
  readonly onRefused?: (code: ErrorCode) => void
}

/** The presence of one group. */
export interface Presence extends Disposable {
  /**
   * Says what this device is doing; what is left out is `online`, typing nowhere, no cursor. Call it as often as you like: at
   * most ten times a second the newest is sent, and once more whenever the connection is back. Typing ends 6 s after it was
   * announced last.
   *
   * Throws `AppError` `input/invalid`, or `input/too-large` above 2 KiB of JSON; then nothing changes.
   */
  readonly announce: (state: PresenceInput) => void
  /** Not here any more; goes on hearing of the others. */
  readonly leave: () => void
  /** Everybody who is here, then those of whom it is known when they were; the same object until something changes. */
  readonly people: () => readonly PresencePerson[]
  /** This device's number among those of its user; null until the server has said. */
  readonly self: () => number | null
  /** Called after each change. Returns its undo. */
  readonly subscribe: (listener: (people: readonly PresencePerson[]) => void) => () => void

  /** What the document's listener hears. */
  readonly onOpen: () => void
  readonly onMessage: (message: { readonly type: string; readonly [field: string]: unknown }) => void
  readonly onClosed: () => void
}

/** Timers by name: starting one again stops the one before. */
const createTimers = <Name>(clock: Clock) => {
  const stops = new Map<Name, () => void>()
  const stop = (name: Name): void => {
    stops.get(name)?.()
    stops.delete(name)
  }
  return {
    start: (name: Name, ms: number, run: () => void): void => {
      stop(name)
      const due = (): void => {
        stops.delete(name)
        run()
      }
      stops.set(name, clock.after(ms, due))
    },
    stop,
    stopAll: (): void => [...stops.keys()].forEach(stop),
    isRunning: (name: Name): boolean => stops.has(name),
  }
}

export const createPresence = ({ send, clock, onRefused }: PresenceOptions): Presence => {
  const listeners = createListeners<readonly PresencePerson[]>()
  const timers = createTimers<'batch' | 'renew' | 'silence' | 'own-typing' | 'typing-sent'>(clock)
  /** Devices that are typing; each stops by itself. */
  const typing = createTimers<number>(clock)
  let view: PresenceView = EMPTY_PRESENCE
  let people: readonly PresencePerson[] = []
  let self: number | null = null
  let userId = ''
  let isOpen = false
  /** Everybody was given up for silence: the whole list is needed. */
  let isLost = false
  /** What was announced is not shown. */
  let isRefused = false
  /** What this device does; null: it only listens. */
  let own: PresenceState | null = null
  /** What the server was told of it since the document was opened. */
  let sent: PresenceState | null = null

  const show = (next: PresenceView): void => {
    if (next === view) return
    view = next
    people = peopleOf(view)
    listeners.tell(people)
  }

  /** The server does not repeat to us what we said, or not yet; its times come with what it repeats. */
  const withOwn = (next: PresenceView): PresenceView => {
    if (self === null) return next
    if (sent === null) return withoutDevice(next, self)
    const at = clock.now()
    const times = next.devices.get(self) ?? { since: at, changedAt: at }
    return withDevice(next, { device: self, userId, since: times.since, changedAt: times.changedAt, ...sent })
  }

  const stopTyping = (device: number): void => {
    const known = view.devices.get(device)
    if (known) show(withDevice(view, { ...known, typing: null }))
  }

  const renew = (): void => {
    send(isLost ? { type: 'presence-renew', wantsAll: true } : { type: 'presence-renew' })
    timers.start('renew', PRESENCE_RENEW_MS, renew)
  }

  const announceNow = (): void => {
    isRefused = false
    sent = own
    send({ type: 'presence', state: own })
    timers.start('renew', PRESENCE_RENEW_MS, renew)
    timers.start('batch', PRESENCE_BATCH_MS, announceNews)
    if (own?.typing) timers.start('typing-sent', PRESENCE_TYPING_RENEW_MS, () => {})
    show(withOwn(view))
  }

  const announceNews = (): void => {
    const isNews = !isSameJson(own, sent) || (own?.typing && !timers.isRunning('typing-sent'))
    if (isOpen && isNews && !timers.isRunning('batch')) announceNow()
  }

  const setOwn = (state: PresenceState | null): void => {
    own = state
    timers.stop('own-typing')
    if (state?.typing) timers.start('own-typing', PRESENCE_TYPING_MS, () => setOwn({ ...state, typing: null }))
    announceNews()
  }

  /** Nothing was heard for so long that nobody can be said to be here. */
  const giveUp = (): void => {
    isLost = true
    self = null
    typing.stopAll()
    show({ ...view, devices: new Map() })
  }

  const merge = (message: PresenceMessage): void => {
    if (message.type === 'presence-list') {
      self = message.self
      userId = message.userId
      isLost = false
      typing.stopAll()
    }
    const next = withOwn(mergePresence(view, message))
    if ('gone' in message) message.gone.forEach(typing.stop)
    for (const { device, typing: channel } of 'devices' in message ? message.devices : []) {
      if (channel === null || device === self) typing.stop(device)
      else typing.start(device, PRESENCE_TYPING_MS, () => stopTyping(device))
    }
    show(next)
  }

  return {
    announce: (input) => setOwn(toPresenceState(input)),
    leave: () => {
      // Not slowed down: whoever closes the app has no time.
      timers.stop('batch')
      setOwn(null)
      if (!isOpen && self !== null) show(withoutDevice(view, self))
    },
    people: () => people,
    self: () => self,
    subscribe: listeners.add,

    onOpen: () => {
      isOpen = true
      // The answer to what is announced now is the whole list.
      isLost = false
      self = null
      timers.stop('batch')
      announceNow()
    },
    onMessage: (raw) => {
      const message = isOpen ? readPresenceMessage(raw) : null
      if (!message) return
      timers.start('silence', PRESENCE_TTL_MS, giveUp)
      if (message.type === 'presence-refused') {
        isRefused = true
        onRefused?.(message.code)
      } else if (message.type !== 'presence-renewed') merge(message)
      else if (!message.isKnown || isRefused) announceNow()
    },
    onClosed: () => {
      isOpen = false
      timers.stop('batch')
      timers.stop('renew')
    },

    [Symbol.dispose]: () => {
      if (isOpen && own) send({ type: 'presence', state: null })
      isOpen = false
      timers.stopAll()
      typing.stopAll()
    },
  }
}
