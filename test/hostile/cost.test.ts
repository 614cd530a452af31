// What one hostile frame costs the server: the CPU time of each family of attacks, as a table.
import { test } from 'vitest'
import { MessageType } from '../../shared/protocol.ts'
import { createTeam } from '../helpers/accounts.ts'
import { chooseSeed, createRandom, type Random } from '../helpers/random.ts'
import { updateFrame } from '../helpers/wire-client.ts'
import { awarenessFrame, frameOf, openAttacker } from './attacker.ts'
import { type Attack, authorshipAttack, pendingAttack, type Prey, writeAwareness } from './attacks.ts'
import { BOMBS } from './bombs.ts'
import { edit, newEditor } from './histories.ts'
import { assertInTime } from './in-time.ts'
import { craftUpdate, mutateBytes } from './mutations.ts'
import { startMeteredServer } from './server-meter.ts'
import { openHonest } from './victim.ts'

const TEST_MS_MAX = 60_000
const CPU_MS_MAX = 10
const FRAMES = 500
const BATCH = 25
const GHOSTS = 10_000

interface Family {
  readonly frames: number
  readonly make: (name: string, prey: Prey, index: number, random: Random) => Uint8Array
}

const wrap = (name: string, { via, bytes }: Attack): Uint8Array =>
  via === 'update' ? updateFrame(name, bytes) : awarenessFrame(name, bytes)

const createFamilies = (random: Random): Record<string, Family> => {
  const editor = newEditor(random.int(1, 2 ** 31))
  const [first, second] = [edit(editor, random), edit(editor, random)].map(([update]) => update as Uint8Array)
  const ghosts = writeAwareness(
    ...Array.from({ length: GHOSTS }, (_, id) => [2 ** 20 + id, 1, '{"ghost":true}'] as const),
  )
  const many = (make: Family['make']): Family => ({ frames: FRAMES, make })
  return {
    'raw bytes': many((_, __, ___, chance) => chance.bytes(chance.int(2, 200))),
    'raw bytes as an update': many((name, _, __, chance) => updateFrame(name, chance.bytes(chance.int(0, 200)))),
    'mutated updates': many((name, _, __, chance) =>
      updateFrame(name, mutateBytes(first as Uint8Array, second as Uint8Array, chance)),
    ),
    'crafted updates': many((name, { clientId }, _, chance) =>
      updateFrame(name, craftUpdate(editor, [clientId, editor.clientID], chance)),
    ),
    'declared-count bombs': many((name, _, index) => updateFrame(name, BOMBS[index % BOMBS.length] as Uint8Array)),
    'clock bombs, forgeries, equivocation': many((name, prey, index, chance) =>
      wrap(name, authorshipAttack(prey, index, chance)),
    ),
    'pending data, orphan deletes': many((name, prey, index, chance) => wrap(name, pendingAttack(prey, index, chance))),
    '10,000 ghosts in one awareness message': many((name) => awarenessFrame(name, ghosts)),
    'unknown message types': many((name, _, index) => frameOf(name, 20 + (index % 100))),
    'bad tokens': many((name) => frameOf(name, MessageType.Auth, 0, 'bad', 'syncline/test')),
  }
}

test(
  '[HF19] no family of attacks costs more than 10 ms of CPU per frame',
  async () => {
    const seed = chooseSeed()
    const random = createRandom(seed)
    await using server = await startMeteredServer()
    const { people, newDocument } = await createTeam(server.url, 2)
    const [victimToken, token] = people.map(({ accessToken }) => accessToken) as [string, string]
    const rows: [family: string, frames: number, cpuMs: number, thrownOut: number][] = []
    for (const [family, { frames, make }] of Object.entries(createFamilies(random))) {
      const name = await newDocument()
      const victim = await openHonest({ syncUrl: server.syncUrl, token: victimToken, name })
      await victim.type('The words of the victim. ')
      const prey = { clientId: victim.doc.clientID, end: victim.text().length }
      const made = Array.from({ length: frames }, (_, index) => make(name, prey, index, random))
      const attacker = await openAttacker({ syncUrl: server.syncUrl, token, name })
      const before = await server.cpuMs()
      for (let sent = 0; sent < frames;) {
        // Only what was handled counts; a frame that closes the socket takes the rest of its batch along.
        const { handled } = attacker.counts
        await attacker.send(made.slice(sent, sent + BATCH))
        sent += attacker.counts.handled - handled
      }
      rows.push([family, attacker.counts.handled, (await server.cpuMs()) - before, attacker.counts.thrownOut])
      attacker.close()
      await victim.type('And more of them.')
      victim.close()
    }
    const lines = rows.map(([family, frames, cpuMs, thrownOut]) => {
      const each = (cpuMs / frames).toFixed(2)
      return `${family.padEnd(42)} ${String(frames).padStart(6)} ${each.padStart(8)} ${String(thrownOut).padStart(6)}`
    })
    process.stdout.write(`cost SEED=${seed}\n${'family'.padEnd(42)} frames   ms CPU    out\n${lines.join('\n')}\n`)
    server.assertUnhurt()
    for (const [family, frames, cpuMs] of rows) {
      assertInTime(cpuMs / frames <= CPU_MS_MAX, `${family}: ${cpuMs / frames} ms each, SEED=${seed}`)
    }
  },
  TEST_MS_MAX,
)
