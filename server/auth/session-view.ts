// What people are shown of their logins, and how much of a login's address is kept.
import { ADDRESS_MS } from '../../shared/limits.ts'
import type { SessionInfo } from '../../shared/session-info.ts'
import type { SessionRow } from '../../storage/sessions.ts'
import { networkOf } from './address.ts'

/** The address of a login as it is kept when the login is `ageMs` old. */
export const addressAfter = (ip: string | null, ageMs: number): string | null =>
  ip !== null && ageMs > ADDRESS_MS ? networkOf(ip) : ip

export const toSessionInfo = (row: SessionRow, now: number, currentId: string | undefined): SessionInfo => ({
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
