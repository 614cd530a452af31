// A page that joins the tabs of a name, and that starts workers which do the same: each is a tab of its own to the
// browser's locks and channels, and can die or stand still without taking the page along.
import { LEADING, MISSED, openTabs } from '../../client-sdk/tabs.ts'
import type { Tabs } from '../../client-sdk/tabs-types.ts'
import { expose } from './expose.ts'

export interface TabEvent {
  readonly tab: string
  /** Milliseconds since the epoch, the same clock for all tabs of the browser. */
  readonly at: number
  readonly what: 'opened' | 'leads' | 'ceases' | 'stops' | 'goes on' | 'dies' | 'posts' | 'hears' | 'leading' | 'missed'
  /** Whose message it was, and its number. */
  readonly from?: string
  readonly number?: number
}

type Order =
  | { readonly order: 'open'; readonly name: string; readonly tab: string }
  | { readonly order: 'post'; readonly count: number }
  | { readonly order: 'stop'; readonly ms: number }

const now = (): number => performance.timeOrigin + performance.now()
const clock = {
  now,
  after: (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

const createTab = (note: (event: TabEvent) => void) => {
  let tabs: Tabs | undefined
  let tab = ''
  let posted = 0
  const tell = (what: TabEvent['what'], more: Partial<TabEvent> = {}): void => note({ tab, at: now(), what, ...more })
  return {
    open: async (name: string, called: string): Promise<void> => {
      tab = called
      tabs = await openTabs({ name, clock, random: Math.random })
      tabs.onLeadership((isLeader) => tell(isLeader ? 'leads' : 'ceases'))
      tabs.onMessage(({ type, from, number }) => {
        if (type === LEADING) tell('leading')
        else if (type === MISSED) tell('missed')
        else tell('hears', { from: from as string, number: number as number })
      })
      tell('opened')
      if (tabs.isLeader) tell('leads')
    },
    post: (count: number): void => {
      for (let left = count; left > 0; left--) {
        tell('posts', { number: posted })
        tabs?.post({ type: 'test', from: tab, number: posted++ })
      }
    },
    /** Stands still, as a frozen tab does. */
    stop: async (ms: number): Promise<void> => {
      tell('stops')
      for (const end = now() + ms; now() < end;);
      // Whatever the browser had to say meanwhile is said before it answers.
      await navigator.locks.query()
      tell('goes on')
    },
    isLeader: (): boolean => tabs?.isLeader ?? false,
    close: async (): Promise<void> => tabs?.[Symbol.asyncDispose](),
  }
}

const runWorker = (): void => {
  const own = createTab((event) => postMessage(event))
  globalThis.onmessage = ({ data }: MessageEvent<Order>) => {
    if (data.order === 'open') void own.open(data.name, data.tab)
    else if (data.order === 'post') own.post(data.count)
    else void own.stop(data.ms)
  }
}

const log: TabEvent[] = []
const workers = new Map<string, Worker>()
const own = createTab((event) => log.push(event))

const api = {
  open: own.open,
  post: own.post,
  close: own.close,
  isLeader: own.isLeader,
  /** Returns at once. */
  stop: (ms: number): void => void setTimeout(() => void own.stop(ms), 0),
  /** What the browser tells a page that it stops, or puts into its cache of pages, and that returns from there. */
  tell: (event: 'pagehide' | 'pageshow' | 'freeze' | 'resume'): void => {
    if (event === 'freeze' || event === 'resume') document.dispatchEvent(new Event(event))
    else globalThis.dispatchEvent(new PageTransitionEvent(event, { persisted: true }))
  },
  log: (since = 0): readonly TabEvent[] => log.slice(since),
  startWorker: (name: string, tab: string): void => {
    const worker = new Worker(import.meta.url, { type: 'module' })
    worker.onmessage = ({ data }: MessageEvent<TabEvent>) => log.push(data)
    workers.set(tab, worker)
    worker.postMessage({ order: 'open', name, tab } satisfies Order)
  },
  killWorker: (tab: string): void => {
    log.push({ tab, at: now(), what: 'dies' })
    workers.get(tab)?.terminate()
  },
  postInWorker: (tab: string, count: number): void =>
    workers.get(tab)?.postMessage({ order: 'post', count } satisfies Order),
  stopWorker: (tab: string, ms: number): void => workers.get(tab)?.postMessage({ order: 'stop', ms } satisfies Order),
}

export type TabsPage = typeof api
if (globalThis.document) expose(api)
else runWorker()
