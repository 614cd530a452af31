// React over the client: hooks that read documents, and render again only when what they read has changed. Without JSX, so
// that Node runs it as it stands; nothing here is newer than React 18.
import {
  createContext,
  createElement,
  type DependencyList,
  type ReactElement,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from 'react'
import type { PresenceInput, PresencePerson } from '../../shared/presence.ts'
import type { Client } from '../client.ts'
import type { ChannelView, ClientStatus, GroupView, Handle, HandleStatus } from '../client-types.ts'
import type { ConnectionState } from '../connection-types.ts'

const ClientContext = createContext<Client | null>(null)

const mustClient = (client: Client | null): Client => {
  if (!client) throw new Error('there is no SynclineProvider above this component')
  return client
}

/**
 * Gives the client to all hooks below it. Whoever made the client closes it.
 *
 * @example
 * ```ts
 * const client = await createClient({ url: 'http://localhost:4400' })
 * const app = createElement(SynclineProvider, { client }, createElement('main'))
 * ```
 */
export const SynclineProvider = (props: { readonly client: Client; readonly children?: ReactNode }): ReactElement =>
  createElement(ClientContext.Provider, { value: props.client }, props.children)

/**
 * The client of the nearest `SynclineProvider`. Throws where there is none.
 *
 * @example
 * ```ts
 * const LogOut = () => {
 *   const client = useClient()
 *   return createElement('button', { onClick: () => void client.auth.logout() }, 'Log out')
 * }
 * ```
 */
export const useClient = (): Client => mustClient(useContext(ClientContext))

const nothing = (): void => {}

/** Who uses the client: when somebody else does, everything that was open is closed. */
const useUserId = (client: Client | null): string | undefined => {
  const subscribe = useCallback((changed: () => void) => client?.onUser(() => changed()) ?? nothing, [client])
  const read = (): string | undefined => client?.user.id
  return useSyncExternalStore(subscribe, read, read)
}

/** Opens a document. */
export type Opener<Opened> = (client: Client) => Promise<Opened>

/** What a component reads from: a handle, a promise of one, or nothing yet. */
export type Source<Opened> = Opened | Promise<Opened> | null | undefined

type Outcome<Opened> = { readonly handle: Opened } | { readonly error: unknown }

/** What came of `key`; null while it is under way, and of any other key. Throws in the render what it was rejected with. */
const useOutcome = <Opened>(
  key: object | null,
  begin: () => { readonly opening: Promise<Opened>; readonly end: () => void },
): Opened | undefined => {
  const [settled, setSettled] = useState<{ readonly key: object; readonly outcome: Outcome<Opened> } | null>(null)
  useEffect(() => {
    if (key === null) return undefined
    let isOver = false
    const settle = (outcome: Outcome<Opened>): void => {
      if (!isOver) setSettled({ key, outcome })
    }
    const { opening, end } = begin()
    opening.then(
      (handle) => settle({ handle }),
      (error: unknown) => settle({ error }),
    )
    return () => {
      isOver = true
      end()
    }
    // `begin` is another function at each render; `key` says when it is another task.
  }, [key])
  const outcome = key !== null && settled?.key === key ? settled.outcome : null
  if (outcome && 'error' in outcome) throw outcome.error
  return outcome?.handle
}

/** A handle as it is; what a promise has become; what was opened for as long as the component lives. */
const useOpened = <Opened extends object>(
  source: Source<Opened> | Opener<Opened & Pick<Handle<unknown>, 'close'>>,
  deps: DependencyList,
): Opened | undefined => {
  const client = useContext(ClientContext)
  const open = typeof source === 'function' ? source : null
  const userId = useUserId(client)
  const task = useMemo(() => ({}), [client, userId, ...deps])
  const promise = source instanceof Promise ? source : null
  // It is listened to from the first render on: it may be rejected before there are effects.
  useMemo(() => void promise?.catch(nothing), [promise])
  const settled = useOutcome<Opened>(open ? task : promise, () => {
    if (!open) return { opening: promise as Promise<Opened>, end: nothing }
    const opening = (async () => open(mustClient(client)))()
    // What keeps it from closing shows in the handle's status.
    return { opening, end: () => void opening.then((handle) => handle.close()).catch(nothing) }
  })
  return open || promise ? settled : ((source as Opened | null) ?? undefined)
}

/**
 * Opens a document for as long as the component lives, and closes it after that; another one when `deps` change, or when
 * somebody else logs in. It is undefined until it is open. What `open` rejects with is thrown in the render, for an error
 * boundary.
 *
 * @example
 * ```ts
 * const Tasks = ({ channelId }: { channelId: string }) => {
 *   const list = useHandle((client) => client.tasks(channelId), [channelId])
 *   const value = useDocument(list)
 *   const add = () => list?.add({ title: 'milk' })
 *   return createElement('button', { onClick: add }, `${value?.tasks.length ?? 0} tasks, one more`)
 * }
 * ```
 */
export const useHandle = <Opened extends Pick<Handle<unknown>, 'close'>>(
  open: Opener<Opened>,
  deps: DependencyList,
): Opened | undefined => useOpened<Opened>(open, deps)

type Readable<Value> = Pick<Handle<Value>, 'read' | 'subscribe'>

/**
 * What a document says, as its handle's `read()`; the component renders again when it changes, and only then. It takes a
 * handle, a promise of one (undefined until it has come), or a function that opens one, as `useHandle` does.
 *
 * @example
 * ```ts
 * const Count = ({ list }: { list: TasksHandle }) => createElement('b', null, useDocument(list).tasks.length)
 * const Messages = ({ channelId }: { channelId: string }) => {
 *   const chat = useDocument((client) => client.chat(channelId), [channelId])
 *   return createElement('ul', null, ...(chat?.messages ?? []).map(({ id, body }) => createElement('li', { key: id }, body)))
 * }
 * ```
 */
export function useDocument<Value>(source: Readable<Value>): Value
export function useDocument<Value>(source: Source<Readable<Value>>): Value | undefined
export function useDocument<Value>(
  open: Opener<Readable<Value> & Pick<Handle<Value>, 'close'>>,
  deps: DependencyList,
): Value | undefined
export function useDocument<Value>(
  source: Source<Readable<Value>> | Opener<Readable<Value> & Pick<Handle<Value>, 'close'>>,
  deps: DependencyList = [],
): Value | undefined {
  const handle = useOpened<Readable<Value>>(source, deps)
  const subscribe = useCallback((changed: () => void) => handle?.subscribe(() => changed()) ?? nothing, [handle])
  const read = (): Value | undefined => handle?.read()
  return useSyncExternalStore(subscribe, read, read)
}

/**
 * How far one's edits have come: of a document, or without one whether the client is connected. Of a handle that is not
 * there yet it is undefined.
 *
 * @example
 * ```ts
 * const Saved = ({ list }: { list: TasksHandle }) => {
 *   const { local, stored, refused } = useStatus(list)
 *   const isOnline = useStatus() === 'live'
 *   return createElement('i', null, stored ? 'on the server' : local && !isOnline ? 'on this device' : `${refused} refused`)
 * }
 * ```
 */
export function useStatus(): ConnectionState
export function useStatus(source: Pick<Handle<unknown>, 'status' | 'onStatus'>): HandleStatus
export function useStatus(source: Source<Pick<Handle<unknown>, 'status' | 'onStatus'>>): HandleStatus | undefined
export function useStatus(
  ...sources: [source?: Source<Pick<Handle<unknown>, 'status' | 'onStatus'>>]
): ConnectionState | HandleStatus | undefined {
  const client = useContext(ClientContext)
  const handle = useOpened(sources[0], [])
  const of: ClientStatus | typeof handle = sources.length > 0 ? handle : mustClient(client)
  const subscribe = useCallback((changed: () => void) => of?.onStatus(() => changed()) ?? nothing, [of])
  const read = (): ConnectionState | HandleStatus | undefined => of?.status
  return useSyncExternalStore<ConnectionState | HandleStatus | undefined>(subscribe, read, read)
}

/** A list of the client's, read again when the lists change; the same object until it says something else. */
const useListed = <Item extends object>(list: (client: Client) => readonly Item[]): readonly Item[] => {
  const client = useClient()
  const read = (): string => JSON.stringify(list(client))
  const said = useSyncExternalStore(client.onGroups, read, read)
  return useMemo(() => JSON.parse(said) as readonly Item[], [said])
}

/**
 * One's groups, as `client.groups.list()`, those included that are not confirmed yet.
 *
 * @example
 * ```ts
 * const Groups = () =>
 *   createElement('ul', null, ...useGroups().map(({ id, name }) => createElement('li', { key: id }, name)))
 * ```
 */
export const useGroups = (): readonly GroupView[] => useListed((client) => client.groups.list())

/**
 * The channels of a group, as `client.channels.list(groupId)`, those included that are not confirmed yet.
 *
 * @example
 * ```ts
 * const Channels = ({ groupId }: { groupId: string }) =>
 *   createElement('nav', null, useChannels(groupId).map(({ name }) => name).join(', '))
 * ```
 */
export const useChannels = (groupId: string): readonly ChannelView[] =>
  useListed((client) => client.channels.list(groupId))

/** The presence of a group, as a component holds it. */
export interface GroupPresence {
  /** Everybody who is here, then those of whom it is known when they were; the same object until something changes. */
  readonly people: readonly PresencePerson[]
  /** Says what this device is doing, as `Presence.announce` does. Rejects with `AppError` `input/invalid` or `input/too-large`. */
  readonly announce: (state: PresenceInput) => Promise<void>
}

const NOBODY: readonly PresencePerson[] = []

/**
 * Who is in a group, and what they are doing. It listens only, until something is announced.
 *
 * @example
 * ```ts
 * const Here = ({ groupId }: { groupId: string }) => {
 *   const { people, announce } = usePresence(groupId)
 *   const hello = () => void announce({ status: 'online' })
 *   return createElement('button', { onClick: hello }, people.map(({ userId }) => userId).join(', '))
 * }
 * ```
 */
export const usePresence = (groupId: string): GroupPresence => {
  const client = useClient()
  const userId = useUserId(client)
  const task = useMemo(() => ({}), [client, userId, groupId])
  const presence = useOutcome(task, () => ({ opening: client.presence(groupId), end: nothing }))
  const subscribe = useCallback((changed: () => void) => presence?.subscribe(() => changed()) ?? nothing, [presence])
  const read = (): readonly PresencePerson[] => presence?.people() ?? NOBODY
  const people = useSyncExternalStore(subscribe, read, read)
  const announce = useCallback(
    async (state: PresenceInput) => (await client.presence(groupId)).announce(state),
    [client, groupId],
  )
  return useMemo(() => ({ people, announce }), [people, announce])
}
