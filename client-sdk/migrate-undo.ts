// Takes a migration back: every record that is still as it was made, then channels and groups that hold nothing else. What a
// guest has not sent to anybody is taken out as if it had never been.
import * as Y from 'yjs'
import { AppError, type ErrorCode } from '../shared/errors.ts'
import type { readBoard } from '../shared/board/model.ts'
import { documentNameOf } from '../shared/channels.ts'
import { isPlainObject } from '../shared/json.ts'
import { type OperationContext, planOperation, writeChanges } from '../shared/operation.ts'
import { editKey } from '../shared/records.ts'
import { stableRandom } from './migrate-ids.ts'
import { findMaker, type Maker, operationOf, type Operations, readMark } from './migrate-records.ts'
import { documentsOf } from './migrate-run.ts'
import type { Clock } from './connection-types.ts'
import type { Left, Made, Receipt } from './migrate-types.ts'
import { openReplicas } from './migrate-world.ts'
import type { Entry } from './offline/store.ts'
import type { Person } from './person.ts'
import { loadOperations } from './kinds.ts'
import type { Replica } from './replica.ts'

export interface UndoResult {
  readonly removed: number
  readonly left: readonly Left[]
  /** What is still there. */
  readonly made: readonly Made[]
}

const toLeft = ({ key }: Made, code: ErrorCode, message: string): Left => ({ key, code, message })

/** How long an undo waits for the server. */
const SETTLE_MS_MAX = 10_000
const RECORDS_BEFORE_REST = 200

const NOT_STORED = 'the server does not have all of it yet: undo again once it is stored'

/** Deleted or retracted by somebody, or never made. */
const isGone = ({ doc, kind }: Replica, { root }: Maker, key: string): boolean => {
  const edits = kind.collections.find(({ name }) => name === root)?.edits
  const isSet = (field: string): boolean =>
    edits !== undefined && (doc.getMap(edits).get(editKey(key, field)) ?? null) !== null
  return !doc.getMap(root).has(key) || isSet('deletedAt') || isSet('retractedAt')
}

const contextOf = (person: Person, { kind, name }: Replica, id: string): OperationContext => ({
  ...person.facts.of(kind, name),
  deviceId: '',
  newId: () => id,
  random: stableRandom(id),
})

/** The records of a kind that are shown now, made by anybody. */
const countShown = ({ kind, doc }: Replica): number => {
  // Of a rich text, whether anything was ever written.
  if (!kind.rule) return Y.encodeStateVector(doc).byteLength > 1 ? 1 : 0
  const value = kind.read?.(doc)
  if (!isPlainObject(value)) return 0
  return Object.values(value).reduce<number>((sum, list) => sum + (Array.isArray(list) ? list.length : 0), 0)
}

/** A column that is deleted leaves its cards behind. */
const holdsCards = ({ kind, doc }: Replica, { root }: Maker, key: string): boolean => {
  if (root !== 'columns') return false
  const board = kind.read?.(doc) as ReturnType<typeof readBoard> | undefined
  return (board?.columns ?? []).some(({ id, cards }) => id === key && cards.length > 0)
}

const undoRecord = (person: Person, replica: Replica, operations: Operations, maker: Maker, one: Made): Left | null => {
  const { doc, kind } = replica
  const isAsMade = readMark(doc, kind, maker, one.id, person.user.id) === one.mark
  if (!isAsMade) return toLeft(one, 'version/stale', 'it was changed since')
  if (holdsCards(replica, maker, one.id)) return toLeft(one, 'version/stale', 'it holds other cards')
  try {
    const operation = operationOf(operations, maker.undo)
    const { changes } = planOperation(
      kind,
      operation,
      doc,
      maker.nameOf(one.id) as never,
      contextOf(person, replica, one.id),
    )
    writeChanges(doc, changes, { source: 'local', operation: operation.name })
    return null
  } catch (error) {
    if (error instanceof AppError) return toLeft(one, error.code, error.message)
    throw error
  }
}

/** The keys that a pending edit wrote. */
const keysOf = ({ pending }: Entry): readonly string[] => {
  const input = pending?.operation?.input
  const changes = isPlainObject(input) ? input['changes'] : undefined
  return Array.isArray(changes) ? changes.map((change: { readonly key: string }) => change.key) : []
}

/** Takes edits out that nobody has been sent, and makes those after them anew. */
const takeOut = async (person: Person, replica: Replica, isOurs: (entry: Entry) => boolean): Promise<void> => {
  const { name, kind } = replica
  await replica.saved()
  const entries = await person.store.load(name)
  const pending = entries.filter((entry) => entry.pending)
  const ours = pending.filter(isOurs)
  if (ours.length === 0) return
  const { planRebuild } = await import('./rebuild.ts')
  const { made } = planRebuild({
    kind,
    operations: await loadOperations(name),
    entries,
    refused: ours.map((entry) => ({
      entry,
      message: { type: 'refused', code: 'record/not-found', path: '', clientId: 0, clock: 0 },
    })),
    isRepeated: () => false,
    context: () => contextOf(person, replica, name),
  })
  const drop = pending.map(({ seq }) => seq)
  const seqs = await person.store.write({ append: made.map(({ entry }) => entry), drop })
  await replica.rebuild(new Map(made.map(({ from }, index) => [from, seqs[index] as number])), drop)
}

