// The SDK's connection with much on it, against the real server: a thousand documents, megabytes that wait to be sent, a
// document that comes and goes.
import assert from 'node:assert/strict'
import { afterAll, beforeAll, test } from 'vitest'
import * as Y from 'yjs'
import { OPENING_MAX } from '../../client-sdk/connection-documents.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { createTeam, type Person, type Team } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { handshake, openPeer, type PeerDocument, textOf } from './connection-peer.ts'

const DOCUMENTS = 1_000

let server: OwnServer
let team: Team
let ann: Person
let bob: Person
beforeAll(async () => {
  server = await startOwnServer()
  team = await createTeam(server.url, 2)
  ;[ann, bob] = team.people as readonly [Person, Person]
})
afterAll(() => server?.[Symbol.asyncDispose]())

test('[CX11] a thousand documents open on one socket, no more than fifty at a time, each with its own handshake', async () => {
  const channel = (await team.newDocument()).split('/')[1] as string
  // The long texts of a channel's records are documents of their own, and there whenever they are asked for.
  const names = Array.from(
    { length: DOCUMENTS },
    (_, index) => `document/${channel}/record-${String(index).padStart(6, '0')}`,
  )
  const loading = new Set<string>()
  let most = 0
  await using left = openPeer(server, ann)
  const startedAt = performance.now()
  const documents = names.map((name) => {
    const doc = new Y.Doc()
    const document: PeerDocument = left.open(name, {
      stateVector: () => {
        loading.add(name)
        most = Math.max(most, loading.size)
        return Y.encodeStateVector(doc)
      },
      onUpdate: (_update, isState) => {
        if (!isState) return
        loading.delete(name)
        document.log.push('state')
      },
    })
    return document
  })
  const stored = (times: number): Promise<unknown> =>
    eventually(
      () => documents.filter((document) => document.count('stored') < times).length,
      (missing) => missing === 0,
    )
  await stored(1)
  process.stdout.write(
    `${DOCUMENTS} documents open in ${Math.round(performance.now() - startedAt)} ms, at most ${most} at once\n`,
  )
  assert.ok(most > 1 && most <= OPENING_MAX, `${most} at once`)
  assert.deepEqual(left.states, ['connecting', 'live'])
  for (const document of documents) textOf(document).insert(0, document.name)
  await stored(2)
  for (const { log } of documents) assert.deepEqual(log.slice(1, 4).toSorted(), ['asked', 'state', 'stored'])
})

test('[CX20] more than four megabytes waiting to be sent are all sent, in order; one too large for a frame is refused at once', async () => {
  const name = await team.newDocument()
  await using left = openPeer(server, ann)
  const mine = left.open(name)
  await handshake(mine)
  const text = textOf(mine)
  for (let part = 0; part < 3; part++) text.insert(text.length, String(part).repeat(2_500_000))
  await eventually(
    () => mine.count('stored'),
    (stored) => stored === 4,
  )
  assert.equal(mine.count('not stored'), 0)
  assert.throws(() => mine.attached.sendUpdate(new Uint8Array(4 * 1024 * 1024)), { code: 'input/too-large' })
  assert.ok(mine.isOpen())
  await using right = openPeer(server, bob)
  const yours = right.open(name)
  await handshake(yours)
  assert.equal(textOf(yours).length, 7_500_000)
})

test('[CX18] a document that is detached and attached again at once is opened again, and hears nothing of the first time', async () => {
  const name = await team.newDocument()
  await using left = openPeer(server, ann)
  const first = left.open(name)
  await handshake(first)
  let previous = first
  for (let round = 0; round < 21; round++) {
    previous.attached.detach()
    const heard = previous.log.length
    const { promise: asked, resolve } = Promise.withResolvers<void>()
    const stateVector = (): Uint8Array => {
      resolve()
      return Uint8Array.of(0)
    }
    const next = left.open(name, { stateVector })
    // It is detached when it is open, while it is being opened, or before that.
    if (round % 3 === 0) await handshake(next)
    if (round % 3 === 1) await asked
    if (round % 3 === 0) textOf(next).insert(0, 'x')
    assert.equal(previous.log.length, heard)
    assert.ok(!next.log.some((told) => told.startsWith('closed')), next.log.join(', '))
    previous = next
  }
  previous.attached.detach()
  const last = left.open(name)
  await handshake(last)
  assert.deepEqual(left.states, ['connecting', 'live'])
  assert.equal(textOf(last).length, 7)
})
