// Presence of a group: who is here, and what they are doing. The messages, what a state may hold, and the view of everybody
// that follows from what the server says. Pure; nothing of it is ever stored.
import { AppError, type ErrorCode, ERRORS } from './errors.ts'
import { utf8Length } from './fields.ts'
import { isJson, isPlainObject, type Json } from './json.ts'
import { PRESENCE_STATE_BYTES_MAX } from './limits.ts'
import { isDocumentName, isId } from './names.ts'

export const PRESENCE_STATUSES = ['online', 'away'] as const
export type PresenceStatus = (typeof PRESENCE_STATUSES)[number]

/** A place in a document; what says where in it is up to the app. */
export interface PresenceCursor {
  /** Its name, `kind/id[/part]`. */
  readonly document: string
  readonly [field: string]: Json
}

/** What somebody is doing on one device; at most 2 KiB of JSON. */
export interface PresenceState {
  readonly status: PresenceStatus
  /** The channel they are typing in. Ends by itself after 6 s unless it is announced again. */
  readonly typing: string | null
  readonly cursor: PresenceCursor | null
}

/** What is left out is `online`, typing nowhere, no cursor. */
export type PresenceInput = { readonly [Field in keyof PresenceState]?: PresenceState[Field] | undefined }

/** What a client says. From its first `presence` on it takes part and is told of the others. */
export type PresenceRequest =
  /** `null`: not here, or not any more; only listening. */
  | { readonly type: 'presence'; readonly state: PresenceInput | null }
  /** Still there; asks for the whole list once more where it has lost it. */
  | { readonly type: 'presence-renew'; readonly wantsAll?: boolean }

/** One device of somebody who is here, as the server says. Times are the server's, in ms since the epoch. */
export interface PresenceDevice extends PresenceState {
  /** One number for each connection, of this group alone. */
  readonly device: number
  readonly userId: string
  /** When it came. */
  readonly since: number
  /** When it last announced something. */
  readonly changedAt: number
}

/** When members were last here, by user id; null: not to be shown. */
type LastSeen = Readonly<Record<string, number | null>>

/** What the server says. */
export type PresenceMessage =
  /** Everybody; the answer to a connection's first `presence`, with its own number and user. */
  | {
      readonly type: 'presence-list'
      readonly self: number
      readonly userId: string
      readonly devices: readonly PresenceDevice[]
      readonly lastSeen: LastSeen
    }
  /** What one interval brought: devices that came or changed, the numbers of those that left. */
  | {
      readonly type: 'presence-changes'
      readonly devices: readonly PresenceDevice[]
      readonly gone: readonly number[]
      readonly lastSeen: LastSeen
    }
  /** The answer to `presence-renew`. Who is not known (any more) announces anew. */
  | { readonly type: 'presence-renewed'; readonly isKnown: boolean }
  /** What was announced is not shown; what was announced before still is. */
  | { readonly type: 'presence-refused'; readonly code: ErrorCode }

/** Everybody, as far as one client was told. */
export interface PresenceView {
  readonly devices: ReadonlyMap<number, PresenceDevice>
  /** Of those who are not here. */
  readonly lastSeen: ReadonlyMap<string, number>
}

/** One person on all their devices. */
export interface PresencePerson {
  readonly userId: string
  /** `away` when all devices are; `offline` when there is none. */
  readonly status: PresenceStatus | 'offline'
  /** Of the device that announced one last. */
  readonly typing: string | null
  readonly cursor: PresenceCursor | null
  readonly devices: readonly PresenceDevice[]
  /** To the minute; null while they are here, and where they do not show it. */
  readonly lastSeenAt: number | null
}

export const EMPTY_PRESENCE: PresenceView = { devices: new Map(), lastSeen: new Map() }

const isStatus = (value: unknown): value is PresenceStatus => (PRESENCE_STATUSES as readonly unknown[]).includes(value)

const isTyping = (value: unknown): value is string | null =>
  value === null || (typeof value === 'string' && isId(value))

const isCursor = (value: unknown): value is PresenceCursor | null =>
  value === null ||
  (isPlainObject(value) && typeof value['document'] === 'string' && isDocumentName(value['document']) && isJson(value))

/**
 * A state with nothing left out. Throws `input/invalid` for what is none, `input/too-large` above 2 KiB of JSON.
 */
export const toPresenceState = (input: unknown): PresenceState => {
  const invalid = (field: string): AppError => new AppError('input/invalid', `presence: ${field}`, { field })
  if (!isPlainObject(input)) throw invalid('state')
  const { status = 'online', typing = null, cursor = null, ...others } = input
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw invalid(unknown.slice(0, 80))
  if (!isStatus(status)) throw invalid('status')
  if (!isTyping(typing)) throw invalid('typing')
  if (!isCursor(cursor)) throw invalid('cursor')
  const state = { status, typing, cursor }
  if (presenceBytes(state) > PRESENCE_STATE_BYTES_MAX) {
    throw new AppError('input/too-large', 'presence state too large', { max: PRESENCE_STATE_BYTES_MAX })
  }
  return state
}

