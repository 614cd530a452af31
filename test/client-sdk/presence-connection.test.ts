// Presence on the SDK's own connection against a running server: across a lost connection and back.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { createConnection } from '../../client-sdk/connection.ts'
import type { DocumentListener } from '../../client-sdk/connection-types.ts'
import { createPresence } from '../../client-sdk/presence.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { createTeam, type Person } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { systemClock } from '../sync/presence-people.ts'

/** As an app's client does it, on a connection with nothing else. */
const openPresence = ({ syncUrl: url }: OwnServer, { accessToken }: Person, groupId: string) => {
  const connection = createConnection({
    url,
    clock: systemClock,
    random: Math.random,
    token: async () => accessToken,
    tokenRejected: () => {},
  })
  const listener: DocumentListener = {
    stateVector: () => Uint8Array.of(0),
    onOpen: () => presence.onOpen(),
    onMessage: (message) => presence.onMessage(message),
    onClosed: () => presence.onClosed(),
    onAsked: () => {},
    onUpdate: () => {},
    onStatus: () => {},
    onRefused: () => {},
    onAwareness: () => {},
  }
  const presence = createPresence({ clock: systemClock, send: (message) => attached.sendMessage(message) })
  const attached = connection.attach(`group/${groupId}`, listener)
  connection.goOnline()
  const shown = () => presence.people().map(({ userId, status }) => `${userId} ${status}`)
  return { connection, presence, shown }
}

test('[PR15] after a lost connection one is seen again, and sees the others, without announcing anew', async () => {
  await using server = await startOwnServer()
  const { people, group } = await createTeam(server.url, 2)
  const [annId, bobId] = people.map(({ id }) => id) as [string, string]
  const [ann, bob] = people.map((person) => openPresence(server, person, group.id)) as [
    ReturnType<typeof openPresence>,
    ReturnType<typeof openPresence>,
  ]
  ann.presence.announce({ status: 'away' })
  bob.presence.announce({})
  const both = [`${annId} away`, `${bobId} online`].toSorted()
  const expectBoth = async (): Promise<void> => {
    for (const { shown } of [ann, bob]) {
      await eventually(shown, (seen) => JSON.stringify(seen.toSorted()) === JSON.stringify(both))
    }
  }
  await expectBoth()
  for (let times = 0; times < 3; times++) {
    ann.connection.goOffline()
    await eventually(bob.shown, (seen) => seen.includes(`${annId} offline`))
    assert.deepEqual(ann.shown().toSorted(), both, 'as far as is known')
    ann.connection.goOnline()
    await expectBoth()
  }
  for (const { presence, connection } of [ann, bob]) {
    presence[Symbol.dispose]()
    await connection[Symbol.asyncDispose]()
  }
})
