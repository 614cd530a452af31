// Every forgery over real sockets, against a server that is a process of its own: all are refused, a third client that
// watches never gets a frame of them, and after a restart the document is what honest people made of it.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import * as Y from 'yjs'
import type { OperationContext } from '../../shared/operation.ts'
import { SDK_VERSION_PREFIX } from '../../shared/protocol.ts'
import { KINDS } from '../../shared/registry.ts'
import { startServerProcess } from '../compat/servers.ts'
import { ask, createTeam, type Person, type Team } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { connectWire, type WireDocument } from '../helpers/wire-client.ts'
import type { Target } from '../hostile/attacker.ts'
import { shownIn } from '../hostile/record-updates.ts'
import { writeUpdate } from '../hostile/update-writer.ts'
import { type Honest, openHonest } from '../hostile/victim.ts'
import { anyForgeries, MARK } from './any-kind.ts'
import { type Cast, forge, run, type Scene, set } from './scene.ts'
import { SCENES } from './scenes.ts'

const TEST_MS_MAX = 600_000

const contextOf = (cast: Cast, who: 'victim' | 'attacker'): OperationContext => {
  const now = Date.now()
  return {
    actor: cast[who],
    role: 'member',
    now,
    members: new Set([cast.victim, cast.attacker]),
    isSealed: false,
    groups: new Map([[cast.group, { timezone: 'UTC', frequency: 'weekly', createdAt: now, joinedAt: now }]]),
    deviceId: `device-of-${who}`,
    newId: () => 'new-id-0000000001',
    random: () => 0.5,
  }
}

/** Makes a document of the scene's kind that all of `team` may open; or the attacker's own. */
const createOf = async ({ kind }: Scene, url: string, { group, people }: Team, attacker: Person): Promise<string> => {
  if (kind.scope === 'user') return `${kind.name}/${attacker.id}`
  const { accessToken: token } = people[0]
  const body = { type: kind.channelType, name: kind.name }
  const answer = await ask(url, 'POST', `/groups/${group.id}/channels`, { token, body })
  const channel = answer.data as { readonly id: string; readonly documentName: string }
  return kind.part === 'segment' ? channel.documentName : `${kind.name}/${channel.id}`
}

interface Played {
  readonly scene: Scene
  readonly name: string
  readonly victim: Honest
  readonly watcher: Honest
  readonly shown: unknown
}

/** Deletions too, which no state vector shows: until they are there one more frame is to come. */
const same = (a: Y.Doc, b: Y.Doc): boolean => Y.equalSnapshots(Y.snapshot(a), Y.snapshot(b))

const converged = (what: string, ...docs: readonly Y.Doc[]): Promise<boolean> =>
  eventually(
    () => docs.every((doc) => same(doc, docs[0] as Y.Doc)),
    (equal) => equal,
    { what },
  )

interface Attacker {
  readonly document: WireDocument
  readonly close: () => void
}

/** Opens as the SDK does, so that a refusal leaves the document open. However long an answer takes, it waits for it. */
const openAttacker = async ({ syncUrl, token, name }: Target): Promise<Attacker> => {
  const client = await connectWire(syncUrl)
  const document = await client.open(name, token, `${SDK_VERSION_PREFIX}test`)
  return { document, close: client.close }
}

const attack = async (
  { document }: Attacker,
  updates: readonly (readonly [title: string, Uint8Array])[],
): Promise<void> => {
  for (const [title, update] of updates) {
    const before = document.refused
    document.sendUpdate(update)
    const seen = await eventually(
      () => ({ refused: document.refused, accepted: document.acked, closedWith: document.closedWith }),
      ({ refused, accepted, closedWith }) => refused + accepted > before || closedWith !== undefined,
      { what: `answer to ${title}` },
    )
    assert.deepEqual(seen, { refused: before + 1, accepted: 0, closedWith: undefined }, `not refused: ${title}`)
  }
}

