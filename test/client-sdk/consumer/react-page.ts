// The page of the hooks' tests: small components over a client of the page, and what they rendered so far.
import { Component, createElement, type ReactElement, type ReactNode, StrictMode } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { type Client, createClient, type TasksHandle } from '../../../client-sdk/index.ts'
import {
  SynclineProvider,
  useChannels,
  useClient,
  useDocument,
  useGroups,
  useHandle,
  usePresence,
  useStatus,
} from '../../../client-sdk/react/hooks.ts'
import { expose } from '../../browser/expose.ts'

const url = location.origin
const container = document.body.appendChild(document.createElement('main'))
let client: Client
let list: TasksHandle
let root: Root | null = null
const counts = { renders: 0, opened: 0, closed: 0 }

/** Opens a list of the client's, and counts. */
const openList = async (of: Client, channelId: string): Promise<TasksHandle> => {
  counts.opened++
  const handle = await of.tasks(channelId)
  const { close } = handle
  return Object.assign(handle, {
    close: async () => {
      counts.closed++
      await close()
    },
  })
}

const titlesOf = (value: ReturnType<TasksHandle['read']> | undefined): string =>
  value ? value.tasks.map(({ title }) => title).join(', ') : 'opening'

const Titles = ({ source }: { readonly source: TasksHandle | Promise<TasksHandle> }): string => {
  counts.renders++
  return titlesOf(useDocument(source))
}

const Opened = ({ channelId }: { readonly channelId: string }): string =>
  titlesOf(useDocument((of) => openList(of, channelId), [channelId]))

const Editable = ({ channelId }: { readonly channelId: string }): ReactElement => {
  const handle = useHandle((of) => openList(of, channelId), [channelId])
  const { local, pending } = useStatus(handle) ?? {}
  const text = `${titlesOf(useDocument(handle))} ${local} ${pending} ${useStatus()} ${useClient().user.isGuest}`
  return createElement('button', { onClick: () => handle?.add({ title: 'clicked' }) }, text)
}

const People = ({ groupId }: { readonly groupId: string }): ReactElement => {
  const { people, announce } = usePresence(groupId)
  const shown = people.map(({ userId, status }) => `${userId === client.user.id ? 'me' : userId} ${status}`)
  return createElement('button', { onClick: () => void announce({ status: 'away' }) }, shown.join(', ') || 'nobody')
}

const Lists = (): string => {
  counts.renders++
  const groups = useGroups()
  const channels = useChannels(groups[0]?.id ?? '')
  const shown = [...groups, ...channels].map(({ name, isPending }) => `${name}${isPending ? '?' : ''}`)
  return shown.join(', ') || 'none'
}

class Boundary extends Component<{ readonly children: ReactNode }, { readonly error: string | null }> {
  override state: { readonly error: string | null } = { error: null }

  static getDerivedStateFromError(error: unknown): { error: string } {
    return { error: String((error as { code?: string }).code ?? error) }
  }

  override render(): ReactNode {
    return this.state.error === null ? this.props.children : `failed: ${this.state.error}`
  }
}

const render = (element: ReactElement, isStrict = false): void => {
  root ??= createRoot(container)
  const inside = createElement(SynclineProvider, { client }, createElement(Boundary, null, element))
  root.render(isStrict ? createElement(StrictMode, null, inside) : inside)
}

const PAGES = {
  handle: () => createElement(Titles, { source: list }),
  promise: () => createElement(Titles, { source: client.tasks('0123456789') }),
  rejected: () => createElement(Titles, { source: client.tasks('short') }),
  opened: () => createElement(Opened, { channelId: '0123456789' }),
  'opened, another': () => createElement(Opened, { channelId: '9876543210' }),
  failing: () => createElement(Opened, { channelId: 'short' }),
  lists: () => createElement(Lists),
  editable: () => createElement(Editable, { channelId: '0123456789' }),
}

const api = {
  /** A new client in memory, and nothing on the page. */
  begin: async (offline: boolean): Promise<void> => {
    root?.unmount()
    root = null
    await (client as Client | undefined)?.close()
    client = await createClient({ url, storage: 'memory', offline })
    list = await client.tasks('0123456789')
    list.add({ title: 'milk' })
    Object.assign(counts, { renders: 0, opened: 0, closed: 0 })
  },
  show: (page: keyof typeof PAGES, isStrict = false): void => render(PAGES[page](), isStrict),
  hide: (): void => {
    root?.unmount()
    root = null
  },
  text: (): string => container.textContent,
  click: (): void => container.querySelector('button')?.click(),
  counts: (): typeof counts => ({ ...counts }),
  add: (title: string): string => list.add({ title }),
  /** Edits another document, and waits until both are kept: the status of each has changed. */
  addElsewhere: async (): Promise<void> => {
    const other = await client.tasks('9876543210')
    other.add({ title: 'elsewhere' })
    await Promise.all([other.saved(), list.saved()])
  },
  rename: (id: string, title: string): void => list.update({ id, title }),
  makeGroup: async (): Promise<void> => {
    const { id } = await client.groups.create({ name: 'Home' })
    await client.channels.create(id, { type: 'TODO', name: 'Shopping' })
  },
  register: async (username: string): Promise<void> =>
    void (await client.auth.register({ username, password: 'a quiet violet kettle' })),
  logout: (): Promise<void> => client.auth.logout(),
  people: async (): Promise<void> => {
    const { id } = await client.groups.create({ name: 'Home' })
    await client.groups.confirmed(id)
    render(createElement(People, { groupId: id }))
  },
}

export type ReactPage = typeof api
expose(api)
