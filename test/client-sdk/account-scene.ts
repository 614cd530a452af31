// Scenes for tests of accounts: names that nobody has, people on devices of their own, and the time that tokens are good.
import type { Account, AccountOptions } from '../../client-sdk/account-types.ts'
import { createManualClock, type ManualClock } from './connection-peer.ts'
import { createDevice, type Device } from './device.ts'

export const MINUTES = 60_000
/** Access tokens are good for 15 minutes. */
export const TOKEN_MS = 15 * MINUTES
export const REFRESH = 'POST /auth/refresh'

let lastNumber = 0
export const nextName = (): string => `device_${++lastNumber}`

export const count = (sent: readonly string[], request: string): number => sent.filter((one) => one === request).length

export interface OpenedAccount {
  readonly device: Device
  /** Of the account alone. */
  readonly clock: ManualClock
  readonly account: Account
}

/** The account of a new device, with a guest on it. */
export const openNew = async (url: string, options: Partial<AccountOptions> = {}): Promise<OpenedAccount> => {
  const device = await createDevice(url)
  const clock = createManualClock()
  const account = await device.open({ clock, ...options })
  return { device, clock, account }
}
