// RT-22 and RT-23: attacks on authorship, and updates that want to leave something pending. All are refused, nobody else
// gets a byte of them, nothing of them is stored. SEED repeats a run, HOSTILE_RUNS lengthens it.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import * as Y from 'yjs'
import { createTeam, type Person } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { awarenessFrame, openAttacker } from './attacker.ts'
import { authorshipAttack, MARK, pendingAttack, type Prey } from './attacks.ts'
import { startMeteredServer } from './server-meter.ts'
import { type Honest, openHonest } from './victim.ts'

const TEST_MS_MAX = 60_000
const SCALE = Number(process.env['HOSTILE_RUNS'] ?? 1)
const AUTHORSHIP_ATTACKS = 200 * SCALE
const PENDING_ATTACKS = 100 * SCALE
const EDIT_EVERY = 5

const preyOf = ({ doc }: Honest): Prey => ({ clientId: doc.clientID, end: Y.getState(doc.store, doc.clientID) })

const countBy = (words: readonly string[]): string =>
  [...Map.groupBy(words, (word) => word)].map(([word, all]) => `${all.length} ${word}`).join(', ')

/** What `reader` knows is what `victim` wrote, and nothing it ever got has a trace of the attacker. */
const assertOnlyOf = (victim: Honest, reader: Honest, at: string): void => {
  assert.equal(reader.text(), victim.text(), at)
  assert.deepEqual([...reader.doc.store.clients.keys()], [victim.doc.clientID], at)
  assert.deepEqual(Y.encodeStateAsUpdate(reader.doc), Y.encodeStateAsUpdate(victim.doc), at)
  assert.equal(reader.doc.store.pendingStructs ?? reader.doc.store.pendingDs, null, at)
  assert.ok(!reader.heard.some((bytes) => Buffer.from(bytes).includes(MARK)), at)
}

test(
  '[HF14] clock bombs, forged ids and equivocation are refused, in structs, deletes and awareness; the victim goes on',
  async () => {
    const seed = chooseSeed()
    const at = `SEED=${seed}`
    const random = createRandom(seed)
    await using server = await startMeteredServer()
    const { people, newDocument } = await createTeam(server.url, 3)
    const name = await newDocument()
    const [victimToken, thirdToken, token] = people.map(({ accessToken }) => accessToken) as [string, string, string]
    const victim = await openHonest({ syncUrl: server.syncUrl, token: victimToken, name })
    const third = await openHonest({ syncUrl: server.syncUrl, token: thirdToken, name })
    const attacker = await openAttacker({ syncUrl: server.syncUrl, token, name })
    await victim.type('The first words of the victim. ')
    victim.announce({ cursor: 0 })

    const families: string[] = []
    let updates = 0
    let edits = 0
    for (let index = 0; index < AUTHORSHIP_ATTACKS; index++) {
      const { family, via, bytes } = authorshipAttack(preyOf(victim), index, random)
      families.push(family.split(':')[0] as string)
      if (via === 'awareness') await attacker.send([awarenessFrame(name, bytes)])
      else {
        await attacker.sendUpdates([bytes])
        await attacker.answered(++updates)
        assert.equal(attacker.counts.refused, updates, `accepted: ${family}, ${at}`)
      }
      if (index % EDIT_EVERY !== 0) continue
      await victim.type(`edit ${++edits} `)
      victim.announce({ cursor: edits })
    }
    await eventually(
      () => third.text(),
      (text) => text === victim.text(),
    )
    const states = await eventually(
      () => [...third.awareness.getStates()],
      ([one]) => one?.[1]['cursor'] === edits,
      { what: `the victim's last cursor, ${at}` },
    )
    assert.deepEqual(states, [[victim.doc.clientID, { cursor: edits }]], at)
    assert.equal(attacker.counts.thrownOut, 0, at)
    assertOnlyOf(victim, third, at)
    assert.ok(!victim.heard.some((bytes) => Buffer.from(bytes).includes(MARK)), at)
    server.assertUnhurt()
    for (const { close } of [victim, third, attacker]) close()

    await server.stop('SIGTERM')
    await server.start()
    const later = await openHonest({ syncUrl: server.syncUrl, token: thirdToken, name })
    assertOnlyOf(victim, later, `after the restart, ${at}`)
    later.close()
    process.stdout.write(
      `forgeries SEED=${seed}: ${countBy(families)}; ${updates} of ${updates} updates refused, ` +
        `${families.length - updates} awareness messages dropped, ${edits + 1} edits of the victim stored\n`,
    )
  },
  TEST_MS_MAX,
)

test(
  '[HF15] updates and deletes that would wait for what never comes are refused and leave nothing in the database',
  async () => {
    const seed = chooseSeed()
    const at = `SEED=${seed}`
    const random = createRandom(seed)
    await using server = await startMeteredServer()
    const { people, newDocument } = await createTeam(server.url, 2)
    const [victimPerson, attackerPerson] = people as readonly [Person, Person]
    const name = await newDocument()
    const honest = { syncUrl: server.syncUrl, token: victimPerson.accessToken, name }
    const victim = await openHonest(honest)
    await victim.type('The first words of the victim. ')
    victim.close()
    // Stopped, so that all that is ever written of this is written.
    await server.stop('SIGTERM')
    const before = server.stored()
    await server.start()

    const attacker = await openAttacker({ ...honest, token: attackerPerson.accessToken })
    const families: string[] = []
    for (let index = 0; index < PENDING_ATTACKS; index++) {
      const { family, bytes } = pendingAttack(preyOf(victim), index, random)
      families.push(family.split(':')[0] as string)
      await attacker.sendUpdates([bytes])
      await attacker.answered(index + 1)
      assert.equal(attacker.counts.refused, index + 1, `accepted: ${family}, ${at}`)
    }
    attacker.close()
    const later = await openHonest(honest)
    assertOnlyOf(victim, later, at)
    later.close()
    server.assertUnhurt()
    await server.stop('SIGTERM')
    assert.ok(before.bytes > 0)
    assert.deepEqual(server.stored(), before, at)
    process.stdout.write(
      `pending SEED=${seed}: ${countBy(families)}; all refused, ${before.bytes} bytes stored before and after\n`,
    )
  },
  TEST_MS_MAX,
)
