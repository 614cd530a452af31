// Everything that the client does for one person: their area of the disk, documents, commands, presence. When somebody else
// logs in, it is closed as a whole and another one is opened.
import type * as Y from 'yjs'
import type { Json } from '../shared/json.ts'
import { documentName } from '../shared/names.ts'
import type { Account } from './account-types.ts'
import { ADOPT } from './area-keys.ts'
import type { CurrentUser, Handle } from './client-types.ts'
import { type Channels, createChannels } from './channels.ts'
import { createConnection } from './connection.ts'
import type { Clock, ConnectionOptions } from './connection-types.ts'
import type { Draws } from './context.ts'
import { createFacts, type FactsSource } from './facts.ts'
import { createHandle } from './handle.ts'
import { createGroups, type Groups } from './groups.ts'
import { createListeners } from './listeners.ts'
import type { ChatHandle, ChatValue, methods as createChatHandle } from './kinds/chat.ts'
import { loadOperations } from './kinds.ts'
import type { Disk, Store } from './offline/store.ts'
import type { Outbox } from './outbox-types.ts'
import { createOutbox } from './outbox.ts'
import type { Presence } from './presence.ts'
import type { Replica } from './replica.ts'
import { openRoster, type Roster } from './roster.ts'
import type { Tabs } from './tabs-types.ts'
import type { Workspace } from './workspace-types.ts'
import { newestSegment } from './segments.ts'
import { openWorkspace } from './workspace.ts'

export interface PersonOptions {
  readonly url: string
  readonly account: Account
  readonly disk: Disk
  readonly openTabs: () => Promise<Tabs>
  readonly clock: Clock
  readonly newId: () => string
  readonly random: () => number
  readonly isOnline: boolean
  /** Called once everything is closed. */
  readonly onClosed: () => void
  readonly WebSocket?: ConnectionOptions['WebSocket']
}

export interface Person extends AsyncDisposable {
  readonly user: CurrentUser
  readonly store: Store
  readonly workspace: Workspace
  readonly outbox: Outbox
  readonly roster: Roster
  readonly groups: Groups
  readonly channels: Channels
  /** What the lists of groups and channels say may have changed. */
  readonly onGroups: (listener: () => void) => () => void
  readonly facts: FactsSource
  /** Opens a document of any kind; `methods` adds what the kind can do. */
  readonly open: <Value, Methods extends object>(
    document: string,
    methods: Promise<(replica: Replica) => Methods>,
  ) => Promise<Handle<Value> & Methods>
  readonly chat: (channelId: string, loading: Promise<typeof createChatHandle>) => Promise<ChatHandle>
  readonly presence: (groupId: string) => Promise<Presence>
}

const socketUrl = (url: string): string => `${url.replace(/^http/, 'ws').replace(/\/+$/, '')}/sync`

/** A handle with its methods; its getters stay getters. */
const withMethods = <Base extends object, Methods extends object>(base: Base, methods: Methods): Base & Methods =>
  Object.defineProperties(base, Object.getOwnPropertyDescriptors(methods)) as Base & Methods

