// One simulated run: devices that work on one document, a network that delays, reorders and repeats, and a server that
// judges every change by the kind's rule. The same seed gives the same run.
import * as Y from 'yjs'
import { judge } from '../../server/sync/verdict.ts'
import { can } from '../../shared/access.ts'
import { AppError } from '../../shared/errors.ts'
import { isSameJson } from '../../shared/json.ts'
import type { Kind } from '../../shared/kind.ts'
import type { Ruled } from '../../shared/operation.ts'
import { collectionOf } from '../../shared/records.ts'
import { createRandom } from '../helpers/random.ts'
import { randomChanges } from './cheats.ts'
import { pickOperation, randomInput } from './inputs.ts'
import { createWitness, type Witness } from './invariants.ts'
import { createReplica, type Message, openDoc, REMOTE, type Replica, restart, save } from './replica.ts'
import { contextOf, createWorld, passTime, type World } from './world.ts'

export const OPERATIONS_PER_RUN = 100

/** How often something happened, so that a run which does nothing cannot pass for one that proves something. */
export type Counts = Record<string, number>

interface Run {
  readonly kind: Kind & Ruled
  readonly world: World
  readonly server: Y.Doc
  readonly replicas: readonly Replica[]
  readonly accepted: Uint8Array[]
  /** Client ids and the users they belong to. */
  readonly claims: Map<number, string>
  readonly witness: Witness
  readonly counts: Counts
  readonly log: (line: string) => void
}

const count = (run: Run, what: string): void => void (run.counts[what] = (run.counts[what] ?? 0) + 1)

/** Codes that an honest device can meet: what it knew was true when it wrote. */
const HONEST_REFUSALS: ReadonlySet<string> = new Set(['segment-sealed', 'period-closed'])

const SERVER_DEVICE = { id: 'server-0000000', skewMs: 0, knowsSealed: true }

/**
 * The server's part: all of a message or nothing. The rule, asked about the changes, and the verdict, which has only the
 * bytes, must agree. Null: taken.
 */
const decide = ({ kind, world, server, claims }: Run, { user, update, changes }: Message): string | null => {
  const facts = contextOf(world, user, SERVER_DEVICE)
  const refusal = changes.map((change) => kind.rule(change, facts)).find((found) => found !== null)
  const expected = can(user.role, 'write') ? (refusal?.code ?? null) : 'read-only'
  const readOnly = expected === 'read-only'
  const verdict = judge({ ...facts, doc: server, kind, readOnly, claims, documentBytes: 0 }, update)
  // A message that comes again is no news, whatever has become of the rules since.
  if (verdict.verdict === 'known') return null
  const code = verdict.verdict === 'refuse' ? verdict.code : null
  if ((code === null) !== (expected === null))
    throw new Error(`the verdict says ${code}, the rule ${expected}: ${JSON.stringify(changes)}`)
  if (verdict.verdict === 'refuse') return verdict.code
  for (const clientId of verdict.claims) claims.set(clientId, user.id)
  Y.applyUpdate(server, verdict.update, REMOTE)
  return null
}

const resync = ({ server }: Run, replica: Replica): void => {
  replica.inbox = [Y.encodeStateAsUpdate(server, Y.encodeStateVector(replica.doc))]
}

/** Sends the oldest message; a device that is refused starts again from the server's state. */
const sendOne = (run: Run, replica: Replica): void => {
  const message = replica.outbox[0]
  if (!message) return
  const code = decide(run, message)
  count(run, code ? `refused ${code}` : 'accepted')
  if (!code) {
    run.accepted.push(message.update)
    run.witness.accepted(message)
    for (const other of run.replicas) if (other !== replica && other.isOnline) other.inbox.push(message.update)
    // Now and then the acknowledgement is lost, and the message is sent again.
    if (run.world.random.chance(0.9)) replica.outbox.shift()
    return
  }
  if (!HONEST_REFUSALS.has(code)) throw new Error(`an honest change by ${message.by} is refused: ${code}`)
  run.log(`${replica.name} refused ${code}`)
  replica.device.knowsSealed = true
  restart(run.world, run.kind, replica, Y.encodeStateAsUpdate(run.server), [])
}

/** Some of what is on its way, in any order, some of it twice. */
const receiveSome = ({ world: { random } }: Run, replica: Replica): void => {
  for (let left = random.int(1, 8); left > 0 && replica.inbox.length > 0; left--) {
    const at = random.int(0, replica.inbox.length - 1)
    const [update] = random.chance(0.9) ? replica.inbox.splice(at, 1) : [replica.inbox[at]]
    Y.applyUpdate(replica.doc, update as Uint8Array, REMOTE)
  }
}

/** A device with a changed client: it writes what it likes, into a copy of its doc, and sends that. */
const cheat = (run: Run, replica: Replica): void => {
  const { kind, world, server } = run
  let message: Message | undefined
  const copy = openDoc(kind, world.random, Y.encodeStateAsUpdate(server), (update, changes, by) => {
    message = { user: replica.user, update, changes, by }
  })
  const changes = randomChanges({ kind, doc: copy, random: world.random, user: replica.user.id })
  copy.transact(
    () => {
      for (const { root, key, value } of changes) {
        if (value === undefined) copy.getMap(root).delete(key)
        else copy.getMap(root).set(key, value)
      }
    },
    { operation: 'cheat' },
  )
  if (!message) return
  const code = decide(run, message)
  count(run, code ? 'cheat refused' : 'cheat accepted')
  run.log(`${replica.name} cheats ${JSON.stringify(changes)}: ${code ?? 'accepted'}`)
  if (code) return
  run.accepted.push(message.update)
  run.witness.saw(message)
  run.witness.accepted(message)
  for (const other of run.replicas) if (other.isOnline) other.inbox.push(message.update)
}

