// Presence over real sockets: who is seen by whom, every way of going away, and that nothing of it is kept anywhere.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, test } from 'vitest'
import * as Y from 'yjs'
import { MEMBERS } from '../../shared/group/model.ts'
import { openHocuspocus, openYWebsocket } from '../compat/clients.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { ask, createTeam, login, type Person, type Team } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { startOwnTime } from '../helpers/own-time.ts'
import { openHonest } from '../hostile/victim.ts'
import { openPresence, type PresentPerson } from './presence-people.ts'

const SECOND_MS = 1_000
const FLOOD = 10_000
const ROUNDS = 20
const TEST_MS_MAX = 300_000
const CHANNEL = 'channel-0000000001'
const MARK = 'mark-of-presence'

const ownTime = startOwnTime()
let server: OwnServer
beforeAll(async () => {
  server = await startOwnServer()
})
afterAll(() => server?.[Symbol.asyncDispose]())
afterAll(() => ownTime[Symbol.dispose]())

const namesOf = ({ people }: Team, ...names: string[]): ReadonlyMap<string, string> =>
  new Map(people.map(({ id }, index) => [id, names[index] ?? `person ${index}`]))

const expectShown = (to: PresentPerson, names: ReadonlyMap<string, string>, expected: readonly string[]) =>
  eventually(
    () => to.shown(names),
    (shown) => JSON.stringify(shown) === JSON.stringify(expected),
    { what: JSON.stringify(expected) },
  )

const openAll = async (team: Team): Promise<PresentPerson[]> => {
  const all = await Promise.all(team.people.map((person) => openPresence(server, person, team.group)))
  await Promise.all(all.map(({ told }) => told()))
  // Only of members it is said when they were last here, and who is one is written into the document later.
  await eventually(
    () => server.sync.withDocument(`group/${team.group.id}`, (doc) => doc.getMap(MEMBERS).size),
    (size) => size === team.people.length,
    { what: 'members in the document' },
  )
  return all
}

test('[PR1] what one announces the others see within a moment, under the name of the login', async () => {
  const team = await createTeam(server.url, 2)
  const names = namesOf(team, 'ann', 'bob')
  const [ann, bob] = (await openAll(team)) as [PresentPerson, PresentPerson]
  ann.presence.announce({ typing: CHANNEL, cursor: { document: `document/${CHANNEL}`, anchor: 7 } })
  await expectShown(bob, names, ['ann online'])
  const [seen] = bob.presence.people()
  assert.deepEqual([seen?.typing, seen?.cursor?.['anchor'], seen?.devices.length], [CHANNEL, 7, 1])
  // Whatever a message claims to be.
  bob.client.socket.send(bob.statelessFrame({ type: 'presence', userId: ann.person.id, device: 1, state: {} }))
  await expectShown(ann, names, ['ann online', 'bob online'])
  bob.client.socket.send(bob.statelessFrame({ type: 'presence-changes', gone: [1, 2], devices: [], lastSeen: {} }))
  bob.presence.announce({ status: 'away' })
  await expectShown(ann, names, ['ann online', 'bob away'])
  for (const one of [ann, bob]) one.close()
})

const GOING: readonly (readonly [
  title: string,
  go: (one: PresentPerson, owner: Person, groupId: string) => unknown,
])[] = [
  ['says so', ({ presence }) => presence.leave()],
  [
    'closes the document',
    ({ client, document }) => client.socket.send(Buffer.from([...nameBytes(document.name), 7, 0])),
  ],
  ['closes the socket', ({ client }) => client.close()],
  ['loses the socket', ({ client }) => client.socket.terminate()],
  [
    'is thrown out of the group',
    ({ person }, { accessToken: token }, groupId) =>
      ask(server.url, 'DELETE', `/groups/${groupId}/members/${person.id}`, { token }),
  ],
  [
    'is logged out',
    ({ person: { refreshToken } }) => ask(server.url, 'POST', '/auth/logout', { body: { refreshToken } }),
  ],
]

const nameBytes = (name: string): readonly number[] => [name.length, ...Buffer.from(name)]

