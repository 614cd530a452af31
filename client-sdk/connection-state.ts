// What the connection does next, as a total table: states × events → the next state and what to do, as data. Pure: no
// socket, no timer, no token; `connection.ts` feeds it.
//
//   offline ─goOnline→ asking ─tokenGiven→ connecting ─opened→ live
//                      ↑   └─tokenMissing→ denied        └─ ends ─┐
//                      └──── timer, wake ──── waiting ←───────────┘        goOffline leads from everywhere to offline
import { ERRORS } from '../shared/errors.ts'
import type { ConnectionState } from './connection-types.ts'
import { codeOf } from './wire.ts'

/** `failures`: sockets and tokens in a row that came to nothing. */
export type State =
  /** Wanted so. */
  | { readonly name: 'offline' }
  /** To try again. */
  | { readonly name: 'waiting'; readonly failures: number }
  /** For a token. */
  | { readonly name: 'asking'; readonly failures: number }
  | { readonly name: 'connecting'; readonly failures: number }
  | { readonly name: 'live'; readonly failures: number }
  /** Nobody is logged in. */
  | { readonly name: 'denied' }

/** What the end of a socket says: come again; the login is at fault; what you do is wrong and will be the next time. */
export type Ending = 'again' | 'login' | 'never'

export type Event =
  | { readonly type: 'goOnline' }
  | { readonly type: 'goOffline' }
  /** The network or the page came back, perhaps. */
  | { readonly type: 'wake' }
  | { readonly type: 'tokenGiven' }
  | { readonly type: 'tokenMissing' }
  /** The token could not be asked for. */
  | { readonly type: 'tokenUnavailable' }
  | { readonly type: 'opened' }
  /** The server let us into some document. */
  | { readonly type: 'handshaken' }
  | { readonly type: 'closed'; readonly ending: Ending }
  | { readonly type: 'heartbeatMissed' }
  /** The server sent what is no frame. */
  | { readonly type: 'broken' }
  /** The one that was scheduled last. */
  | { readonly type: 'timer' }
  /** Another login. */
  | { readonly type: 'loginChanged' }
  /** As many documents as a socket may open were opened on this one. */
  | { readonly type: 'usedUp' }

/** In this order, each once. */
export type Effect =
  | { readonly effect: 'close' }
  | { readonly effect: 'rejectToken' }
  | { readonly effect: 'askToken' }
  | { readonly effect: 'connect' }
  /** Opens the attached documents on the new socket. */
  | { readonly effect: 'openDocuments' }
  /** Asks the server whether it is still there. */
  | { readonly effect: 'probe' }
  /** Instead of what was scheduled before. */
  | { readonly effect: 'schedule'; readonly ms: number }
  | { readonly effect: 'cancel' }

export interface Step {
  readonly state: State
  readonly effects: readonly Effect[]
}

/** The wait before try n is drawn from 0 to `RETRY_BASE_MS · 2ⁿ`, at most `RETRY_MS_MAX`. */
export const RETRY_BASE_MS = 250
export const RETRY_MS_MAX = 30_000
/** Where coming again cannot help, the wait is drawn from half of this to all of it. */
export const HOPELESS_RETRY_MS = 120_000
/** A token, or a socket, that takes longer is given up. */
export const TOKEN_MS_MAX = 30_000
export const CONNECT_MS_MAX = 15_000
/** A socket that lasted this long ends a row of failures; so does one that was let into a document and lasted a moment. */
export const STABLE_MS = 60_000
export const STABLE_AFTER_HANDSHAKE_MS = 5_000

export const OFFLINE: State = { name: 'offline' }

const PUBLIC: Record<State['name'], ConnectionState> = {
  offline: 'offline',
  // No socket, and none on its way: whoever looks sees the truth, also when the server is away for hours.
  waiting: 'offline',
  asking: 'connecting',
  connecting: 'connecting',
  live: 'live',
  denied: 'denied',
}

export const publicState = ({ name }: State): ConnectionState => PUBLIC[name]

/** Exponential backoff with full jitter. */
export const retryMs = (failures: number, random: () => number): number =>
  random() * Math.min(RETRY_MS_MAX, RETRY_BASE_MS * 2 ** failures)

/** Close codes of the WebSocket protocol that say that we did wrong. */
const OUR_FAULT: ReadonlySet<number> = new Set([1002, 1003, 1007, 1008, 1009, 1010])

export const endingOf = (code: number, reason: string): Ending => {
  const known = codeOf(reason)
  // A socket without a document, after a minute: nothing is wrong with the login.
  if (known === 'socket/no-login') return 'again'
  if (known && ERRORS[known].retry) return 'again'
  const close = known ? ERRORS[known].close : code
  if (close === 4401) return 'login'
  return known || (close >= 4400 && close < 4500) || OUR_FAULT.has(close) ? 'never' : 'again'
}

const CLOSE: Effect = { effect: 'close' }
const CANCEL: Effect = { effect: 'cancel' }
const schedule = (ms: number): Effect => ({ effect: 'schedule', ms })

const goOffline = (...effects: readonly Effect[]): Step => ({ state: OFFLINE, effects })
const deny = (...effects: readonly Effect[]): Step => ({ state: { name: 'denied' }, effects })

