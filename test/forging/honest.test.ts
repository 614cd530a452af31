// Honest work of every kind, made by its operations at random on devices that are offline for a while: the verdict never
// refuses it, however it is sent. And what it accepts of the same updates with bytes changed is what the rule allows.
// SEED repeats a run, FORGING_RUNS lengthens it.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import * as Y from 'yjs'
import { judge } from '../../server/sync/verdict.ts'
import { AppError } from '../../shared/errors.ts'
import type { Kind } from '../../shared/kind.ts'
import { runOperation } from '../../shared/operation.ts'
import { KINDS } from '../../shared/registry.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { factsOf } from '../hostile/judging.ts'
import { mutateBytes } from '../hostile/mutations.ts'
import { shownIn } from '../hostile/record-updates.ts'
import { randomInput } from '../sim/inputs.ts'
import { contextOf, createWorld, type User, type World } from '../sim/world.ts'

const seed = chooseSeed()
const SCALE = Number(process.env['FORGING_RUNS'] ?? 1)
const HISTORIES = 60 * SCALE
const STEPS = 60
const MUTATIONS = 4_000 * SCALE

type RuledKind = Kind & Required<Pick<Kind, 'rule'>>

interface Device {
  readonly id: string
  readonly user: User
  readonly doc: Y.Doc
  readonly unsent: Uint8Array[]
}

const createDevice = (world: World, index: number): Device => {
  const { random, users } = world
  const doc = new Y.Doc({ gc: random.chance(0.8) })
  doc.clientID = random.int(1, 2 ** 31)
  const unsent: Uint8Array[] = []
  doc.on('update', (update: Uint8Array, origin: unknown) => {
    if (origin !== 'server') unsent.push(update)
  })
  return { id: `device-00000${index}`, user: users[index % users.length] as User, doc, unsent }
}

const work = (kind: RuledKind, world: World, { id, user, doc }: Device): void => {
  const operation = world.random.pick(kind.operations)
  const input = randomInput({ kind, doc, world, user: user.id, operation })
  try {
    runOperation(kind, operation, doc, input, contextOf(world, user, { id, skewMs: 0, knowsSealed: true }))
  } catch (error) {
    // Wrong inputs, unknown records, guests: then nothing was written.
    if (!(error instanceof AppError)) throw error
  }
}

/** What a device sends when it is back: its edits one by one, merged, as its whole state, or what the server lacks. */
const toSend = ({ random }: World, { doc, unsent }: Device, server: Y.Doc): Uint8Array[] => {
  const updates = unsent.splice(0)
  if (updates.length === 0) return []
  return random.pick([
    () => updates,
    () => [Y.mergeUpdates(updates)],
    () => [Y.encodeStateAsUpdate(doc)],
    () => [Y.encodeStateAsUpdate(doc, Y.encodeStateVector(server))],
  ])()
}

/** The update with a few bytes changed, or in another person's name. */
const changed = (update: Uint8Array, { random, users }: World): Uint8Array => {
  const bytes = Buffer.from(update)
  const choice = random.int(1, 3)
  if (choice === 1) {
    const [from, to] = [random.pick(users).id, random.pick(users).id]
    const at = bytes.indexOf(from, random.int(0, bytes.length - 1))
    if (at !== -1) return bytes.fill(to, at, at + from.length)
  }
  if (choice === 2) return mutateBytes(update, update, random)
  for (let count = random.int(1, 2); count > 0; count--) bytes[random.int(0, bytes.length - 1)] = random.int(0, 255)
  return bytes
}

const claimsOf = (devices: readonly Device[]): Map<number, string> =>
  new Map(devices.map(({ doc, user }) => [doc.clientID, user.id]))

const ask = (kind: RuledKind, world: World, devices: readonly Device[], user: User, doc: Y.Doc, update: Uint8Array) => {
  const { actor, role, now, members, groups } = contextOf(world, user, { id: 'any', skewMs: 0, knowsSealed: true })
  const facts = { ...factsOf(doc, { kind, actor, role, now, members, groups }), claims: claimsOf(devices) }
  return { facts, verdict: judge(facts, update) }
}

