// RT-26: one client that asks for the state over and over, and state vectors that are far too large.
import assert from 'node:assert/strict'
import * as encoding from 'lib0/encoding'
import { describe, test } from 'vitest'
import { createTeam, type Person } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { STATE_VECTOR_BYTES_MAX } from '../../shared/limits.ts'
import { openAttacker, step1Frame } from './attacker.ts'
import { showTimes, startBystander } from './bystander.ts'
import { assertInTime } from './in-time.ts'
import { forMs, startMeteredServer } from './server-meter.ts'
import { openHonest } from './victim.ts'

const TEST_MS_MAX = 60_000
const FLOOD_MS = 5_000
const CPU_MS_MAX = 10
const MILLIONS = 100
const MILLIONS_AT_ONCE = 4
/** So that each id takes three bytes. */
const ID_MIN = 2 ** 14
const SHARE_MAX = 0.1
/** What a socket may ask for before it is slowed down, and one frame that is over it. */
const BURST_MS = 250
const BATCH = 20
const P95_ABOVE_CONTROL_MS_MAX = 25
const EDITS = 300

/** A state vector of `clients` ids that nobody has, four bytes each. */
const vectorOf = (clients: number): Uint8Array => {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, clients)
  for (let index = 0; index < clients; index++) {
    encoding.writeVarUint(encoder, ID_MIN + index)
    encoding.writeVarUint(encoder, 1)
  }
  return encoding.toUint8Array(encoder)
}

const EMPTY = vectorOf(0)
const LARGEST = vectorOf(Math.floor(STATE_VECTOR_BYTES_MAX / 4) - 1)
const MILLION = vectorOf(1_000_000)

const FLOODS = [
  ['of an empty state vector', EMPTY],
  ['of the largest state vector', LARGEST],
] as const

describe('one client that asks too much', () => {
  for (const [title, vector] of FLOODS) {
    test(
      `[HF16] a flood ${title} costs a tenth of a core and slows nobody else`,
      async () => {
        await using server = await startMeteredServer()
        const { people, newDocument } = await createTeam(server.url, 2)
        const [writer, asking] = people as readonly [Person, Person]
        const name = await newDocument()
        const honest = await openHonest({ syncUrl: server.syncUrl, token: writer.accessToken, name })
        for (let edit = 0; edit < EDITS; edit++) honest.doc.getArray('array').insert(0, ['x'.repeat(300)])
        await eventually(
          () => honest.document.acked,
          (acked) => acked === EDITS,
        )
        await using bystander = await startBystander(server)
        const since = await server.cpuMs()
        const control = await bystander.measure(() => forMs(FLOOD_MS))
        const peace = (await server.cpuMs()) - since

        const attacker = await openAttacker({ syncUrl: server.syncUrl, token: asking.accessToken, name })
        const frames = Array.from({ length: BATCH }, () => step1Frame(name, vector))
        const flooded = { isOver: false }
        const flooding = async (): Promise<void> => {
          while (!flooded.isOver) await attacker.send(frames)
        }
        const before = await server.cpuMs()
        const startedAt = performance.now()
        let flood: Promise<void> | undefined
        const attacked = await bystander.measure(async () => {
          flood = flooding()
          await forMs(FLOOD_MS)
        })
        const ms = performance.now() - startedAt
        // The bystander's own edits, at the speed of the control run, are not the attacker's.
        const own = (peace * attacked.ack.count) / control.ack.count
        const caused = (await server.cpuMs()) - before - own
        flooded.isOver = true
        attacker.close()
        await flood
        const share = Math.max(0, caused - BURST_MS) / ms
        process.stdout.write(
          `state requests ${title} (${vector.length} bytes): ${attacker.counts.handled} answered in ` +
            `${(ms / 1_000).toFixed(1)} s, ${caused.toFixed(0)} ms CPU caused, ${(share * 100).toFixed(1)} % of a core ` +
            `beyond the burst; in peace ${showTimes(control)}; attacked ${showTimes(attacked)}\n`,
        )
        honest.close()
        server.assertUnhurt()
        assert.ok(attacker.counts.handled > 0)
        assertInTime(share <= SHARE_MAX, `${share * 100} % of a core`)
        assertInTime(attacked.ack.p95 <= control.ack.p95 + P95_ABOVE_CONTROL_MS_MAX, `ack p95 ${attacked.ack.p95} ms`)
      },
      TEST_MS_MAX,
    )
  }

  test(
    '[HF17] a state vector of 1,000,000 ids closes the socket and costs little more than its bytes',
    { timeout: TEST_MS_MAX },
    async () => {
      await using server = await startMeteredServer()
      const { people, newDocument } = await createTeam(server.url, 1)
      const name = await newDocument()
      const open = () => openAttacker({ syncUrl: server.syncUrl, token: people[0].accessToken, name })
      const spent = { transport: 0, attack: 0 }
      const measure = async (what: keyof typeof spent, send: () => Promise<unknown>): Promise<void> => {
        const before = await server.cpuMs()
        for (let count = 0; count < MILLIONS_AT_ONCE; count++) await send()
        spent[what] += (await server.cpuMs()) - before
      }
      const attacker = await open()
      // Somebody has it open all the while: loading it anew is not what the vector costs.
      const holder = await open()
      // In turns, because a machine that is shared has fast and slow phases, which would make a difference of their own.
      for (let sent = 0; sent < MILLIONS; sent += MILLIONS_AT_ONCE) {
        // What it costs to take in so many bytes and to log in anew: a frame for a document that is not open is dropped unread.
        await measure('transport', async () => {
          const bystander = await open()
          await bystander.send([step1Frame('elsewhere', MILLION)])
          bystander.close()
        })
        await measure('attack', () => attacker.send([step1Frame(name, MILLION)]))
      }
      const transport = spent.transport / MILLIONS
      const each = spent.attack / MILLIONS - transport
      process.stdout.write(
        `state vectors of ${MILLION.length} bytes: ${transport.toFixed(1)} ms CPU to log in and send one, ` +
          `${each.toFixed(1)} ms more to refuse it\n`,
      )
      attacker.close()
      holder.close()
      server.assertUnhurt()
      assert.equal(attacker.counts.thrownOut, MILLIONS)
      assertInTime(each <= CPU_MS_MAX, `${each} ms`)
    },
  )
})
