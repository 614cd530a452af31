// What people are shown of their logins, and how much of a login's address is kept.
import { ADDRESS_MS } from '../../shared/limits.ts'
import type { SessionRow } from '../../storage/sessions.ts'
import { networkOf } from './address.ts'

export interface SessionView {
  readonly id: string
  readonly deviceId: string | null
  readonly deviceName: string | null
  readonly userAgent: string | null
  /** Where the login happened; of an old one the network only. */
  readonly ip: string | null
  readonly loginAt: number
  readonly lastUsedAt: number
  readonly expiresAt: number
  /** The one that asks. */
  readonly current: boolean
}

/** The address of a login as it is kept when the login is `ageMs` old. */
export const addressAfter = (ip: string | null, ageMs: number): string | null =>
  ip !== null && ageMs > ADDRESS_MS ? networkOf(ip) : ip

export const toSessionView = (row: SessionRow, now: number, currentId: string | undefined): SessionView => ({
  id: row.family_id,
  deviceId: row.device_id,
  deviceName: row.device_name,
  userAgent: row.user_agent,
  ip: addressAfter(row.ip, now - row.login_at),
  loginAt: row.login_at,
  lastUsedAt: row.created_at,
  expiresAt: row.expires_at,
  current: row.family_id === currentId,
})
