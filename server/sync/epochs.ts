// Drops the history of documents that have too much of it (design 4.1): closed ones where they are on disk, open ones after
// everybody was told. Knows clients that still have an older epoch, and what they are told.
import type { Connection } from '@hocuspocus/server'
import { ERRORS } from '../../shared/errors.ts'
import {
  CLIENT_ID_MAX,
  DOCUMENT_CLIENT_IDS_MAX,
  EPOCHS_MAX,
  HISTORY_BYTES_MAX,
  HISTORY_BYTES_MIN,
  HISTORY_SHARE_MAX,
  PROCESS_CLIENT_ID_MIN,
} from '../../shared/limits.ts'
import type { EpochMessage } from '../../shared/protocol.ts'
import { EpochUnknown, type NewEpoch } from '../../storage/epochs.ts'
import type { StoredDocument } from '../../storage/updates.ts'
import type { Logger } from '../log.ts'
import type { LiveDocument } from './live-document.ts'
import type { Merger } from './merger.ts'
import type { Merged } from './merger-thread.ts'

export interface EpochDeps {
  readonly load: (name: string) => Promise<StoredDocument>
  readonly loadEpoch: (name: string) => Promise<{ readonly epoch: number; readonly closing: Uint8Array | null }>
  readonly loadClaims: (name: string) => Promise<ReadonlyMap<number, string>>
  /** See `startEpoch` of the storage: rejects with `EpochUnknown` when it may have happened. */
  readonly start: (next: NewEpoch) => Promise<boolean>
  readonly merger: Pick<Merger, 'run'>
  /** The document if it is open, null if it is not, and 'opening' in between. */
  readonly find: (name: string) => LiveDocument | 'opening' | null
  /** Whether this connection has been sent the whole state; it hears of everything since then. */
  readonly hasState: (connection: Connection) => boolean
  /** Takes an open document out of memory; nobody uses it any more. */
  readonly discard: (live: LiveDocument) => void
  /** The same for one whose memory may be of another epoch than the disk; who has it open is sent away. */
  readonly onUnknown: (live: LiveDocument, error: unknown) => void
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
   * seen of its epoch, if that is the last one: of older ones it is not kept. Resolves with how many bytes were read for it.
   */
  readonly part: (
    live: LiveDocument,
    connection: Connection,
    stateVector: Uint8Array,
    send: (difference: Uint8Array) => void,
  ) => Promise<number>
}

const endEpoch = (connection: Connection, message: EpochMessage): void => {
  connection.sendStateless(JSON.stringify(message))
  connection.close({ code: ERRORS['epoch-ended'].close, reason: 'epoch-ended' })
}

/** Whether the server has an id left for its own writes where none of these may be used again. */
const leavesServerIds = (...used: readonly Iterable<number>[]): boolean => {
  const taken = new Set<number>()
  for (const ids of used) for (const id of ids) if (id >= PROCESS_CLIENT_ID_MIN) taken.add(id)
  return taken.size <= CLIENT_ID_MAX - PROCESS_CLIENT_ID_MIN
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
  /** Documents that get one when nobody has them open: they are mostly history. */
  const due = new Set<string>()
  let isStopped = false

  const renew = async (name: string, live: LiveDocument | null): Promise<boolean> => {
    // What it holds is the disk's to say; all of it is there now, and stays as it is.
    await live?.mustBeDurable()
    const [{ snapshot, updates, head }, { epoch }, claims] = await Promise.all([
      deps.load(name),
      deps.loadEpoch(name),
      deps.loadClaims(name),
    ])
    if (head === 0 || epoch >= EPOCHS_MAX) return false
    const { closing, closed, clientIds, state } = await merger.run({
      task: 'renew',
      updates: snapshot ? [snapshot, ...updates] : updates,
      epoch: epoch + 1,
    })
    if (!leavesServerIds(claims.keys(), clientIds)) return false
    try {
      if (!(await deps.start({ document: name, epoch, head, closing, state, clientIds }))) return false
    } catch (error) {
      if (live && error instanceof EpochUnknown) deps.onUnknown(live, error)
      throw error
    }
    log.info('document.epoch', { document: name, epoch: epoch + 1, from: closing.byteLength, to: state.byteLength })
    if (!live || live.failed) return true
    const message = { type: 'epoch', epoch: epoch + 1, closed: toBase64(closed) } as const
    for (const connection of live.document.getConnections()) {
      if (deps.hasState(connection)) endEpoch(connection, message)
      // Not all of it was sent. What is missing is known when the client has come back and asks again.
      else connection.webSocket.close(ERRORS['storage/unavailable'].close, 'storage/unavailable')
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
    due.delete(name)
    underWay.set(name, made)
    if (live) live.renewal = made
    return made
  }

  const part: Epochs['part'] = async (live, connection, stateVector, send) => {
    if (!live.document.hasConnection(connection)) return 0
    const { epoch, closing } = await deps.loadEpoch(live.name)
    const found = closing && (await merger.run({ task: 'difference', updates: [closing], stateVector }))
    if (live.document.hasConnection(connection)) {
      if (found) send(found.difference)
      endEpoch(connection, { type: 'epoch', epoch, ...(found && { closed: toBase64(found.closed) }) })
    }
    return closing?.byteLength ?? 0
  }

  // One at a time: when many leave or come back at once, each would hold a whole state meanwhile.
  let lastClosed: Promise<unknown> = Promise.resolve()
  let lastParted: Promise<unknown> = Promise.resolve()

  return {
    begin,
    settled: (name) => underWay.get(name) ?? Promise.resolve(),
    onMerged: async (live, merged) => {
      // What was merged is of the epoch that is ending.
      if (underWay.has(live.name)) return
      if (isMostlyHistory(merged)) due.add(live.name)
      else due.delete(live.name)
      if (isUrgent(merged) || (due.has(live.name) && deps.find(live.name) === null)) await begin(live.name)
    },
    onClosed: (live) => {
      if (!due.has(live.name) || live.failed) return
      lastClosed = lastClosed.then(() => due.has(live.name) && deps.find(live.name) === null && begin(live.name))
    },
    part: (...asked) => {
      const parted = lastParted.then(() => part(...asked))
      lastParted = parted.catch(() => {})
      return parted
    },
    [Symbol.asyncDispose]: async () => {
      isStopped = true
      await Promise.all(underWay.values())
    },
  }
}
