// RT-20: 200,000 raw and mutated frames, in a flood, on a server of its own. SEED repeats a run, HOSTILE_RUNS lengthens it.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import * as Y from 'yjs'
import { MessageType, SyncType } from '../../shared/protocol.ts'
import { createTeam, type Person } from '../helpers/accounts.ts'
import { chooseSeed, createRandom, type Random } from '../helpers/random.ts'
import { updateFrame } from '../helpers/wire-client.ts'
import { type Attacker, awarenessFrame, frameOf, openAttacker, step1Frame, tokenFrame } from './attacker.ts'
import { writeAwareness } from './attacks.ts'
import { showTimes, startBystander } from './bystander.ts'
import { edit, newEditor } from './histories.ts'
import { assertInTime } from './in-time.ts'
import { craftUpdate, mutateBytes } from './mutations.ts'
import { forMs, startMeteredServer } from './server-meter.ts'

const TEST_MS_MAX = 120_000
const FRAMES = 200_000 * Number(process.env['HOSTILE_RUNS'] ?? 1)
/** Before memory is measured: code is compiled and the heap has grown to its working size. */
const WARM_UP_FRAMES = 200_000
const PEOPLE = 16
/** A socket gets a tenth of a core for refused updates; so many together are held up by the core alone. */
const SOCKETS_EACH = 1
const BATCH = 50
/** An accepted mutation leaves its editor behind: nothing it sends fits any more. */
const BATCHES_PER_EDITOR = 10
const STALL_MS_MAX = 50
const ACK_P95_MS_MAX = 200
const RSS_GROWTH_MIB_MAX = 50
const SETTLE_MS_MAX = 8_000
const SETTLE_EVERY_MS = 100
const CONTROL_MS = 5_000

/** An honest editor, and what it sends next; mutations of that are nearly right. */
interface Corpus {
  readonly doc: Y.Doc
  next: Uint8Array
  last: Uint8Array
}

const advance = (corpus: Corpus, random: Random): void => {
  corpus.last = corpus.next
  corpus.next = Y.mergeUpdates([...edit(corpus.doc, random), ...edit(corpus.doc, random)])
}

const createCorpus = (random: Random): Corpus => {
  const doc = newEditor(random.int(1, 2 ** 31))
  const next = Y.mergeUpdates([...edit(doc, random), ...edit(doc, random)])
  return { doc, next, last: next }
}

const hostileUpdate = ({ doc, next, last }: Corpus, random: Random): Uint8Array => {
  if (random.chance(0.6)) return mutateBytes(next, last, random)
  if (random.chance(0.5)) return random.bytes(random.int(0, 64))
  // A new id is claimed, and stored with what uses it.
  const authors = random.chance(0.05) ? [doc.clientID, random.int(1, 2 ** 32 - 1)] : [doc.clientID]
  return craftUpdate(doc, authors, random)
}

/** Mostly updates, which reach the verdict; a few frames of other kinds, and a few that are broken as a whole. */
const hostileFrame = (name: string, token: string, corpus: Corpus, random: Random): Uint8Array => {
  const dice = random.int(1, 1_000)
  if (dice <= 975) return updateFrame(name, hostileUpdate(corpus, random))
  if (dice <= 985) return awarenessFrame(name, mutateBytes(writeAwareness([7, 1, '{"a":1}']), corpus.next, random))
  if (dice <= 994) return step1Frame(name, mutateBytes(Y.encodeStateVector(corpus.doc), corpus.next, random))
  if (dice <= 995) return random.bytes(random.int(2, 40))
  if (dice <= 996) return frameOf(name, random.int(0, 20), ...random.bytes(random.int(0, 8)))
  const whole = random.pick([
    updateFrame(name, corpus.next),
    tokenFrame(name, token),
    frameOf(name, MessageType.Sync, SyncType.Step2, corpus.next),
    frameOf(name, MessageType.Stateless, '{}'),
  ])
  const mutated = mutateBytes(whole, corpus.next, random)
  // One byte is a ping, whose answer the wire client of the tests does not read.
  return mutated.length > 1 ? mutated : whole
}