test(
  '[RV9] over sockets every forgery of every kind is refused, nobody else gets a frame of it, and nothing of it is stored',
  async () => {
    await using server = await startServerProcess()
    const team = await createTeam(server.url, 3)
    const [victimPerson, attackerPerson, watcherPerson] = team.people as readonly [Person, Person, Person]
    const played: Played[] = []
    let count = 0

    for (const scene of SCENES) {
      const name = await createOf(scene, server.url, team, attackerPerson)
      const isShared = scene.kind.scope !== 'user'
      const tokenOf = (person: Person): string => (isShared ? person : attackerPerson).accessToken
      const open = (person: Person) => openHonest({ syncUrl: server.syncUrl, token: tokenOf(person), name })
      const [victim, insider, watcher] = [
        await open(victimPerson),
        await open(attackerPerson),
        await open(watcherPerson),
      ]
      const cast: Cast = {
        victim: isShared ? victimPerson.id : attackerPerson.id,
        attacker: attackerPerson.id,
        group: team.group.id,
      }
      await eventually(
        () => scene.isSettled?.(watcher.doc) ?? true,
        (isSettled) => isSettled,
        { what: 'what the server writes' },
      )
      for (const [who, operation, input] of scene.honest(cast)) {
        await converged('what went before', victim.doc, insider.doc, watcher.doc)
        run(scene, (who === 'victim' ? victim : insider).doc, operation, input, contextOf(cast, who))
      }
      await converged('the honest document', victim.doc, insider.doc, watcher.doc)
      const heard = watcher.heard.length

      const attacker = await openAttacker({ syncUrl: server.syncUrl, token: tokenOf(attackerPerson), name })
      const forgeries = [...scene.forgeries(cast), ...anyForgeries(scene, insider.doc, cast)]
      const updates = forgeries
        .filter(({ facts }) => facts === undefined)
        .map((forgery) => [forgery.title, forge(insider.doc, insider.doc.clientID, forgery)] as const)
      await attack(attacker, updates)
      count += updates.length

      const [operation, input] = scene.after(cast)
      run(scene, victim.doc, operation, input, contextOf(cast, 'victim'))
      await converged('one more honest edit', victim.doc, insider.doc, watcher.doc)
      assert.equal(watcher.heard.length, heard + 1, scene.kind.name)
      assert.ok(!watcher.heard.some((bytes) => Buffer.from(bytes).includes(MARK)), scene.kind.name)
      const shown = shownIn(victim.doc)
      assert.deepEqual(shownIn(watcher.doc), shown, scene.kind.name)
      played.push({ scene, name, victim, watcher, shown })
      for (const { close } of [victim, insider, watcher, attacker]) close()
    }

    await server.stop('SIGTERM')
    await server.start()
    for (const { scene, name, victim, shown } of played) {
      const token = (scene.kind.scope === 'user' ? attackerPerson : watcherPerson).accessToken
      const later = await openHonest({ syncUrl: server.syncUrl, token, name })
      assert.deepEqual(shownIn(later.doc), shown, `${name} after the restart`)
      assert.ok(same(later.doc, victim.doc), `${name} after the restart`)
      later.close()
    }
    process.stdout.write(`${count} forgeries over sockets, all refused\n`)
    assert.ok(count > 500, 'vacuous')
  },
  TEST_MS_MAX,
)

test('[RV10] what only the server writes is written by nobody else, whatever their role', async () => {
  await using server = await startServerProcess()
  const { group, people } = await createTeam(server.url, 2)
  const kinds = [...KINDS.values()].filter(({ writers, scope }) => writers === 'server' && scope === 'group')
  assert.ok(kinds.length > 0)
  for (const { accessToken: token } of people) {
    for (const { name: kind, part, roots } of kinds) {
      const target = { syncUrl: server.syncUrl, token, name: `${kind}/${group.id}${part === 'year' ? '/2026' : ''}` }
      const attacker = await openAttacker(target)
      const doc = new Y.Doc()
      for (const root of [...(roots as readonly string[]), 'other']) {
        const update = forge(doc, doc.clientID, { write: set(root, 'a-key-00000001', { by: MARK }) })
        await attack(attacker, [[`${kind} ${root}`, update]])
      }
      attacker.close()
      const reader = await openHonest(target)
      assert.ok(![...reader.doc.store.clients.keys()].includes(doc.clientID))
      reader.document.sendUpdate(writeUpdate([]))
      await eventually(
        () => reader.document.acked,
        (acked) => acked === 1,
        { what: 'an update of nothing, which readers send too' },
      )
      reader.close()
    }
  }
})
