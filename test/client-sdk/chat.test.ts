// A chat on a device: one row of messages over its segments, also where a segment was sealed while the device was away.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { MESSAGES } from '../../shared/chat/model.ts'
import { readGroup } from '../../shared/group/model.ts'
import { MESSAGES_PER_SEGMENT } from '../../shared/limits.ts'
import { startOwnServer } from '../compat/servers.ts'
import { PASSWORD } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { openClient, openMember } from './sync-scene.ts'

test('[SY16] how far somebody has read a chat is known on their other devices and to others', async () => {
  await using server = await startOwnServer()
  const { client, channelId, username } = await openMember(server, 'CHAT')
  const marks = await client.marks(channelId)
  marks.markRead({ upTo: 1_770_000_000_000 })
  marks.markRead({ upTo: 1_760_000_000_000 })
  await marks.stored()
  const other = await openClient(server)
  await other.auth.login({ identifier: username, password: PASSWORD })
  const seen = await other.marks(channelId)
  await eventually(
    () => seen.read().marks[client.user.id],
    (upTo) => upTo === 1_770_000_000_000,
    { what: 'the mark on the other device' },
  )
  assert.deepEqual(await client.quarantine.list(), [])
  await other.close()
  await client.close()
})

test('[SY7] a message that a sealed segment takes no more is sent to the newest one, once', async () => {
  await using server = await startOwnServer()
  const { client, groupId, channelId } = await openMember(server, 'CHAT')
  const by = client.user.id
  const chat = await client.chat(channelId)
  chat.send({ body: 'the first' })
  await chat.stored()
  client.goOffline()
  const late = chat.send({ body: 'said offline' })
  await chat.saved()
  // Others fill the segment meanwhile.
  await server.sync.withDocument(`chat/${channelId}/0`, (doc) =>
    doc.transact(() => {
      for (let number = 1; number < MESSAGES_PER_SEGMENT; number++) {
        const key = `${by}.filler-${String(number).padStart(8, '0')}`
        doc.getMap(MESSAGES.name).set(key, { by, body: 'filler', sentAt: 1_770_000_000_000 + number })
      }
    }),
  )
  // Until it is sealed, the full one takes what comes.
  await eventually(
    () => server.sync.withDocument(`group/${groupId}`, (doc) => readGroup(doc).channels[0]?.segments),
    (segments) => segments === 2,
    { what: 'the next segment' },
  )
  client.goOnline()
  const isIn = (segment: number): Promise<boolean> =>
    server.sync.withDocument(`chat/${channelId}/${segment}`, (doc) => doc.getMap(MESSAGES.name).has(late))
  await eventually(
    () => isIn(1),
    (is) => is,
    { what: 'the message in the new segment' },
  )
  await chat.stored()
  assert.equal(await isIn(0), false)
  assert.deepEqual(await client.quarantine.list(), [])
  await eventually(
    () => chat.read().messages,
    (messages) => messages.length === MESSAGES_PER_SEGMENT + 1,
    { what: 'both segments in one row' },
  )
  assert.equal(chat.read().messages.filter(({ id }) => id === late).length, 1)
  assert.equal(chat.name, `chat/${channelId}/1`)

  // Somebody who opens it now has the newest segment, and pages back.
  await chat.close()
  const again = await client.chat(channelId)
  await eventually(
    () => again.read().messages.map(({ body }) => body),
    (bodies) => bodies.join() === 'said offline',
    { what: 'the newest segment' },
  )
  assert.equal(again.hasOlder(), true)
  assert.equal(await again.older(), true)
  await eventually(
    () => again.read().messages.length,
    (length) => length === MESSAGES_PER_SEGMENT + 1,
    { what: 'the older segment' },
  )
  assert.equal(await again.older(), false)
  await client.close()
})
