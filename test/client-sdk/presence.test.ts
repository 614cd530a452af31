// Presence in the SDK: what it sends and when, and whom it shows, by a clock that the tests move. The server's side is
// written out here message by message; both sides together: presence-histories.test.ts.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { createPresence } from '../../client-sdk/presence.ts'
import { AppError } from '../../shared/errors.ts'
import {
  PRESENCE_BATCH_MS,
  PRESENCE_RENEW_MS,
  PRESENCE_STATE_BYTES_MAX,
  PRESENCE_TTL_MS,
  PRESENCE_TYPING_MS,
  PRESENCE_TYPING_RENEW_MS,
} from '../../shared/limits.ts'
import type { PresenceDevice, PresencePerson, PresenceRequest } from '../../shared/presence.ts'
import { CHANNEL, createTestClock } from '../sync/presence-room.ts'

const IDLE = { status: 'online', typing: null, cursor: null } as const

const deviceOf = (device: number, userId: string, state: Partial<PresenceDevice> = {}): PresenceDevice => ({
  device,
  userId,
  ...IDLE,
  since: 1,
  changedAt: 1,
  ...state,
})

const open = () => {
  const clock = createTestClock()
  const sent: PresenceRequest[] = []
  const refused: string[] = []
  const presence = createPresence({
    clock,
    send: (message) => sent.push(message),
    onRefused: (code) => refused.push(code),
  })
  const hears = {
    list: (...devices: PresenceDevice[]) =>
      presence.onMessage({ type: 'presence-list', self: 1, userId: 'me', devices, lastSeen: {} }),
    changes: (devices: PresenceDevice[], gone: number[] = [], lastSeen: Record<string, number | null> = {}) =>
      presence.onMessage({ type: 'presence-changes', devices, gone, lastSeen }),
  }
  return { clock, presence, refused, hears, takes: () => sent.splice(0) }
}

const shown = (people: readonly PresencePerson[]): string[] => people.map(({ userId, status }) => `${userId} ${status}`)

