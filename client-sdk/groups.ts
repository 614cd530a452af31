// Groups on this device: what the server has said of them, and what was made, joined or left here and waits to be sent. The
// commands are checked here as the server will, so that what is sure to be refused is refused at once.
import { ROLES, type Role } from '../shared/access.ts'
import { AppError } from '../shared/errors.ts'
import { isShowable, isText } from '../shared/fields.ts'
import { isPlainObject, type Json } from '../shared/json.ts'
import { DESCRIPTION_BYTES_MAX, GROUP_NAME_LENGTH_MAX, TIMEZONE_LENGTH_MAX } from '../shared/limits.ts'
import type { readMe } from '../shared/me/model.ts'
import type { GroupView } from './client-types.ts'
import type { Command, CommandResult, Outbox } from './outbox-types.ts'

/** A group to be made. Refused at once as `input/invalid` where a field is not as it should be. */
export interface NewGroup {
  /** One line of 1 to 100 characters. */
  readonly name: string
  /** At most 2,000 bytes. */
  readonly description?: string
  /** Such as `Europe/Berlin`; `UTC` where it is left out. */
  readonly timezone?: string
  /** `weekly` where it is left out. */
  readonly checkInFrequency?: 'daily' | 'weekly' | 'biweekly'
}

/** A join on its way: which group it is, the server knows. */
export interface Joining {
  /** Of the command in the outbox. */
  readonly id: string
  readonly accessCode: string
  /** Resolves with the group once the server has answered; rejects with `group/code-unknown`, `group/full`, … */
  readonly confirmed: () => Promise<GroupView>
}

