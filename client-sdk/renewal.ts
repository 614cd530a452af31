// The change-over to a new epoch of a document (design 4.1): what this device kept is of a state whose structs are not there
// any more, so its pending edits are made again on the new one. Pure planning; the caller writes it in one transaction.
import * as Y from 'yjs'
import { epochClientId, writeEpoch } from '../shared/epoch.ts'
import { EPOCHS_MAX } from '../shared/limits.ts'
import type { EpochMessage } from '../shared/protocol.ts'
import type { Entry } from './offline/store.ts'
import { baseOf, docOf, type Outcome, type PlanOptions, type Rebuilt, replayRecords } from './rebuild.ts'
import { type RenumberOptions, renumberUpdates } from './renumber-update.ts'

export interface RenewalOptions extends PlanOptions {
  readonly message: EpochMessage
  /** The state of the new epoch, in pieces. */
  readonly updates: readonly Uint8Array[]
}

export interface Renewal extends Rebuilt {
  /** The state of the new epoch, in one. */
  readonly state: Uint8Array
}

const clocksIn = (base64: string): Map<number, number> =>
  Y.decodeStateVector(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)))

/** Whether `doc` has deleted all of these ranges. */
const areDeleted = (doc: Y.Doc, { clients }: { readonly clients: Map<number, { clock: number; len: number }[]> }) =>
  [...clients].every(([client, ranges]) => {
    const structs = doc.store.clients.get(client) ?? []
    return ranges.every(({ clock, len }) => {
      if (Y.getState(doc.store, client) < clock + len) return false
      for (let at = Y.findIndexSS(structs, clock); at < structs.length; at++) {
        const struct = structs[at] as Y.Item | Y.GC
        if (struct.id.clock >= clock + len) break
        if (!struct.deleted) return false
      }
      return true
    })
  })

/**
 * The old epoch as it ended, put together of what was confirmed and of those edits that the server took though its answer
 * got lost; the others are what is still to be stored. Without `closed` nobody knows which they are.
 */
const endOf = (entries: readonly Entry[], closed: ReadonlyMap<number, number>) => {
  const old = baseOf(entries)
  const open = entries.filter(({ pending, update }) => {
    if (!pending) return false
    const { structs, ds } = Y.decodeUpdate(update)
    const isStored =
      structs.length > 0
        ? structs.every(({ id, length }) => id.clock + length <= (closed.get(id.client) ?? 0))
        : areDeleted(old, ds)
    if (isStored) Y.applyUpdate(old, update)
    return !isStored
  })
  return { old, open }
}

const isSameState = (doc: Y.Doc, closed: ReadonlyMap<number, number>): boolean => {
  const clocks = Y.decodeStateVector(Y.encodeStateVector(doc))
  return clocks.size === closed.size && [...closed].every(([client, clock]) => clocks.get(client) === clock)
}

/** Where what was left of the old epoch is in the new one; null where this device has not seen all of the old one. */
const moveOf = (old: Y.Doc, fresh: Y.Doc, { epoch }: EpochMessage): RenumberOptions['moved'] | null => {
  if (epoch < 1 || epoch > EPOCHS_MAX) return null
  const clientId = epochClientId(epoch)
  const written = writeEpoch(old, epoch)
  if (Y.getState(fresh.store, clientId) !== written.length) return null
  return { runs: written.moved(), clientId }
}

/** Whether anything but deletions is in it: those have nothing to do where nothing is left of what they delete. */
const hasContent = ({ update }: Entry): boolean => Y.decodeUpdate(update).structs.length > 0

const renewRaw = (
  moved: NonNullable<RenumberOptions['moved']>,
  old: Y.Doc,
  newClientId: number,
  open: readonly Entry[],
  out: Outcome[],
): Rebuilt['made'] => {
  const { updates } = renumberUpdates({
    base: old,
    moved,
    edits: open.map(({ update }) => ({ update, isRefused: false })),
    clientIds: new Set(open.map(({ pending }) => pending?.clientId ?? 0)),
    newClientId,
    firstClock: 0,
  })
  return open.flatMap((entry, index) => {
    const update = updates[index]
    const { seq, document } = entry
    if (update) return [{ from: seq, entry: { document, update, pending: { clientId: newClientId } } }]
    // Its place was deleted meanwhile: merged it would vanish, and nobody would know.
    if (hasContent(entry)) out.push({ entry, code: 'epoch-ended', path: '' })
    return []
  })
}

/** What becomes of every pending entry, on the state of the new epoch. */
export const planRenewal = (options: RenewalOptions): Renewal => {
  const { entries, message, updates, kind } = options
  const closed = message.closed === undefined ? null : clocksIn(message.closed)
  const { old, open } = endOf(entries, closed ?? new Map())
  const fresh = docOf(updates)
  const state = Y.encodeStateAsUpdate(fresh)
  const quarantined: Outcome[] = []
  const moved = closed && isSameState(old, closed) ? moveOf(old, fresh, message) : null
  let made: Rebuilt['made'] = []
  if (kind.rule) made = replayRecords(options, fresh, open, quarantined)
  else if (moved) made = renewRaw(moved, old, fresh.clientID, open, quarantined)
  else quarantined.push(...open.map((entry): Outcome => ({ entry, code: 'epoch-ended', path: '' })))
  old.destroy()
  fresh.destroy()
  return { state, made, quarantined }
}
