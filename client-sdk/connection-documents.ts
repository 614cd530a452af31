// The documents of the connection: opens them on each new socket in waves, hands every frame to its document in order, and
// opens again what the server closed for a while. Each `onOpen` is followed by one `onClosed`, unless it was detached.
import { AppError, type ErrorCode, ERRORS } from '../shared/errors.ts'
import { DOCUMENTS_PER_SOCKET_MAX, FRAME_BYTES_MAX, STATE_VECTOR_BYTES_MAX } from '../shared/limits.ts'
import { retryMs, STABLE_AFTER_HANDSHAKE_MS } from './connection-state.ts'
import type { Tokens } from './connection-tokens.ts'
import type { Attached, Clock, DocumentListener } from './connection-types.ts'
import { createWaves } from './connection-waves.ts'
import {
  askFrame,
  awarenessFrame,
  closeFrame,
  codeOf,
  type DocumentFrame,
  messageFrame,
  stateFrame,
  tokenFrame,
  updateFrame,
} from './wire.ts'

/** Documents whose state is on its way at one time. */
export const OPENING_MAX = 50
/** The state vector of an empty doc: asks for everything. */
const NOTHING = Uint8Array.of(0)

export interface DocumentsOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly tokens: Tokens
  /** To the present socket. */
  readonly send: (frame: Uint8Array) => void
  /** The server let us into the first document of a socket. */
  readonly onHandshaken: () => void
  readonly onTokenMissing: () => void
  readonly onUsedUp: () => void
}

export interface Documents {
  readonly attach: (name: string, listener: DocumentListener) => Attached
  /** A new socket is open. */
  readonly connected: () => void
  /** It is not any more. */
  readonly disconnected: () => void
  readonly receive: (frame: DocumentFrame) => void
  /** What was denied to one login is asked for again with another. */
  readonly forgive: () => void
  /** States are on their way to us. */
  readonly isLoading: () => boolean
}

type Place =
  /** Waits for a socket, or for the end of an older opening of this name. */
  | { readonly state: 'closed' }
  /** Waits for its turn; `deniedWith` was not let in. */
  | { readonly state: 'queued'; readonly deniedWith?: string }
  | { readonly state: 'opening'; readonly token: string; readonly isSecondTry: boolean }
  | { readonly state: 'open'; readonly token: string; readonly since: number }
  /** Closed by the server for a while. */
  | { readonly state: 'pausing'; readonly cancel: () => void }
  /** Closed by the server until somebody asks again. */
  | { readonly state: 'denied' }

interface Entry {
  readonly name: string
  readonly listener: DocumentListener
  place: Place
  /** Openings in a row that the server ended soon. */
  failures: number
}

/** Such a code says that the login has ended, not the right to the document: another token may open it. */
const isOfLogin = (code: ErrorCode): boolean => ERRORS[code].close === 4401

const hear = (listener: DocumentListener, frame: DocumentFrame): void => {
  if (frame.type === 'asked') listener.onAsked(frame.stateVector)
  else if (frame.type === 'update') listener.onUpdate(frame.update, frame.isState)
  else if (frame.type === 'status') listener.onStatus(frame.stored)
  else if (frame.type === 'refused') listener.onRefused(frame.message)
  else if (frame.type === 'message') listener.onMessage(frame.message)
  else if (frame.type === 'awareness') listener.onAwareness(frame.update)
}

