// What tests of the client against a server start from: devices, people with accounts, channels of their own.
import { type Client, createClient } from '../../client-sdk/client.ts'
import { createMemoryDisk } from '../../client-sdk/offline/memory.ts'
import type { Disk } from '../../client-sdk/offline/store.ts'
import type { Addresses } from '../compat/servers.ts'
import { ask, PASSWORD } from '../helpers/accounts.ts'

let people = 0

interface Options {
  readonly disk?: Disk
  readonly offline?: boolean
  /** Told everything that leaves this device: addresses, headers and bodies of requests, frames. */
  readonly onSent?: (bytes: Uint8Array) => void
  readonly WebSocket?: typeof WebSocket
  /** Answers to requests of these addresses come late. */
  readonly slow?: RegExp
}

const LATE_MS = 1_500

/** The platform's network, overheard on this side of masks and sockets. */
const overheard = (onSent: (bytes: Uint8Array) => void, slow?: RegExp) => ({
  fetch: (async (input: string, init: RequestInit) => {
    onSent(Buffer.from(JSON.stringify([input, init.headers, init.body])))
    const answer = await fetch(input, init)
    if (slow?.test(input)) await new Promise((resolve) => setTimeout(resolve, LATE_MS))
    return answer
  }) as typeof fetch,
  WebSocket: class extends WebSocket {
    override send(data: Parameters<WebSocket['send']>[0]): void {
      onSent(new Uint8Array(data as Uint8Array<ArrayBuffer>))
      super.send(data)
    }
  },
})

export const openClient = (
  { url }: Addresses,
  { disk = createMemoryDisk(), offline = false, onSent, slow, WebSocket: Socket }: Options = {},
): Promise<Client> =>
  createClient({
    url,
    storage: { disk },
    offline,
    ...(onSent && overheard(onSent, slow)),
    ...(Socket && { WebSocket: Socket }),
  })

export const register = async (client: Client): Promise<string> => {
  const username = `sdk_${++people}`
  await client.auth.register({ username, password: PASSWORD })
  return username
}

/** A client with an account, and a confirmed channel of its own. */
export const openMember = async (server: Addresses, type: 'TODO' | 'DOC' | 'CHAT' = 'TODO', options: Options = {}) => {
  const client = await openClient(server, options)
  const username = await register(client)
  const group = await client.groups.create({ name: 'Group' })
  const channel = await client.channels.create(group.id, { type, name: 'Channel' })
  await client.channels.confirmed(channel.id)
  return { client, username, groupId: group.id, channelId: channel.id }
}

export const tokenOf = async (url: string, username: string): Promise<string> => {
  const answer = await ask(url, 'POST', '/auth/login', { body: { identifier: username, password: PASSWORD } })
  return (answer.data as { readonly accessToken: string }).accessToken
}
