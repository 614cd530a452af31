// Presence of clients and server together: random histories of announcements, leavings, closed and cut connections over
// slow lines. Once the lines are whole again, everybody shows who is there, and what they announced last. SEED repeats a run.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { createPresence } from '../../client-sdk/presence.ts'
import { PRESENCE_RENEW_MS } from '../../shared/limits.ts'
import type { PresenceInput } from '../../shared/presence.ts'
import { nextTurn } from '../helpers/eventually.ts'
import { chooseSeed, createRandom, type Random } from '../helpers/random.ts'
import { CHANNEL, createRoom, type Peer, type TestClock } from '../sync/presence-room.ts'

const HISTORIES = 100
const STEPS = 120
const USERS = ['ann', 'bob', 'eve'] as const
const CLIENTS = 6
const LINE_MS_MAX = 200

/** Delivers in order, each after some time; nothing more once it is cut. */
const createLine = <Message>(clock: TestClock, random: Random, deliver: (message: Message) => void) => {
  let isCut = false
  let lastAt = 0
  return {
    send: (message: Message): void => {
      if (isCut) return
      lastAt = Math.max(lastAt, clock.now() + random.int(0, LINE_MS_MAX))
      clock.after(lastAt - clock.now(), () => {
        if (!isCut) deliver(message)
      })
    },
    cut: (): void => {
      isCut = true
    },
  }
}

const openClient = (room: ReturnType<typeof createRoom>, random: Random, userId: string) => {
  const { clock } = room
  let link: { peer: Peer; up: { send: (m: unknown) => void; cut: () => void }; down: { cut: () => void } } | null = null
  const presence = createPresence({ clock, send: (message) => link?.up.send(message) })
  const cut = (): void => {
    link?.up.cut()
    link?.down.cut()
  }
  return {
    userId,
    presence,
    /** What it announced last; null: not here. */
    state: null as PresenceInput | null,
    open: (): void => {
      if (link) return
      const down = createLine(clock, random, presence.onMessage)
      const peer = room.join(userId, down.send)
      link = { peer, down, up: createLine(clock, random, (message) => void peer.says(message)) }
      presence.onOpen()
    },
    /** Neither side notices. */
    cut,
    close: (): void => {
      cut()
      link?.peer.closes()
      link = null
      presence.onClosed()
    },
  }
}

const randomState = (random: Random): PresenceInput => ({
  status: random.pick(['online', 'away']),
  typing: random.chance(0.3) ? CHANNEL : null,
  cursor: random.chance(0.5) ? { document: `document/${CHANNEL}`, at: random.int(0, 9) } : null,
})

test('[PR19] whatever happened, everybody shows who is here and what they announced last', async () => {
  const { seed } = createRandom(chooseSeed())
  process.stdout.write(`presence histories: SEED=${seed}\n`)
  const master = createRandom(seed)
  let shownInAll = 0
  for (let history = 0; history < HISTORIES; history++) {
    const random = master.fork()
    using room = createRoom({ members: USERS })
    const clients = Array.from({ length: CLIENTS }, (_, index) =>
      openClient(room, random, USERS[index % USERS.length] as string),
    )
    for (let step = 0; step < STEPS; step++) {
      const client = random.pick(clients)
      const dice = random.int(1, 100)
      if (dice <= 45) {
        client.state = randomState(random)
        client.presence.announce(client.state)
      } else if (dice <= 55) {
        client.state = null
        client.presence.leave()
      } else if (dice <= 75) client.open()
      else if (dice <= 85) client.close()
      else if (dice <= 90) client.cut()
      const isLong = random.chance(0.05)
      room.clock.pass(isLong ? random.int(1_000, 100_000) : random.int(0, 150))
      if (isLong) await nextTurn()
    }
    for (const client of clients) {
      client.close()
      client.open()
    }
    room.clock.pass(PRESENCE_RENEW_MS)
    await nextTurn()
    room.clock.pass(PRESENCE_RENEW_MS)

    const expected = clients
      .filter(({ state }) => state !== null)
      .map(({ userId, state }) => `${userId} ${JSON.stringify([state?.status, null, state?.cursor])}`)
      .toSorted()
    shownInAll += expected.length
    for (const { presence } of clients) {
      const devices = presence.people().flatMap((person) => person.devices)
      const shown = devices.map(
        ({ userId, status, typing, cursor }) => `${userId} ${JSON.stringify([status, typing, cursor])}`,
      )
      assert.deepEqual(shown.toSorted(), expected, `history ${history}, SEED=${seed}`)
      assert.equal(new Set(devices.map(({ device }) => device)).size, devices.length)
    }
    for (const { presence } of clients) presence[Symbol.dispose]()
  }
  process.stdout.write(`presence histories: ${HISTORIES} histories, ${shownInAll} devices shown in the end\n`)
  assert.ok(shownInAll > HISTORIES)
})
