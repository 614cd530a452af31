// Asks the server for all that a document holds now, whatever this device has of it: once, for a change of epochs.
import { ERRORS } from '../shared/errors.ts'
import type { Attached, Connection } from './connection-types.ts'

/** The state vector of somebody who has nothing. */
const NOTHING = Uint8Array.of(0)

/** Resolves with updates that are the state together; with null when the server lets nobody in any more. */
export const fetchState = async (
  connection: Connection,
  document: string,
  signal: AbortSignal,
): Promise<readonly Uint8Array[] | null> => {
  const { promise, resolve, reject } = Promise.withResolvers<readonly Uint8Array[] | null>()
  const updates: Uint8Array[] = []
  signal.throwIfAborted()
  signal.addEventListener('abort', () => reject(signal.reason as Error))
  const attached: Attached = connection.attach(document, {
    stateVector: () => NOTHING,
    onOpen: () => {},
    onAsked: () => {},
    onUpdate: (update, isState) => {
      updates.push(update)
      if (isState) resolve(updates)
    },
    onStatus: () => {},
    onRefused: () => {},
    onMessage: () => {},
    onAwareness: () => {},
    onClosed: (reason) => {
      updates.length = 0
      // One more epoch has begun.
      if (reason === 'epoch-ended') attached.reopen()
      // For a while only: the connection asks again by itself. Anything else is for good, and said again to who asks next.
      else if (reason !== 'disconnected' && !ERRORS[reason].retry) resolve(null)
    },
  })
  try {
    return await promise
  } finally {
    attached.detach()
  }
}
