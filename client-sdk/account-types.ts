// What apps and the client hold of the account: who is there, how they come and go, and what they are told.
import type { ErrorCode } from '../shared/errors.ts'
import type { SessionInfo } from '../shared/session-info.ts'
import type { CurrentUser } from './client-types.ts'
import type { Clock } from './connection-types.ts'
import type { Http } from './http.ts'
import type { Locks } from './exclusive.ts'
import type { Store } from './offline/store.ts'

/** What becomes of a guest's data when somebody signs in to an existing account. */
export type GuestChoice = 'merge' | 'keep' | 'discard'

/** A guest of this device whose data is still here. */
export interface KeptGuest {
  readonly guestId: string
  /** Null: kept apart. Else what was decided and is not done yet. */
  readonly plan: { readonly userId: string; readonly choice: 'merge' | 'discard' } | null
}

/** A new account. Refused as `input/invalid` where a field is not as it should be, `auth/name-taken` where the name is in use. */
export interface Registration {
  /** 3 to 20 of a–z 0–9 _ */
  readonly username: string
  /** 8 to 1,024 characters. */
  readonly password: string
  readonly email?: string
  readonly name?: string
}

/** How somebody signs in to an account that exists. Refused as `auth/bad-credentials`, or `auth/locked` for a while. */
export interface Login {
  /** User name or e-mail. */
  readonly identifier: string
  readonly password: string
  /** Where a guest signs in to an existing account: what becomes of the guest's data. `merge` where nothing is said. */
  readonly guest?: GuestChoice
}

/** What the server knows of the person who is logged in. */
export interface Profile {
  readonly id: string
  readonly username: string
  readonly email: string | null
  readonly name: string
  readonly about: string
  readonly avatar: string | null
  readonly timezone: string
  readonly createdAt: number
}

export type LoginState = 'guest' | 'logged-in' | 'needs-login'

export type AccountEvent =
  /** Register, login, logout, here or in another tab. With the same id the data stays where it is. */
  | { readonly type: 'switched'; readonly from: CurrentUser; readonly to: CurrentUser }
  /** The server ended the login: the same person goes on offline until they log in again. */
  | { readonly type: 'ended'; readonly code: ErrorCode }

export interface Account extends AsyncDisposable {
  readonly user: CurrentUser
  readonly state: LoginState
  /** Of the current user. */
  readonly area: string
  /** Made once for this device; sent with every login. */
  readonly deviceId: string
  /** The current login; null for a guest. */
  readonly sessionId: string | null
  /** Requests of the current user. */
  readonly http: Http
  /**
   * Makes the guest an account with the guest's own id. Rejects with `auth/name-taken`, `input/invalid`, `id/taken` (not a
   * guest, or registered under another name before), or `Unreachable`.
   */
  readonly register: (input: Registration) => Promise<CurrentUser>
  /** Rejects with `auth/bad-credentials`, `auth/locked`, or `Unreachable`. */
  readonly login: (input: Login) => Promise<CurrentUser>
  /** Works offline: the server is told where it can be. A guest is the current user then. */
  readonly logout: () => Promise<void>
  /** Trades the tokens now. Rejects with `auth/required` where that ended the login, or `Unreachable`. */
  readonly refresh: () => Promise<void>
  readonly me: () => Promise<Profile>
  readonly sessions: () => Promise<readonly SessionInfo[]>
  /** Ends a login; one's own needs a new login then. Rejects with `access/not-found`. */
  readonly endSession: (id: string) => Promise<void>
  /**
   * A good access token; null for guests and where a login is needed. With `as`, rejects with `auth/required` where
   * another user is there by now. Rejects with `Unreachable` where a new one is needed and cannot be had.
   */
  readonly token: (as?: string) => Promise<string | null>
  /** The server did not take the current access token, or the one that is named. */
  readonly tokenRejected: (token?: string) => void
  readonly subscribe: (listener: (event: AccountEvent) => void) => () => void
  /** Another tab changed who is there. */
  readonly reload: () => Promise<void>
  readonly guests: () => Promise<readonly KeptGuest[]>
  /** Decides for a kept guest, in favour of the current user; durable before it resolves. */
  readonly planGuest: (guestId: string, choice: 'merge' | 'discard') => Promise<void>
  /** What was decided for a guest is done; this device forgets about them. */
  readonly guestDone: (guestId: string) => Promise<void>
}

export interface AccountOptions {
  /** `http://host:port` */
  readonly url: string
  /** The device's own area. */
  readonly device: Store
  readonly clock: Clock
  /** UUIDv7. */
  readonly newId: () => string
  /** For tests; the platform's own otherwise. */
  readonly fetch?: typeof fetch
  /** The platform's own otherwise; null: none. */
  readonly locks?: Locks | null
}