/** What rules need to know of a group that no document shows yet. */
export interface MadeGroup {
  readonly timezone: string
  readonly frequency: 'daily' | 'weekly' | 'biweekly'
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

/** One's groups, those included that were made here and the server has not confirmed yet. */
export interface Groups {
  /** There at once, and sent when the server can be reached. Rejects with `input/invalid` or `StoreError`. */
  readonly create: (group: NewGroup) => Promise<GroupView>
  /** On the disk when it resolves; the group is known when the server has answered. */
  readonly join: (by: { readonly accessCode: string }) => Promise<Joining>
  /** Joins that the server has not answered yet, or has refused. */
  readonly joining: () => readonly Joining[]
  /** Out of the list at once; back in it where the server refuses, as it does to the last owner. */
  readonly leave: (id: string) => Promise<void>
  /** By name. A group whose creation was refused stays in it, pending, until its command is discarded. */
  readonly list: () => readonly GroupView[]
  readonly get: (id: string) => GroupView | null
  /** Resolves with what the server says of a group that was made here, once it has it. */
  readonly confirmed: (id: string) => Promise<GroupView>
  /** Groups that were made here and are in no document yet. */
  readonly made: () => ReadonlyMap<string, MadeGroup>
}

export interface GroupsOptions {
  readonly outbox: Outbox
  /** `me/{user}` as this device has it; null where it has none. */
  readonly readMe: () => Pick<ReturnType<typeof readMe>, 'groups'> | null
  /** UUIDv7. */
  readonly newId: () => string
}

const CREATE = '/groups'
const JOIN = '/groups/join'
const LEAVE = /^\/groups\/([^/]+)\/leave$/
const FREQUENCIES: ReadonlySet<unknown> = new Set(['daily', 'weekly', 'biweekly'])

const invalid = (field: string, message: string): AppError =>
  new AppError('input/invalid', `${field}: ${message}`, { issues: [{ field, message }] })

/** One line, as names are; throws `input/invalid`. */
export const mustName = (name: string, lengthMax: number): string => {
  const text = name.trim()
  if (text.length > 0 && text.length <= lengthMax && isShowable(text, false)) return text
  throw invalid('name', `expected a line of 1 to ${lengthMax} characters`)
}

const isTimezone = (name: string): boolean => {
  try {
    return name.length <= TIMEZONE_LENGTH_MAX && Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    return false
  }
}

const mustGroup = ({ name, description, timezone, checkInFrequency }: NewGroup) => {
  if (description !== undefined && !isText(DESCRIPTION_BYTES_MAX)(description))
    throw invalid('description', `expected at most ${DESCRIPTION_BYTES_MAX} bytes of text`)
  if (timezone !== undefined && !isTimezone(timezone)) throw invalid('timezone', 'expected one such as Europe/Berlin')
  if (checkInFrequency !== undefined && !FREQUENCIES.has(checkInFrequency))
    throw invalid('checkInFrequency', 'expected daily, weekly or biweekly')
  return {
    name: mustName(name, GROUP_NAME_LENGTH_MAX),
    ...(description !== undefined && { description }),
    ...(timezone !== undefined && { timezone }),
    ...(checkInFrequency !== undefined && { checkInFrequency }),
  }
}

const roleOf = (role: unknown): Role => ROLES.find((one) => one === role) ?? 'guest'

/** Null for what shows no group: direct messages have one too, that nobody looks at. */
const toView = (value: unknown, isPending: boolean): GroupView | null => {
  if (!isPlainObject(value) || value['kind'] === 'direct') return null
  const { id, name, role } = value
  if (typeof id !== 'string' || typeof name !== 'string') return null
  return { id, name, role: roleOf(role), isPending }
}

const mustView = (data: unknown): GroupView => {
  const view = toView(data, false)
  if (!view) throw new AppError('internal', 'the server answered with no group')
  return view
}

const isCreation = ({ path }: Pick<Command, 'path'>): boolean => path === CREATE

const pendingView = ({ body }: Command): GroupView | null =>
  toView({ ...(body as Record<string, Json>), role: 'owner' }, true)

const byName = (a: GroupView, b: GroupView): number =>
  a.name === b.name ? (a.id < b.id ? -1 : 1) : a.name < b.name ? -1 : 1

const toMade = (value: unknown, at: number): MadeGroup => {
  const { timezone, checkInFrequency, createdAt } = value as Record<string, unknown>
  return {
    timezone: typeof timezone === 'string' ? timezone : 'UTC',
    frequency: FREQUENCIES.has(checkInFrequency) ? (checkInFrequency as MadeGroup['frequency']) : 'weekly',
    createdAt: typeof createdAt === 'number' ? createdAt : at,
  }
}

export const createGroups = ({ outbox, readMe: read, newId }: GroupsOptions): Groups => {
  const isEntry = ({ path }: CommandResult): boolean => path === CREATE || path === JOIN
  const idIn = ({ data }: CommandResult): string | null => toView(data, false)?.id ?? null

  /** Lets go of answers that say nothing new: about groups that the user's document shows, or that were left since. */
  const tidy = (): void => {
    const known = read()?.groups
    const entries = outbox.results().filter(isEntry)
    for (const leave of outbox.results()) {
      const groupId = LEAVE.exec(leave.path)?.[1]
      if (groupId === undefined) continue
      const entered = entries.filter((entry) => idIn(entry) === groupId)
      for (const { id, at } of entered) if (at <= leave.at) outbox.forget(id)
      const isBack = entered.some(({ at }) => at > leave.at)
      if (isBack || (known && !Object.hasOwn(known, groupId))) outbox.forget(leave.id)
    }
    for (const entry of entries) {
      const groupId = idIn(entry)
      if (groupId === null || (known && Object.hasOwn(known, groupId))) outbox.forget(entry.id)
    }
  }

  const unseen = (): readonly CommandResult[] => outbox.results().filter(isEntry)

  /** Groups that the user's document may still show, although they are being left, or were just now. */
  const left = (): ReadonlySet<string> => {
    const leaving = outbox.list().filter(({ state }) => state === 'pending')
    const ids = [...leaving, ...outbox.results()].map(({ path }) => LEAVE.exec(path)?.[1])
    return new Set(ids.filter((id) => id !== undefined))
  }

  const list = (): readonly GroupView[] => {
    tidy()
    const gone = left()
    const views = new Map<string, GroupView>()
    const add = (view: GroupView | null): void => {
      if (view && !gone.has(view.id)) views.set(view.id, view)
    }
    for (const command of outbox.list()) if (isCreation(command)) add(pendingView(command))
    for (const { data } of unseen()) add(toView(data, false))
    for (const group of Object.values(read()?.groups ?? {})) add(toView(group, false))
    return [...views.values()].toSorted(byName)
  }

  const toJoining = ({ id, body }: Command): Joining => ({
    id,
    accessCode: (body as { readonly accessCode: string }).accessCode,
    confirmed: async () => mustView(await outbox.confirmed(id)),
  })

  return {
    list,
    get: (id) => list().find((group) => group.id === id) ?? null,
    create: async (group) => {
      const id = newId()
      const body = { id, ...mustGroup(group) }
      await outbox.add({ id, method: 'POST', path: CREATE, body })
      return { id, name: body.name, role: 'owner', isPending: true }
    },
    join: async ({ accessCode }) =>
      toJoining(await outbox.add({ id: newId(), method: 'POST', path: JOIN, body: { accessCode } })),
    joining: () =>
      outbox
        .list()
        .filter(({ path }) => path === JOIN)
        .map(toJoining),
    leave: async (id) => {
      const path = `/groups/${encodeURIComponent(id)}/leave`
      await outbox.add({ id: newId(), method: 'POST', path, isDoneWhenGone: true })
    },
    confirmed: async (id) => {
      const known = toView(read()?.groups[id], false)
      return known ?? mustView(await outbox.confirmed(id))
    },
    made: () => {
      tidy()
      const made = new Map<string, MadeGroup>()
      for (const { id, body, at, path } of outbox.list()) if (path === CREATE) made.set(id, toMade(body, at))
      for (const { id, data, at, path } of unseen()) if (path === CREATE) made.set(id, toMade(data, at))
      return made
    },
  }
}
