// One document between this device's disk and the server, kept by the leading tab: sends pending edits one by one in their
// order, matches acknowledgements to them, keeps what comes, and hands what was refused to the rebuild.
import { type ErrorCode, ERRORS } from '../shared/errors.ts'
import type { RefusedMessage } from '../shared/protocol.ts'
import type { Attached, Clock, Connection, DocumentListener } from './connection-types.ts'
import { type Entry, type NewEntry, type Store, STORE_RETRY_MS } from './offline/store.ts'
import type { Refused } from './rebuild.ts'
import type { ServerView } from './replica.ts'

export interface SyncedDocumentOptions {
  readonly name: string
  readonly store: Store
  readonly connection: Connection
  readonly clock: Clock
  readonly pending: readonly Entry[]
  /** Of what this device has. */
  readonly stateVector: () => Uint8Array
  /** An update of the server, for the docs of all tabs. */
  readonly onRemote: (update: Uint8Array) => void
  readonly onView: (view: Partial<ServerView>) => void
  /** These entries are on the server's disk, and this device knows it. */
  readonly onStored: (seqs: readonly number[]) => void
  /** Takes refused edits out and writes those after them anew; resolves with what is new, and the numbers that are gone. */
  readonly rebuild: (
    refused: readonly Refused[],
  ) => Promise<{ readonly made: readonly Entry[]; readonly gone: readonly number[] }>
  /** How many commands the server has done; one of them may have made the document. */
  readonly commandsDone: () => number
  /** Edits may need what commands make, and those are still on their way; resolves when that may have changed. */
  readonly untilReady: () => Promise<void> | null
  /** The server does not let us in (any more); true when it should be asked again. */
  readonly onDenied: (code: ErrorCode) => Promise<boolean>
  readonly onMessage: DocumentListener['onMessage']
  readonly onOpenAtServer: (isOpen: boolean) => void
  /** This device's disk failed. */
  readonly onError: (error: unknown) => void
}

export interface SyncedDocument {
  readonly attached: Attached
  /** Edits that are on this device's disk now. */
  readonly add: (entries: readonly Entry[]) => void
  /** Nothing is on its way, in either direction. */
  readonly isIdle: () => boolean
  readonly close: () => Promise<void>
}

/** Frames on their way; more would only wait in the server. */
const IN_FLIGHT_MAX = 256
/** What the server sends is kept by and by: it has it. */
const KEEP_REMOTE_MS = 200
const EMPTY_UPDATE = Uint8Array.of(0, 0)

interface InFlight {
  /** Null: our answer to the server's question, which holds no edit. */
  readonly entry: Entry | null
}

