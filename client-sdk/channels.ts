// Channels on this device: those of the group's document, and those that were made here and wait to be sent.
import { CHANNEL_TYPES } from '../shared/channels.ts'
import { AppError } from '../shared/errors.ts'
import type { GroupProjection } from '../shared/group/model.ts'
import { isPlainObject, type Json } from '../shared/json.ts'
import { CHANNEL_NAME_LENGTH_MAX } from '../shared/limits.ts'
import { isId } from '../shared/names.ts'
import type { ChannelView } from './client-types.ts'
import { mustName } from './groups.ts'
import type { CommandResult, Outbox } from './outbox-types.ts'

/** A channel to be made. Its id may be given, so that other data can name it before it is there. */
export interface NewChannel {
  readonly type: ChannelView['type']
  /** One line of 1 to 100 characters. */
  readonly name: string
  /** 10 to 40 of A–Z a–z 0–9 _ -; made here where it is left out. */
  readonly id?: string
}

/** The channels of one's groups, those included that the server has not confirmed yet. */
export interface Channels {
  /** There at once, and sent after its group. Rejects with `input/invalid` or `StoreError`. */
  readonly create: (groupId: string, channel: NewChannel) => Promise<ChannelView>
  /** In the order of their making; pending ones last. */
  readonly list: (groupId: string) => readonly ChannelView[]
  /** Resolves with what the server says of a channel that was made here, once it has it. */
  readonly confirmed: (id: string) => Promise<ChannelView>
  /** Channels that were made here and are in no document yet, with their groups. */
  readonly made: () => ReadonlyMap<string, string>
}

export interface ChannelsOptions {
  readonly outbox: Outbox
  /** `group/{group}` as this device has it; null where it has none. */
  readonly readGroup: (groupId: string) => GroupProjection | null
  /** UUIDv7. */
  readonly newId: () => string
}

const CREATE = /^\/groups\/([^/]+)\/channels$/

const typeOf = (type: unknown): ChannelView['type'] | undefined => CHANNEL_TYPES.find((one) => one === type)

const mustType = (type: unknown): ChannelView['type'] => {
  const known = typeOf(type)
  if (known) return known
  throw new AppError('input/invalid', `type: expected one of ${CHANNEL_TYPES.join(' ')}`, {
    issues: [{ field: 'type', message: `expected one of ${CHANNEL_TYPES.join(' ')}` }],
  })
}

const mustId = (id: string): string => {
  if (isId(id) && !id.startsWith('dm-')) return id
  const message = 'expected 10 to 40 of A-Z a-z 0-9 _ -, not beginning with dm-'
  throw new AppError('input/invalid', `id: ${message}`, { issues: [{ field: 'id', message }] })
}

/** Null for a channel of a newer type. */
const toView = (groupId: string, value: unknown, isPending: boolean): ChannelView | null => {
  if (!isPlainObject(value)) return null
  const { id, name } = value
  const type = typeOf(value['type'])
  if (typeof id !== 'string' || typeof name !== 'string' || !type) return null
  return { id, groupId, type, name, isPending }
}

export const createChannels = ({ outbox, readGroup, newId }: ChannelsOptions): Channels => {
  const groupOf = (path: string): string | null => CREATE.exec(path)?.[1] ?? null

  /** Answers about channels that their group's document does not show yet; those that it shows are let go of. */
  const unseen = (): readonly CommandResult[] =>
    outbox.results().filter(({ id, path }) => {
      const groupId = groupOf(path)
      if (groupId === null) return false
      const isSeen = readGroup(groupId)?.channels.some((channel) => channel.id === id) ?? false
      if (isSeen) outbox.forget(id)
      return !isSeen
    })

  return {
    create: async (groupId, { type, name, id: given }) => {
      const id = given === undefined ? newId() : mustId(given)
      const body = { id, type: mustType(type), name: mustName(name, CHANNEL_NAME_LENGTH_MAX) } satisfies Json
      await outbox.add({ id, method: 'POST', path: `/groups/${encodeURIComponent(groupId)}/channels`, body })
      return { ...body, groupId, isPending: true }
    },
    list: (groupId) => {
      const views = new Map<string, ChannelView>()
      const add = (value: unknown, isPending: boolean): void => {
        const view = toView(groupId, value, isPending)
        if (view && !views.has(view.id)) views.set(view.id, view)
      }
      for (const channel of readGroup(groupId)?.channels ?? []) add(channel, false)
      for (const { path, data } of unseen()) if (groupOf(path) === groupId) add(data, false)
      for (const { path, body } of outbox.list()) if (groupOf(path) === groupId) add(body, true)
      return [...views.values()]
    },
    confirmed: async (id) => {
      const data = await outbox.confirmed<Json>(id)
      const groupId = isPlainObject(data) ? data['groupId'] : null
      const view = typeof groupId === 'string' ? toView(groupId, data, false) : null
      if (!view) throw new AppError('internal', 'the server answered with no channel')
      return view
    },
    made: () => {
      const made = new Map<string, string>()
      for (const { id, path } of [...outbox.list(), ...unseen()]) {
        const groupId = groupOf(path)
        if (groupId !== null) made.set(id, groupId)
      }
      return made
    },
  }
}
