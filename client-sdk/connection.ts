// The SDK's own provider, connection half: one socket that carries all documents. Does what the pure table in
// `connection-state.ts` says with the socket, the timer and the token; keeps no update.
import { createDocuments } from './connection-documents.ts'
import { type Heartbeat, startHeartbeat } from './connection-heartbeat.ts'
import { type Effect, endingOf, type Event, OFFLINE, publicState, transition } from './connection-state.ts'
import { createTokens } from './connection-tokens.ts'
import type { Connection, ConnectionOptions, ConnectionState } from './connection-types.ts'
import { onWake } from './connection-wake.ts'
import { createListeners } from './listeners.ts'
import { pingFrame, pongFrame, readFrame } from './wire.ts'

interface OpenSocket {
  readonly send: (frame: Uint8Array) => void
  readonly heartbeat: () => Heartbeat | null
  /** Nothing of it is heard any more. */
  readonly close: () => void
}

export const createConnection = (options: ConnectionOptions): Connection => {
  const { url, clock, random } = options
  // A wrong address is a mistake of the caller's, at once; later it would only look like a server that is away.
  if (!/^wss?:$/.test(new URL(url).protocol)) throw new TypeError(`not the address of a socket: ${url}`)
  const Socket = options.WebSocket ?? WebSocket
  const tokens = createTokens(options)
  const listeners = createListeners<ConnectionState>()
  let state = OFFLINE
  let socket: OpenSocket | null = null
  let cancelTimer = (): void => {}
  /** Counts questions for a token: only the last answer counts. */
  let asked = 0
  let isDisposed = false

  const documents = createDocuments({
    clock,
    random,
    tokens,
    send: (frame) => socket?.send(frame),
    onHandshaken: () => dispatch({ type: 'handshaken' }),
    onTokenMissing: () => dispatch({ type: 'tokenMissing' }),
    onUsedUp: () => dispatch({ type: 'usedUp' }),
  })

  const receive = (data: unknown, heartbeat: Heartbeat | null): void => {
    heartbeat?.heard()
    const frame = data instanceof ArrayBuffer ? readFrame(new Uint8Array(data)) : null
    if (!frame) dispatch({ type: 'broken' })
    else if (frame.type === 'ping') socket?.send(pongFrame())
    else if (frame.type !== 'pong') documents.receive(frame)
  }

  const connect = (): void => {
    let ws: WebSocket
    try {
      ws = new Socket(url)
    } catch {
      // A page of HTTPS may not open `ws:`, and never will.
      dispatch({ type: 'closed', ending: 'never' })
      return
    }
    ws.binaryType = 'arraybuffer'
    let heartbeat: Heartbeat | null = null
    const send = (frame: Uint8Array): void => {
      // reason: what lib0 makes is never shared memory, which is all that the type fears.
      if (ws.readyState === ws.OPEN) ws.send(frame as Uint8Array<ArrayBuffer>)
    }
    ws.onopen = () => {
      heartbeat = startHeartbeat({
        clock,
        ping: () => send(pingFrame()),
        bufferedBytes: () => ws.bufferedAmount,
        isLoading: documents.isLoading,
        onMissed: () => dispatch({ type: 'heartbeatMissed' }),
      })
      dispatch({ type: 'opened' })
    }
    ws.onmessage = ({ data }) => receive(data, heartbeat)
    ws.onclose = ({ code, reason }) => dispatch({ type: 'closed', ending: endingOf(code, reason) })
    socket = {
      send,
      heartbeat: () => heartbeat,
      close: () => {
        ws.onopen = ws.onmessage = ws.onclose = null
        heartbeat?.[Symbol.dispose]()
        ws.close()
      },
    }
  }

  const askToken = (): void => {
    const question = ++asked
    const answer = (event: Event): void => {
      if (question === asked && state.name === 'asking') dispatch(event)
    }
    tokens.ask().then(
      (token) => answer({ type: token === null ? 'tokenMissing' : 'tokenGiven' }),
      () => answer({ type: 'tokenUnavailable' }),
    )
  }

  const run = (effect: Effect): void => {
    switch (effect.effect) {
      case 'close': {
        const closing = socket
        socket = null
        closing?.close()
        documents.disconnected()
        break
      }
      case 'rejectToken':
        tokens.rejectLast()
        break
      case 'askToken':
        askToken()
        break
      case 'connect':
        connect()
        break
      case 'openDocuments':
        documents.connected()
        break
      case 'probe':
        socket?.heartbeat()?.probe()
        break
      case 'schedule':
        cancelTimer()
        cancelTimer = clock.after(effect.ms, () => dispatch({ type: 'timer' }))
        break
      case 'cancel':
        cancelTimer()
        break
    }
  }

  /** What happens while effects run waits for them: a listener may go offline in the middle of a frame. */
  const waiting: Event[] = []
  let isRunning = false
  const dispatch = (event: Event): void => {
    waiting.push(event)
    if (isRunning) return
    isRunning = true
    try {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const before = publicState(state)
        const step = transition(state, next, random)
        state = step.state
        for (const effect of step.effects) run(effect)
        const now = publicState(state)
        if (now !== before) listeners.tell(now)
      }
    } finally {
      isRunning = false
    }
  }

  const stopWaking = onWake(() => dispatch({ type: 'wake' }))

  return {
    get state() {
      return publicState(state)
    },
    subscribe: listeners.add,
    goOnline: () => {
      if (!isDisposed) dispatch({ type: 'goOnline' })
    },
    goOffline: () => dispatch({ type: 'goOffline' }),
    attach: documents.attach,
    loginChanged: () => {
      dispatch({ type: 'loginChanged' })
      documents.forgive()
    },
    [Symbol.asyncDispose]: async () => {
      isDisposed = true
      stopWaking()
      dispatch({ type: 'goOffline' })
    },
  }
}
