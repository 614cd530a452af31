// The connection's table: every cell against what is written down here, and what must hold after any history.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import {
  type Effect,
  endingOf,
  type Event,
  OFFLINE,
  publicState,
  RETRY_MS_MAX,
  retryMs,
  type State,
  transition,
} from '../../client-sdk/connection-state.ts'
import { type ErrorCode, ERRORS } from '../../shared/errors.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { type Column, EVENTS, EXPECTED, HALF, STATES } from './connection-table.ts'

const show = (effect: Effect): string => (effect.effect === 'schedule' ? `schedule ${effect.ms}` : effect.effect)

for (const [name, row] of Object.entries(EXPECTED)) {
  test(`[CX1] ${name} answers every event as written down`, () => {
    const actual = Object.keys(row).map((column) => {
      const before = STATES[name as State['name']]
      const { state, effects } = transition(before, EVENTS[column as Column], HALF)
      if (state === before && effects.length === 0) return [column, '-']
      const failures = 'failures' in state ? ` ${state.failures}` : ''
      return [column, `${state.name}${failures}: ${effects.map(show).join(', ')}`]
    })
    assert.deepEqual(Object.fromEntries(actual), row)
  })
}

/** What the effects leave behind, as the connection would hold it. */
interface World {
  hasSocket: boolean
  hasTimer: boolean
  /** A question for a token that still counts. */
  isAsking: boolean
}

const play = (world: World, effects: readonly Effect[]): void => {
  for (const { effect } of effects) {
    if (effect === 'close') world.hasSocket = false
    if (effect === 'connect') {
      assert.ok(!world.hasSocket, 'two sockets')
      world.hasSocket = true
    }
    if (effect === 'openDocuments' || effect === 'probe') assert.ok(world.hasSocket, `${effect} without a socket`)
    if (effect === 'askToken') world.isAsking = true
    if (effect === 'schedule') world.hasTimer = true
    if (effect === 'cancel') world.hasTimer = false
  }
}

/** What leads on to the next state, so that histories get somewhere. */
const FORWARD: Record<State['name'], Column> = {
  offline: 'goOnline',
  waiting: 'timer',
  asking: 'tokenGiven',
  connecting: 'opened',
  live: 'handshaken',
  denied: 'loginChanged',
}
const HISTORIES = 400
const HISTORY_LENGTH = 60

test('[CX2] after any history there is one socket only while connecting or live, and a timer wherever one is waited for', () => {
  const random = createRandom(chooseSeed())
  process.stdout.write(`connection table: SEED=${random.seed}\n`)
  const visits = new Map<string, number>()
  for (let history = 0; history < HISTORIES; history++) {
    let state: State = OFFLINE
    const world: World = { hasSocket: false, hasTimer: false, isAsking: false }
    const path: string[] = []
    for (let length = 0; length < HISTORY_LENGTH; length++) {
      const column = random.chance(0.5) ? FORWARD[state.name] : random.pick(Object.keys(EVENTS) as Column[])
      const event = EVENTS[column]
      path.push(column)
      // A timer that has run is gone; what it led to may set another.
      if (event.type === 'timer') world.hasTimer = false
      const failuresBefore: number = 'failures' in state ? state.failures : 0
      const before: State['name'] = state.name
      const step = transition(state, event, () => random.int(0, 999) / 1_000)
      state = step.state
      play(world, step.effects)
      if (state.name !== 'asking') world.isAsking = false
      visits.set(`${before} ${column}`, 1)
      const where = `${path.join(', ')} → ${state.name}`
      const failures = 'failures' in state ? state.failures : 0
      assert.equal(world.hasSocket, state.name === 'connecting' || state.name === 'live', where)
      assert.equal(world.isAsking, state.name === 'asking', where)
      if (['waiting', 'asking', 'connecting'].includes(state.name)) assert.ok(world.hasTimer, where)
      if (state.name === 'offline' || state.name === 'denied') assert.ok(!world.hasTimer, where)
      assert.ok(failures <= failuresBefore + 1, where)
      if (state.name === 'waiting' && before !== 'waiting') assert.ok(failures === failuresBefore + 1, where)
      for (const effect of step.effects) if (effect.effect === 'schedule') assert.ok(effect.ms >= 0, where)
    }
  }
  assert.equal(visits.size, Object.keys(STATES).length * Object.keys(EVENTS).length, 'some cell was never visited')
})

test('[CX3] the waits between tries are drawn from twice as much each time, at most 30 s, and start anew once it held', () => {
  const draw = (random: number) => Array.from({ length: 12 }, (_, failures) => retryMs(failures, () => random))
  assert.deepEqual(
    draw(0),
    Array.from({ length: 12 }, () => 0),
  )
  assert.deepEqual(draw(1).slice(0, 4), [250, 500, 1_000, 2_000])
  assert.deepEqual([...new Set(draw(1).slice(7))], [RETRY_MS_MAX])
  const events: Event['type'][] = ['goOnline', 'tokenGiven', 'opened', 'handshaken']
  let state: State = OFFLINE
  const waits: number[] = []
  const go = (event: Event): void => {
    const step = transition(state, event, () => 1)
    state = step.state
    if (state.name === 'waiting') for (const one of step.effects) if (one.effect === 'schedule') waits.push(one.ms)
  }
  // Let in and thrown out at once counts as a failure, or a server in trouble would be asked four times a second.
  for (let round = 0; round < 4; round++) {
    for (const type of events) go(EVENTS[type as Column])
    go(EVENTS['closed again'])
  }
  for (const type of [...events, 'timer' as const]) go(EVENTS[type as Column])
  go(EVENTS['closed again'])
  assert.deepEqual(waits, [250, 500, 1_000, 2_000, 250])
})

test('[CX4] a close that no retry can mend is followed by a minute of silence at least; one about the login by a new token', () => {
  const shown = Object.groupBy(Object.keys(ERRORS) as ErrorCode[], (code) => endingOf(ERRORS[code].close, code))
  for (const code of shown.again ?? []) assert.ok(ERRORS[code].retry || code === 'socket/no-login', code)
  for (const code of shown.login ?? []) assert.equal(ERRORS[code].close, 4401, code)
  for (const code of shown.never ?? []) assert.ok(!ERRORS[code].retry, code)
  const byCode = [1000, 1001, 1005, 1006, 1009, 1011, 1012, 1013, 4205, 4400, 4401, 4403, 4499, 4500]
  assert.deepEqual(
    byCode.map((code) => endingOf(code, 'constructor')),
    // 1009: a frame that is too large will be so the next time.
    [
      'again',
      'again',
      'again',
      'again',
      'never',
      'again',
      'again',
      'again',
      'again',
      'never',
      'login',
      'never',
      'never',
      'again',
    ],
  )
  const { effects } = transition(STATES.live, EVENTS['closed never'], () => 0)
  assert.deepEqual(effects.at(-1), { effect: 'schedule', ms: 60_000 })
})

test('[CX5] people see offline wherever there is no socket and none on its way', () => {
  assert.deepEqual(
    Object.entries(STATES).map(([name, state]) => [name, publicState(state)]),
    [
      ['offline', 'offline'],
      ['waiting', 'offline'],
      ['asking', 'connecting'],
      ['connecting', 'connecting'],
      ['live', 'live'],
      ['denied', 'denied'],
    ],
  )
})
