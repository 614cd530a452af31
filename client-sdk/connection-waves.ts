// Opens what is queued a few at a time, each with a token that was asked for just now. One token is asked for at a time; a
// device that is offline for HTTP asks again later.
import { retryMs } from './connection-state.ts'
import type { Clock } from './connection-types.ts'

export interface WavesOptions<Item> {
  readonly clock: Clock
  readonly random: () => number
  readonly askToken: () => Promise<string | null>
  readonly hasRoom: () => boolean
  readonly open: (item: Item, token: string) => void
  readonly onTokenMissing: () => void
}

export interface Waves<Item> {
  /** Begins with an empty queue. */
  readonly start: () => void
  /** Forgets the queue. */
  readonly stop: () => void
  readonly add: (item: Item) => void
  readonly remove: (item: Item) => void
  /** There may be room. */
  readonly goOn: () => void
}

export const createWaves = <Item>(options: WavesOptions<Item>): Waves<Item> => {
  const { clock, random, askToken, hasRoom, open, onTokenMissing } = options
  const queue = new Set<Item>()
  let failures = 0
  let cancelTimer = (): void => {}
  /** Counts starts: what was asked for before counts no more. */
  let round = 0
  let isRunning = false
  let isAsking = false

  const openQueued = (token: string): void => {
    for (const item of queue) {
      if (!hasRoom()) return
      queue.delete(item)
      open(item, token)
    }
  }

  const goOn = (): void => {
    if (!isRunning || isAsking || queue.size === 0 || !hasRoom()) return
    const asked = round
    isAsking = true
    askToken().then(
      (token) => {
        if (round !== asked) return
        failures = 0
        isAsking = false
        if (token === null) onTokenMissing()
        else openQueued(token)
        goOn()
      },
      () => {
        if (round !== asked) return
        cancelTimer = clock.after(retryMs(failures++, random), () => {
          isAsking = false
          goOn()
        })
      },
    )
  }

  return {
    start: () => {
      isRunning = true
      isAsking = false
      failures = 0
    },
    stop: () => {
      round++
      isRunning = false
      cancelTimer()
      queue.clear()
    },
    add: (item) => {
      queue.add(item)
      goOn()
    },
    remove: (item) => void queue.delete(item),
    goOn,
  }
}
