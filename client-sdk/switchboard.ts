// When the person on a device changes, all its tabs change: one does the work, the others close what they have until it is done.
import { platformLocks } from './exclusive.ts'

export interface Switchboard extends Disposable {
  /** Asks the other tabs to close what they have of this area, and resolves when they have, or after some seconds. */
  readonly begin: (area: string) => Promise<void>
  /** The others may open the current person again. */
  readonly end: () => void
  /** Holds the area open for this tab; returns its undo. */
  readonly hold: (area: string) => Promise<() => void>
}

/** A frozen tab is not waited for. */
const WAIT_MS_MAX = 3_000
const END_MS_MAX = 15_000

export interface SwitchboardOptions {
  readonly server: string
  /** Another tab begins: close the person. */
  readonly onBegin: () => void
  /** It has ended: open whoever is there. */
  readonly onEnd: () => void
}

/** Between the tabs of one device. */
export const openSwitchboard = ({ server, onBegin, onEnd }: SwitchboardOptions): Switchboard => {
  const opening = platformLocks()
  const channel = new BroadcastChannel(`syncline/${server}/person`)
  let ending: ReturnType<typeof setTimeout> | undefined
  channel.onmessage = ({ data }) => {
    clearTimeout(ending)
    if (data !== 'begin') return onEnd()
    // The tab that began may die before it ends.
    ending = setTimeout(onEnd, END_MS_MAX)
    onBegin()
  }
  const nameOf = (area: string): string => `syncline-person/${server}/${area}`
  return {
    begin: async (area) => {
      channel.postMessage('begin')
      const signal = AbortSignal.timeout(WAIT_MS_MAX)
      await (await opening)?.request(nameOf(area), { signal }, () => {}).catch(() => {})
    },
    end: () => channel.postMessage('end'),
    hold: async (area) => {
      const locks = await opening
      if (!locks) return () => {}
      const held = Promise.withResolvers<void>()
      const granted = Promise.withResolvers<void>()
      const hold = (): Promise<void> => {
        granted.resolve()
        return held.promise
      }
      // A tab that stood still may lose it.
      void locks.request(nameOf(area), { mode: 'shared' }, hold).catch(() => {})
      await granted.promise
      return held.resolve
    },
    [Symbol.dispose]: () => {
      clearTimeout(ending)
      channel.close()
    },
  }
}

/** Where no other tab can have the disk. */
export const soloSwitchboard = (): Switchboard => ({
  begin: async () => {},
  end: () => {},
  hold: async () => () => {},
  [Symbol.dispose]: () => {},
})