describe('the presence of the SDK', () => {
  test('[PR15] announces at most ten times a second, at once where it can, and the newest last', () => {
    const { clock, presence, takes } = open()
    presence.announce({})
    assert.deepEqual(takes(), [])
    presence.onOpen()
    assert.deepEqual(takes(), [{ type: 'presence', state: IDLE }])
    clock.pass(PRESENCE_BATCH_MS)
    let count = 0
    for (let ms = 0; ms < 1_000; ms += 5) {
      presence.announce({ cursor: { document: `document/${CHANNEL}`, ms } })
      clock.pass(5)
      count += takes().length
    }
    assert.ok(count >= 9 && count <= 11, `${count} in a second`)
    presence.announce({ status: 'away' })
    presence.announce({ cursor: { document: `document/${CHANNEL}`, ms: 'last' } })
    clock.pass(PRESENCE_BATCH_MS)
    const last = takes().at(-1)
    assert.ok(last?.type === 'presence' && last.state?.cursor?.['ms'] === 'last')
    clock.pass(PRESENCE_BATCH_MS)
    presence.announce({ cursor: { ms: 'last', document: `document/${CHANNEL}` } })
    clock.pass(PRESENCE_BATCH_MS)
    assert.deepEqual(takes(), [], 'the same is no news')
  })

  test('[PR15] renews every 15 s while it is open, and announces again after each reopening and when it came too late', () => {
    const { clock, presence, takes } = open()
    presence.announce({ status: 'away' })
    const away = { type: 'presence', state: { ...IDLE, status: 'away' } }
    for (let times = 0; times < 2; times++) {
      presence.onOpen()
      assert.deepEqual(takes(), [away])
      clock.pass(3 * PRESENCE_RENEW_MS)
      assert.deepEqual(
        takes(),
        Array.from({ length: 3 }, () => ({ type: 'presence-renew' })),
      )
      presence.onMessage({ type: 'presence-renewed', isKnown: true })
      assert.deepEqual(takes(), [])
      presence.onMessage({ type: 'presence-renewed', isKnown: false })
      assert.deepEqual(takes(), [away])
      presence.onClosed()
      clock.pass(3 * PRESENCE_RENEW_MS)
      presence.onMessage({ type: 'presence-renewed', isKnown: false })
      assert.deepEqual(takes(), [])
    }
    presence.onOpen()
    takes()
    presence.leave()
    assert.deepEqual(takes(), [{ type: 'presence', state: null }])
    presence.onClosed()
    presence.onOpen()
    assert.deepEqual(takes(), [{ type: 'presence', state: null }], 'it goes on listening')
  })

  test('[PR15] what is refused is told, and tried again with the next renewal', () => {
    const { clock, presence, refused, takes } = open()
    presence.announce({})
    presence.onOpen()
    presence.onMessage({ type: 'presence-refused', code: 'rate/too-many' })
    clock.pass(PRESENCE_BATCH_MS)
    assert.deepEqual([refused, takes().length], [['rate/too-many'], 1])
    presence.onMessage({ type: 'presence-renewed', isKnown: true })
    presence.onMessage({ type: 'presence-renewed', isKnown: true })
    assert.equal(takes().length, 1)
  })

  test('[PR15] what is no state is refused here, and nothing of it is sent', () => {
    const { presence, takes } = open()
    presence.onOpen()
    takes()
    const text = 'é'.repeat(PRESENCE_STATE_BYTES_MAX / 2)
    const refuses = (state: object, code: string) =>
      assert.throws(
        () => presence.announce(state),
        (error) => error instanceof AppError && error.code === code,
      )
    refuses({ status: 'busy' }, 'input/invalid')
    refuses({ typing: '' }, 'input/invalid')
    refuses({ mood: 'good' }, 'input/invalid')
    refuses({ cursor: { document: `document/${CHANNEL}`, at: Number.NaN } }, 'input/invalid')
    refuses({ cursor: { document: `document/${CHANNEL}`, text } }, 'input/too-large')
    presence.announce({ cursor: { document: `document/${CHANNEL}`, text: text.slice(60) } })
    assert.deepEqual(takes(), [])
  })

  test('[PR16] merges a user’s devices: online if one is, the newest cursor, and this device as it was last announced', () => {
    const { clock, presence, hears } = open()
    const seen: string[][] = []
    presence.subscribe((people) => seen.push(shown(people)))
    presence.announce({ status: 'away' })
    presence.onOpen()
    assert.deepEqual([presence.people(), presence.self()], [[], null])
    const cursor = (at: number) => ({ document: `document/${CHANNEL}`, at })
    hears.list(
      deviceOf(1, 'me', { status: 'away' }),
      deviceOf(3, 'bob', { cursor: cursor(3), changedAt: 3, status: 'away' }),
      deviceOf(2, 'bob', { cursor: cursor(9), changedAt: 9 }),
      deviceOf(4, 'bob', { changedAt: 10, status: 'away' }),
    )
    assert.deepEqual(shown(presence.people()), ['bob online', 'me away'])
    assert.deepEqual(
      presence.people().map((person) => [person.devices.map(({ device }) => device), person.cursor?.['at']]),
      [
        [[2, 3, 4], 9],
        [[1], undefined],
      ],
    )
    assert.equal(presence.people(), presence.people())
    hears.changes([], [2])
    assert.deepEqual([shown(presence.people())[0], presence.people()[0]?.cursor?.['at']], ['bob away', 3])
    hears.changes([], [3, 4], { bob: 60_000, eve: 120_000 })
    assert.deepEqual(shown(presence.people()), ['me away', 'bob offline', 'eve offline'])
    hears.changes([deviceOf(9, 'eve')], [], { bob: null })
    assert.deepEqual(shown(presence.people()), ['eve online', 'me away'])
    clock.pass(PRESENCE_BATCH_MS)
    presence.announce({})
    assert.deepEqual(shown(presence.people()), ['eve online', 'me online'])
    // On its way when we announced.
    hears.changes([deviceOf(1, 'me', { status: 'away' })])
    assert.deepEqual(shown(presence.people()), ['eve online', 'me online'])
    presence.leave()
    hears.changes([deviceOf(1, 'me')])
    assert.deepEqual(shown(presence.people()), ['eve online'])
    assert.deepEqual(seen.at(-1), ['eve online'])
  })

  test('[PR16] takes no harm from what it does not understand', () => {
    const { presence, hears } = open()
    presence.onOpen()
    hears.list(deviceOf(2, 'bob'))
    const people = presence.people()
    for (const message of [
      { type: 'revoked', code: 'x' },
      { type: 'presence' },
      { type: 'presence-later', devices: [] },
    ]) {
      presence.onMessage(message)
    }
    assert.equal(presence.people(), people)
    presence.onMessage({ type: 'presence-changes', devices: 7, gone: 'x', lastSeen: [] })
    presence.onMessage({
      type: 'presence-changes',
      devices: [null, { device: '3' }, { ...deviceOf(3, 'eve'), status: 'dancing', typing: 7, cursor: 'x', mood: 1 }],
      gone: [null, '2'],
      lastSeen: { dan: 'never' },
    })
    assert.deepEqual(
      presence.people().map(({ devices }) => devices),
      [[deviceOf(2, 'bob')], [deviceOf(3, 'eve')]],
    )
  })

  test('[PR17] typing is announced again every 2 s while it goes on, and ends 6 s after the last time', () => {
    const { clock, presence, takes } = open()
    presence.onOpen()
    clock.pass(PRESENCE_BATCH_MS)
    takes()
    let count = 0
    for (let ms = 0; ms < 10_000; ms += 50) {
      presence.announce({ typing: CHANNEL })
      clock.pass(50)
      count += takes().filter(({ type }) => type === 'presence').length
    }
    assert.equal(count, 10_000 / PRESENCE_TYPING_RENEW_MS)
    clock.pass(PRESENCE_TYPING_MS - 51)
    assert.deepEqual(takes(), [])
    clock.pass(2)
    assert.deepEqual(takes(), [{ type: 'presence', state: IDLE }])
  })

  test('[PR17] somebody of whom nothing more is heard stops typing after 6 s', () => {
    const { clock, presence, hears } = open()
    presence.onOpen()
    hears.list(deviceOf(2, 'bob', { typing: CHANNEL }), deviceOf(3, 'eve', { typing: CHANNEL }))
    const typists = () =>
      presence
        .people()
        .filter(({ typing }) => typing !== null)
        .map(({ userId }) => userId)
    clock.pass(PRESENCE_TYPING_MS - 1)
    hears.changes([deviceOf(3, 'eve', { typing: CHANNEL })])
    assert.deepEqual(typists(), ['bob', 'eve'])
    clock.pass(1)
    assert.deepEqual(typists(), ['eve'])
    hears.changes([deviceOf(2, 'bob', { typing: CHANNEL })])
    hears.changes([deviceOf(3, 'eve')])
    assert.deepEqual(typists(), ['bob'])
    hears.changes([], [2])
    clock.pass(PRESENCE_TYPING_MS)
    assert.deepEqual(shown(presence.people()), ['eve online'])
  })

  test('[PR18] when nothing is heard for 45 s nobody is here, connected or not, and the list is asked for', () => {
    const { clock, presence, hears, takes } = open()
    presence.onOpen()
    hears.list(deviceOf(2, 'bob'))
    hears.changes([deviceOf(2, 'bob')], [], { eve: 60_000 })
    presence.onClosed()
    clock.pass(PRESENCE_TTL_MS - 1)
    assert.deepEqual(shown(presence.people()), ['bob online', 'eve offline'])
    clock.pass(1)
    assert.deepEqual(shown(presence.people()), ['eve offline'])
    presence.onOpen()
    hears.list(deviceOf(2, 'bob'))
    for (let ms = 0; ms < 2 * PRESENCE_TTL_MS; ms += PRESENCE_RENEW_MS) {
      presence.onMessage({ type: 'presence-renewed', isKnown: true })
      clock.pass(PRESENCE_RENEW_MS)
    }
    assert.deepEqual(shown(presence.people()), ['bob online'])
    clock.pass(PRESENCE_TTL_MS)
    assert.deepEqual(presence.people(), [])
    takes()
    clock.pass(PRESENCE_RENEW_MS)
    assert.deepEqual(takes(), [{ type: 'presence-renew', wantsAll: true }])
    hears.list(deviceOf(2, 'bob'))
    clock.pass(PRESENCE_RENEW_MS)
    assert.deepEqual(takes(), [{ type: 'presence-renew' }])
    presence[Symbol.dispose]()
    assert.equal(clock.waiting(), 0)
  })
})
