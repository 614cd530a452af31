// Cursor awareness of one document: each client id belongs to the connection that announced it first, states are small
// and clocks move in steps. Done here and not by Hocuspocus, which drops removals (reference/hocuspocus.md 2.7).
// Entries that are not the sender's are left out in silence: y-websocket clients repeat what they hear from others.
import type { Connection } from '@hocuspocus/server'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { applyAwarenessUpdate, type Awareness, removeAwarenessStates } from 'y-protocols/awareness'
import {
  AWARENESS_BYTES_MAX,
  AWARENESS_CLOCK_AHEAD_MAX,
  AWARENESS_IDS_PER_CONNECTION_MAX,
  AWARENESS_TTL_MS,
  CLIENT_ID_MAX,
  CLOCK_MAX,
} from '../../shared/limits.ts'
import type { LiveDocument } from './live-document.ts'

interface Entry {
  readonly clientId: number
  readonly clock: number
  readonly state: string
}

interface Owner {
  readonly connection: Connection
  readonly userId: string
}

/** One message may repeat the states of a whole room. */
const MESSAGE_BYTES_MAX = 64 * AWARENESS_BYTES_MAX

const owners = new WeakMap<LiveDocument, Map<number, Owner>>()

const decode = (update: Uint8Array): Entry[] => {
  const decoder = decoding.createDecoder(update)
  const count = decoding.readVarUint(decoder)
  const entries: Entry[] = []
  for (let i = 0; i < count; i++) {
    const clientId = decoding.readVarUint(decoder)
    const clock = decoding.readVarUint(decoder)
    const state = decoding.readVarString(decoder)
    // A zero spelt in 150 bytes is NaN to lib0, and NaN passes every comparison below.
    if (!Number.isFinite(clientId) || !Number.isFinite(clock)) throw new Error('not a number')
    // Parsed here and now, because y-protocols parses while it applies.
    const value: unknown = JSON.parse(state)
    if (value !== null && typeof value !== 'object') throw new Error('an awareness state is an object or null')
    entries.push({ clientId, clock, state })
  }
  return entries
}

const encode = (entries: readonly Entry[]): Uint8Array => {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, entries.length)
  for (const { clientId, clock, state } of entries) {
    encoding.writeVarUint(encoder, clientId)
    encoding.writeVarUint(encoder, clock)
    encoding.writeVarString(encoder, state)
  }
  return encoding.toUint8Array(encoder)
}

/** Applies what of `update` the sender may say; throws on bytes that are no awareness update. */
export const applyAwareness = (
  live: LiveDocument,
  connection: Connection,
  userId: string,
  update: Uint8Array,
): void => {
  if (update.byteLength > MESSAGE_BYTES_MAX) return
  const { document, claims } = live
  const { awareness } = document
  let byId = owners.get(live)
  if (!byId) owners.set(live, (byId = new Map()))
  const own = document.getClients(connection)

  const mayAnnounce = ({ clientId, clock, state }: Entry): boolean => {
    if (clientId > CLIENT_ID_MAX || clock > CLOCK_MAX || state.length > AWARENESS_BYTES_MAX) return false
    const known = awareness.meta.get(clientId)?.clock
    if (known !== undefined && clock > known + AWARENESS_CLOCK_AHEAD_MAX) return false
    const owner = byId.get(clientId)
    if (owner?.connection === connection) return true
    if (state === 'null' || (known !== undefined && clock <= known)) return false
    const claimedBy = claims.get(clientId)
    if (claimedBy !== undefined && claimedBy !== userId) return false
    // The same user on a new socket goes on with its id before the old socket's death was noticed.
    if (owner && document.hasConnection(owner.connection) && owner.userId !== userId) return false
    if (own.size >= AWARENESS_IDS_PER_CONNECTION_MAX) return false
    if (owner) document.getClients(owner.connection).delete(clientId)
    byId.set(clientId, { connection, userId })
    own.add(clientId)
    return true
  }

  const entries = decode(update).filter(mayAnnounce)
  if (entries.length === 0) return
  applyAwarenessUpdate(awareness, encode(entries), { source: 'connection', connection })
  for (const { clientId, state } of entries) if (state === 'null') byId.delete(clientId)
}

/** Drops the states that nobody renewed, as y-protocols does with a timer per document. */
export const sweepAwareness = (awareness: Awareness, now: number): void => {
  const stale = [...awareness.getStates().keys()].filter(
    (clientId) => now - (awareness.meta.get(clientId)?.lastUpdated ?? now) >= AWARENESS_TTL_MS,
  )
  if (stale.length > 0) removeAwarenessStates(awareness, stale, 'timeout')
}