/** `before`: what is done first. */
const ask = (failures: number, ...before: readonly Effect[]): Step => ({
  state: { name: 'asking', failures },
  effects: [...before, { effect: 'askToken' }, schedule(TOKEN_MS_MAX)],
})

const wait = (failures: number, random: () => number, ...before: readonly Effect[]): Step => ({
  state: { name: 'waiting', failures: failures + 1 },
  effects: [...before, schedule(retryMs(failures, random))],
})

const end = (failures: number, ending: Ending, random: () => number): Step => {
  if (ending === 'again') return wait(failures, random, CLOSE)
  if (ending === 'login') return wait(failures, random, CLOSE, { effect: 'rejectToken' })
  const ms = (HOPELESS_RETRY_MS / 2) * (1 + random())
  return { state: { name: 'waiting', failures: failures + 1 }, effects: [CLOSE, schedule(ms)] }
}

type Named<Union, Key extends keyof Union, Value> = Extract<Union, Record<Key, Value>>
type Cell<Name extends State['name'], Type extends Event['type']> = (
  state: Named<State, 'name', Name>,
  event: Named<Event, 'type', Type>,
  random: () => number,
) => Step
type Table = { readonly [Name in State['name']]: { readonly [Type in Event['type']]: Cell<Name, Type> } }

const stay = (state: State): Step => ({ state, effects: [] })

const TABLE: Table = {
  offline: {
    goOnline: () => ask(0),
    goOffline: stay,
    wake: stay,
    tokenGiven: stay,
    tokenMissing: stay,
    tokenUnavailable: stay,
    opened: stay,
    handshaken: stay,
    closed: stay,
    heartbeatMissed: stay,
    broken: stay,
    timer: stay,
    loginChanged: stay,
    usedUp: stay,
  },
  waiting: {
    goOnline: ({ failures }) => ask(failures),
    goOffline: () => goOffline(CANCEL),
    wake: ({ failures }) => ask(failures),
    tokenGiven: stay,
    tokenMissing: stay,
    tokenUnavailable: stay,
    opened: stay,
    handshaken: stay,
    closed: stay,
    heartbeatMissed: stay,
    broken: stay,
    timer: ({ failures }) => ask(failures),
    loginChanged: () => ask(0),
    usedUp: stay,
  },
  asking: {
    goOnline: stay,
    goOffline: () => goOffline(CANCEL),
    wake: stay,
    tokenGiven: ({ failures }) => ({
      state: { name: 'connecting', failures },
      effects: [{ effect: 'connect' }, schedule(CONNECT_MS_MAX)],
    }),
    tokenMissing: () => deny(CANCEL),
    tokenUnavailable: ({ failures }, _event, random) => wait(failures, random),
    opened: stay,
    handshaken: stay,
    closed: stay,
    heartbeatMissed: stay,
    broken: stay,
    timer: ({ failures }, _event, random) => wait(failures, random),
    loginChanged: () => ask(0),
    usedUp: stay,
  },
  connecting: {
    goOnline: stay,
    goOffline: () => goOffline(CLOSE, CANCEL),
    wake: stay,
    tokenGiven: stay,
    tokenMissing: () => deny(CLOSE, CANCEL),
    tokenUnavailable: stay,
    opened: ({ failures }) => ({
      state: { name: 'live', failures },
      effects: [{ effect: 'openDocuments' }, schedule(STABLE_MS)],
    }),
    handshaken: stay,
    closed: ({ failures }, { ending }, random) => end(failures, ending, random),
    heartbeatMissed: ({ failures }, _event, random) => wait(failures, random, CLOSE),
    broken: ({ failures }, _event, random) => wait(failures, random, CLOSE),
    timer: ({ failures }, _event, random) => wait(failures, random, CLOSE),
    loginChanged: () => ask(0, CLOSE),
    usedUp: stay,
  },
  live: {
    goOnline: stay,
    goOffline: () => goOffline(CLOSE, CANCEL),
    wake: (state) => ({ state, effects: [{ effect: 'probe' }] }),
    tokenGiven: stay,
    tokenMissing: () => deny(CLOSE, CANCEL),
    tokenUnavailable: stay,
    opened: stay,
    handshaken: (state) => ({ state, effects: [schedule(STABLE_AFTER_HANDSHAKE_MS)] }),
    closed: ({ failures }, { ending }, random) => end(failures, ending, random),
    heartbeatMissed: ({ failures }, _event, random) => wait(failures, random, CLOSE),
    broken: ({ failures }, _event, random) => wait(failures, random, CLOSE),
    timer: () => stay({ name: 'live', failures: 0 }),
    loginChanged: () => ask(0, CLOSE),
    usedUp: () => ask(0, CLOSE),
  },
  denied: {
    goOnline: () => ask(0),
    goOffline: () => goOffline(),
    wake: stay,
    tokenGiven: stay,
    tokenMissing: stay,
    tokenUnavailable: stay,
    opened: stay,
    handshaken: stay,
    closed: stay,
    heartbeatMissed: stay,
    broken: stay,
    timer: stay,
    loginChanged: () => ask(0),
    usedUp: stay,
  },
}

export const transition = (state: State, event: Event, random: () => number): Step => {
  // reason: TypeScript does not see that the cell found by a state's name and an event's type takes just these two.
  const cell = TABLE[state.name][event.type] as (state: State, event: Event, random: () => number) => Step
  return cell(state, event, random)
}