export const createDocuments = (options: DocumentsOptions): Documents => {
  const { clock, random, tokens, send } = options
  const entries = new Map<string, Entry>()
  /** Their states have not come yet. */
  const loading = new Set<Entry>()
  /** Names whose last opening we ended and the server has not: until it does, their frames are nobody's. */
  const ending = new Set<string>()
  /** Names that were opened on this socket; the server counts them too. */
  const used = new Set<string>()
  let isConnected = false
  let isHandshaken = false

  const waves = createWaves<Entry>({
    clock,
    random,
    askToken: tokens.ask,
    hasRoom: () => loading.size < OPENING_MAX,
    open: (entry, token) => open(entry, token),
    onTokenMissing: options.onTokenMissing,
  })

  const move = (entry: Entry, place: Place): void => {
    if (entry.place.state === 'pausing') entry.place.cancel()
    waves.remove(entry)
    loading.delete(entry)
    entry.place = place
  }

  const enqueue = (entry: Entry, place: Place = { state: 'queued' }): void => {
    if (isConnected && !ending.has(entry.name)) {
      move(entry, place)
      waves.add(entry)
    } else move(entry, { state: 'closed' })
  }

  /** Opened again by and by, later and later as long as that comes to nothing. */
  const pause = (entry: Entry): void => {
    const cancel = clock.after(retryMs(entry.failures, random), () => enqueue(entry))
    entry.failures++
    move(entry, { state: 'pausing', cancel })
  }

  const tellClosed = (entry: Entry, reason: ErrorCode | 'disconnected'): void => {
    try {
      entry.listener.onClosed(reason)
    } catch {
      // It is closed already; there is nothing more to end.
    }
  }

  const sendClose = ({ name, place }: Entry): void => {
    if (place.state !== 'opening' && place.state !== 'open') return
    ending.add(name)
    send(closeFrame(name))
  }

  /** Runs what the listener wrote. A document whose listener throws is closed and comes again; others go on. */
  const tell = (entry: Entry, run: () => void): void => {
    try {
      run()
    } catch {
      const { state } = entry.place
      if (state !== 'opening' && state !== 'open') return
      sendClose(entry)
      pause(entry)
      if (state === 'open') tellClosed(entry, 'disconnected')
    }
  }

  const deny = (entry: Entry, code: ErrorCode): void => {
    move(entry, { state: 'denied' })
    tellClosed(entry, code)
  }

  const open = (entry: Entry, token: string): void => {
    const { place, name } = entry
    if (place.state !== 'queued') return
    if (place.deniedWith === token) {
      // There is no better token than the one that was not let in.
      deny(entry, 'permission-denied')
    } else if (used.size >= DOCUMENTS_PER_SOCKET_MAX && !used.has(name)) options.onUsedUp()
    else {
      used.add(name)
      loading.add(entry)
      entry.place = { state: 'opening', token, isSecondTry: place.deniedWith !== undefined }
      tell(entry, () => {
        const stateVector = entry.listener.stateVector()
        send(tokenFrame(name, token))
        send(askFrame(name, stateVector.byteLength <= STATE_VECTOR_BYTES_MAX ? stateVector : NOTHING))
      })
    }
  }

  const onAuthenticated = (entry: Entry, readOnly: boolean): void => {
    if (entry.place.state !== 'opening') return
    entry.place = { state: 'open', token: entry.place.token, since: clock.now() }
    if (!isHandshaken) options.onHandshaken()
    isHandshaken = true
    tell(entry, () => entry.listener.onOpen(readOnly))
  }

  /** Not let in. That is about the document only if the token is known to be good. */
  const onDenied = (entry: Entry, reason: string): void => {
    const { place } = entry
    // We were let in, and then it failed to load; what may be said for good about it, the next opening says.
    if (place.state === 'open') onEnded(entry, reason === 'permission-denied' ? '' : reason)
    if (place.state !== 'opening') return
    const code = codeOf(reason) ?? 'permission-denied'
    if (ERRORS[code].retry) pause(entry)
    else if (place.isSecondTry || code !== 'permission-denied' || tokens.isFresh(place.token)) deny(entry, code)
    else {
      tokens.reject(place.token)
      enqueue(entry, { state: 'queued', deniedWith: place.token })
    }
  }

  /** The server ended it. A reason that is no code of ours says nothing for good. */
  const onEnded = (entry: Entry, reason: string): void => {
    const { place } = entry
    if (place.state === 'opening') pause(entry)
    if (place.state !== 'open') return
    const code = codeOf(reason)
    if (code && !ERRORS[code].retry && !isOfLogin(code)) {
      deny(entry, code)
      return
    }
    if (clock.now() - place.since >= STABLE_AFTER_HANDSHAKE_MS) entry.failures = 0
    pause(entry)
    if (code && isOfLogin(code)) tokens.reject(place.token)
    tellClosed(entry, code ?? 'disconnected')
  }

  const receive = (frame: DocumentFrame): void => {
    const { name } = frame
    const entry = entries.get(name)
    if (ending.has(name)) {
      if (frame.type !== 'closed' && frame.type !== 'denied') return
      ending.delete(name)
      if (entry?.place.state === 'closed') enqueue(entry)
      return
    }
    if (!entry) return
    if (frame.type === 'authenticated') onAuthenticated(entry, frame.readOnly)
    else if (frame.type === 'denied') onDenied(entry, frame.reason)
    else if (frame.type === 'closed') onEnded(entry, frame.reason)
    else if (entry.place.state === 'open') {
      if (frame.type === 'update' && frame.isState) loading.delete(entry)
      tell(entry, () => hear(entry.listener, frame))
    }
    waves.goOn()
  }

  const detach = (entry: Entry): void => {
    if (entries.get(entry.name) !== entry) return
    sendClose(entry)
    entries.delete(entry.name)
    move(entry, { state: 'closed' })
    waves.goOn()
  }

  return {
    attach: (name, listener) => {
      if (entries.has(name)) throw new Error(`attached already: ${name}`)
      if (entries.size >= DOCUMENTS_PER_SOCKET_MAX) {
        throw new AppError('socket/too-many-documents', `more than ${DOCUMENTS_PER_SOCKET_MAX} documents`)
      }
      const entry: Entry = { name, listener, place: { state: 'closed' }, failures: 0 }
      entries.set(name, entry)
      enqueue(entry)
      const sendOpen = (frame: Uint8Array): void => {
        if (frame.byteLength > FRAME_BYTES_MAX) throw new AppError('input/too-large', 'more than a frame can hold')
        if (entry.place.state === 'open') send(frame)
      }
      return {
        sendUpdate: (update) => sendOpen(updateFrame(name, update)),
        sendState: (update) => sendOpen(stateFrame(name, update)),
        sendAwareness: (update) => sendOpen(awarenessFrame(name, update)),
        sendMessage: (message) => sendOpen(messageFrame(name, message)),
        reopen: () => {
          if (entry.place.state === 'denied' || entry.place.state === 'pausing') enqueue(entry)
        },
        detach: () => detach(entry),
      }
    },
    connected: () => {
      isConnected = true
      isHandshaken = false
      waves.start()
      for (const entry of entries.values()) if (entry.place.state === 'closed') enqueue(entry)
    },
    disconnected: () => {
      if (!isConnected) return
      isConnected = false
      waves.stop()
      ending.clear()
      used.clear()
      const open = [...entries.values()].filter(({ place }) => place.state === 'open')
      for (const entry of entries.values()) if (entry.place.state !== 'denied') move(entry, { state: 'closed' })
      for (const entry of open) if (entries.get(entry.name) === entry) tellClosed(entry, 'disconnected')
    },
    receive,
    forgive: () => {
      for (const entry of entries.values()) if (entry.place.state === 'denied') enqueue(entry)
    },
    isLoading: () => loading.size > 0,
  }
}
