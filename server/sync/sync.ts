// Puts the write path together: socket → gateway → verdict → doc → journal → out. One object to start and to stop.
import type { Server } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import type { Document, Hocuspocus } from '@hocuspocus/server'
import { AWARENESS_TTL_MS, UNSYNCED_BYTES_MAX } from '../../shared/limits.ts'
import type { Storage } from '../../storage/open.ts'
import { appendUpdates, claimClientIds, loadClaims, loadDocument, replaceBySnapshot } from '../../storage/updates.ts'
import type { Access } from '../access.ts'
import type { Logger } from '../log.ts'
import { sweepAwareness } from './awareness.ts'
import type { SocketContext } from './client-socket.ts'
import { createBatcher } from './batcher.ts'
import { createGateway } from './gateway.ts'
import { Host } from './host.ts'
import { createJournal } from './journal.ts'
import type { LiveDocument } from './live-document.ts'
import { createSnapshots } from './snapshots.ts'

/** Time for acknowledgements of what came before a stop. */
const ACKNOWLEDGE_MS_MAX = 1_000

export interface SyncDeps {
  readonly storage: Storage
  readonly access: Access
  readonly allowedOrigins: readonly string[]
  readonly log: Logger
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
  /** Opens a document and keeps it in memory until released. */
  readonly pin: (name: string) => Promise<PinnedDocument>
}

export const createSync = ({ storage, access, allowedOrigins, log }: SyncDeps): Sync => {
  /** A document whose memory is ahead of the disk: throw it away, and let its clients come back to what is on disk. */
  const discard = (live: LiveDocument, event: string, error: unknown): void => {
    if (live.failed) return
    log.error(event, { document: live.name, code: 'storage/unavailable', error: String(error) })
    host.discard(live)
    for (const socket of gateway.sockets) if (socket.isUsing(live)) socket.closeSocket('storage/unavailable')
  }

  const snapshots = createSnapshots({
    load: (name) => loadDocument(storage, name),
    replace: (name, oldUpTo, upTo, data) => replaceBySnapshot(storage, name, oldUpTo, upTo, data),
    log,
  })
  const journal = createJournal({
    append: (entries) => appendUpdates(storage, entries),
    onCommitted: (live) => {
      snapshots.consider(live)
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
    load: (name) => loadDocument(storage, name),
    loadClaims: (name) => loadClaims(storage, name),
    onFetched: async (context, name, stored) => context?.socket.fetched(name, stored),
    onUpdate: (live, update) => journal.append(live, update),
    onUnloaded: (live) => snapshots.considerClosed(live),
    log,
  })
  const gateway = createGateway({
    host,
    access,
    allowedOrigins,
    claim: createBatcher((claims) => claimClientIds(storage, claims)),
    onBroken: (live, error) => discard(live, 'document.broken', error),
    isJournalFull,
    log,
  })

  const sweep = setInterval(() => {
    for (const { document } of host.liveDocuments) sweepAwareness(document.awareness, Date.now())
  }, AWARENESS_TTL_MS / 3)
  sweep.unref()

  return {
    attach: gateway.attach,
    pin: async (name) => new PinnedDocument(await host.openDirectConnection(name)),
    [Symbol.asyncDispose]: async () => {
      clearInterval(sweep)
      // What was received before the stop is still acknowledged; but clients that go on writing are not waited for.
      await Promise.race([journal.idle(), setTimeout(ACKNOWLEDGE_MS_MAX, undefined, { ref: false })])
      await gateway.stop('server/stopping')
      await journal.idle()
      await snapshots[Symbol.asyncDispose]()
    },
  }
}
