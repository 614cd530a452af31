// Presence: what clients say of themselves on `group/{id}`, and what they are told of each other. Who somebody is comes from
// their login, never from what they say. Nothing of it reaches a document, the disk or the log.
import type { Connection } from '@hocuspocus/server'
import { AppError, type ErrorCode } from '../../shared/errors.ts'
import { MEMBERS } from '../../shared/group/model.ts'
import { isPlainObject } from '../../shared/json.ts'
import { PRESENCE_MESSAGE_BYTES_MAX } from '../../shared/limits.ts'
import { type PresenceMessage, toPresenceState } from '../../shared/presence.ts'
import { presenceFrame } from './frames.ts'
import { createLastSeen } from './last-seen.ts'
import type { LiveDocument } from './live-document.ts'
import { createPresenceChannel, type PresenceChannel, type PresencePlace } from './presence-channel.ts'

/** What reading a message and answering it costs, about. */
const MESSAGE_MS = 0.05

export interface PresenceDeps {
  readonly now: () => number
  /** Runs `run` once after `ms`; returns its undo. */
  readonly after: (ms: number, run: () => void) => () => void
  /** Whether others may know when this user was last here. */
  readonly showsLastSeen: (userId: string) => Promise<boolean>
}

export interface Presence extends Disposable {
  /** Takes a stateless message of a client; returns the CPU time it is to be charged for, in ms. */
  readonly hear: (place: PresencePlace, message: Uint8Array) => number
  /** Asks again whether this user is shown as last seen. */
  readonly profileChanged: (userId: string) => Promise<void>
  /** The document is thrown away. */
  readonly discard: (live: LiveDocument) => void
}

/** Null for what is no JSON object, which is somebody else's to understand. */
const parse = (message: Uint8Array): Record<string, unknown> | null => {
  try {
    const value: unknown = JSON.parse(Buffer.from(message).toString('utf8'))
    return isPlainObject(value) ? value : null
  } catch {
    return null
  }
}

export const createPresence = ({ now, after, showsLastSeen }: PresenceDeps): Presence => {
  const channels = new Map<LiveDocument, PresenceChannel>()
  const memory = createLastSeen()
  /** Connections whose end is listened to. */
  const watched = new WeakSet<Connection>()
  let isStopped = false

  /** Of members only: who has left the group is not spoken of. */
  const lastSeenIn = (live: LiveDocument): Record<string, number> => {
    const channel = channels.get(live)
    const seen: [string, number][] = []
    for (const userId of live.document.getMap(MEMBERS).keys()) {
      const at = memory.at(userId, live.name)
      if (at !== undefined && !channel?.isHere(userId)) seen.push([userId, at])
    }
    return Object.fromEntries(seen)
  }

  // Where it cannot be asked, nothing is shown.
  const isShown = (userId: string): Promise<boolean> => showsLastSeen(userId).catch(() => false)

  const onAway = async (live: LiveDocument, userId: string, at: number | null): Promise<void> => {
    if (at === null) {
      memory.forget(userId, live.name)
      return
    }
    if (!(await isShown(userId)) || isStopped || channels.get(live)?.isHere(userId)) return
    const minute = memory.remember(userId, live.name, at)
    if (live.document.getMap(MEMBERS).has(userId)) channels.get(live)?.tellLastSeen(userId, minute)
  }

  const openChannel = (live: LiveDocument): PresenceChannel => {
    const channel = createPresenceChannel({
      live,
      now,
      after,
      lastSeen: () => lastSeenIn(live),
      onAway: (userId, at) => void onAway(live, userId, at),
      onEmpty: () => channels.delete(live),
    })
    channels.set(live, channel)
    return channel
  }

  const watch = ({ live, connection }: PresencePlace): void => {
    if (watched.has(connection)) return
    watched.add(connection)
    connection.onClose((_document, event) => {
      channels.get(live)?.leave(connection, event?.reason === ('revoked/access' satisfies ErrorCode))
    })
  }

  const answer = ({ live, address, socket }: PresencePlace, message: PresenceMessage): void =>
    live.deliver(socket, presenceFrame(address, message))

  const refuse = (place: PresencePlace, code: ErrorCode): number => {
    answer(place, { type: 'presence-refused', code })
    return MESSAGE_MS
  }

  const announce = (place: PresencePlace, said: unknown): number => {
    try {
      const state = said === null ? null : toPresenceState(said)
      watch(place)
      return MESSAGE_MS + (channels.get(place.live) ?? openChannel(place.live)).announce(place, state)
    } catch (error) {
      if (error instanceof AppError) return refuse(place, error.code)
      throw error
    }
  }

  return {
    hear: (place, message) => {
      if (isStopped) return 0
      if (message.byteLength > PRESENCE_MESSAGE_BYTES_MAX) return refuse(place, 'input/too-large')
      const said = parse(message)
      if (said?.['type'] === 'presence') return announce(place, said['state'])
      if (said?.['type'] !== 'presence-renew') return MESSAGE_MS
      const wantsAll = said['wantsAll'] === true
      const { isKnown, ms } = channels.get(place.live)?.renew(place.connection, wantsAll) ?? { isKnown: false, ms: 0 }
      answer(place, { type: 'presence-renewed', isKnown })
      return MESSAGE_MS + ms
    },

    profileChanged: async (userId) => {
      if (!memory.has(userId) || (await isShown(userId))) return
      for (const [live, channel] of channels) {
        if (memory.at(userId, live.name) !== undefined) channel.tellLastSeen(userId, null)
      }
      memory.forgetUser(userId)
    },

    discard: (live) => channels.get(live)?.close(),

    [Symbol.dispose]: () => {
      isStopped = true
      for (const channel of channels.values()) channel.close()
    },
  }
}