for (const [title, go] of GOING) {
  test(`[PR4] who ${title} is gone for the others at once`, async () => {
    const team = await createTeam(server.url, 2)
    const names = namesOf(team, 'owner', 'ann')
    const [owner, ann] = (await openAll(team)) as [PresentPerson, PresentPerson]
    for (const one of [owner, ann]) one.presence.announce({})
    await expectShown(owner, names, ['ann online', 'owner online'])
    await go(ann, owner.person, team.group.id)
    await eventually(
      () => owner.presence.people().find(({ userId }) => userId === ann.person.id)?.devices.length ?? 0,
      (devices) => devices === 0,
      { msMax: SECOND_MS, now: ownTime.now, what: 'the end of it' },
    )
    const lastSeen = () =>
      owner.heard.flatMap((message) => ('lastSeen' in message ? Object.keys(message.lastSeen) : []))
    if (title === 'is thrown out of the group') {
      owner.presence.announce({ status: 'away' })
      const late = await openPresence(server, owner.person, team.group)
      await late.told()
      assert.deepEqual(lastSeen(), [])
      late.close()
    } else await eventually(lastSeen, (users) => users.includes(ann.person.id), { what: 'when she was last seen' })
    for (const one of [owner, ann]) one.close()
  })
}

test('[PR6] two devices of one user are told apart, and shown as one person', async () => {
  const team = await createTeam(server.url, 2)
  const names = namesOf(team, 'ann', 'bob')
  const [ann, bob] = (await openAll(team)) as [PresentPerson, PresentPerson]
  const phone = await openPresence(server, await login(server.url, ann.person), team.group)
  ann.presence.announce({ status: 'away' })
  phone.presence.announce({ status: 'online', typing: CHANNEL })
  await expectShown(bob, names, ['ann online'])
  await eventually(
    () => bob.presence.people()[0]?.devices.map(({ status, typing }) => [status, typing]),
    (devices) => devices?.length === 2,
  )
  assert.equal(bob.presence.people()[0]?.typing, CHANNEL)
  phone.close()
  await expectShown(bob, names, ['ann away'])
  for (const one of [ann, bob]) one.close()
})

test('[PR7] a private profile is not shown as last seen, nor any more once it becomes one', async () => {
  const team = await createTeam(server.url, 3)
  const names = namesOf(team, 'owner', 'ann', 'shy')
  const setPrivacy = ({ accessToken: token }: Person, profile: string) =>
    ask(server.url, 'PUT', '/auth/me', { token, body: { privacy: { profile } } })
  const [owner, ann, shy] = (await openAll(team)) as [PresentPerson, PresentPerson, PresentPerson]
  await setPrivacy(shy.person, 'private')
  for (const one of [owner, ann, shy]) one.presence.announce({})
  await expectShown(owner, names, ['ann online', 'owner online', 'shy online'])
  shy.close()
  ann.close()
  await expectShown(owner, names, ['ann offline', 'owner online'])
  const seen = owner.presence.people().find(({ userId }) => userId === ann.person.id)
  assert.equal(seen?.lastSeenAt !== null && (seen?.lastSeenAt ?? 1) % 60_000, 0)
  await setPrivacy(ann.person, 'private')
  await expectShown(owner, names, ['owner online'])
  owner.close()
})

test(
  '[PR10] a flood slows down its own connection alone: the others are heard at once, and coalesced',
  async () => {
    const team = await createTeam(server.url, 3)
    const [ann, eve, mallory] = (await openAll(team)) as [PresentPerson, PresentPerson, PresentPerson]
    const cursorOf = (person: Person, by: PresentPerson): number =>
      Number(by.presence.people().find(({ userId }) => userId === person.id)?.cursor?.['i'] ?? -1)
    const from = performance.now()
    const heardBefore = eve.heard.length
    let sent = 0
    const flood = (count: number): void => {
      for (const end = sent + count; sent < end;) {
        const cursor = { document: `document/${CHANNEL}`, i: ++sent, text: 'x'.repeat(sent % 1_500) }
        mallory.client.socket.send(mallory.statelessFrame({ type: 'presence', state: { cursor } }))
      }
    }
    flood(FLOOD)
    const waits: number[] = []
    for (let i = 1; i <= ROUNDS; i++) {
      // It lasts as long as the others are listened to, however long that takes here.
      if (cursorOf(mallory.person, eve) > sent - FLOOD / 2) flood(FLOOD / 2)
      const since = performance.now()
      ann.presence.announce({ cursor: { document: `document/${CHANNEL}`, i } })
      await eventually(
        () => cursorOf(ann.person, eve),
        (seen) => seen === i,
      )
      waits.push(performance.now() - since)
    }
    const floodedSoFar = cursorOf(mallory.person, eve)
    await eventually(
      () => cursorOf(mallory.person, eve),
      (seen) => seen === sent,
      { msMax: TEST_MS_MAX },
    )
    const messages = eve.heard.length - heardBefore
    const seconds = (performance.now() - from) / SECOND_MS
    process.stdout.write(
      `presence flood: ${sent} messages taken in ${seconds.toFixed(1)} s, told in ${messages} messages; others waited ` +
        `${Math.max(...waits).toFixed(0)} ms at most for ${ROUNDS} changes, when ${floodedSoFar} of the flood were in\n`,
    )
    assert.ok(floodedSoFar < sent, 'the flood was over before the others were heard')
    assert.ok(messages <= seconds * 10 + 2, `${messages} messages in ${seconds} s`)
    const late = await openPresence(server, eve.person, team.group)
    await late.told()
    assert.equal(late.presence.people().flatMap(({ devices }) => devices).length, 2)
    for (const one of [ann, eve, mallory, late]) one.close()
  },
  TEST_MS_MAX,
)

