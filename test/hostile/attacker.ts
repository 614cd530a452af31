// A hostile client: throws frames at a document and comes back whenever it is thrown out. Counts only what the server
// is known to have handled.
import * as encoding from 'lib0/encoding'
import { MessageType, SDK_VERSION_PREFIX, SyncType } from '../../shared/protocol.ts'
import { eventually } from '../helpers/eventually.ts'
import { connectWire, updateFrame, type WireClient, type WireDocument } from '../helpers/wire-client.ts'

export interface Target {
  readonly syncUrl: string
  readonly token: string
  readonly name: string
}

export interface Attacker {
  readonly name: string
  /** Sends the frames and resolves when the server has read them, or closed the socket or the document. */
  readonly send: (frames: readonly Uint8Array[]) => Promise<void>
  readonly sendUpdates: (updates: readonly Uint8Array[]) => Promise<void>
  readonly counts: { handled: number; refused: number; accepted: number; thrownOut: number; slowed: number }
  /** Resolves when so many updates were answered. */
  readonly answered: (count: number) => Promise<void>
  readonly close: () => void
}

/** What the protocol's own recovery announces; a document opened so stays open when an update is refused. */
const VERSION = `${SDK_VERSION_PREFIX}test`
/** A socket that is not read for so long is being slowed down; an attacker leaves it for a new one. */
const READ_MS_MAX = 3_000
const ANSWERED_MS_MAX = 30_000

export const frameOf = (name: string, type: number, ...body: readonly (number | Uint8Array | string)[]): Uint8Array => {
  const encoder = encoding.createEncoder()
  encoding.writeVarString(encoder, name)
  encoding.writeVarUint(encoder, type)
  for (const part of body) {
    if (typeof part === 'number') encoding.writeVarUint(encoder, part)
    else if (typeof part === 'string') encoding.writeVarString(encoder, part)
    else encoding.writeVarUint8Array(encoder, part)
  }
  return encoding.toUint8Array(encoder)
}

export const tokenFrame = (name: string, token: string): Uint8Array =>
  frameOf(name, MessageType.Auth, 0, token, VERSION)

export const step1Frame = (name: string, stateVector: Uint8Array): Uint8Array =>
  frameOf(name, MessageType.Sync, SyncType.Step1, stateVector)

export const awarenessFrame = (name: string, update: Uint8Array): Uint8Array =>
  frameOf(name, MessageType.Awareness, update)

export const openAttacker = async ({ syncUrl, token, name }: Target): Promise<Attacker> => {
  const counts = { handled: 0, refused: 0, accepted: 0, thrownOut: 0, slowed: 0 }
  let client: WireClient
  let document: WireDocument
  const open = async (): Promise<void> => {
    client = await connectWire(syncUrl)
    // Cut off in the middle of sending; `closed` tells.
    client.socket.on('error', () => {})
    document = await client.open(name, token, VERSION)
    document.onAck = (positive) => void counts[positive ? 'accepted' : 'refused']++
  }
  await open()
  const answers = (): number => counts.refused + counts.accepted
  const send = async (frames: readonly Uint8Array[]): Promise<void> => {
    const before = answers()
    // A ping of WebSocket itself: what the server reads stays in order.
    const read = new Promise<'read'>((resolve) => client.socket.once('pong', () => resolve('read')))
    const closed = client.closed.then((): 'closed' => 'closed')
    for (const frame of frames) client.socket.send(frame)
    client.socket.ping()
    const slowed = Promise.withResolvers<'slowed'>()
    const timer = setTimeout(() => slowed.resolve('slowed'), READ_MS_MAX)
    const end = await Promise.race([read, closed, slowed.promise])
    clearTimeout(timer)
    if (end === 'read' && document.closedWith === undefined) {
      counts.handled += frames.length
      return
    }
    // The answered ones and the one that was too much.
    counts.handled += Math.min(frames.length, answers() - before + 1)
    counts[end === 'slowed' ? 'slowed' : 'thrownOut']++
    client.socket.terminate()
    await open()
  }
  return {
    name,
    send,
    sendUpdates: (updates) => send(updates.map((update) => updateFrame(name, update))),
    counts,
    answered: async (count) => {
      await eventually(answers, (answered) => answered >= count, {
        msMax: ANSWERED_MS_MAX,
        what: `${count} answers`,
      })
    },
    close: () => client.socket.terminate(),
  }
}
