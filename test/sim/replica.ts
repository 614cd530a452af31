// One device in a simulated run: its doc, what it has stored, what it still has to send, and what is on its way to it.
import * as Y from 'yjs'
import { createHistory, type History } from '../../shared/history.ts'
import type { Kind } from '../../shared/kind.ts'
import type { Ruled } from '../../shared/operation.ts'
import type { Change } from '../../shared/rules.ts'
import { contextOf, type User, type World } from './world.ts'

/** Origin of what came from the server. */
export const REMOTE = { source: 'connection' }

/** One transaction on its way to the server. */
export interface Message {
  readonly user: User
  readonly update: Uint8Array
  readonly changes: readonly Change[]
  /** What was run: `undo` and `redo` may do less than operations. */
  readonly by: string
}

export interface Replica {
  readonly name: string
  readonly user: User
  readonly device: { id: string; skewMs: number; knowsSealed: boolean }
  doc: Y.Doc
  history: History
  /** In the order they were made. */
  outbox: Message[]
  inbox: Uint8Array[]
  isOnline: boolean
  /** What a crash leaves. */
  saved: { readonly state: Uint8Array; readonly outbox: readonly Message[] }
}

/** The changes of a transaction in root maps, as any judge of the update would see them. */
const changesOf = (doc: Y.Doc, transaction: Y.Transaction): Change[] =>
  [...doc.share].flatMap(([root, type]) =>
    [...(transaction.changed.get(type as Y.AbstractType<Y.YEvent<Y.AbstractType<unknown>>>) ?? [])].map((key) => ({
      root,
      key: String(key),
      value: doc.getMap(root).get(String(key)),
    })),
  )

/** A doc in which every transaction that is not remote becomes a message. */
export const openDoc = (
  kind: Kind,
  random: World['random'],
  state: Uint8Array,
  send: (update: Uint8Array, changes: Change[], by: string) => void,
): Y.Doc => {
  const doc = new Y.Doc()
  doc.clientID = random.int(1, 2 ** 31)
  for (const root of kind.roots === 'any' ? [] : kind.roots) doc.getMap(root)
  Y.applyUpdate(doc, state, REMOTE)
  doc.on('update', (update: Uint8Array, origin: unknown, _: Y.Doc, transaction: Y.Transaction) => {
    if (origin !== REMOTE) send(update, changesOf(doc, transaction), (origin as { operation: string }).operation)
  })
  return doc
}

/** Starts `replica` with `state` and what it still has to send; nothing else is left of what it was. */
export const restart = (
  world: World,
  kind: Kind & Ruled,
  replica: Replica,
  state: Uint8Array,
  outbox: readonly Message[],
): void => {
  replica.doc.destroy()
  replica.outbox = [...outbox]
  replica.inbox = []
  replica.doc = openDoc(kind, world.random, state, (update, changes, by) => {
    replica.outbox.push({ user: replica.user, update, changes, by })
  })
  replica.history = createHistory({
    kind,
    doc: replica.doc,
    context: () => contextOf(world, replica.user, replica.device),
  })
  replica.saved = { state, outbox }
}

export const createReplica = (world: World, kind: Kind & Ruled, index: number): Replica => {
  const { random } = world
  const doc = new Y.Doc()
  const state = Y.encodeStateAsUpdate(doc)
  const user = world.users[index % world.users.length] as User
  const device = {
    id: `device-00000${index}`,
    skewMs: random.chance(0.7) ? 0 : random.int(-60_000, 60_000),
    knowsSealed: random.chance(0.5),
  }
  const replica: Replica = {
    name: `${user.id}@${device.id}`,
    user,
    device,
    doc,
    history: createHistory({ kind, doc, context: () => contextOf(world, user, device) }),
    outbox: [],
    inbox: [],
    isOnline: true,
    saved: { state, outbox: [] },
  }
  restart(world, kind, replica, state, [])
  return replica
}

export const save = (replica: Replica): void => {
  replica.saved = { state: Y.encodeStateAsUpdate(replica.doc), outbox: [...replica.outbox] }
}