export const openPerson = async (options: PersonOptions): Promise<Person> => {
  const { account, disk, clock, newId, random } = options
  const { user } = account
  const draws: Draws = {
    newId,
    random,
    get deviceId() {
      // The server tells devices apart by their logins.
      return account.sessionId ?? account.deviceId
    },
  }
  await using owned = new AsyncDisposableStack()
  owned.defer(options.onClosed)
  // What takes its time begins together: an app shows nothing before all of it is there.
  const opening = options.openTabs()
  opening.catch(() => {})
  owned.defer(async () => (await opening)[Symbol.asyncDispose]())
  const store = owned.use(await disk.open(account.area))
  const tabs = await opening
  const adopted = store.list(ADOPT)
  const outbox = owned.use(createOutbox({ store, http: account.http, owner: user.id, clock, random, tabs }))
  const countPending = (): number => outbox.list().filter(({ state }) => state === 'pending').length
  let commandsPending = countPending()
  let commandsDone = 0
  const listed = createListeners<void>()
  outbox.subscribe(() => {
    const before = commandsPending
    commandsPending = countPending()
    commandsDone += Math.max(0, before - commandsPending)
    listed.tell()
  })
  let roster: Roster | null = null
  const groups = createGroups({ outbox, newId, readMe: () => roster?.me() ?? null })
  const channels = createChannels({ outbox, newId, readGroup: (id) => roster?.groups().get(id) ?? null })
  const facts = createFacts({
    actor: user.id,
    now: clock.now,
    groups: () => roster?.groups() ?? new Map(),
    made: () => ({ groups: groups.made(), channels: channels.made() }),
  })
  const workspace = owned.use(
    openWorkspace({
      store,
      tabs,
      clock,
      draws,
      facts,
      isOnline: options.isOnline,
      untilCommandsSent: outbox.untilSent,
      commandsDone: () => commandsDone,
      successorOf: (document) => newestSegment(document, facts.segmentsOf, () => roster, clock),
      connect: () =>
        createConnection({
          url: socketUrl(options.url),
          // Never somebody else's: the person may change before this is closed.
          token: () => account.token(user.id),
          tokenRejected: () => account.tokenRejected(),
          clock,
          random,
          ...(options.WebSocket && { WebSocket: options.WebSocket }),
        }),
    }),
  )
  workspace.onStatus((status) => {
    if (status === 'live') outbox.online()
  })
  const [opened, toAdopt] = await Promise.all([
    openRoster(workspace, user.id, (error) => workspace.report(error)),
    adopted,
    outbox.ready,
  ])
  roster = owned.use(opened)
  opened.onChange(listed.tell)

  const openHandle = async <Value>(document: string): Promise<{ handle: Handle<Value>; replica: Replica }> => {
    const replica = await workspace.acquire(document)
    const { read } = replica.kind
    const handle = createHandle<Value>({
      replica,
      operations: await loadOperations(document),
      read: (doc: Y.Doc) => read?.(doc) as Value,
      onClose: () => workspace.release(document),
    })
    return { handle, replica }
  }

  // What was taken over from a guest is made again as this person's.
  if (toAdopt.size > 0) {
    const { makeAdopted } = await import('./person-switch.ts')
    await makeAdopted(store, workspace)
  }

  const presences = new Map<string, Promise<Presence>>()
  const openPresence = async (groupId: string): Promise<Presence> => {
    const document = documentName('group', groupId)
    await workspace.acquire(document)
    const { createPresence } = await import('./presence.ts')
    const presence = createPresence({
      clock,
      send: (message) => workspace.send(document, message as unknown as { type: string; [field: string]: Json }),
    })
    workspace.onMessage((event) => {
      if (event.document !== document) return
      if (event.message.type === 'opened') presence.onOpen()
      else if (event.message.type === 'closed') presence.onClosed()
      else presence.onMessage(event.message)
    })
    if (workspace.isOpen(document)) presence.onOpen()
    return presence
  }
  owned.defer(async () => {
    for (const presence of await Promise.all(presences.values())) presence[Symbol.dispose]()
  })

  const kept = owned.move()
  return {
    user,
    store,
    workspace,
    outbox,
    roster: opened,
    groups,
    channels,
    onGroups: listed.add,
    facts,
    open: async (document, loading) => {
      const [{ handle, replica }, methods] = await Promise.all([openHandle<never>(document), loading])
      return withMethods(handle, methods(replica))
    },
    chat: async (channelId, loading) => {
      const create = await loading
      return create({
        channelId,
        segments: () => facts.segmentsOf(channelId),
        onSegments: (listener) => opened.onChange(listener),
        open: async (document) => (await openHandle<ChatValue>(document)).handle,
        onError: workspace.report,
      })
    },
    presence: (groupId) => {
      let presence = presences.get(groupId)
      if (!presence) presences.set(groupId, (presence = openPresence(groupId)))
      return presence
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