export const createSyncedDocument = (options: SyncedDocumentOptions): SyncedDocument => {
  const { name, store, connection, clock } = options
  const pending = new Map(options.pending.map((entry) => [entry.seq, entry]))
  let queue: Entry[] = []
  const inFlight: InFlight[] = []
  const refused: { entry: Entry; message: RefusedMessage | null }[] = []
  let askedAfter = options.commandsDone()
  let isAsked = false
  let isClosed = false
  let isRebuilding = false
  /** Numbers of entries that were taken out: a tab may still speak of them. */
  const gone = new Set<number>()
  const remote: NewEntry[] = []
  const acknowledged: number[] = []
  let keeping: Promise<void> | null = null
  let hasFailed = false
  let cancelTimer = (): void => {}

  /** Writes what came and what was acknowledged, in one transaction: an own edit may build on what came before it. */
  const keep = async (): Promise<void> => {
    cancelTimer()
    const append = remote.splice(0)
    const confirm = acknowledged.splice(0)
    try {
      await store.write({ append, confirm })
    } catch (error) {
      // Nothing is lost: the server has it all, and sends it again when it is asked.
      remote.unshift(...append)
      acknowledged.unshift(...confirm)
      hasFailed = true
      options.onError(error)
      return
    }
    hasFailed = false
    if (confirm.length > 0) options.onStored(confirm)
  }

  const startKeeping = (): Promise<void> => {
    keeping ??= keep().finally(() => {
      keeping = null
      if (acknowledged.length > 0 && !isClosed) keepAgain()
    })
    return keeping
  }

  /** What came while a write was under way is not in it. */
  const keepAll = async (): Promise<void> => {
    await startKeeping()
    if (remote.length > 0 && !hasFailed) await keepAll()
  }

  const keepSoon = (ms = KEEP_REMOTE_MS): void => {
    cancelTimer()
    cancelTimer = clock.after(ms, () => void startKeeping())
  }

  /** What was acknowledged meanwhile goes at once; where the disk fails, after a pause. */
  const keepAgain = (): void => {
    if (hasFailed) keepSoon(STORE_RETRY_MS)
    else void startKeeping()
  }

  let isWaiting = false
  const waitUntilReady = async (ready: Promise<void>): Promise<void> => {
    if (isWaiting) return
    isWaiting = true
    await ready
    isWaiting = false
    pump()
  }

  const pump = (): void => {
    const ready = queue.length > 0 ? options.untilReady() : null
    if (ready) {
      waitUntilReady(ready).catch(options.onError)
      return
    }
    if (!isAsked || isRebuilding || refused.length > 0) return
    while (queue.length > 0 && inFlight.length < IN_FLIGHT_MAX) {
      const entry = queue.shift() as Entry
      inFlight.push({ entry })
      attached.sendUpdate(entry.update)
    }
  }

  const rebuild = async (): Promise<void> => {
    isRebuilding = true
    const out = refused.splice(0).map(({ entry, message }) => ({ entry, message: message as RefusedMessage }))
    try {
      // Edits may build on any of it.
      await keepAll()
      const { made, gone: taken } = await options.rebuild(out)
      for (const seq of taken) {
        pending.delete(seq)
        gone.add(seq)
      }
      for (const entry of made) pending.set(entry.seq, entry)
    } catch (error) {
      options.onError(error)
    } finally {
      isRebuilding = false
    }
    queue = [...pending.values()].toSorted((a, b) => a.seq - b.seq)
    pump()
  }

  /** What is under way comes to its end first: what follows a refused edit is mostly refused too. */
  const rebuildWhenAnswered = (): void => {
    if (refused.length === 0 || inFlight.length > 0 || isRebuilding) return
    if (refused.every(({ message }) => message !== null)) void rebuild()
  }

  const onStatus = (stored: boolean): void => {
    const answered = inFlight.shift()
    const entry = answered?.entry
    if (entry && stored) {
      pending.delete(entry.seq)
      acknowledged.push(entry.seq)
      keepAgain()
    } else if (entry) refused.push({ entry, message: null })
    rebuildWhenAnswered()
    pump()
  }

  const onClosed = (reason: ErrorCode | 'disconnected'): void => {
    isAsked = false
    options.onOpenAtServer(false)
    inFlight.length = 0
    // A refusal whose reason did not arrive comes again.
    const certain = refused.filter(({ message }) => message !== null)
    refused.splice(0, refused.length, ...certain)
    rebuildWhenAnswered()
    // For a while: the connection asks again by itself.
    if (reason === 'disconnected' || ERRORS[reason].retry || isClosed) {
      askedAfter = options.commandsDone()
      return
    }
    const reopen = (): void => {
      askedAfter = options.commandsDone()
      attached.reopen()
    }
    // It was refused before what makes it was done.
    if (askedAfter !== options.commandsDone()) {
      reopen()
      return
    }
    void options.onDenied(reason).then((again) => {
      if (again && !isClosed) reopen()
    }, options.onError)
  }

  const attached: Attached = connection.attach(name, {
    stateVector: options.stateVector,
    onOpen: (readOnly) => {
      options.onView({ access: readOnly ? 'read' : 'write' })
      options.onOpenAtServer(true)
    },
    onAsked: () => {
      inFlight.length = 0
      isAsked = true
      // Edits go one by one, so that a refused one costs itself only; this ends the handshake.
      inFlight.push({ entry: null })
      attached.sendState(EMPTY_UPDATE)
      queue = [...pending.values()].toSorted((a, b) => a.seq - b.seq)
      pump()
    },
    onUpdate: (update, isState) => {
      if (update.byteLength > EMPTY_UPDATE.byteLength) {
        options.onRemote(update)
        remote.push({ document: name, update })
        keepSoon()
      }
      if (isState) options.onView({ synced: true })
    },
    onStatus,
    onRefused: (message) => {
      const waiting = refused.find((one) => one.message === null)
      if (waiting) waiting.message = message
      rebuildWhenAnswered()
    },
    onMessage: (message) => {
      if (message.type === 'revoked' && message['code'] === 'revoked/write') options.onView({ access: 'read' })
      options.onMessage(message)
    },
    // Presence is per group; an editor's cursors have no place in the SDK yet.
    onAwareness: () => {},
    onClosed,
  })

  return {
    attached,
    add: (entries) => {
      for (const entry of entries) {
        if (gone.has(entry.seq) || pending.has(entry.seq)) continue
        pending.set(entry.seq, entry)
        queue.push(entry)
      }
      pump()
    },
    isIdle: () => pending.size === 0 && inFlight.length === 0 && remote.length === 0 && acknowledged.length === 0,
    close: async () => {
      isClosed = true
      cancelTimer()
      attached.detach()
      await startKeeping()
    },
  }
}
