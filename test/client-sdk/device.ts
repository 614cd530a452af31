// A device for tests of accounts and commands: its disk, a network that can be cut or lose answers, and a store that dies at a
// chosen step as a killed process does.
import { v7 as newId } from 'uuid'
import { systemClock } from '../../client-sdk/system-clock.ts'
import { createAccount } from '../../client-sdk/account.ts'
import type { Account, AccountOptions } from '../../client-sdk/account-types.ts'
import { createMemoryDisk } from '../../client-sdk/offline/memory.ts'
import type { Disk, Store } from '../../client-sdk/offline/store.ts'
import { createOutbox } from '../../client-sdk/outbox.ts'
import type { Outbox, OutboxOptions } from '../../client-sdk/outbox-types.ts'

export interface Network {
  readonly fetch: typeof fetch
  /** `METHOD /path` of each request that got to the server. */
  readonly sent: string[]
  state: 'up' | 'down' | 'loses answers'
}

/** A network to a real server. */
export const createNetwork = (): Network => {
  const network: Network = {
    state: 'up',
    sent: [],
    fetch: async (input, init) => {
      if (network.state === 'down') throw new TypeError('network is down')
      const { state } = network
      network.sent.push(`${init?.method ?? 'GET'} ${new URL(input as string).pathname.replace('/api/v1', '')}`)
      const response = await fetch(input, init)
      if (state === 'up') return response
      await response.arrayBuffer()
      throw new TypeError('the answer was lost')
    },
  }
  return network
}

export interface Device {
  readonly disk: Disk
  readonly store: Store
  readonly network: Network
  /** Opens the account as a tab does. */
  readonly open: (options?: Partial<AccountOptions>) => Promise<Account>
  readonly area: (account: Account) => Promise<Store>
  readonly outbox: (account: Account, options?: Partial<OutboxOptions>) => Promise<Outbox>
}

export const createDevice = async (url: string, disk: Disk = createMemoryDisk()): Promise<Device> => {
  const store = await disk.open('device')
  const network = createNetwork()
  const area = (account: Account): Promise<Store> => disk.open(account.area)
  return {
    disk,
    store,
    network,
    area,
    open: (options) =>
      createAccount({ url, device: store, clock: systemClock, newId, fetch: network.fetch, ...options }),
    outbox: async (account, options) => {
      const outbox = createOutbox({
        store: await area(account),
        http: account.http,
        owner: account.user.id,
        clock: systemClock,
        random: () => 0.5,
        ...options,
      })
      await outbox.ready
      return outbox
    },
  }
}

export class Killed extends Error {}

/** Dies at the `at`th step: before or after it took effect, and for good. Steps count from 1. */
export const createDeath = (at: number) => {
  let steps = 0
  let isDead = false
  const step = (): void => {
    steps += 1
    if (steps >= at) isDead = true
    if (isDead) throw new Killed(`killed at step ${at}`)
  }
  /** Two steps: one before `run`, one after. */
  const around = async <Result>(run: () => Promise<Result>): Promise<Result> => {
    step()
    const result = await run()
    step()
    return result
  }
  return {
    isDead: () => isDead,
    store: (inner: Store): Store => ({ ...inner, write: (batch) => around(() => inner.write(batch)) }),
    fetch: (inner: typeof fetch): typeof fetch =>
      ((input, init) => around(() => inner(input as string, init))) satisfies typeof fetch,
  }
}
