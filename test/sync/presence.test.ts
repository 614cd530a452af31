// Presence of one group on the server, by a clock that the tests move: what the others are told, and when.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { PRESENCE_BATCH_MS, PRESENCE_TTL_MS, PRESENCE_TYPING_MS } from '../../shared/limits.ts'
import { nextTurn } from '../helpers/eventually.ts'
import { CHANNEL, createRoom, createTestClock, onlyOf, type Peer, RENEW, statusesOf, typesOf } from './presence-room.ts'

describe('presence of a group', () => {
  test('[PR1] the server says who somebody is, on which connection, and when', () => {
    using room = createRoom()
    const ann = room.join('ann')
    ann.announces({})
    assert.equal(onlyOf(ann, 'presence-list').self, 1)
    room.clock.pass(PRESENCE_BATCH_MS)
    const at = room.clock.now()
    const bob = room.join('bob')
    bob.says({
      type: 'presence',
      userId: 'ann',
      device: 1,
      at: 5,
      state: { status: 'away', typing: CHANNEL, cursor: { document: `document/${CHANNEL}`, anchor: [1, 'x'] } },
    })
    room.clock.pass(PRESENCE_BATCH_MS)
    const { devices } = onlyOf(ann, 'presence-changes')
    assert.deepEqual(devices, [
      {
        device: 2,
        userId: 'bob',
        status: 'away',
        typing: CHANNEL,
        cursor: { document: `document/${CHANNEL}`, anchor: [1, 'x'] },
        since: at,
        changedAt: at,
      },
    ])
    room.clock.pass(1_000)
    bob.announces({})
    room.clock.pass(PRESENCE_BATCH_MS)
    const [later] = onlyOf(ann, 'presence-changes').devices
    assert.deepEqual([later?.since, later?.changedAt, later?.typing], [at, at + 1_000 + PRESENCE_BATCH_MS, null])
  })

  test('[PR2] a newcomer gets everybody in one message, also one who only listens; who says nothing is told nothing', () => {
    using room = createRoom()
    const [ann, bob, listener, stock] = ['ann', 'bob', 'listener', 'stock'].map((userId) => room.join(userId)) as [
      Peer,
      Peer,
      Peer,
      Peer,
    ]
    ann.announces({})
    bob.announces({ status: 'away' })
    listener.announces(null)
    assert.deepEqual(statusesOf(onlyOf(bob, 'presence-list')), ['ann 1 online', 'bob 2 away'])
    assert.deepEqual(statusesOf(onlyOf(listener, 'presence-list')), ['ann 1 online', 'bob 2 away'])
    room.clock.pass(PRESENCE_BATCH_MS)
    assert.deepEqual(statusesOf(onlyOf(listener, 'presence-changes')), ['ann 1 online', 'bob 2 away'])
    assert.deepEqual(stock.takes(), [])
    ann.closes()
    bob.announces(null)
    room.clock.pass(PRESENCE_BATCH_MS)
    assert.deepEqual(onlyOf(listener, 'presence-changes').gone, [1, 2])
    assert.deepEqual(stock.takes(), [])
  })

  test('[PR3] changes of an interval leave as one message, the newest of each; who said all of it is not told', () => {
    using room = createRoom()
    const [ann, bob, eve] = ['ann', 'bob', 'eve'].map((userId) => room.join(userId)) as [Peer, Peer, Peer]
    for (const peer of [ann, bob, eve]) peer.announces({})
    room.clock.pass(PRESENCE_BATCH_MS)
    for (const peer of [ann, bob, eve]) peer.takes()

    for (let i = 0; i < 50; i++) ann.announces({ cursor: { document: `document/${CHANNEL}`, i } })
    room.clock.pass(1)
    assert.deepEqual(ann.takes(), [])
    assert.equal(onlyOf(bob, 'presence-changes').devices[0]?.cursor?.['i'], 49)
    eve.takes()

    // The interval after a message: nothing leaves before its end, then one message with all of it.
    ann.announces({ status: 'away' })
    bob.announces({ status: 'away' })
    ann.announces({})
    room.clock.pass(PRESENCE_BATCH_MS - 2)
    assert.deepEqual(
      [ann, bob, eve].flatMap((peer) => peer.takes()),
      [],
    )
    room.clock.pass(2)
    for (const peer of [ann, bob, eve]) {
      assert.deepEqual(statusesOf(onlyOf(peer, 'presence-changes')), ['ann 1 online', 'bob 2 away'])
    }

    // Gone and back within an interval is no leaving.
    room.clock.pass(PRESENCE_BATCH_MS)
    ann.announces(null)
    ann.announces({ status: 'away' })
    room.clock.pass(PRESENCE_BATCH_MS)
    const { devices, gone } = onlyOf(eve, 'presence-changes')
    assert.deepEqual([devices.length, gone], [1, []])

    let messages = 0
    for (let ms = 0; ms < 10_000; ms += 5) {
      ann.announces({ cursor: { document: `document/${CHANNEL}`, ms } })
      room.clock.pass(5)
      messages += eve.takes().length
    }
    assert.ok(messages <= 10_000 / PRESENCE_BATCH_MS + 1 && messages > 90, `${messages} messages`)
    // The same again is no news.
    const last = { cursor: { document: `document/${CHANNEL}`, ms: 0 } }
    ann.announces(last)
    room.clock.pass(PRESENCE_BATCH_MS)
    eve.takes()
    ann.announces(last)
    room.clock.pass(PRESENCE_BATCH_MS)
    assert.deepEqual(eve.takes(), [])
  })

  test('[PR4] who leaves or closes is gone in the next message, and the last one leaves nothing behind', () => {
    using room = createRoom()
    const eve = room.join('eve')
    eve.announces({})
    for (const leave of [(peer: Peer) => void peer.announces(null), (peer: Peer) => peer.closes()]) {
      const ann = room.join('ann')
      ann.announces({})
      const { self } = onlyOf(ann, 'presence-list')
      room.clock.pass(PRESENCE_BATCH_MS)
      eve.takes()
      leave(ann)
      room.clock.pass(PRESENCE_BATCH_MS)
      assert.deepEqual(onlyOf(eve, 'presence-changes').gone, [self])
      ann.closes()
    }
    eve.closes()
    assert.equal(room.clock.waiting(), 0)
  })

  test('[PR5] who is not heard of for 45 s is gone; renewals keep, and tell who came too late', async () => {
    using room = createRoom({ members: ['ann', 'bob'] })
    const [ann, bob, eve] = ['ann', 'bob', 'eve'].map((userId) => room.join(userId)) as [Peer, Peer, Peer]
    for (const peer of [ann, bob, eve]) peer.announces({})
    room.clock.pass(PRESENCE_BATCH_MS)
    const silentSince = room.clock.now() - PRESENCE_BATCH_MS
    for (let ms = PRESENCE_BATCH_MS; ms < PRESENCE_TTL_MS - 1_000; ms += 1_000) {
      room.clock.pass(1_000)
      ann.says(RENEW)
      eve.says(RENEW)
    }
    for (const peer of [ann, bob, eve]) peer.takes()
    room.clock.pass(silentSince + PRESENCE_TTL_MS - room.clock.now() - 1)
    assert.deepEqual(ann.takes(), [])
    room.clock.pass(1 + PRESENCE_BATCH_MS)
    assert.deepEqual(onlyOf(ann, 'presence-changes').gone, [2])
    await nextTurn()
    room.clock.pass(PRESENCE_BATCH_MS)
    // Seen when last heard of, not when given up.
    const seen = onlyOf(ann, 'presence-changes').lastSeen['bob'] as number
    assert.equal(seen, Math.floor(silentSince / 60_000) * 60_000)
    bob.says(RENEW)
    assert.deepEqual(bob.takes(), [{ type: 'presence-renewed', isKnown: false }])
    ann.says(RENEW)
    assert.deepEqual(ann.takes(), [{ type: 'presence-renewed', isKnown: true }])
    bob.announces({})
    assert.equal(onlyOf(bob, 'presence-list').self, 4)
    // Who has lost the list asks for it.
    ann.says({ ...RENEW, wantsAll: true })
    const answers = ann.takes()
    assert.deepEqual(typesOf(answers), ['presence-list', 'presence-renewed'])
    assert.ok(answers[0]?.type === 'presence-list')
    assert.deepEqual(statusesOf(answers[0]), ['eve 3 online', 'bob 4 online', 'ann 1 online'])
    room.clock.pass(2 * PRESENCE_TTL_MS)
    assert.equal(room.clock.waiting(), 0)
  })

  test('[PR6] two devices of one user are two, and the user has left with the last', async () => {
    using room = createRoom({ members: ['ann'] })
    const eve = room.join('eve')
    const [desk, phone] = [room.join('ann'), room.join('ann', undefined, 'session-2')]
    for (const peer of [eve, desk, phone]) peer.announces({})
    assert.deepEqual(statusesOf(onlyOf(phone, 'presence-list')), ['eve 1 online', 'ann 2 online', 'ann 3 online'])
    room.clock.pass(PRESENCE_BATCH_MS)
    eve.takes()
    const settle = async (): Promise<void> => {
      await nextTurn()
      room.clock.pass(PRESENCE_BATCH_MS)
      await nextTurn()
      room.clock.pass(PRESENCE_BATCH_MS)
    }
    desk.closes()
    await settle()
    assert.deepEqual(eve.takes(), [{ type: 'presence-changes', devices: [], gone: [2], lastSeen: {} }])
    phone.closes()
    await settle()
    const minute = Math.floor(room.clock.now() / 60_000) * 60_000
    assert.deepEqual(eve.takes(), [{ type: 'presence-changes', devices: [], gone: [3], lastSeen: { ann: minute } }])
  })

  test('[PR7] last seen is told to the minute, of members who show it, also after everybody had left', async () => {
    const hidden = new Set(['shy'])
    const clock = createTestClock()
    using room = createRoom({
      clock,
      members: ['ann', 'shy', 'kicked'],
      showsLastSeen: async (userId) => !hidden.has(userId),
    })
    const leftAt = new Map<string, number>()
    const leave = async (userId: string, reason?: string): Promise<void> => {
      const peer = room.join(userId)
      peer.announces({})
      clock.pass(90_000 - PRESENCE_TTL_MS - 1)
      leftAt.set(userId, Math.floor(clock.now() / 60_000) * 60_000)
      peer.closes(reason)
      await nextTurn()
    }
    for (const userId of ['ann', 'shy', 'stranger']) await leave(userId)
    await leave('kicked')
    await leave('kicked', 'revoked/access')
    assert.equal(clock.waiting(), 0)
    const listen = async () => {
      const eve = room.join('eve')
      eve.announces(null)
      return eve
    }
    const eve = await listen()
    assert.deepEqual(onlyOf(eve, 'presence-list').lastSeen, { ann: leftAt.get('ann') })
    // Nor is anybody else told to those who are here.
    await leave('stranger')
    clock.pass(PRESENCE_BATCH_MS)
    assert.ok(eve.takes().every((message) => !('lastSeen' in message && 'stranger' in message.lastSeen)))
    eve.closes()
    const again = await listen()
    again.takes()
    // A profile that becomes private takes it back, from those who were told too.
    await room.presence.profileChanged('ann')
    hidden.add('ann')
    await room.presence.profileChanged('ann')
    clock.pass(PRESENCE_BATCH_MS)
    assert.deepEqual(onlyOf(again, 'presence-changes').lastSeen, { ann: null })
    assert.deepEqual(onlyOf(await listen(), 'presence-list').lastSeen, {})
    // A database that does not answer shows nobody.
    using broken = createRoom({ members: ['ann'], showsLastSeen: () => Promise.reject(new Error('away')) })
    const [ann, bob] = [broken.join('ann'), broken.join('bob')]
    for (const peer of [ann, bob]) peer.announces({})
    ann.closes()
    await nextTurn()
    broken.clock.pass(PRESENCE_BATCH_MS)
    assert.ok(bob.takes().every((message) => !('lastSeen' in message && 'ann' in message.lastSeen)))
  })

  test('[PR17] typing is told again while it goes on, and a list shows none that is over', () => {
    using room = createRoom()
    const [ann, bob] = [room.join('ann'), room.join('bob')]
    for (const peer of [ann, bob]) peer.announces({})
    for (let i = 0; i < 2; i++) {
      room.clock.pass(PRESENCE_BATCH_MS)
      bob.takes()
      ann.announces({ typing: CHANNEL })
      room.clock.pass(PRESENCE_BATCH_MS)
      assert.equal(onlyOf(bob, 'presence-changes').devices[0]?.typing, CHANNEL)
    }
    const listed = () => {
      const eve = room.join('eve')
      eve.announces(null)
      return onlyOf(eve, 'presence-list').devices.find(({ userId }) => userId === 'ann')?.typing
    }
    assert.equal(listed(), CHANNEL)
    room.clock.pass(PRESENCE_TYPING_MS)
    assert.equal(listed(), null)
  })
})