test(
  '[HF12] a flood of 200,000 raw and mutated frames neither ends nor stalls the server, nor fills its memory',
  async () => {
    const seed = chooseSeed()
    const random = createRandom(seed)
    await using server = await startMeteredServer()
    await using bystander = await startBystander(server)
    const peaceFrom = server.output().length
    const control = await bystander.measure(() => forMs(CONTROL_MS))
    const peaceTurn = server.longestTurnMs(peaceFrom)
    const { people, newDocument } = await createTeam(server.url, PEOPLE)

    const totals = { handled: 0, refused: 0, accepted: 0, thrownOut: 0, slowed: 0 }
    const attack = async (framesMax: number): Promise<void> => {
      const attackers: Attacker[] = []
      const handled = (): number => attackers.reduce((sum, { counts }) => sum + counts.handled, 0)
      const attackOne = async ({ accessToken: token }: Person): Promise<void> => {
        const name = await newDocument()
        const own = random.fork()
        let corpus = createCorpus(own)
        let batches = 0
        const attacker = await openAttacker({ syncUrl: server.syncUrl, token, name })
        attackers.push(attacker)
        while (handled() < framesMax) {
          const frames = Array.from({ length: BATCH - 1 }, () => hostileFrame(name, token, corpus, own))
          await attacker.send([...frames, updateFrame(name, corpus.next)])
          batches++
          if (batches % BATCHES_PER_EDITOR === 0) corpus = createCorpus(own)
          else advance(corpus, own)
        }
      }
      await Promise.all(Array.from({ length: SOCKETS_EACH }, () => people.map(attackOne)).flat())
      for (const { counts, close } of attackers) {
        close()
        for (const key of Object.keys(totals) as (keyof typeof totals)[]) totals[key] += counts[key]
      }
    }

    await attack(WARM_UP_FRAMES)
    const rssBefore = await server.rssMib()
    const cpuBefore = await server.cpuMs()
    const attackFrom = server.output().length
    const startedAt = performance.now()
    const attacked = await bystander.measure(() => attack(FRAMES))
    const seconds = (performance.now() - startedAt) / 1_000
    const cpu = (await server.cpuMs()) - cpuBefore
    const attackTurn = server.longestTurnMs(attackFrom)
    let growth = Infinity
    const settled = performance.now() + SETTLE_MS_MAX
    while (growth >= RSS_GROWTH_MIB_MAX && performance.now() < settled) {
      await forMs(SETTLE_EVERY_MS)
      growth = (await server.rssMib()) - rssBefore
    }
    process.stdout.write(
      `flood SEED=${seed}: ${totals.handled} frames handled in ${seconds.toFixed(1)} s, ${totals.refused} refused, ` +
        `${totals.accepted} accepted, thrown out ${totals.thrownOut} times, ${totals.slowed} sockets slowed down and left, ` +
        `${(cpu / FRAMES).toFixed(3)} ms CPU each, RSS ${rssBefore.toFixed(0)} +${growth.toFixed(0)} MiB; ` +
        `in peace ${showTimes(control)}, longest turn ${peaceTurn} ms CPU; attacked ${showTimes(attacked)}, longest turn ${attackTurn} ms CPU\n`,
    )
    server.assertUnhurt()
    const at = `SEED=${seed}`
    assert.ok(totals.handled >= FRAMES + WARM_UP_FRAMES && totals.refused > FRAMES / 2 && totals.thrownOut > 100, at)
    assert.ok(peaceTurn > 0, 'turns are measured')
    assertInTime(attackTurn <= STALL_MS_MAX, `a turn of the event loop took ${attackTurn} ms, ${at}`)
    assertInTime(attacked.ack.p95 < ACK_P95_MS_MAX, `ack p95 ${attacked.ack.p95} ms, ${at}`)
    assert.ok(growth < RSS_GROWTH_MIB_MAX, `RSS grew by ${growth} MiB, ${at}`)
  },
  TEST_MS_MAX,
)
