// The Hocuspocus instance that merges, relays and counts who is connected, fenced: its hooks cost nothing where nobody
// listens and never throw into the void, its documents load from the journal and unload only when that is safe.
import { Database as DatabaseExtension } from '@hocuspocus/extension-database'
import { Document, type fetchPayload, Hocuspocus, type HookName, type HookPayloadByName } from '@hocuspocus/server'
import * as Y from 'yjs'
import { applyState } from '../../shared/apply-state.ts'
import { AppError, type ErrorCode, ERRORS } from '../../shared/errors.ts'
import { DOCUMENTS_PER_SOCKET_MAX } from '../../shared/limits.ts'
import { parseDocumentName } from '../../shared/names.ts'
import { KINDS } from '../../shared/registry.ts'
import type { StoredDocument } from '../../storage/updates.ts'
import type { Logger } from '../log.ts'
import { LiveDocument } from './live-document.ts'
import { drawServerClientId } from './server-writes.ts'

type Hooks<Context> = { [Name in HookName]?: (payload: HookPayloadByName<Context>[Name]) => Promise<unknown> }

export interface HostDeps<Context> {
  readonly load: (name: string) => Promise<StoredDocument>
  /** Called with what was loaded, before it is parsed. */
  readonly onFetched: (context: Context | undefined, name: string, stored: StoredDocument) => Promise<void>
  readonly loadClaims: (name: string) => Promise<Map<number, string>>
  /** Called inside `Y.applyUpdate`, for every change of the live doc, in order. */
  readonly onUpdate: (live: LiveDocument, update: Uint8Array) => void
  readonly onLoaded: (live: LiveDocument) => void
  readonly onUnloaded: (live: LiveDocument) => void
  /** The client id of what the server itself writes. */
  readonly clientId: number
  readonly log: Logger
}

/** Longer than any process lives: our gateway has its own heartbeat, Hocuspocus's sees none of the frames we handle. */
const NEVER_MS = 2 ** 31 - 1
/** Broadcasts go out with each commit (`journal.ts`); this timer only catches what no commit follows. */
const FLUSH_DELAY_MS = 20
/**
 * Updates merged into one broadcast, in bytes. Yjs's `mergeUpdates` sorts all of them for each struct it writes: a
 * hundred small ones take a millisecond, thousands take seconds.
 */
const FLUSH_BYTES_MAX = 4_096
/** Nothing of ours reads the parameters of a request behind a document. */
const NO_PARAMETERS = new URLSearchParams()

/** Hocuspocus's own callbacks, which nobody here listens to. */
const nothing = (): void => {}
const nothingAsync = async (): Promise<void> => {}

/** Hocuspocus shows a client `reason`; only a plain object with one of our codes may cross this border. */
export const toCloseEvent = (error: unknown): { code: number; reason: ErrorCode } => {
  const reason = error instanceof AppError ? error.code : 'storage/unavailable'
  return { code: ERRORS[reason].close, reason }
}

export class Host<Context> extends Hocuspocus<Context> {
  readonly #deps: HostDeps<Context>
  readonly #database: DatabaseExtension
  #hooks: Hooks<Context> = {}
  /** Fetched but not yet handed out. */
  readonly #fetched = new WeakMap<Document, { stored: StoredDocument; claims: Map<number, string> }>()
  readonly #live = new Map<Document, LiveDocument>()
  /** Names that somebody is about to attach to (reference/hocuspocus.md 5.3). */
  readonly #opening = new Map<string, number>()

  constructor(deps: HostDeps<Context>) {
    super()
    this.#deps = deps
    this.#database = new DatabaseExtension({ fetch: (payload) => this.#fetch(payload) })
    this.configuration = {
      ...this.configuration,
      extensions: [],
      timeout: NEVER_MS,
      flushDelay: FLUSH_DELAY_MS,
      flushMaxBytes: FLUSH_BYTES_MAX,
      maxPendingDocuments: DOCUMENTS_PER_SOCKET_MAX,
      quiet: true,
    }
  }

  /** Sets the hooks that the gateway answers. */
  listen(hooks: Pick<Hooks<Context>, 'onAuthenticate' | 'connected'>): void {
    this.#hooks = hooks
  }

