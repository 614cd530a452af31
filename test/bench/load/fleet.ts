// Many clients at once: opens them a few at a time, and turns the first failure of any of them into a failure of the run.
import { type ClientOptions, type LoadClient, openClient, type Target } from './client.ts'

export interface Fleet extends Disposable {
  readonly open: (target: Target, options: Omit<ClientOptions, 'onFail'>) => Promise<LoadClient>
  /** `count` clients, at most `atOnce` of them opening at a time, in order. */
  readonly openMany: (
    count: number,
    one: (index: number) => { target: Target; options: Omit<ClientOptions, 'onFail'> },
    atOnce?: number,
  ) => Promise<LoadClient[]>
  /** Rejects as soon as a client fails, or when `promise` takes longer than `ms`. */
  readonly within: <Value>(promise: Promise<Value>, ms: number, what: string) => Promise<Value>
}

const OPEN_MS_MAX = 60_000

export const createFleet = (): Fleet => {
  const clients: LoadClient[] = []
  const { promise: failed, reject: fail } = Promise.withResolvers<never>()
  failed.catch(() => {})

  const within: Fleet['within'] = async (promise, ms, what) => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms)
    })
    try {
      return await Promise.race([promise, failed, late])
    } finally {
      clearTimeout(timer)
    }
  }
  const open: Fleet['open'] = async (target, options) => {
    const client = await openClient(target, { ...options, onFail: fail })
    clients.push(client)
    return client
  }
  const openMany: Fleet['openMany'] = async (count, one, atOnce = 50) => {
    const opened: LoadClient[] = []
    let next = 0
    const lane = async (): Promise<void> => {
      while (next < count) {
        const index = next++
        const { target, options } = one(index)
        opened[index] = await open(target, options)
      }
    }
    const lanes = Array.from({ length: Math.min(atOnce, count) }, lane)
    await within(Promise.all(lanes), OPEN_MS_MAX, `opening ${count} clients`)
    return opened
  }
  return {
    open,
    openMany,
    within,
    [Symbol.dispose]: () => {
      for (const client of clients) client.close()
    },
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
