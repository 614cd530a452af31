// A login as the person who owns it sees it, over HTTP and in the SDK.

/** One of the person's logins. Times in milliseconds since the epoch. */
export interface SessionInfo {
  readonly id: string
  readonly deviceId: string | null
  readonly deviceName: string | null
  readonly userAgent: string | null
  /** Where the login happened; of an old one the network only. */
  readonly ip: string | null
  readonly loginAt: number
  readonly lastUsedAt: number
  readonly expiresAt: number
  /** The login that asks: in the SDK, that of this device. */
  readonly current: boolean
}
