// When a socket counts as dead, by a clock of the test's own.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import {
  HEARTBEAT_MS,
  PROBE_MS_MAX,
  SILENT_BEATS_MAX,
  SILENT_BEATS_WHILE_LOADING_MAX,
  startHeartbeat,
} from '../../client-sdk/connection-heartbeat.ts'
import { createManualClock } from './connection-peer.ts'

const start = () => {
  const clock = createManualClock()
  const world = { pings: 0, missed: 0, bufferedBytes: 0, isLoading: false }
  const heartbeat = startHeartbeat({
    clock,
    ping: () => void world.pings++,
    bufferedBytes: () => world.bufferedBytes,
    isLoading: () => world.isLoading,
    onMissed: () => void world.missed++,
  })
  const beats = (count: number): void => clock.advance(count * HEARTBEAT_MS)
  return { clock, world, heartbeat, beats }
}

test('[CX15] two beats without a word after a question, and the socket is dead; any frame is a word', () => {
  const { clock, world, heartbeat, beats } = start()
  for (let round = 0; round < 100; round++) {
    beats(SILENT_BEATS_MAX)
    heartbeat.heard()
  }
  assert.deepEqual([world.pings, world.missed], [200, 0])
  beats(SILENT_BEATS_MAX)
  assert.equal(world.missed, 0)
  beats(1)
  assert.deepEqual([world.missed, clock.timers()], [1, []])
})

test('[CX15] a large state on its way, or one of ours that is still being sent, is waited for', () => {
  const loading = start()
  loading.world.isLoading = true
  loading.beats(SILENT_BEATS_WHILE_LOADING_MAX)
  assert.equal(loading.world.missed, 0)
  loading.heartbeat.probe()
  loading.clock.advance(PROBE_MS_MAX)
  assert.equal(loading.world.missed, 0)
  loading.beats(1)
  assert.equal(loading.world.missed, 1)

  const sending = start()
  sending.world.bufferedBytes = 10_000_000
  for (let beat = 0; beat < 50; beat++) {
    sending.beats(1)
    sending.world.bufferedBytes -= 100_000
  }
  assert.equal(sending.world.missed, 0)
  sending.beats(3)
  assert.equal(sending.world.missed, 1)
})

test('[CX15] a question out of turn is answered soon, or the socket is dead; several are one', () => {
  const { clock, world, heartbeat } = start()
  heartbeat.probe()
  heartbeat.probe()
  assert.deepEqual([world.pings, clock.timers().length], [1, 2])
  clock.advance(PROBE_MS_MAX - 1)
  heartbeat.heard()
  clock.advance(1)
  assert.equal(world.missed, 0)
  heartbeat.probe()
  clock.advance(PROBE_MS_MAX)
  assert.deepEqual([world.missed, clock.timers()], [1, []])
  const stopped = start()
  stopped.heartbeat.probe()
  stopped.heartbeat[Symbol.dispose]()
  assert.deepEqual(stopped.clock.timers(), [])
})
