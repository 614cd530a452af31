// Puts the write path together: socket → gateway → verdict → doc → journal → out. One object to start and to stop.
import type { Server } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import type { Connection, Document, Hocuspocus } from '@hocuspocus/server'
import type * as Y from 'yjs'
import { AWARENESS_TTL_MS, REVIEW_MS, UNSYNCED_BYTES_MAX } from '../../shared/limits.ts'
import { type DocumentName, parseDocumentName } from '../../shared/names.ts'
import { openNextSegment } from '../../storage/channels.ts'
import { loadEpoch, startEpoch } from '../../storage/epochs.ts'
import type { Storage } from '../../storage/open.ts'
import {
  type AppendEntry,
  appendUpdates,
  loadClaims,
  loadDocument,
  replaceBySnapshot,
  type StoredDocument,
} from '../../storage/updates.ts'
import type { Access } from '../access.ts'
import type { Logger } from '../log.ts'
import type { AttachmentDeps } from './attachment-types.ts'
import { sweepAwareness } from './awareness.ts'
import type { SocketContext } from './client-socket.ts'
import { createEpochs, type EpochDeps, type Epochs } from './epochs.ts'
import { createGateway } from './gateway.ts'
import { Host } from './host.ts'
import { createJournal } from './journal.ts'
import type { LiveDocument } from './live-document.ts'
import { createMerger } from './merger.ts'
import { createPresence, type PresenceDeps } from './presence.ts'
import { createSegments } from './segments.ts'
import { drawServerClientId, type UseDocument, useLiveDocument } from './server-writes.ts'
import { createSnapshots, type SnapshotDeps } from './snapshots.ts'

/** Time for acknowledgements of what came before a stop. */
const ACKNOWLEDGE_MS_MAX = 1_000

/** What is stored of documents, as the write path needs it. */
export interface DocumentStore {
  readonly load: (name: string) => Promise<StoredDocument>
  readonly loadClaims: (name: string) => Promise<Map<number, string>>
  readonly append: (entries: readonly AppendEntry[]) => Promise<void>
  readonly replace: SnapshotDeps['replace']
  readonly loadEpoch: EpochDeps['loadEpoch']
  readonly startEpoch: EpochDeps['start']
  readonly openNextSegment: (channelId: string, sealed: number) => Promise<boolean>
}

export const documentsIn = (storage: Storage): DocumentStore => ({
  load: (name) => loadDocument(storage, name),
  loadClaims: (name) => loadClaims(storage, name),
  append: (entries) => appendUpdates(storage, entries),
  replace: (name, oldUpTo, upTo, data) => replaceBySnapshot(storage, name, oldUpTo, upTo, data),
  loadEpoch: (name) => loadEpoch(storage, name),
  startEpoch: (next) => startEpoch(storage, next),
  openNextSegment: (channelId, sealed) => openNextSegment(storage.db, channelId, sealed),
})

export interface SyncDeps {
  readonly store: DocumentStore
  readonly access: Access
  readonly allowedOrigins: readonly string[]
  readonly log: Logger
  readonly now: () => number
  /** Hears of each write that was refused for good. */
  readonly onRefused?: AttachmentDeps['onRefused']
  /** Nobody's is shown without it. */
  readonly showsLastSeen?: PresenceDeps['showsLastSeen']
}

type DirectConnection = Awaited<ReturnType<Hocuspocus['openDirectConnection']>>

/** A document that stays in memory until it is released. */
export class PinnedDocument {
  readonly #direct: DirectConnection

  constructor(direct: DirectConnection) {
    this.#direct = direct
  }

  get doc(): Document {
    return this.#direct.document as Document
  }

  async release(): Promise<void> {
    await this.#direct.disconnect()
  }
}

export interface Sync extends AsyncDisposable {
  /** Takes over the upgrades of `server`. */
  readonly attach: (server: Server) => void
  /** Drops a document's history, whatever it holds; see {@link Epochs.begin}. */
  readonly startEpoch: Epochs['begin']
  /** Opens a document and keeps it in memory until released. */
  readonly pin: (name: string) => Promise<PinnedDocument>
  /** Reads or writes a document on the server; see {@link UseDocument}. Who may do it was asked before. */
  readonly withDocument: UseDocument
  /** Looks up again what these users have open; see `Changes.rights`. */
  readonly review: (userIds: ReadonlySet<string>) => Promise<void>
  /** What this user shows of themselves may be less than it was. */
  readonly profileChanged: (userId: string) => Promise<void>
  /** Calls `listener` after each commit of a document. */
  readonly onStored: (listener: (name: DocumentName) => void) => void
  /** Calls `listener` each time a document was loaded into memory. */
  readonly onLoaded: (listener: (name: DocumentName) => void) => void
  /** Calls `listener` when a chat has a new segment; that is on disk then. */
  readonly onSegmentOpened: (listener: (channelId: string) => void) => void
}

const after = (ms: number, run: () => void): (() => void) => {
  const timer = globalThis.setTimeout(run, ms)
  timer.unref()
  return () => clearTimeout(timer)
}