test('[PR12] guests see and are seen', async () => {
  const team = await createTeam(server.url, 2)
  const names = namesOf(team, 'owner', 'guest')
  const [owner, guest] = team.people as [Person, Person]
  const path = `/groups/${team.group.id}/members/${guest.id}`
  assert.equal((await ask(server.url, 'PUT', path, { token: owner.accessToken, body: { role: 'guest' } })).status, 200)
  const all = (await openAll(team)) as [PresentPerson, PresentPerson]
  for (const one of all) one.presence.announce({})
  for (const one of all) await expectShown(one, names, ['guest online', 'owner online'])
  for (const one of all) one.close()
})

test('[PR13] nothing of presence is in the document, on the disk or in the log', async () => {
  const team = await createTeam(server.url, 2)
  const [ann, bob] = (await openAll(team)) as [PresentPerson, PresentPerson]
  const cursor = { document: `document/${CHANNEL}`, text: MARK }
  ann.presence.announce({ cursor })
  await eventually(
    () => bob.presence.people()[0]?.cursor?.['text'],
    (text) => text === MARK,
  )
  ann.client.socket.send(ann.statelessFrame({ type: 'presence', state: { [MARK]: 1 } }))
  await eventually(
    () => ann.heard.some(({ type }) => type === 'presence-refused'),
    (isRefused) => isRefused,
  )
  for (const one of [ann, bob]) one.close()
  const pinned = await server.sync.pin(`group/${team.group.id}`)
  assert.equal(Buffer.from(Y.encodeStateAsUpdate(pinned.doc)).includes(MARK), false)
  await pinned.release()
  const files = readdirSync(server.folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  assert.ok(files.length > 1)
  for (const { parentPath, name } of files) {
    assert.equal(readFileSync(join(parentPath, name)).includes(MARK), false, name)
  }
  assert.equal(server.logLines.join('').includes(MARK), false)
})

test('[PR14] stock clients on a group, and awareness on a document, are as they were', async () => {
  const team = await createTeam(server.url, 2)
  const [ann, bob] = team.people as [Person, Person]
  const names = namesOf(team, 'ann', 'bob')
  const name = `group/${team.group.id}`
  using stock = openHocuspocus(server, bob, name)
  using plain = openYWebsocket(server, bob, name)
  await Promise.all([stock.synced(), plain.synced()])
  const [first, second] = (await openAll(team)) as [PresentPerson, PresentPerson]
  first.presence.announce({ typing: CHANNEL })
  second.presence.announce({})
  await expectShown(second, names, ['ann online', 'bob online'])
  stock.provider.sendStateless('presence')
  stock.provider.sendStateless('{"type":"something"}')
  // The group still reaches them.
  const renamed = { token: ann.accessToken, body: { name: 'Renamed' } }
  assert.ok((await ask(server.url, 'PUT', name.replace('group', '/groups'), renamed)).status < 300)
  for (const { doc } of [stock, plain]) {
    await eventually(
      () => doc.getMap('group').get('name'),
      (shown) => shown === 'Renamed',
    )
  }
  assert.deepEqual([stock.stateless, stock.closes, stock.socketCloses, plain.socketCloses], [[], [], [], []])

  const text = await team.newDocument()
  const [editor, reader] = await Promise.all(
    [ann, bob].map((person) => openHonest({ ...server, token: person.accessToken, name: text })),
  )
  editor?.announce({ cursor: 1 })
  await eventually(
    () => [...(reader?.awareness.getStates().values() ?? [])],
    (states) => states.length === 1,
  )
  assert.deepEqual([editor?.document.stateless, reader?.document.stateless], [[], []])
  for (const one of [first, second, editor, reader]) one?.close()
})
