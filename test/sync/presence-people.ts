// The SDK's presence on the wire client: real people with a group open on real sockets, and all that they were sent of it.
import { createPresence, type Presence } from '../../client-sdk/presence.ts'
import { readHead, readPayload } from '../../server/sync/frames.ts'
import type { PresenceMessage } from '../../shared/presence.ts'
import { MessageType } from '../../shared/protocol.ts'
import type { Addresses } from '../compat/servers.ts'
import type { Person } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { connectWire, type WireClient, type WireDocument } from '../helpers/wire-client.ts'
import { frameOf } from '../hostile/attacker.ts'

export const systemClock = {
  now: Date.now,
  after: (ms: number, run: () => void): (() => void) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

export interface PresentPerson {
  readonly presence: Presence
  readonly person: Person
  readonly client: WireClient
  readonly document: WireDocument
  /** All messages about presence. */
  readonly heard: readonly PresenceMessage[]
  readonly statelessFrame: (message: unknown) => Uint8Array
  /** Who is here, as `name status`, names being given. */
  readonly shown: (names: ReadonlyMap<string, string>) => string[]
  /** Resolves once the server has said who is here. */
  readonly told: () => Promise<void>
  readonly close: () => void
}

const VERSION = 'syncline/test'

/** Opens the group and its presence, as the SDK would. */
export const openPresence = async (
  { syncUrl }: Addresses,
  person: Person,
  group: { readonly id: string },
): Promise<PresentPerson> => {
  const name = `group/${group.id}`
  const client = await connectWire(syncUrl)
  const heard: PresenceMessage[] = []
  const statelessFrame = (message: unknown): Uint8Array => frameOf(name, MessageType.Stateless, JSON.stringify(message))
  const presence = createPresence({
    clock: systemClock,
    send: (message) => client.socket.send(statelessFrame(message)),
  })
  client.socket.on('message', (data: Buffer) => {
    const head = readHead(data)
    if (head?.type !== MessageType.Stateless || head.address !== name) return
    const message = JSON.parse(Buffer.from(readPayload(data, head.bodyAt + 1)).toString()) as PresenceMessage
    heard.push(message)
    presence.onMessage(message)
  })
  client.socket.on('close', presence.onClosed)
  const document = await client.open(name, person.accessToken, VERSION)
  document.onClosed = presence.onClosed
  presence.onOpen()
  return {
    presence,
    person,
    client,
    document,
    heard,
    statelessFrame,
    shown: (names) =>
      presence
        .people()
        .map(({ userId, status }) => `${names.get(userId) ?? 'stranger'} ${status}`)
        .toSorted(),
    told: async () => {
      await eventually(presence.self, (self) => self !== null, { what: 'the list of who is here' })
    },
    close: () => {
      presence[Symbol.dispose]()
      client.close()
    },
  }
}
