// The page of the harness's own tests: what pages share with each other, and what reaches a server.
import { expose } from './expose.ts'

const heard: string[] = []
const channel = new BroadcastChannel('harness')
channel.onmessage = ({ data }: MessageEvent<string>) => heard.push(data)
let socket: WebSocket | undefined
let socketState = 'none'

const api = {
  say: (text: string): void => channel.postMessage(text),
  heard: (): string[] => heard,
  /** Whether the lock was free; it is held until the page is gone. */
  takeLock: (): Promise<boolean> =>
    new Promise((resolve) => {
      void navigator.locks.request('harness', { ifAvailable: true }, (lock) => {
        resolve(lock !== null)
        return lock && new Promise(() => {})
      })
    }),
  remember: (text: string): void => localStorage.setItem('harness', text),
  remembered: (): string | null => localStorage.getItem('harness'),
  isOnline: (): boolean => navigator.onLine,
  status: async (path: string): Promise<number | string> => {
    try {
      return (await fetch(path)).status
    } catch {
      return 'unreachable'
    }
  },
  openSocket: (): void => {
    socket = new WebSocket(`${location.origin.replace('http', 'ws')}/sync`)
    socketState = 'connecting'
    socket.onopen = () => (socketState = 'open')
    socket.onclose = () => (socketState = 'closed')
  },
  socketState: (): string => socketState,
  fail: (): void => {
    queueMicrotask(() => {
      throw new Error('a mistake of the page')
    })
  },
}

export type HarnessPage = typeof api
expose(api)
