// Drops the history of documents that have too much of it (design 4.1): closed ones where they are on disk, open ones after
// everybody was told. Knows clients that still have an older epoch, and what they are told.
import type { Connection } from '@hocuspocus/server'
import * as Y from 'yjs'
import { ERRORS } from '../../shared/errors.ts'
import {
  DOCUMENT_CLIENT_IDS_MAX,
  EPOCHS_MAX,
  HISTORY_BYTES_MAX,
  HISTORY_BYTES_MIN,
  HISTORY_SHARE_MAX,
} from '../../shared/limits.ts'
import type { EpochMessage } from '../../shared/protocol.ts'
import type { NewEpoch } from '../../storage/epochs.ts'
import type { StoredDocument } from '../../storage/updates.ts'
import type { Logger } from '../log.ts'
import type { LiveDocument } from './live-document.ts'
import type { Merger } from './merger.ts'
import type { Merged } from './merger-thread.ts'

export interface EpochDeps {
  readonly load: (name: string) => Promise<StoredDocument>
  readonly loadEpoch: (name: string) => Promise<{ readonly epoch: number; readonly closing: Uint8Array | null }>
  readonly start: (next: NewEpoch) => Promise<boolean>
  readonly merger: Pick<Merger, 'run'>
  /** The document if it is open, null if it is not, and 'opening' in between. */
  readonly find: (name: string) => LiveDocument | 'opening' | null
  /** Takes an open document out of memory; nobody is connected to it any more. */
  readonly discard: (live: LiveDocument) => void
  readonly log: Logger
}

export interface Epochs extends AsyncDisposable {
  /** A snapshot was made: starts a new epoch if the document needs one. */
  readonly onMerged: (live: LiveDocument, merged: Merged) => Promise<void>
  /** The document is not in memory any more. */
  readonly onClosed: (live: LiveDocument) => void
  /** Starts a new epoch, whatever the document holds. False when it could not be done now; nothing has changed then. */
  readonly begin: (name: string) => Promise<boolean>
  /** Resolves when no new epoch of the document is being made; it is not loaded before. */
  readonly settled: (name: string) => Promise<unknown>
  /**
   * Tells a client of an older epoch so and closes the document for it. Before that, `send` is called with what it has not
   * seen of its epoch, if that is the last one: of older ones it is not kept.
   */
  readonly part: (
    live: LiveDocument,
    connection: Connection,
    stateVector: Uint8Array,
    send: (difference: Uint8Array) => void,
  ) => Promise<void>
}

const endEpoch = (connection: Connection, message: EpochMessage): void => {
  connection.sendStateless(JSON.stringify(message))
  connection.close({ code: ERRORS['epoch-ended'].close, reason: 'epoch-ended' })
}

const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

const isUrgent = ({ historyBytes, clientIds }: Merged): boolean =>
  historyBytes > HISTORY_BYTES_MAX || clientIds.length > DOCUMENT_CLIENT_IDS_MAX

const isMostlyHistory = ({ historyBytes, state }: Merged): boolean =>
  historyBytes > HISTORY_BYTES_MIN && historyBytes > HISTORY_SHARE_MAX * state.byteLength

export const createEpochs = (deps: EpochDeps): Epochs => {
  const { merger, log } = deps
  /** New epochs that are being made, by the document's name. */
  const underWay = new Map<string, Promise<boolean>>()
  let isStopped = false

  const renew = async (name: string, live: LiveDocument | null): Promise<boolean> => {
    // What it holds is the disk's to say; all of it is there now, and stays as it is.
    await live?.mustBeDurable()
    const [{ snapshot, updates, head }, { epoch }] = await Promise.all([deps.load(name), deps.loadEpoch(name)])
    if (head === 0 || epoch >= EPOCHS_MAX) return false
    const { closing, clientIds, state } = await merger.run({
      task: 'renew',
      updates: snapshot ? [snapshot, ...updates] : updates,
      epoch: epoch + 1,
    })
    if (!(await deps.start({ document: name, epoch, head, closing, state, clientIds }))) return false
    log.info('document.epoch', { document: name, epoch: epoch + 1, from: closing.byteLength, to: state.byteLength })
    if (!live || live.failed) return true
    const closed = toBase64(Y.encodeStateVectorFromUpdate(closing))
    for (const connection of live.document.getConnections()) {
      endEpoch(connection, { type: 'epoch', epoch: epoch + 1, closed })
    }
    deps.discard(live)
    return true
  }

  const begin = (name: string): Promise<boolean> => {
    const running = underWay.get(name)
    if (running) return running
    const live = deps.find(name)
    if (live === 'opening' || isStopped) return Promise.resolve(false)
    const made = renew(name, live)
      .catch((error: unknown) => {
        if (!isStopped) log.warn('document.epoch-failed', { document: name, error: String(error) })
        return false
      })
      .finally(() => {
        underWay.delete(name)
        if (live) live.renewal = null
      })
    underWay.set(name, made)
    if (live) live.renewal = made
    return made
  }

  return {
    begin,
    settled: (name) => underWay.get(name) ?? Promise.resolve(),
    onMerged: async (live, merged) => {
      live.isMostlyHistory = isMostlyHistory(merged)
      if (isUrgent(merged) || (live.isMostlyHistory && deps.find(live.name) === null)) await begin(live.name)
    },
    onClosed: (live) => {
      if (live.isMostlyHistory && !live.failed) void begin(live.name)
    },
    part: async (live, connection, stateVector, send) => {
      const { epoch, closing } = await deps.loadEpoch(live.name)
      const closed = closing && Y.encodeStateVectorFromUpdate(closing)
      const last = closed && Y.decodeStateVector(closed)
      const isOfLast = last && [...Y.decodeStateVector(stateVector).keys()].some((clientId) => last.has(clientId))
      const difference = isOfLast && (await merger.run({ task: 'difference', updates: [closing], stateVector }))
      if (!live.document.hasConnection(connection)) return
      if (difference) send(difference)
      endEpoch(connection, { type: 'epoch', epoch, ...(isOfLast && { closed: toBase64(closed) }) })
    },
    [Symbol.asyncDispose]: async () => {
      isStopped = true
      await Promise.all(underWay.values())
    },
  }
}
