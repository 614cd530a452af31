// The people of one open group: who takes part, what they said last, and what the others have not been told yet. Changes
// of one interval leave as one message; who is not heard of for too long is gone.
import type { Connection } from '@hocuspocus/server'
import { AppError } from '../../shared/errors.ts'
import { isSameJson } from '../../shared/json.ts'
import {
  PRESENCE_BATCH_MS,
  PRESENCE_BYTES_PER_GROUP_MAX,
  PRESENCE_CONNECTIONS_PER_GROUP_MAX,
  PRESENCE_CONNECTIONS_PER_USER_MAX,
  PRESENCE_TTL_MS,
  PRESENCE_TYPING_MS,
} from '../../shared/limits.ts'
import { presenceBytes, type PresenceDevice, type PresenceMessage, type PresenceState } from '../../shared/presence.ts'
import { presenceFrame } from './frames.ts'
import type { LiveDocument, Outlet } from './live-document.ts'

/** What it costs to send a message to one more reader, on a slow machine, and each byte of it. */
const READER_MS = 0.002
const READER_MS_PER_BYTE = 1 / 200_000
/** What the server adds to a state. */
const STAMP_BYTES = 150

/** One connection that has the group open. */
export interface PresencePlace {
  readonly live: LiveDocument
  readonly connection: Connection
  readonly userId: string
  readonly address: string
  readonly socket: Outlet & { readonly isCongested: () => boolean }
}

interface Participant extends PresencePlace {
  readonly device: number
  heardAt: number
  /** Null: only listening. */
  state: PresenceState | null
  bytes: number
  since: number
  changedAt: number
  /** Messages were left out because it does not read; it gets the whole list when it does. */
  isBehind: boolean
}

export interface ChannelDeps {
  readonly live: LiveDocument
  readonly now: () => number
  readonly after: (ms: number, run: () => void) => () => void
  /** When those who are not here were last seen. */
  readonly lastSeen: () => Readonly<Record<string, number>>
  /** The last device of somebody has left; null: with their right to be here. */
  readonly onAway: (userId: string, at: number | null) => void
  readonly onEmpty: () => void
}