const operate = (run: Run, replica: Replica): void => {
  const { kind, world } = run
  const operation = pickOperation(kind, replica.doc, world.random)
  const input = randomInput({ kind, doc: replica.doc, world, user: replica.user.id, operation })
  const before = replica.outbox.length
  let outcome = 'ok'
  try {
    replica.history.run(operation, input)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    outcome = error.code
    if (replica.outbox.length > before) throw new Error(`${operation.name} wrote, and failed`, { cause: error })
  }
  count(run, outcome === 'ok' ? `${operation.name} ok` : 'operation refused')
  run.log(`${replica.name} ${operation.name} ${JSON.stringify(input)}: ${outcome}`)
}

const isUndoOf = ({ by }: Message): boolean => by === 'undo' || by === 'redo'

/** What was just written goes into the witness's book; nothing may come of undo that creates a record. */
const witnessNew = (run: Run, replica: Replica, since: number): void => {
  for (const message of replica.outbox.slice(since)) {
    run.witness.saw(message)
    const created = message.changes.find(
      ({ root, value }) => value !== undefined && collectionOf(run.kind.collections, root)?.isEdits === false,
    )
    if (isUndoOf(message) && created) throw new Error(`${message.by} set ${created.root}/${created.key}`)
  }
}

const act = (run: Run, replica: Replica): void => {
  const { random } = run.world
  const since = replica.outbox.length
  const dice = random.int(1, 100)
  if (dice <= 72) operate(run, replica)
  else if (dice <= 87) {
    const what = dice <= 80 ? 'undo' : 'redo'
    const did = replica.history[what]()
    if (did) count(run, what)
    run.log(`${replica.name} ${what}: ${did}`)
  } else if (dice <= 94) cheat(run, replica)
  else if (dice <= 97) {
    const { state, outbox } = replica.saved
    run.log(`${replica.name} crashes`)
    count(run, 'crash')
    restart(run.world, run.kind, replica, state, outbox)
    if (replica.isOnline) resync(run, replica)
    return
  } else save(replica)
  witnessNew(run, replica, since)
}

const disturb = (run: Run): void => {
  const { random } = run.world
  const replica = random.pick(run.replicas)
  if (random.chance(0.1)) {
    replica.isOnline = !replica.isOnline
    if (replica.isOnline) resync(run, replica)
    else replica.inbox = []
    run.log(`${replica.name} ${replica.isOnline ? 'online' : 'offline'}`)
  }
  if (random.chance(0.003)) run.world.isSealed = true
  if (random.chance(0.05)) replica.device.knowsSealed = true
  if (!replica.isOnline) return
  for (let left = random.int(0, 4); left > 0; left--) sendOne(run, replica)
  if (replica.inbox.length > 0) receiveSome(run, replica)
  run.witness.check(replica.doc)
}

/** Everybody comes back, everything arrives. */
const settle = (run: Run): void => {
  for (const replica of run.replicas) while (replica.outbox.length > 0) sendOne(run, replica)
  for (const replica of run.replicas) {
    resync(run, replica)
    while (replica.inbox.length > 0) receiveSome(run, replica)
  }
}

/** The state of a doc, however it came about: structs are merged as one transaction leaves them. */
const stateOf = (doc: Y.Doc): Uint8Array => {
  const fresh = new Y.Doc()
  Y.applyUpdate(fresh, Y.encodeStateAsUpdate(doc))
  return Y.encodeStateAsUpdate(fresh)
}

const isSameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

const mustBeEqual = (run: Run): void => {
  const stored = openDoc(
    run.kind,
    run.world.random,
    Y.mergeUpdates([Y.encodeStateAsUpdate(new Y.Doc()), ...run.accepted]),
    () => {},
  )
  const expected = { state: stateOf(run.server), read: run.kind.read?.(run.server) }
  for (const [name, doc] of [
    ['stored', stored] as const,
    ...run.replicas.map(({ name, doc }) => [name, doc] as const),
  ]) {
    run.witness.check(doc)
    if (!isSameJson(run.kind.read?.(doc), expected.read)) throw new Error(`${name} reads something else`)
    if (!isSameBytes(stateOf(doc), expected.state)) throw new Error(`${name} holds something else`)
  }
}

/** Runs `seed` for `kind` and counts what happened; throws at the first thing that must not be. */
export const simulate = (
  kind: Kind & Ruled,
  seed: number,
  counts: Counts,
  log: (line: string) => void = () => {},
): void => {
  const random = createRandom(seed)
  const world = createWorld(kind, random)
  const run: Run = {
    kind,
    world,
    server: openDoc(kind, random, Y.encodeStateAsUpdate(new Y.Doc()), () => {}),
    replicas: Array.from({ length: random.int(2, 8) }, (_, index) => createReplica(world, kind, index)),
    accepted: [],
    claims: new Map(),
    witness: createWitness(kind, world.users),
    counts,
    log,
  }
  for (let step = 0; step < OPERATIONS_PER_RUN; step++) {
    const replica = random.pick(run.replicas)
    passTime(world)
    act(run, replica)
    run.witness.check(replica.doc)
    disturb(run)
    if (step % 10 === 0) run.witness.check(run.server)
  }
  settle(run)
  run.witness.check(run.server)
  run.witness.checkKept(run.server)
  mustBeEqual(run)
}