/** A channel as it is now, with its document; a channel for voice has none. */
interface Channel {
  readonly made: Made
  readonly isGrown: boolean
  readonly replica: Replica | null
}

const isEmpty = ({ replica, isGrown }: Channel): boolean => !isGrown && (replica === null || countShown(replica) === 0)

/** The server has all that is here, and here is all that the server has. */
const isSettled = ({ replica }: Channel): boolean =>
  replica === null || (replica.status.stored && replica.status.synced)

const untilSettled = async (channels: readonly Channel[], clock: Clock): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const look = (): void => {
    if (channels.every(isSettled)) resolve()
  }
  const undo = [clock.after(SETTLE_MS_MAX, resolve), ...channels.map(({ replica }) => replica?.onStatus(look))]
  look()
  await promise
  for (const stop of undo) stop?.()
}

export interface UndoOptions {
  readonly clock: Clock
  readonly newId: () => string
}

type Replicas = ReturnType<typeof openReplicas>
type Keep = (one: Made, code: ErrorCode, message: string) => void

/** Takes the records back, the newest first, so that cards go before their columns. */
const undoRecords = async (person: Person, replicas: Replicas, made: readonly Made[], keep: Keep): Promise<void> => {
  const channels = new Map(made.filter(({ what }) => what === 'channel').map((channel) => [channel.key, channel]))
  const known = new Map<string, Operations>()
  let sinceRest = 0
  for (const one of made.toReversed()) {
    const maker = findMaker(one.what)
    if (!maker) continue
    const channel = channels.get(one.within)
    const [name] = documentsOf(channel ? [channel, one] : [one], person.user.id)
    if (name === undefined) continue
    const replica = await replicas.open(name)
    if (isGone(replica, maker, one.id)) continue
    const operations = known.get(name) ?? (await loadOperations(name))
    known.set(name, operations)
    const reason = undoRecord(person, replica, operations, maker, one)
    if (reason) keep(one, reason.code, reason.message)
    if (++sinceRest % RECORDS_BEFORE_REST === 0) await replica.saved()
  }
  await Promise.all(Array.from(replicas.all(), (replica) => replica.saved()))
}

export const undoMigration = async (
  person: Person,
  { made }: Pick<Receipt, 'made'>,
  { clock, newId }: UndoOptions,
): Promise<UndoResult> => {
  const { user, outbox } = person
  await using replicas = openReplicas(person)
  const left: Left[] = []
  const kept = new Set<Made>()
  const keep: Keep = (one, code, message) => {
    kept.add(one)
    left.push({ key: one.key, code, message })
  }
  await undoRecords(person, replicas, made, keep)

  /** Nothing of a guest was ever sent. */
  const takeOutUnsent = async (one: Made, channels: readonly Channel[]): Promise<void> => {
    for (const { replica } of channels) if (replica) await takeOut(person, replica, () => true)
    for (const replica of replicas.all()) {
      if (one.what !== 'group' || replica.kind.asks !== 'groups') continue
      await takeOut(person, replica, (entry) => keysOf(entry).some((key) => key.startsWith(`${one.id}.`)))
    }
    await outbox.discard(one.id)
  }

  const remove = async (one: Made, channels: readonly Channel[]): Promise<void> => {
    const isPending = outbox.list().some(({ id }) => id === one.id)
    if (isPending && user.isGuest) await takeOutUnsent(one, channels)
    else if (isPending || !channels.every(isSettled)) keep(one, 'storage/unavailable', NOT_STORED)
    else await outbox.add({ id: newId(), method: 'DELETE', path: `/${one.what}s/${one.id}`, isDoneWhenGone: true })
  }

  for (const group of made.filter(({ what }) => what === 'group')) {
    if (!person.groups.get(group.id)) continue
    const listed = person.channels.list(group.id)
    const own: Channel[] = []
    for (const { id, type } of listed) {
      const channel = made.find((one) => one.what === 'channel' && one.id === id)
      const name = documentNameOf({ id, type, segments: person.facts.segmentsOf(id) })
      // Of a chat that has grown, only its newest part is looked at: it was used since.
      const isGrown = person.facts.segmentsOf(id) > 1
      if (channel) own.push({ made: channel, isGrown, replica: name === null ? null : await replicas.open(name) })
    }
    if (person.workspace.status === 'live') await untilSettled(own, clock)
    const members = person.roster.groups().get(group.id)?.members.length ?? 1
    const isOwnCheckIn = ({ what, id }: Made): boolean => what === 'checkin.submit' && id.startsWith(`${group.id}.`)
    const isOnlyOurs =
      members <= 1 && own.length === listed.length && own.every(isEmpty) && ![...kept].some(isOwnCheckIn)
    if (isOnlyOurs) {
      await remove(group, own)
      if (kept.has(group)) for (const channel of own) kept.add(channel.made)
      continue
    }
    keep(group, 'version/stale', 'it holds more, or other members')
    for (const channel of own) {
      if (isEmpty(channel)) await remove(channel.made, [channel])
      else keep(channel.made, 'version/stale', 'it holds more')
    }
  }
  const still = made.filter((one) => kept.has(one))
  return { removed: made.length - still.length, left, made: still }
}