export const createPresenceChannel = ({ live, now, after, lastSeen, onAway, onEmpty }: ChannelDeps) => {
  /** Who was heard of longest ago comes first. */
  const participants = new Map<Connection, Participant>()
  /** Devices that are shown, by user. */
  const shownOf = new Map<string, number>()
  let lastDevice = 0
  let bytes = 0
  // What the others have not been told.
  const changed = new Set<Participant>()
  const gone = new Set<number>()
  const seen = new Map<string, number | null>()
  let stopBatch: (() => void) | undefined
  let stopExpiry: (() => void) | undefined
  let isClosed = false

  const shown = ({ device, userId, state, since, changedAt }: Participant): PresenceDevice[] => {
    if (!state) return []
    const typing = now() - changedAt < PRESENCE_TYPING_MS ? state.typing : null
    return [{ device, userId, ...state, typing, since, changedAt }]
  }

  const deliver = ({ address, socket }: PresencePlace, message: PresenceMessage): number => {
    const frame = presenceFrame(address, message)
    live.deliver(socket, frame)
    return frame.byteLength
  }

  /** Returns the bytes sent. */
  const sendList = (to: Participant): number => {
    to.isBehind = to.socket.isCongested()
    if (to.isBehind) return 0
    const devices = [...participants.values()].flatMap(shown)
    const { device: self, userId } = to
    return deliver(to, { type: 'presence-list', self, userId, devices, lastSeen: lastSeen() })
  }

  const tell = (message: PresenceMessage, author: number | undefined): void => {
    // Most have the group open under its plain name, and one frame serves them all.
    const frames = new Map<string, Uint8Array>()
    for (const participant of participants.values()) {
      const { address, socket, device } = participant
      if (device === author) continue
      if (participant.isBehind || socket.isCongested()) {
        sendList(participant)
        continue
      }
      let frame = frames.get(address)
      if (!frame) frames.set(address, (frame = presenceFrame(address, message)))
      live.deliver(socket, frame)
    }
  }

  const flush = (): void => {
    stopBatch = undefined
    if (isClosed || changed.size + gone.size + seen.size === 0) return
    // Frames would only pile up behind the commit; states do not.
    if (!live.isDurable) {
      stopBatch = () => {}
      void live.whenDurable().then(flush)
      return
    }
    const devices = [...changed].flatMap(shown)
    const numbers = [...devices.map(({ device }) => device), ...gone]
    // Who said all there is to tell needs not hear it.
    const author = numbers.length === 1 && seen.size === 0 ? numbers[0] : undefined
    tell({ type: 'presence-changes', devices, gone: [...gone], lastSeen: Object.fromEntries(seen) }, author)
    changed.clear()
    gone.clear()
    seen.clear()
    stopBatch = after(PRESENCE_BATCH_MS, flush)
  }

  /** At the end of this turn, or of the interval since the last message. */
  const tellSoon = (): void => {
    if (!isClosed) stopBatch ??= after(0, flush)
  }

  const isHere = (userId: string): boolean => shownOf.has(userId)

  const setHere = (participant: Participant, state: PresenceState, size: number): void => {
    const { userId, device } = participant
    const at = now()
    if (!participant.state) {
      participant.since = at
      shownOf.set(userId, (shownOf.get(userId) ?? 0) + 1)
    }
    bytes += size - participant.bytes
    Object.assign(participant, { state, bytes: size, changedAt: at })
    changed.add(participant)
    gone.delete(device)
    tellSoon()
  }

  const setAway = (participant: Participant, at: number | null): void => {
    if (!participant.state) return
    const { userId, device } = participant
    bytes -= participant.bytes
    Object.assign(participant, { state: null, bytes: 0 })
    changed.delete(participant)
    gone.add(device)
    tellSoon()
    const left = (shownOf.get(userId) ?? 1) - 1
    if (left > 0) shownOf.set(userId, left)
    else {
      shownOf.delete(userId)
      onAway(userId, at)
    }
  }

  const close = (): void => {
    isClosed = true
    stopBatch?.()
    stopExpiry?.()
    participants.clear()
    onEmpty()
  }

  const remove = (participant: Participant, at: number | null): void => {
    participants.delete(participant.connection)
    setAway(participant, at)
    if (participants.size === 0) close()
  }

  const expire = (): void => {
    for (const participant of participants.values()) {
      if (now() - participant.heardAt < PRESENCE_TTL_MS) break
      remove(participant, participant.heardAt)
    }
  }

  const watch = (): void => {
    const [first] = participants.values()
    if (!first || stopExpiry) return
    stopExpiry = after(Math.max(1, first.heardAt + PRESENCE_TTL_MS - now()), () => {
      stopExpiry = undefined
      expire()
      watch()
    })
  }

  const heard = (participant: Participant): void => {
    participant.heardAt = now()
    participants.delete(participant.connection)
    participants.set(participant.connection, participant)
  }

  const join = (place: PresencePlace): Participant => {
    const own = [...participants.values()].filter(({ userId }) => userId === place.userId)
    const isOneTooMany = own.length >= PRESENCE_CONNECTIONS_PER_USER_MAX
    if (!isOneTooMany && participants.size >= PRESENCE_CONNECTIONS_PER_GROUP_MAX) {
      throw new AppError('rate/too-many', 'too many connections in this group')
    }
    const device = ++lastDevice
    const times = { heardAt: now(), since: 0, changedAt: 0 }
    const participant: Participant = { ...place, device, ...times, state: null, bytes: 0, isBehind: false }
    participants.set(place.connection, participant)
    // Only now, so that the channel is never without anybody.
    if (isOneTooMany) remove(own[0] as Participant, now())
    watch()
    return participant
  }

  return {
    /** Takes part from now on, or goes on; null: without being shown. Returns the CPU time of telling everybody, in ms. */
    announce: (place: PresencePlace, state: PresenceState | null): number => {
      const known = participants.get(place.connection)
      const size = state ? presenceBytes(state) + STAMP_BYTES : 0
      if (bytes - (known?.bytes ?? 0) + size > PRESENCE_BYTES_PER_GROUP_MAX) {
        throw new AppError('rate/too-many', 'too many states in this group')
      }
      const participant = known ?? join(place)
      heard(participant)
      // Typing is announced again while it goes on, and the others must hear that.
      const isNews = !isSameJson(state, participant.state) || (state?.typing ?? null) !== null
      const isFirstNews = isNews && !changed.has(participant) && !gone.has(participant.device)
      if (!state) setAway(participant, now())
      else if (isNews) setHere(participant, state, size)
      const listMs = known ? 0 : READER_MS + 2 * sendList(participant) * READER_MS_PER_BYTE
      return listMs + (isFirstNews ? participants.size * (READER_MS + size * READER_MS_PER_BYTE) : 0)
    },

    /** Still there, and perhaps in need of the whole list. Returns whether it was known, and the CPU time in ms. */
    renew: (connection: Connection, wantsAll: boolean): { readonly isKnown: boolean; readonly ms: number } => {
      const participant = participants.get(connection)
      if (!participant) return { isKnown: false, ms: 0 }
      heard(participant)
      const listBytes = wantsAll || participant.isBehind ? sendList(participant) : 0
      return { isKnown: true, ms: 2 * listBytes * READER_MS_PER_BYTE }
    },

    /** Not open any more, perhaps because the right to it was lost. */
    leave: (connection: Connection, isRevoked: boolean): void => {
      const participant = participants.get(connection)
      if (participant) remove(participant, isRevoked ? null : now())
    },

    /** When somebody who has left was last here; null: not to be shown any more. */
    tellLastSeen: (userId: string, at: number | null): void => {
      if (isHere(userId)) return
      seen.set(userId, at)
      tellSoon()
    },

    isHere,
    close,
    /** For tests: what is kept. */
    size: () => ({ participants: participants.size, waiting: changed.size + gone.size + seen.size, bytes }),
  }
}

export type PresenceChannel = ReturnType<typeof createPresenceChannel>
