// Reading and writing a document on the server: for REST, and for what the server itself writes. Nothing that the disk
// could still lose is answered.
import { randomInt } from 'node:crypto'
import type { Hocuspocus } from '@hocuspocus/server'
import type * as Y from 'yjs'
import { AppError, type ErrorCode, ERRORS } from '../../shared/errors.ts'
import { CLIENT_ID_MAX, PROCESS_CLIENT_ID_MIN } from '../../shared/limits.ts'
import type { LiveDocument } from './live-document.ts'

/**
 * Runs `use` on the document `name`, which is opened for it or open already; `use` must be done when it returns. Resolves
 * to its result once everything that it saw or wrote is on disk. Rejects with what `use` throws, or with
 * `storage/unavailable` when the document could not be opened or the write failed.
 */
export type UseDocument = <Result>(name: string, use: (doc: Y.Doc) => Result) => Promise<Result>

/** The part of the host that is needed. */
interface Documents {
  readonly openDirectConnection: Hocuspocus['openDirectConnection']
  readonly liveOf: (document: NonNullable<DirectConnection['document']>) => LiveDocument | undefined
}
type DirectConnection = Awaited<ReturnType<Hocuspocus['openDirectConnection']>>

/**
 * The client id of a process's own writes. No user may own it, and no two processes that write at the same time may have
 * the same one: Yjs takes equal ids and clocks for the same edit and drops one of the two. After a restart an id may come
 * again, because everything under it is on disk or was never shown to anyone.
 */
export const drawServerClientId = (): number => randomInt(PROCESS_CLIENT_ID_MIN, CLIENT_ID_MAX + 1)

/** What loading throws, made for Hocuspocus (`toCloseEvent`), as an error again. */
const toAppError = (error: unknown): AppError => {
  const reason = (error as { readonly reason?: unknown } | null)?.reason
  const code: ErrorCode = typeof reason === 'string' && reason in ERRORS ? (reason as ErrorCode) : 'storage/unavailable'
  const opened = new AppError(code, 'the document could not be opened')
  opened.cause = error
  return opened
}

export const useLiveDocument = async <Result>(
  host: Documents,
  name: string,
  use: (doc: Y.Doc) => Result,
): Promise<Result> => {
  const direct = await host.openDirectConnection(name).catch((error: unknown) => {
    throw toAppError(error)
  })
  try {
    const live = direct.document && host.liveOf(direct.document)
    // Without one it was thrown away in the moment it was handed out, for a new epoch or a disk that failed.
    if (!live || live.renewal) {
      await live?.renewal
      return await useLiveDocument(host, name, use)
    }
    const result = use(live.document)
    await live.mustBeDurable()
    return result
  } finally {
    await direct.disconnect()
  }
}
