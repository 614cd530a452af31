// A group's document with presence, a clock that tests move, and connections that keep what they are sent: everything is
// the server's own but sockets and time.
import assert from 'node:assert/strict'
import { Connection, Document } from '@hocuspocus/server'
import { createPresence } from '../../server/sync/presence.ts'
import { readHead, readPayload } from '../../server/sync/frames.ts'
import { LiveDocument } from '../../server/sync/live-document.ts'
import { GROUP_KIND } from '../../shared/group/kind.ts'
import { MEMBERS } from '../../shared/group/model.ts'
import type { PresenceMessage } from '../../shared/presence.ts'

export interface TestClock {
  readonly now: () => number
  readonly after: (ms: number, run: () => void) => () => void
  /** Lets `ms` go by; what is due runs at its time. */
  readonly pass: (ms: number) => void
  readonly waiting: () => number
}

interface Timer {
  readonly at: number
  readonly run: () => void
}

export const createTestClock = (startsAt = 1_000_000_000_000): TestClock => {
  let time = startsAt
  let timers: Timer[] = []
  return {
    now: () => time,
    after: (ms, run) => {
      const timer = { at: time + ms, run }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    pass: (ms) => {
      const end = time + ms
      for (;;) {
        let next = timers[0]
        for (const timer of timers) if (timer.at < (next as Timer).at) next = timer
        if (!next || next.at > end) break
        timers = timers.filter((other) => other !== next)
        time = Math.max(time, next.at)
        next.run()
      }
      time = end
    },
    waiting: () => timers.length,
  }
}

const ADDRESS = 'group/0123456789'

export interface RoomOptions {
  readonly clock?: TestClock
  readonly showsLastSeen?: (userId: string) => Promise<boolean>
  readonly members?: readonly string[]
}

export const createRoom = ({ clock = createTestClock(), showsLastSeen, members = [] }: RoomOptions = {}) => {
  const presence = createPresence({ ...clock, showsLastSeen: showsLastSeen ?? (async () => true) })
  const open = (): LiveDocument => {
    const document = new Document(ADDRESS)
    for (const userId of members) document.getMap(MEMBERS).set(userId, { userId })
    return new LiveDocument(document, GROUP_KIND, new Map(), { bytes: 0, tailEntries: 0, tailBytes: 0 })
  }
  const live = open()

  const join = (userId: string, onMessage?: (message: PresenceMessage) => void, session = '') => {
    const heard: PresenceMessage[] = []
    const peer = { isCongested: false }
    const socket = {
      isCongested: () => peer.isCongested,
      transmit: (...frames: Uint8Array[]) => {
        for (const frame of frames) {
          const { bodyAt } = readHead(frame) as { bodyAt: number }
          const message = JSON.parse(Buffer.from(readPayload(frame, bodyAt + 1)).toString()) as PresenceMessage
          heard.push(message)
          onMessage?.(message)
        }
      },
    }
    const wire = { readyState: 1, send: () => {}, close: () => {} }
    const connection = new Connection(wire, new Request('http://localhost/'), live.document, 'socket', {})
    const address = session ? `${ADDRESS}\0${session}` : ADDRESS
    const place = { live, connection, userId, address, socket }
    return Object.assign(peer, {
      userId,
      heard,
      /** Sends a message; returns what it is charged for. */
      says: (message: unknown): number =>
        presence.hear(place, Buffer.from(typeof message === 'string' ? message : JSON.stringify(message))),
      announces: (state: unknown): number =>
        presence.hear(place, Buffer.from(JSON.stringify({ type: 'presence', state }))),
      closes: (reason?: string) => connection.close({ code: 4403, reason: reason ?? 'provider_initiated' }),
      /** Takes what was heard since the last time. */
      takes: (): PresenceMessage[] => heard.splice(0),
    })
  }

  return {
    clock,
    presence,
    live,
    join,
    [Symbol.dispose]: () => {
      presence[Symbol.dispose]()
      live.document.destroy()
    },
  }
}

export type Peer = ReturnType<ReturnType<typeof createRoom>['join']>

export const CHANNEL = 'channel-0000000001'
export const RENEW = { type: 'presence-renew' }

export const typesOf = (messages: readonly PresenceMessage[]): string[] => messages.map(({ type }) => type)

/** What the only message heard says. */
export const onlyOf = <Type extends PresenceMessage['type']>(peer: Peer, type: Type) => {
  const heard = peer.takes()
  assert.deepEqual(typesOf(heard), [type], JSON.stringify(heard).slice(0, 500))
  return heard[0] as Extract<PresenceMessage, { type: Type }>
}

export const statusesOf = (message: {
  readonly devices: readonly { userId: string; device: number; status: string }[]
}): string[] => message.devices.map(({ userId, device, status }) => `${userId} ${device} ${status}`)
