// The page that tests of the client in a browser drive: one client on the page's own origin, and what they ask of it.
import { type Client, createClient } from '../../client-sdk/client.ts'
import type { TasksHandle } from '../../client-sdk/kinds/tasks.ts'
import { expose } from './expose.ts'

let client: Client
const lists = new Map<string, TasksHandle>()
const sockets = new Set<WebSocket>()
/** Ahead of the real clock, for hours that pass in seconds. */
let aheadMs = 0

class CountedSocket extends WebSocket {
  constructor(url: string | URL) {
    super(url)
    sockets.add(this)
    this.addEventListener('close', () => sockets.delete(this))
  }
}

const clock = {
  now: () => Date.now() + aheadMs,
  after: (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

const listOf = async (channelId: string): Promise<TasksHandle> => {
  const list = lists.get(channelId) ?? (await client.tasks(channelId))
  lists.set(channelId, list)
  return list
}

const api = {
  open: async (offline = false) => {
    client = await createClient({ url: location.origin, clock, offline, WebSocket: CountedSocket })
    // oxlint-disable-next-line no-console -- reason: the harness collects what pages complain of
    client.onError((error) => console.error('client', error))
    return client.user
  },
  register: (username: string, password: string) => client.auth.register({ username, password }),
  user: () => client.user,
  status: () => client.status,
  goOffline: () => client.goOffline(),
  goOnline: () => client.goOnline(),
  sockets: () => sockets.size,
  pass: (ms: number): void => void (aheadMs += ms),
  /** A list in a group of its own. */
  makeList: async (): Promise<string> => {
    const group = await client.groups.create({ name: 'Group' })
    const channel = await client.channels.create(group.id, { type: 'TODO', name: 'Tasks' })
    return channel.id
  },
  add: async (channelId: string, title: string): Promise<string> => (await listOf(channelId)).add({ title }),
  /** Resolves when it is on this device's disk. */
  addSaved: async (channelId: string, title: string): Promise<void> => {
    const list = await listOf(channelId)
    list.add({ title })
    await list.saved()
  },
  /** Adds tasks until the page dies, and says on the console which of them are on the disk. */
  scribble: async (channelId: string, name: string, pausesMs: readonly number[]): Promise<void> => {
    const list = await listOf(channelId)
    const keep = async (title: string): Promise<void> => {
      list.add({ title })
      await list.saved()
      // oxlint-disable-next-line no-console -- reason: it outlives the page, which dies next
      console.log(`saved ${title}`)
    }
    for (let count = 0; ; count++) {
      void keep(`${name}-${count}`)
      const pauseMs = pausesMs[count % pausesMs.length] as number
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
      else await list.saved()
    }
  },
  complete: async (channelId: string, id: string, done: boolean) => (await listOf(channelId)).complete({ id, done }),
  move: async (channelId: string, id: string, after: string | null) => (await listOf(channelId)).move({ id, after }),
  remove: async (channelId: string, id: string) => (await listOf(channelId)).delete({ id }),
  tasks: async (channelId: string) => {
    const { tasks } = (await listOf(channelId)).read()
    return tasks.map(({ id, title, done }) => ({ id, title, done }))
  },
  listStatus: async (channelId: string) => (await listOf(channelId)).status,
  saved: async (channelId: string): Promise<void> => (await listOf(channelId)).saved(),
  stored: async (channelId: string): Promise<void> => (await listOf(channelId)).stored(),
  close: (): Promise<void> => client.close(),
}

export type ClientPage = typeof api
expose(api)
