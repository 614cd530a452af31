// The SDK's frames against the server's and the stock provider's: the same bytes, and no bytes that make it throw.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { OutgoingMessage } from '@hocuspocus/server'
import { test } from 'vitest'
import {
  askFrame,
  awarenessFrame,
  closeFrame,
  codeOf,
  type Frame,
  messageFrame,
  pingFrame,
  pongFrame,
  readFrame,
  SDK_VERSION,
  stateFrame,
  tokenFrame,
  updateFrame,
} from '../../client-sdk/wire.ts'
import {
  deniedFrame,
  readHead,
  readHello,
  readPayload,
  refusedFrame,
  revokedFrame,
  statusFrame,
  syncFrame,
} from '../../server/sync/frames.ts'
import { MessageType, SDK_VERSION_PREFIX, SyncType } from '../../shared/protocol.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { ROOT } from '../helpers/processes.ts'

const NAME = 'tasks/0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000'
const BYTES = Uint8Array.of(1, 2, 3, 0, 255)
const REFUSED = { type: 'refused', code: 'not-yours', path: 'tasks/a.b', clientId: 4_294_967_295, clock: 7 } as const

test('[CX6] the server reads what we write, and our version behind the token', () => {
  const hello = tokenFrame(NAME, 'a.b.c')
  const head = readHead(hello)
  assert.deepEqual([head?.address, head?.type], [NAME, MessageType.Auth])
  assert.deepEqual(readHello(hello, head?.bodyAt ?? 0), { token: 'a.b.c', version: SDK_VERSION_PREFIX + SDK_VERSION })
  const { version } = JSON.parse(readFileSync(join(ROOT, 'client-sdk/package.json'), 'utf8')) as { version: string }
  assert.equal(SDK_VERSION, version)
  assert.deepEqual(askFrame(NAME, BYTES), syncFrame(NAME, SyncType.Step1, BYTES))
  assert.deepEqual(stateFrame(NAME, BYTES), syncFrame(NAME, SyncType.Step2, BYTES))
  assert.deepEqual(updateFrame(NAME, BYTES), syncFrame(NAME, SyncType.Update, BYTES))
  const awareness = awarenessFrame(NAME, BYTES)
  assert.deepEqual(readPayload(awareness, (readHead(awareness)?.bodyAt ?? 0) + 1), BYTES)
  assert.equal(readHead(closeFrame(NAME))?.type, MessageType.Close)
  assert.deepEqual(
    messageFrame(NAME, { type: 'x' }),
    new OutgoingMessage(NAME).writeStateless('{"type":"x"}').toUint8Array(),
  )
  assert.deepEqual([pingFrame(), pongFrame()], [Uint8Array.of(9), Uint8Array.of(10)])
})

test('[CX6] we read what the server writes', () => {
  const stock = () => new OutgoingMessage(NAME)
  const update = { name: NAME, type: 'update', update: BYTES }
  const rows: [bytes: Uint8Array, frame: Frame][] = [
    [stock().writeAuthenticated(true).toUint8Array(), { name: NAME, type: 'authenticated', readOnly: true }],
    [stock().writeAuthenticated(false).toUint8Array(), { name: NAME, type: 'authenticated', readOnly: false }],
    [stock().writeTokenSyncRequest().toUint8Array(), { name: NAME, type: 'other' }],
    [deniedFrame(NAME, 'permission-denied'), { name: NAME, type: 'denied', reason: 'permission-denied' }],
    [
      stock().writeCloseMessage('revoked/access').toUint8Array(),
      { name: NAME, type: 'closed', reason: 'revoked/access' },
    ],
    [syncFrame(NAME, SyncType.Step1, BYTES), { name: NAME, type: 'asked', stateVector: BYTES }],
    [syncFrame(NAME, SyncType.Step2, BYTES), { ...update, isState: true } as Frame],
    [syncFrame(NAME, SyncType.Update, BYTES), { ...update, isState: false } as Frame],
    [statusFrame(NAME, true), { name: NAME, type: 'status', stored: true }],
    [statusFrame(NAME, false), { name: NAME, type: 'status', stored: false }],
    [refusedFrame(NAME, REFUSED), { name: NAME, type: 'refused', message: REFUSED }],
    [
      revokedFrame(NAME, 'revoked/write'),
      { name: NAME, type: 'message', message: { type: 'revoked', code: 'revoked/write' } },
    ],
    [stock().writeStateless('{nothing').toUint8Array(), { name: NAME, type: 'other' }],
    [stock().writeStateless('null').toUint8Array(), { name: NAME, type: 'other' }],
    [stock().writeStateless('{"type":1}').toUint8Array(), { name: NAME, type: 'other' }],
    [
      stock().writeStateless('{"type":"refused","code":"constructor","clock":"x"}').toUint8Array(),
      {
        name: NAME,
        type: 'refused',
        message: { type: 'refused', code: 'internal', path: '', clientId: -1, clock: -1 },
      },
    ],
    [Uint8Array.of(9), { type: 'ping' }],
    [Uint8Array.of(10), { type: 'pong' }],
  ]
  for (const [bytes, frame] of rows) assert.deepEqual(readFrame(bytes), frame)
  assert.deepEqual([codeOf('not-yours'), codeOf('toString'), codeOf(undefined)], ['not-yours', null, null])
})

test('[CX7] bytes cut short, changed or made up read as a frame or as none, and never throw', () => {
  const random = createRandom(chooseSeed())
  process.stdout.write(`broken frames: SEED=${random.seed}\n`)
  const good = [
    syncFrame(NAME, SyncType.Step2, random.bytes(100)),
    refusedFrame(NAME, REFUSED),
    statusFrame(NAME, true),
    deniedFrame(NAME, 'no'),
    new OutgoingMessage(NAME).writeAuthenticated(true).toUint8Array(),
  ]
  for (const frame of good)
    for (let end = 0; end < frame.length; end++) assert.equal(readFrame(frame.subarray(0, end)), null)
  let [none, some] = [0, 0]
  for (let round = 0; round < 20_000; round++) {
    const bytes = random.chance(0.3) ? random.bytes(random.int(0, 40)) : random.pick(good).slice()
    for (let changes = random.int(1, 4); changes > 0 && bytes.length > 0; changes--) {
      bytes[random.int(0, bytes.length - 1)] = random.int(0, 255)
    }
    // Behind it lie other bytes of the same buffer, which are nobody's to read.
    const larger = new Uint8Array(bytes.length + 64)
    larger.set(bytes)
    const frame = readFrame(larger.subarray(0, bytes.length))
    if (frame === null) none++
    else some++
    if (frame?.type === 'update') assert.ok(frame.update.byteOffset + frame.update.byteLength <= bytes.length)
  }
  assert.ok(none > 100 && some > 100, `${none} none, ${some} frames`)
  assert.equal(readFrame(new Uint8Array(0)), null)
})