/** Listeners of one event; one that throws must not stop the write path. */
const createListeners = <Event>(log: Logger, event: string) => {
  const listeners: ((value: Event) => void)[] = []
  return {
    add: (listener: (value: Event) => void): void => void listeners.push(listener),
    tell: (value: Event): void => {
      for (const listener of listeners) {
        try {
          listener(value)
        } catch (error) {
          log.error(event, { error })
        }
      }
    },
  }
}

export const createSync = (deps: SyncDeps): Sync => {
  const { store, access, allowedOrigins, log, now, onRefused = () => {} } = deps
  const stored = createListeners<DocumentName>(log, 'document.stored-listener-failed')
  const loaded = createListeners<DocumentName>(log, 'document.loaded-listener-failed')
  const opened = createListeners<string>(log, 'segment.opened-listener-failed')

  const forget = (live: LiveDocument): void => {
    presence.discard(live)
    host.discard(live)
  }

  /** A document whose memory is ahead of the disk: throw it away, and let its clients come back to what is on disk. */
  const discard = (live: LiveDocument, event: string, error: unknown): void => {
    if (live.failed) return
    log.error(event, { document: live.name, code: 'storage/unavailable', error: String(error) })
    forget(live)
    for (const socket of gateway.sockets) if (socket.isUsing(live)) socket.closeSocket('storage/unavailable')
  }

  const merger = createMerger()
  const epochs = createEpochs({
    load: store.load,
    loadEpoch: store.loadEpoch,
    loadClaims: store.loadClaims,
    start: store.startEpoch,
    merger,
    find: (name) => host.find(name),
    hasState: (connection: Connection<SocketContext>) => connection.context.socket.hasState(connection),
    discard: forget,
    onUnknown: (live, error) => discard(live, 'document.epoch-unknown', error),
    log,
  })
  const snapshots = createSnapshots({
    load: store.load,
    replace: store.replace,
    merger,
    onMerged: epochs.onMerged,
    log,
  })
  const segments = createSegments({
    openNext: store.openNextSegment,
    onOpened: opened.tell,
    log,
  })
  const journal = createJournal({
    append: store.append,
    onCommitted: (live) => {
      snapshots.consider(live)
      segments.consider(live)
      stored.tell(parseDocumentName(live.name).name)
      if (host.shouldUnloadDocument(live.document)) void host.unloadDocument(live.document)
      if (paused && !isJournalFull()) {
        paused = false
        for (const socket of gateway.sockets) socket.resume()
      }
    },
    onFailed: (live, error) => discard(live, 'document.commit-failed', error),
  })

  let paused = false
  const isJournalFull = (): boolean => {
    const isFull = journal.unsyncedBytes() > UNSYNCED_BYTES_MAX
    paused ||= isFull
    return isFull
  }

  const host = new Host<SocketContext>({
    load: async (name) => {
      await epochs.settled(name)
      return store.load(name)
    },
    loadClaims: async (name) => {
      await epochs.settled(name)
      return store.loadClaims(name)
    },
    onFetched: async (context, name, found) => context?.socket.fetched(name, found),
    onUpdate: (live, update) => journal.append(live, update),
    onLoaded: (live) => loaded.tell(parseDocumentName(live.name).name),
    onUnloaded: (live) => {
      snapshots.considerClosed(live)
      epochs.onClosed(live)
    },
    clientId: drawServerClientId(),
    log,
  })
  const presence = createPresence({ now, after, showsLastSeen: deps.showsLastSeen ?? (async () => false) })
  const gateway = createGateway({
    host,
    access,
    presence,
    epochs,
    allowedOrigins,
    onBroken: (live, error) => discard(live, 'document.broken', error),
    onRefused,
    isJournalFull,
    log,
    now,
  })

  const sweep = setInterval(() => {
    for (const { document } of host.liveDocuments) sweepAwareness(document.awareness, Date.now())
  }, AWARENESS_TTL_MS / 3)
  sweep.unref()
  // Logins also end by age, and nobody says so.
  const reviews = setInterval(() => void gateway.reviewAll(), REVIEW_MS)
  reviews.unref()

  return {
    attach: gateway.attach,
    startEpoch: epochs.begin,
    pin: async (name) => new PinnedDocument(await host.openDirectConnection(name)),
    withDocument: <Result>(name: string, use: (doc: Y.Doc) => Result) => useLiveDocument(host, name, use),
    review: gateway.review,
    profileChanged: presence.profileChanged,
    onStored: stored.add,
    onLoaded: loaded.add,
    onSegmentOpened: opened.add,
    [Symbol.asyncDispose]: async () => {
      clearInterval(sweep)
      clearInterval(reviews)
      // What was received before the stop is still acknowledged; but clients that go on writing are not waited for.
      await Promise.race([journal.idle(), setTimeout(ACKNOWLEDGE_MS_MAX, undefined, { ref: false })])
      presence[Symbol.dispose]()
      await gateway.stop('server/stopping')
      await journal.idle()
      await segments.idle()
      await snapshots[Symbol.asyncDispose]()
      await epochs[Symbol.asyncDispose]()
    },
  }
}
