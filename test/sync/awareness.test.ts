// Cursor awareness with several connections on one document: who may say what for which id, and bytes that lie about
// their own length. The sockets here only keep what they are sent.
import assert from 'node:assert/strict'
import { Connection, Document } from '@hocuspocus/server'
import * as encoding from 'lib0/encoding'
import { describe, test } from 'vitest'
import {
  AWARENESS_BYTES_MAX,
  AWARENESS_CLOCK_AHEAD_MAX,
  AWARENESS_IDS_PER_CONNECTION_MAX,
} from '../../shared/limits.ts'
import type { Kind } from '../../shared/kind.ts'
import { KINDS } from '../../shared/registry.ts'
import { applyAwareness } from '../../server/sync/awareness.ts'
import { LiveDocument } from '../../server/sync/live-document.ts'
import { cpuMsOf } from '../helpers/cpu-time.ts'
import { hex, paddedZero } from '../hostile/update-writer.ts'

type Entry = readonly [clientId: number, clock: number, state: string]

const message = (...entries: readonly Entry[]): Uint8Array => {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, entries.length)
  for (const [clientId, clock, state] of entries) {
    encoding.writeVarUint(encoder, clientId)
    encoding.writeVarUint(encoder, clock)
    encoding.writeVarString(encoder, state)
  }
  return encoding.toUint8Array(encoder)
}

/** An open document; `join` gives a way to speak on a connection of its own. */
const room = (claims: readonly (readonly [number, string])[] = []) => {
  const document = new Document('document/0123456789')
  const stored = { bytes: 0, tailEntries: 0, tailBytes: 0 }
  const live = new LiveDocument(document, KINDS.get('document') as Kind, new Map(claims), stored)
  const join = (userId: string) => {
    const socket = { readyState: 1, send: () => {}, close: () => {} }
    const connection = new Connection(socket, new Request('http://localhost/'), document, 'socket', {})
    return {
      says: (bytes: Uint8Array) => applyAwareness(live, connection, userId, bytes),
      leaves: () => connection.close(),
    }
  }
  return {
    join,
    states: () => Object.fromEntries(document.awareness.getStates()),
    clockOf: (clientId: number) => document.awareness.meta.get(clientId)?.clock,
    [Symbol.dispose]: () => document.destroy(),
  }
}

const CURSOR = '{"cursor":1}'
const FORGED = '{"cursor":"forged"}'

describe('awareness', () => {
  test('[HF7] a client announces, renews and removes its own id', () => {
    using here = room()
    const alice = here.join('alice')
    alice.says(message([1, 1, CURSOR]))
    alice.says(message([1, 2, '{"cursor":2}']))
    assert.deepEqual(here.states(), { 1: { cursor: 2 } })
    alice.says(message([1, 3, 'null']))
    assert.deepEqual(here.states(), {})
  })

  test('[HF7] nobody speaks for an id that another user announced or claimed, at any clock', () => {
    using here = room([[9, 'alice']])
    const alice = here.join('alice')
    const mallory = here.join('mallory')
    alice.says(message([1, 1, CURSOR]))
    for (const clock of [0, 1, 2, 500, 2 ** 31 - 1, 2 ** 53 - 1]) {
      for (const state of [FORGED, 'null', ' null']) mallory.says(message([1, clock, state], [9, clock, state]))
    }
    assert.deepEqual(here.states(), { 1: { cursor: 1 } })
    assert.equal(here.clockOf(1), 1)
    alice.says(message([1, 2, '{"cursor":2}'], [9, 1, CURSOR]))
    assert.deepEqual(here.states(), { 1: { cursor: 2 }, 9: { cursor: 1 } })
  })

  test('[HF7] a clock that jumps further than allowed is ignored, so that nobody freezes an id', () => {
    using here = room()
    const alice = here.join('alice')
    alice.says(message([1, 1, CURSOR]))
    alice.says(message([1, 2 + AWARENESS_CLOCK_AHEAD_MAX, FORGED]))
    alice.says(message([1, 2 ** 31, FORGED]))
    assert.deepEqual(here.states(), { 1: { cursor: 1 } })
    alice.says(message([1, 2, '{"cursor":2}']))
    assert.deepEqual(here.states(), { 1: { cursor: 2 } })
  })

  test('[HF7] a connection speaks for at most eight ids, and one message of ghosts adds no more', () => {
    using here = room()
    const mallory = here.join('mallory')
    const ghosts = Array.from({ length: 5_000 }, (_, index): Entry => [index + 1, 1, CURSOR])
    mallory.says(message(...ghosts))
    assert.equal(Object.keys(here.states()).length, AWARENESS_IDS_PER_CONNECTION_MAX)
  })

  test('[HF7] states that are too large, and messages that are, are ignored', () => {
    using here = room()
    const mallory = here.join('mallory')
    mallory.says(message([1, 1, JSON.stringify({ text: 'x'.repeat(AWARENESS_BYTES_MAX) })]))
    mallory.says(message(...Array.from({ length: 100 }, (_, i): Entry => [i + 1, 1, `{"a":"${'x'.repeat(4_000)}"}`])))
    assert.deepEqual(here.states(), {})
  })

  test('[HF7] the same user on a new connection goes on with its id; another user may not', () => {
    using here = room()
    here.join('alice').says(message([1, 1, CURSOR]))
    here.join('mallory').says(message([1, 2, FORGED]))
    here.join('alice').says(message([1, 2, '{"cursor":2}']))
    assert.deepEqual(here.states(), { 1: { cursor: 2 } })
  })

  test('[HF8] a state that claims to be longer than its message is refused, and nothing behind the message is read', () => {
    using here = room()
    const mallory = here.join('mallory')
    // One entry whose text, as it says, ends far behind the message, where another user's bytes lie in the same memory.
    const secret = 'token of somebody else"}'
    const lies = Buffer.concat([Buffer.of(1, 1, 1, 6 + secret.length), Buffer.from('{"a":"'), Buffer.from(secret)])
    const memory = new Uint8Array(lies)
    const own = memory.subarray(0, lies.length - secret.length)
    assert.throws(() => mallory.says(own))
    assert.deepEqual(here.states(), {})
  })

  const BROKEN = {
    nothing: new Uint8Array(),
    'a count bomb': hex('ffffffff0f'),
    'a count bomb with one entry': hex('ffffffff0f 01 01 02 7b7d'),
    'text that is no JSON': message([1, 1, '{']),
    'a number as state': message([1, 1, '7']),
    'text as state': message([1, 1, '"x"']),
    'text that is not UTF-8': hex('01 01 01 02 c328'),
    'a client id of 54 bits': hex('01 ffffffffffffffff7f 01 02 7b7d'),
    'a clock of 161 bytes': hex(`01 01 ${paddedZero(160)} 02 7b7d`),
    'a client id of 161 bytes': hex(`01 ${paddedZero(160)} 01 02 7b7d`),
  }
  for (const [title, bytes] of Object.entries(BROKEN)) {
    test(`[HF8] ${title}: refused or ignored, and nobody's state changes`, () => {
      using here = room()
      here.join('alice').says(message([2, 1, CURSOR]))
      const mallory = here.join('mallory')
      const ms = cpuMsOf(() => {
        try {
          mallory.says(bytes)
        } catch {
          // The socket that sent it is closed.
        }
      })
      assert.ok(ms < 50, `${ms} ms of CPU`)
      assert.deepEqual(here.states(), { 2: { cursor: 1 } })
    })
  }
})
