// What the device remembers of a migration, for each app and user: what ids are made from, and the receipt. Whose data it was
// stays the same through sign-up, and goes along when a guest's work is adopted by an account.
import { isPlainObject } from '../shared/json.ts'
import { ADOPTED } from './area-keys.ts'
import type { Store, StoredValue } from './offline/store.ts'
import type { Made, Receipt } from './migrate-types.ts'

export type MigrationRecord = {
  readonly userId: string
  readonly scope: string
  readonly generation: number
  /** Milliseconds since the epoch: the time of everything that says none. */
  readonly startedAt: number
  readonly receipt: Receipt | null
}

export interface FoundRecord {
  readonly record: MigrationRecord | null
  /** Where it is kept; another user's name in it means that their work was adopted. */
  readonly key: string
  /** Somebody else on this device has taken the app's data over. */
  readonly isTakenByAnother: boolean
}

const keyOf = (app: string, userId: string): string => `migration/${app}/${userId}`

/** Null for what is none: everything in it can be found out again. */
const readRecord = (value: unknown): MigrationRecord | null => {
  if (!isPlainObject(value)) return null
  const { userId, scope, generation, startedAt, receipt } = value
  if (typeof userId !== 'string' || typeof scope !== 'string') return null
  if (typeof generation !== 'number' || typeof startedAt !== 'number') return null
  // reason: written by this file alone; the form of its parts is what the version wrote that made it.
  return { userId, scope, generation, startedAt, receipt: isPlainObject(receipt) ? (receipt as Receipt) : null }
}

/** A guest's record as that of the user who adopted their work: a message's id begins with its author. */
const asOf = (record: MigrationRecord, userId: string): MigrationRecord => {
  const by = `${record.userId}.`
  const { receipt } = record
  const rename = ({ key, what, within, part, id, mark }: Made): Made => {
    const own = id.startsWith(by) ? `${userId}.${id.slice(by.length)}` : id
    return { key, what, within, part, id: own, mark }
  }
  const renamed = receipt && { ...receipt, made: receipt.made.map(rename) }
  return { ...record, userId, receipt: renamed }
}

/** `area` is that of `userId`. */
export const findRecord = async (device: Store, area: Store, app: string, userId: string): Promise<FoundRecord> => {
  const own = keyOf(app, userId)
  const found = readRecord(await device.get(own))
  if (found) return { record: found, key: own, isTakenByAnother: false }
  for (const adopted of (await area.list(ADOPTED)).keys()) {
    const key = keyOf(app, adopted.slice(ADOPTED.length))
    const record = readRecord(await device.get(key))
    if (record) return { record: asOf(record, userId), key, isTakenByAnother: false }
  }
  const others = [...(await device.list(keyOf(app, ''))).values()].some((value) => readRecord(value)?.receipt)
  return { record: null, key: own, isTakenByAnother: others }
}

export const keepRecord = async (device: Store, app: string, record: MigrationRecord, from?: string): Promise<void> => {
  const key = keyOf(app, record.userId)
  const value: StoredValue = record
  await device.write({ put: { [key]: value }, ...(from !== undefined && from !== key && { del: [from] }) })
}
