// Everything of one person on this device, in one tab: the open replicas, what the tabs tell each other, and in the leading
// tab the connection and the engine. It is closed as a whole when somebody else logs in.
import { AppError } from '../shared/errors.ts'
import type { Json } from '../shared/json.ts'
import type { ConnectionState } from './connection-types.ts'
import type { EngineEvent } from './engine-event.ts'
import { createListeners } from './listeners.ts'
import { createHeld } from './held.ts'
import { createInOrder } from './in-order.ts'
import { loadKind, loadOperations } from './kinds.ts'
import { type Leading, startLeading } from './leading.ts'
import type { Entry, StoredValue } from './offline/store.ts'
import { createQuarantine } from './quarantine.ts'
import { createPresenceRelay } from './presence-relay.ts'
import { openReplica, type Replica, type ServerView } from './replica.ts'
import { MISSED } from './tabs.ts'
import type { TabMessage } from './tabs-types.ts'
import type { Message, ServerMessage, Workspace, WorkspaceOptions } from './workspace-types.ts'

export const openWorkspace = (options: WorkspaceOptions): Workspace => {
  const { store, tabs, clock, draws, facts } = options
  const statusChanged = createListeners<ConnectionState>()
  const messages = createListeners<ServerMessage>()
  const errors = createListeners<unknown>()
  /** How often the app has each document open in this tab. */
  const wanted = new Map<string, number>()
  const tab = draws.newId()
  /** What is known of documents before they are opened in this tab. */
  const views = new Map<string, Partial<ServerView>>()
  const openAtServer = new Set<string>()
  let status: ConnectionState = 'offline'
  let isOnline = options.isOnline
  let leading: Leading | null = null
  let isClosed = false

  const report = (error: unknown): void => {
    if (!isClosed) errors.tell(error)
  }

  const setStatus = (next: ConnectionState): void => {
    if (next === status) return
    status = next
    statusChanged.tell(next)
  }

  /** What became of edits, in this tab; in the order of its coming for each document. */
  const apply = async (event: EngineEvent): Promise<void> => {
    if (event.type === 'view') views.set(event.document, { ...views.get(event.document), ...event.view })
    if (event.type === 'message') {
      if (event.message.type === 'opened') openAtServer.add(event.document)
      if (event.message.type === 'closed') openAtServer.delete(event.document)
      messages.tell(event)
    }
    const replica = await replicas.get(event.document)
    if (!replica) return
    if (event.type === 'remote') replica.fromServer(event.update)
    else if (event.type === 'stored') replica.onStored(event.seqs)
    else if (event.type === 'view') replica.setView(event.view)
    else if (event.type === 'edits') replica.fromTab(event.entries)
    else if (event.type === 'rebuilt') await replica.rebuild(new Map(event.replaced), event.gone)
  }

  const applying = createInOrder(report)
  const applyInOrder = (event: EngineEvent): void => void applying.add(event.document, () => apply(event))

  const tellAll = (event: EngineEvent): void => {
    tabs.post({ type: 'engine', event: event as unknown as StoredValue })
    applyInOrder(event)
  }

  const quarantine = createQuarantine({
    store,
    now: clock.now,
    newId: draws.newId,
    onChange: () => tabs.post({ type: 'quarantine' }),
    run: (document, name, input) => runOnce(document, name, input),
  })
  quarantine.subscribe(() => {
    for (const document of replicas.names())
      applyInOrder({ type: 'view', document, view: { refused: quarantine.countOf(document) } })
  })

  const open = async (document: string): Promise<Replica> => {
    const loading = store.load(document)
    // Its failure is told when it is waited for.
    loading.catch(() => {})
    const [kind] = await Promise.all([loadKind(document), quarantine.ready])
    const replica = await openReplica({
      entries: loading,
      name: document,
      kind,
      store,
      facts: () => facts.of(kind, document),
      draws,
      clock,
      onSaved: (entries) => {
        tabs.post({ type: 'edits', document, entries: entries as unknown as StoredValue })
        leading?.engine.add(document, entries).catch(report)
      },
    })
    replica.setView({ ...views.get(document), refused: quarantine.countOf(document) })
    return replica
  }
  const replicas = createHeld(open)

  const want = (document: string): void => {
    if (leading) leading.engine.want(document, tab).catch(report)
    else tabs.post({ type: 'want', document, tab })
  }

  const acquire = async (document: string): Promise<Replica> => {
    if (isClosed) throw new AppError('auth/required', 'this client is closed, or somebody else is logged in')
    const wants = (wanted.get(document) ?? 0) + 1
    wanted.set(document, wants)
    const replica = await replicas.hold(document)
    if (wants === 1) want(document)
    return replica
  }

  const release = async (document: string): Promise<void> => {
    const wants = (wanted.get(document) ?? 0) - 1
    if (wants < 0) return
    if (wants > 0) wanted.set(document, wants)
    else {
      wanted.delete(document)
      if (leading) leading.engine.unwant(document, tab)
      else tabs.post({ type: 'unwant', document, tab })
    }
    await replicas.drop(document)
  }

  const runOnce = async (document: string, name: string, input: Json): Promise<void> => {
    const replica = await acquire(document)
    try {
      const { actor, now } = facts.of(replica.kind, document)
      const operation = { name, input, actor, now, ids: [] }
      replica.adopt({ document, operation, clientId: replica.doc.clientID }, await loadOperations(document))
      await replica.saved()
    } finally {
      await release(document)
    }
  }

  const lead = (): void => {
    leading = startLeading({
      ...options,
      quarantine,
      replicas,
      settled: applying.settled,
      tell: tellAll,
      report,
    })
    const { connection } = leading
    connection.subscribe((state) => {
      setStatus(state)
      tabs.post({ type: 'connection', state })
    })
    for (const document of wanted.keys()) want(document)
    // The others say what they have open.
    tabs.post({ type: 'who' })
    if (isOnline) connection.goOnline()
  }

  const cease = async (): Promise<void> => {
    const was = leading
    leading = null
    await was?.[Symbol.asyncDispose]()
  }

  const relay = createPresenceRelay()
  const sendAsLeader = (from: string, document: string, message: Message): void =>
    leading?.engine.send(document, relay(from, document, message))

  const setOnline = (next: boolean): void => {
    isOnline = next
    if (next) leading?.connection.goOnline()
    else leading?.connection.goOffline()
  }

  const hear: Record<string, (message: TabMessage) => void> = {
    engine: ({ event }) => applyInOrder(event as unknown as EngineEvent),
    edits: (message) => {
      const document = message['document'] as string
      const entries = message['entries'] as unknown as readonly Entry[]
      applyInOrder({ type: 'edits', document, entries })
      leading?.engine.add(document, entries).catch(report)
    },
    want: (message) => void leading?.engine.want(message['document'] as string, message['tab'] as string).catch(report),
    unwant: (message) => leading?.engine.unwant(message['document'] as string, message['tab'] as string),
    who: () => {
      for (const document of wanted.keys()) want(document)
    },
    hello: () => {
      if (!leading) return
      tabs.post({ type: 'connection', state: status })
      for (const document of openAtServer) {
        const event = { type: 'message', document, message: { type: 'opened' } }
        tabs.post({ type: 'engine', event })
      }
      for (const [document, view] of views) {
        tabs.post({ type: 'engine', event: { type: 'view', document, view } })
      }
    },
    connection: ({ state }) => {
      if (!leading) setStatus(state as ConnectionState)
    },
    network: (message) => setOnline(message['isOnline'] === true),
    login: () => leading?.connection.loginChanged(),
    quarantine: () => void quarantine.refresh().catch(report),
    [MISSED]: () => {
      // This page was away, and heard nothing: everything is loaded again.
      for (const document of replicas.names()) {
        applyInOrder({ type: 'rebuilt', document, replaced: [], gone: [] })
      }
      tabs.post({ type: 'hello' })
    },
    send: ({ from, document, message }) =>
      sendAsLeader(from as string, document as string, message as unknown as Message),
  }

  const stopHearing = tabs.onMessage((message) => hear[message.type]?.(message))
  const stopFollowing = tabs.onLeadership((isLeader) => {
    if (isClosed) return
    if (isLeader && !leading) lead()
    if (!isLeader) void cease().catch(report)
  })
  if (tabs.isLeader) lead()
  else tabs.post({ type: 'hello' })

  return {
    quarantine,
    get status() {
      return status
    },
    onStatus: statusChanged.add,
    onMessage: messages.add,
    onError: errors.add,
    report,
    isOpen: (document) => openAtServer.has(document),
    acquire,
    release,
    send: (document, message) => {
      if (leading) sendAsLeader(tab, document, message)
      else tabs.post({ type: 'send', from: tab, document, message })
    },
    setOnline: (next) => {
      tabs.post({ type: 'network', isOnline: next })
      setOnline(next)
    },
    loginChanged: () => {
      tabs.post({ type: 'login' })
      leading?.connection.loginChanged()
    },
    [Symbol.asyncDispose]: async () => {
      // What is not on the disk yet is kept first.
      const open = await replicas.all()
      for (const replica of open) await replica.saved().catch(report)
      isClosed = true
      stopHearing()
      stopFollowing()
      await cease()
      for (const replica of open) await replica.close()
      setStatus('offline')
    },
  }
}