const kinds = [...KINDS.values()].filter(
  (kind): kind is RuledKind => kind.rule !== undefined && kind.writers !== 'server' && kind.operations.length > 0,
)

describe.each(kinds.map((kind) => [kind.name, kind] as const))('%s', (name, kind) => {
  test('[RV7] honest operations are never refused, however they are sent', () => {
    const random = createRandom(seed)
    const counts = { accept: 0, known: 0 }
    for (let run = 0; run < HISTORIES; run++) {
      const at = `SEED=${seed} ${name} run ${run}`
      const world = createWorld(kind, random)
      const server = new Y.Doc()
      const devices = Array.from({ length: random.int(2, 4) }, (_, index) => createDevice(world, index))
      for (let step = 0; step < STEPS; step++) {
        const device = random.pick(devices)
        if (random.chance(0.7)) work(kind, world, device)
        // Before it sends, a device may have heard of the others already, so that its edits come merged with theirs.
        if (random.chance(0.3)) Y.applyUpdate(device.doc, Y.encodeStateAsUpdate(server), 'server')
        if (random.chance(0.8)) continue
        for (const update of toSend(world, device, server)) {
          const { verdict } = ask(kind, world, devices, device.user, server, update)
          assert.ok(verdict.verdict === 'accept' || verdict.verdict === 'known', `${JSON.stringify(verdict)}, ${at}`)
          counts[verdict.verdict]++
          if (verdict.verdict === 'accept') Y.applyUpdate(server, verdict.update)
        }
      }
    }
    process.stdout.write(`honest ${name}: SEED=${seed}, ${JSON.stringify(counts)}\n`)
    assert.ok(counts.accept > HISTORIES, 'vacuous')
  })

  test('[RV8] an honest update with something changed in its bytes is refused, or changes what the rule allows', () => {
    const random = createRandom(seed ^ 0xb17e)
    const counts: Record<string, number> = {}
    let world = createWorld(kind, random)
    let server = new Y.Doc()
    let devices: Device[] = []
    for (let step = 0; step < MUTATIONS; step++) {
      if (step % STEPS === 0) {
        world = createWorld(kind, random)
        server = new Y.Doc()
        devices = [0, 1, 2].map((index) => createDevice(world, index))
      }
      const device = random.pick(devices)
      Y.applyUpdate(device.doc, Y.encodeStateAsUpdate(server), 'server')
      work(kind, world, device)
      const [honest] = device.unsent.splice(0)
      if (!honest) continue
      const update = changed(honest, world)
      const { facts, verdict } = ask(kind, world, devices, device.user, server, update)
      const outcome = verdict.verdict === 'refuse' ? verdict.code : verdict.verdict
      counts[outcome] = (counts[outcome] ?? 0) + 1
      if (verdict.verdict !== 'accept') {
        Y.applyUpdate(server, honest)
        continue
      }
      const before = shownIn(server)
      Y.applyUpdate(server, verdict.update)
      const now = shownIn(server)
      for (const name of new Set([...before.keys(), ...now.keys()])) {
        if (before.get(name)?.id === now.get(name)?.id) continue
        const slash = name.indexOf('/')
        const change = { root: name.slice(0, slash), key: name.slice(slash + 1), value: now.get(name)?.value }
        assert.equal(kind.rule(change, facts), null, `${name}, SEED=${seed} step ${step}`)
      }
      // Its author has another story of the same edit.
      devices[devices.indexOf(device)] = createDevice(world, devices.indexOf(device))
    }
    process.stdout.write(`changed ${kind.name}: SEED=${seed}, ${JSON.stringify(counts)}\n`)
    assert.ok((counts['accept'] ?? 0) > MUTATIONS / 400 && (counts['malformed'] ?? 0) > MUTATIONS / 100, 'vacuous')
  })
})