export const presenceBytes = (state: PresenceState): number => utf8Length(JSON.stringify(state))

const isNumber = (value: unknown): value is number => Number.isSafeInteger(value)

const readDevice = (value: unknown): PresenceDevice[] => {
  if (!isPlainObject(value)) return []
  const { device, userId, status, typing, cursor, since, changedAt } = value
  if (!isNumber(device) || typeof userId !== 'string' || !isNumber(since) || !isNumber(changedAt)) return []
  // Of a newer server, perhaps: what is not understood is left out, who is here is not.
  const state: PresenceState = {
    status: isStatus(status) ? status : 'online',
    typing: isTyping(typing) ? typing : null,
    cursor: isCursor(cursor) ? cursor : null,
  }
  return [{ device, userId, ...state, since, changedAt }]
}

const readDevices = (value: unknown): PresenceDevice[] => (Array.isArray(value) ? value.flatMap(readDevice) : [])

const readLastSeen = (value: unknown): LastSeen =>
  isPlainObject(value)
    ? Object.fromEntries(
        Object.entries(value).filter(
          (entry): entry is [string, number | null] => entry[1] === null || isNumber(entry[1]),
        ),
      )
    : {}

/** A message of the server, without what is not understood in it; null when it is not about presence. */
export const readPresenceMessage = (value: { readonly [field: string]: unknown }): PresenceMessage | null => {
  const { type, self, userId, gone, isKnown, code } = value
  const devices = readDevices(value['devices'])
  const lastSeen = readLastSeen(value['lastSeen'])
  if (type === 'presence-list') {
    return {
      type,
      self: isNumber(self) ? self : 0,
      userId: typeof userId === 'string' ? userId : '',
      devices,
      lastSeen,
    }
  }
  if (type === 'presence-changes') {
    return { type, devices, gone: Array.isArray(gone) ? gone.filter(isNumber) : [], lastSeen }
  }
  if (type === 'presence-renewed') return { type, isKnown: isKnown === true }
  if (type === 'presence-refused') {
    return { type, code: typeof code === 'string' && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'internal' }
  }
  return null
}

/** The view after `message`; the same one when it changes nothing. */
export const mergePresence = (view: PresenceView, message: PresenceMessage): PresenceView => {
  if (message.type !== 'presence-list' && message.type !== 'presence-changes') return view
  const isWhole = message.type === 'presence-list'
  const devices = new Map(isWhole ? [] : view.devices)
  const lastSeen = new Map(isWhole ? [] : view.lastSeen)
  if (!isWhole) for (const device of message.gone) devices.delete(device)
  for (const device of message.devices) devices.set(device.device, device)
  for (const [userId, at] of Object.entries(message.lastSeen)) {
    if (at === null) lastSeen.delete(userId)
    else lastSeen.set(userId, at)
  }
  for (const { userId } of devices.values()) lastSeen.delete(userId)
  return { devices, lastSeen }
}

/** The view with one device as it is given. */
export const withDevice = (view: PresenceView, device: PresenceDevice): PresenceView => {
  const lastSeen = new Map(view.lastSeen)
  lastSeen.delete(device.userId)
  return { devices: new Map(view.devices).set(device.device, device), lastSeen }
}

/** The view without one device. */
export const withoutDevice = (view: PresenceView, device: number): PresenceView => {
  const devices = new Map(view.devices)
  return devices.delete(device) ? { ...view, devices } : view
}

const newestOf = <Value>(
  devices: readonly PresenceDevice[],
  valueOf: (device: PresenceDevice) => Value | null,
): Value | null => {
  const [newest] = devices
    .filter((device) => valueOf(device) !== null)
    .toSorted((a, b) => b.changedAt - a.changedAt || b.device - a.device)
  return newest ? valueOf(newest) : null
}

const personOf = (userId: string, devices: readonly PresenceDevice[]): PresencePerson => ({
  userId,
  status: devices.some(({ status }) => status === 'online') ? 'online' : 'away',
  typing: newestOf(devices, ({ typing }) => typing),
  cursor: newestOf(devices, ({ cursor }) => cursor),
  devices: devices.toSorted((a, b) => a.device - b.device),
  lastSeenAt: null,
})

/** Everybody by user id, those who are here first. */
export const peopleOf = ({ devices, lastSeen }: PresenceView): readonly PresencePerson[] => {
  const here = [...Map.groupBy(devices.values(), ({ userId }) => userId)].map(([userId, theirs]) =>
    personOf(userId, theirs),
  )
  const away = [...lastSeen].map(([userId, lastSeenAt]): PresencePerson => ({
    userId,
    status: 'offline',
    typing: null,
    cursor: null,
    devices: [],
    lastSeenAt,
  }))
  const byId = (a: PresencePerson, b: PresencePerson): number =>
    a.userId < b.userId ? -1 : Number(a.userId > b.userId)
  return [...here.toSorted(byId), ...away.toSorted(byId)]
}
