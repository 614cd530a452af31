// The page of the tests of locks: runs cases of the contract on Web Locks or on leases, and joins the tabs of a name.
import { openLeaseStore } from '../../client-sdk/lease-store.ts'
import { createLeaseLocks } from '../../client-sdk/lease-locks.ts'
import { openTabs } from '../../client-sdk/tabs.ts'
import type { Tabs } from '../../client-sdk/tabs-types.ts'
import { LOCKS_CASES } from '../contract/locks.ts'
import { expose } from './expose.ts'

export interface LeadEvent {
  readonly tab: string
  /** Milliseconds since the epoch, the same clock for all tabs of the browser. */
  readonly at: number
  readonly what: 'leads' | 'ceases' | 'stops' | 'goes on'
}

const now = (): number => performance.timeOrigin + performance.now()
const clock = {
  now,
  after: (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

const openLeases = async () =>
  createLeaseLocks({ store: await openLeaseStore(), createChannel: (called) => new BroadcastChannel(called), clock })

let tabs: Tabs | undefined
let tab = ''
const log: LeadEvent[] = []
const heard: number[] = []
const tell = (what: LeadEvent['what']): void => void log.push({ tab, at: now(), what })

const api = {
  isSecure: (): boolean => isSecureContext,
  hasWebLocks: (): boolean => 'locks' in navigator,
  runCase: async (index: number, kind: 'Web Locks' | 'leases'): Promise<void> => {
    const run = LOCKS_CASES[index]?.run
    if (!run) throw new Error(`there is no case ${index}`)
    await run(kind === 'leases' ? openLeases : async () => navigator.locks, `case-${index}-${kind}`)
  },
  open: async (name: string, called: string): Promise<void> => {
    tab = called
    tabs = await openTabs({ name, clock, random: Math.random })
    tabs.onLeadership((isLeader) => tell(isLeader ? 'leads' : 'ceases'))
    tabs.onMessage(({ type, number }) => {
      if (type === 'test') heard.push(number as number)
    })
    if (tabs.isLeader) tell('leads')
  },
  isLeader: (): boolean => tabs?.isLeader ?? false,
  post: (number: number): void => tabs?.post({ type: 'test', number }),
  heard: (): readonly number[] => heard,
  /** Stands still, as a frozen tab does. Returns at once. */
  stop: (ms: number): void =>
    void setTimeout(() => {
      tell('stops')
      for (const end = now() + ms; now() < end;);
      // Whatever the others had to say meanwhile is heard before it answers.
      setTimeout(() => tell('goes on'), 0)
    }, 0),
  close: async (): Promise<void> => tabs?.[Symbol.asyncDispose](),
  log: (): readonly LeadEvent[] => log,
  databases: async (): Promise<string[]> => (await indexedDB.databases()).map(({ name }) => name ?? ''),
}

export type LocksPage = typeof api
expose(api)
