// What presence refuses, what it keeps at most, and what it does where readers or the disk are slow.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { createLastSeen } from '../../server/sync/last-seen.ts'
import {
  PRESENCE_BATCH_MS,
  PRESENCE_BYTES_PER_GROUP_MAX,
  PRESENCE_CONNECTIONS_PER_GROUP_MAX,
  PRESENCE_CONNECTIONS_PER_USER_MAX,
  PRESENCE_MESSAGE_BYTES_MAX,
  PRESENCE_RENEW_MS,
  PRESENCE_STATE_BYTES_MAX,
  PRESENCE_TTL_MS,
} from '../../shared/limits.ts'
import { nextTurn } from '../helpers/eventually.ts'
import { CHANNEL, createRoom, onlyOf, type Peer, RENEW, statusesOf, typesOf } from './presence-room.ts'

describe('bounds of presence', () => {
  test('[PR7] what is remembered is bounded, and the one remembered longest ago goes first', () => {
    const memory = createLastSeen(3)
    memory.remember('ann', 'one', 61_000)
    memory.remember('bob', 'one', 61_000)
    memory.remember('bob', 'two', 121_999)
    assert.deepEqual([memory.size(), memory.at('bob', 'two'), memory.at('ann', 'one')], [3, 120_000, 60_000])
    memory.remember('eve', 'one', 1)
    assert.deepEqual(
      [memory.size(), memory.has('ann'), memory.at('bob', 'one'), memory.at('eve', 'one')],
      [3, false, 60_000, 0],
    )
    memory.remember('dan', 'one', 1)
    assert.deepEqual([memory.size(), memory.has('bob'), memory.has('eve')], [2, false, true])
    memory.forget('eve', 'two')
    memory.forget('eve', 'one')
    memory.forgetUser('dan')
    assert.equal(memory.size(), 0)
  })

  const text = (length: number) => ({ cursor: { document: `document/${CHANNEL}`, text: 'é'.repeat(length) } })
  const REFUSED: readonly (readonly [title: string, state: unknown, code: string])[] = [
    ['no state', undefined, 'input/invalid'],
    ['a list', [], 'input/invalid'],
    ['a status of its own', { status: 'invisible' }, 'input/invalid'],
    ['typing in no channel', { typing: 'x' }, 'input/invalid'],
    ['a cursor without a document', { cursor: { anchor: 1 } }, 'input/invalid'],
    ['a cursor in no document', { cursor: { document: '../etc' } }, 'input/invalid'],
    ['half of a character', { cursor: { document: `document/${CHANNEL}`, text: '\ud800' } }, 'input/invalid'],
    ['a field of its own', { userId: 'ann' }, 'input/invalid'],
    ['more than 2 KiB', text(PRESENCE_STATE_BYTES_MAX / 2), 'input/too-large'],
    ['more than a message may hold', text(PRESENCE_MESSAGE_BYTES_MAX), 'input/too-large'],
  ]
  for (const [title, state, code] of REFUSED) {
    test(`[PR8] ${title}: refused, and what was shown stays`, () => {
      using room = createRoom()
      const [ann, bob] = [room.join('ann'), room.join('bob')]
      for (const peer of [ann, bob]) peer.announces({})
      room.clock.pass(PRESENCE_BATCH_MS)
      for (const peer of [ann, bob]) peer.takes()
      ann.announces(state)
      assert.deepEqual(ann.takes(), [{ type: 'presence-refused', code }])
      room.clock.pass(PRESENCE_BATCH_MS)
      assert.deepEqual(bob.takes(), [])
      const eve = room.join('eve')
      eve.announces(null)
      assert.deepEqual(statusesOf(onlyOf(eve, 'presence-list')), ['ann 1 online', 'bob 2 online'])
    })
  }

  test('[PR8] a message that is too large is refused unread, whatever it is about', () => {
    using room = createRoom()
    const ann = room.join('ann')
    for (const start of ['{"type":"presence","state":{}}', '{']) {
      ann.says(start.padEnd(PRESENCE_MESSAGE_BYTES_MAX + 1))
      assert.deepEqual(ann.takes(), [{ type: 'presence-refused', code: 'input/too-large' }])
    }
    ann.says('{"type":"presence","state":{}}'.padEnd(PRESENCE_MESSAGE_BYTES_MAX))
    assert.deepEqual(typesOf(ann.takes()), ['presence-list'])
  })

  test('[PR8] what is not about presence is ignored', () => {
    using room = createRoom()
    const ann = room.join('ann')
    for (const message of [
      '',
      'null',
      '7',
      '"presence"',
      '[]',
      '{}',
      '{"type":"other"}',
      '{',
      '{"type":["presence"]}',
    ]) {
      assert.ok(ann.says(message) > 0, 'it is charged for')
    }
    ann.says(Buffer.from([0xff, 0xfe]).toString('latin1'))
    assert.deepEqual(ann.takes(), [])
  })

  test('[PR9] a ninth connection of a user takes the place of the one heard of longest ago', () => {
    using room = createRoom()
    const eve = room.join('eve')
    eve.announces(null)
    const own = Array.from({ length: PRESENCE_CONNECTIONS_PER_USER_MAX + 1 }, () => room.join('ann'))
    for (const peer of own.slice(0, -1)) peer.announces({})
    room.clock.pass(PRESENCE_RENEW_MS)
    own[0]?.says(RENEW)
    eve.takes()
    own.at(-1)?.announces({})
    room.clock.pass(PRESENCE_BATCH_MS)
    const { devices, gone } = onlyOf(eve, 'presence-changes')
    assert.deepEqual([devices.length, gone], [1, [3]])
    own[1]?.takes()
    own[1]?.says(RENEW)
    assert.deepEqual(own[1]?.takes(), [{ type: 'presence-renewed', isKnown: false }])
    for (let i = 0; i < 1_000; i++) own[i % own.length]?.announces({})
    room.clock.pass(PRESENCE_BATCH_MS)
    eve.takes()
    eve.says({ ...RENEW, wantsAll: true })
    const [list] = eve.takes()
    assert.ok(list?.type === 'presence-list' && list.devices.length === PRESENCE_CONNECTIONS_PER_USER_MAX)
  })

  test('[PR9] a full group takes no more connections, and no more bytes; who leaves makes room', () => {
    using room = createRoom()
    const crowd = Array.from({ length: PRESENCE_CONNECTIONS_PER_GROUP_MAX }, (_, i) => room.join(`user${i}`))
    for (const peer of crowd) peer.announces(null)
    const late = room.join('late')
    late.announces({})
    assert.deepEqual(late.takes(), [{ type: 'presence-refused', code: 'rate/too-many' }])
    crowd[0]?.closes()
    late.announces({})
    assert.deepEqual(typesOf(late.takes()), ['presence-list'])
    // Bytes.
    let refused = 0
    for (const peer of crowd.slice(1)) {
      peer.takes()
      peer.announces(text(900))
      if (typesOf(peer.takes()).includes('presence-refused')) refused++
    }
    const shown = crowd.length - 1 - refused
    assert.ok(shown * 1_800 < PRESENCE_BYTES_PER_GROUP_MAX && shown * 2_100 > PRESENCE_BYTES_PER_GROUP_MAX, `${shown}`)
    const [first, last] = [crowd[1] as Peer, crowd.at(-1) as Peer]
    first.announces(null)
    last.takes()
    last.announces(text(900))
    assert.deepEqual(last.takes(), [])
  })

  test('[PR10] announcing costs what telling the others costs, whatever is said in between costs little', () => {
    using room = createRoom()
    const crowd = Array.from({ length: 100 }, (_, i) => room.join(`user${i}`))
    for (const peer of crowd) peer.announces({})
    room.clock.pass(2 * PRESENCE_BATCH_MS)
    const [ann] = crowd as [Peer]
    const first = ann.announces(text(900))
    const second = ann.announces(text(800))
    assert.ok(first > 1 && second < 0.1 && second > 0, `${first} and ${second} ms`)
    // A newcomer pays for the list.
    assert.ok(room.join('late').announces(null) > 0.1)
  })

  test('[PR11] who does not read is left out, and gets everybody once it does', () => {
    using room = createRoom()
    const [ann, slow] = [room.join('ann'), room.join('slow')]
    for (const peer of [ann, slow]) peer.announces({})
    room.clock.pass(PRESENCE_BATCH_MS)
    slow.takes()
    slow.isCongested = true
    for (let i = 0; i < 10; i++) {
      ann.announces({ status: i % 2 === 0 ? 'away' : 'online' })
      room.clock.pass(PRESENCE_BATCH_MS)
    }
    assert.deepEqual(slow.takes(), [])
    slow.isCongested = false
    slow.says(RENEW)
    assert.deepEqual(typesOf(slow.takes()), ['presence-list', 'presence-renewed'])
    slow.isCongested = true
    ann.announces({ status: 'away' })
    room.clock.pass(PRESENCE_BATCH_MS)
    slow.isCongested = false
    ann.announces({ typing: CHANNEL })
    room.clock.pass(PRESENCE_BATCH_MS)
    assert.deepEqual(onlyOf(slow, 'presence-list').devices.length, 2)
  })

  test('[PR13] states do not pile up behind a commit, and leave in order after it', async () => {
    using room = createRoom()
    const [ann, bob] = [room.join('ann'), room.join('bob')]
    for (const peer of [ann, bob]) peer.announces({})
    room.clock.pass(PRESENCE_BATCH_MS)
    bob.takes()
    room.clock.pass(PRESENCE_BATCH_MS)
    room.live.push(new Uint8Array([1]))
    for (let i = 0; i < 100; i++) {
      ann.announces({ cursor: { document: `document/${CHANNEL}`, i } })
      room.clock.pass(PRESENCE_BATCH_MS)
    }
    assert.deepEqual(bob.takes(), [])
    room.live.release(1)
    await nextTurn()
    assert.equal(onlyOf(bob, 'presence-changes').devices[0]?.cursor?.['i'], 99)
  })

  test('[PR13] a document that is thrown away takes its presence with it', () => {
    using room = createRoom()
    const [ann, bob] = [room.join('ann'), room.join('bob')]
    for (const peer of [ann, bob]) peer.announces({})
    room.presence.discard(room.live)
    room.live.fail()
    room.clock.pass(PRESENCE_TTL_MS)
    bob.takes()
    ann.closes()
    assert.deepEqual([bob.takes(), room.clock.waiting()], [[], 0])
  })
})