  // One function for all documents: a closure for each would be a tenth of what an idle document costs.
  readonly #onUpdate = (document: Document, _origin: unknown, update: Uint8Array): void => {
    const live = this.#live.get(document)
    if (live) this.#deps.onUpdate(live, update)
  }

  liveOf(document: Document): LiveDocument | undefined {
    return this.#live.get(document)
  }

  /** The document if it is open, null if nothing is under way with it, and 'opening' in between. */
  find(name: string): LiveDocument | 'opening' | null {
    const document = this.documents.get(name)
    const live = document && this.#live.get(document)
    if (live) return live
    const isBusy = document || this.loadingDocuments.has(name) || this.unloadingDocuments.has(name)
    return isBusy || this.#opening.has(name) ? 'opening' : null
  }

  get liveDocuments(): Iterable<LiveDocument> {
    return this.#live.values()
  }

  /** Runs our own handler instead of Hocuspocus's chain over extensions: no promise per hook that nobody hears. */
  override async hooks<Name extends HookName>(
    name: Name,
    payload: HookPayloadByName<Context>[Name],
    // oxlint-disable-next-line typescript/no-unsafe-function-type -- reason: the overridden signature says Function
    callback: Function | null = null,
  ): Promise<unknown> {
    const handler = this.#hooks?.[name]
    if (!handler) return undefined
    const result = await handler(payload)
    return callback && result !== undefined ? callback(result) : undefined
  }

  /** Loads a document without the hooks and closures that Hocuspocus would keep for each. */
  override async loadDocument(
    ...[documentName, request, socketId, connectionConfig, context]: Parameters<Hocuspocus<Context>['loadDocument']>
  ): Promise<Document> {
    const { yDocOptions, flushDelay, flushMaxBytes } = this.configuration
    // Making up a guid costs more than the rest of an empty doc; nobody reads it.
    const document = new Document(documentName, { ...yDocOptions, guid: documentName }, { flushDelay, flushMaxBytes })
    try {
      await this.#database.onLoadDocument({
        documentName,
        document,
        context,
        socketId,
        connectionConfig,
        instance: this,
        requestHeaders: request.headers,
        requestParameters: NO_PARAMETERS,
      })
      this.#bringToLife(document)
      return document
    } catch (error) {
      // Hocuspocus forgets a document that failed to load, but its awareness timer would keep it for ever.
      document.destroy()
      this.#deps.log.warn('document.load-failed', { document: documentName, error: String(error) })
      throw toCloseEvent(error)
    }
  }

  override async createDocument(...args: Parameters<Hocuspocus<Context>['createDocument']>): Promise<Document> {
    const [name] = args
    this.#opening.set(name, (this.#opening.get(name) ?? 0) + 1)
    try {
      return await super.createDocument(...args)
    } finally {
      // The caller attaches within its next few microtasks; until then an unload would orphan it.
      setImmediate(() => this.#opened(name))
    }
  }

  override shouldUnloadDocument(document: Document): boolean {
    const live = this.#live.get(document)
    const busy = live !== undefined && !live.failed && !live.isDurable
    return !busy && !this.#opening.has(document.name) && super.shouldUnloadDocument(document)
  }

  override async unloadDocument(document: Document): Promise<void> {
    // A failed document was replaced under its name; unloading by name would take the new one.
    if (this.documents.get(document.name) !== document) return
    await super.unloadDocument(document)
    if (this.documents.get(document.name) === document) return
    const live = this.#live.get(document)
    this.#live.delete(document)
    if (live) this.#deps.onUnloaded(live)
  }

  /** Throws the live doc away without another word to anyone: its memory and the journal have parted. */
  discard(live: LiveDocument): void {
    live.fail()
    this.#live.delete(live.document)
    if (this.documents.get(live.name) === live.document) this.documents.delete(live.name)
    for (const connection of live.document.getConnections()) live.document.removeConnection(connection)
    live.document.destroy()
  }

  #opened(name: string): void {
    const count = (this.#opening.get(name) ?? 1) - 1
    if (count > 0) this.#opening.set(name, count)
    else this.#opening.delete(name)
    const document = this.documents.get(name)
    if (document && this.shouldUnloadDocument(document)) void this.unloadDocument(document)
  }

  async #fetch({ documentName, document, context }: fetchPayload): Promise<Uint8Array | null> {
    const [stored, claims] = await Promise.all([this.#deps.load(documentName), this.#deps.loadClaims(documentName)])
    this.#fetched.set(document, { stored, claims })
    await this.#deps.onFetched(context as Context | undefined, documentName, stored)
    // The extension would apply what it gets, by a decoder that takes longer for records.
    if (stored.snapshot) applyState(document, stored.snapshot)
    return null
  }

  #bringToLife(document: Document): void {
    const { stored, claims } = this.#fetched.get(document) as { stored: StoredDocument; claims: Map<number, string> }
    this.#fetched.delete(document)
    const kind = KINDS.get(parseDocumentName(document.name).kind)
    if (!kind) throw new AppError('document/bad-name', 'no such kind')
    // The journal's tail follows the snapshot; listened to only after that, so that nothing is written twice.
    document.transact(() => {
      for (const update of stored.updates) Y.applyUpdate(document, update)
    })
    // Nobody is connected yet: this only forgets what loading would have broadcast.
    document.flush()
    document.isLoading = false
    // The server writes under an id that no user can claim, the same in every document of this process: what it writes
    // continues its own structs. Only after loading, where Yjs gives a doc another id if it meets its own.
    document.clientID = this.#deps.clientId
    // One of an older epoch is nobody's any more, the server's own neither.
    while (claims.has(document.clientID)) document.clientID = drawServerClientId()
    // One sweep of ours (`awareness.ts`) replaces a timer per document.
    clearInterval(document.awareness._checkInterval)
    document.awareness._checkInterval = undefined
    const live = new LiveDocument(document, kind, claims, {
      bytes: (stored.snapshot?.byteLength ?? 0) + stored.tailBytes,
      tailEntries: stored.tailEntries,
      tailBytes: stored.tailBytes,
    })
    this.#live.set(document, live)
    document.onUpdate(this.#onUpdate)
    document.beforeBroadcastStateless(nothing)
    document.beforeHandleAwareness(nothingAsync)
    this.#deps.onLoaded(live)
  }
}
