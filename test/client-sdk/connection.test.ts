// The SDK's connection against the real server: the handshake, edits both ways, what is refused, and a stock provider
// beside it.
import assert from 'node:assert/strict'
import { afterAll, beforeAll, test } from 'vitest'
import * as Y from 'yjs'
import { runOperation } from '../../shared/operation.ts'
import { openHocuspocus } from '../compat/clients.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { ask, createTeam, type Person, type Team } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { CONTEXT, kindOf } from '../rights/stage.ts'
import { createPeer, handshake, openPeer, textOf } from './connection-peer.ts'

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

const newTasks = async (): Promise<string> => {
  const body = { type: 'TODO', name: 'tasks' }
  const { data } = await ask(server.url, 'POST', `/groups/${team.group.id}/channels`, { token: ann.accessToken, body })
  return (data as { documentName: string }).documentName
}

test('[CX8] a document is opened first, then asked for and sent; edits go both ways, acknowledged in their order', async () => {
  const name = await team.newDocument()
  await using left = openPeer(server, ann)
  await using right = openPeer(server, bob)
  const [mine, yours] = [left.open(name), right.open(name)]
  await Promise.all([handshake(mine), handshake(yours)])
  for (const { log } of [mine, yours]) {
    assert.deepEqual([log[0], log.slice(1).toSorted()], ['open', ['asked', 'state', 'stored']])
    assert.ok(log.indexOf('asked') < log.indexOf('stored'))
  }
  assert.deepEqual(left.states, ['connecting', 'live'])
  for (let i = 0; i < 20; i++) textOf(mine).insert(i, String(i % 10))
  await eventually(
    () => mine.count('stored'),
    (stored) => stored === 21,
  )
  textOf(yours).insert(0, 'x')
  await eventually(
    () => [textOf(mine).toJSON(), textOf(yours).toJSON()],
    ([one, other]) => one === other && one?.length === 21,
  )
  assert.equal(mine.count('not stored'), 0)
})

test('[CX8] what was written before the document was open comes with the answer to the server’s question', async () => {
  const name = await team.newDocument()
  await using left = createPeer({ url: server.syncUrl, token: ann.accessToken })
  const mine = left.open(name)
  textOf(mine).insert(0, 'offline')
  assert.deepEqual([left.connection.state, mine.log], ['offline', []])
  left.connection.goOnline()
  await handshake(mine)
  await using right = openPeer(server, bob)
  const yours = right.open(name)
  await handshake(yours)
  assert.equal(textOf(yours).toJSON(), 'offline')
})

test('[CX9] a refused update is told by its status and its reason; the document stays open and takes the next', async () => {
  const name = await newTasks()
  await using left = openPeer(server, ann)
  const bad = left.open(name)
  await handshake(bad)
  // Frames in one turn, so that answers must come in the order of what was sent.
  const add = (doc: Y.Doc, title: string): void => {
    const kind = kindOf('tasks')
    const operation = kind.operations.find((one) => one.name === 'task.add')
    if (!operation) throw new Error('no task.add')
    runOperation(kind, operation, doc, { title }, { ...CONTEXT, actor: ann.id, now: Date.now() })
  }
  add(bad.doc, 'milk')
  const other = new Y.Doc()
  other.getMap('tasks').set('task-0000000009', { title: 7 })
  bad.attached.sendUpdate(Y.encodeStateAsUpdate(other))
  add(bad.doc, 'bread')
  await eventually(
    () => bad.log,
    (log) => log.filter((one) => one.endsWith('stored')).length === 4,
  )
  const told = bad.log.slice(bad.log.indexOf('stored') + 1).filter((one) => !/^(state|update)$/.test(one))
  assert.deepEqual(
    told.map((one) => one.replace(/ .*/, '')),
    ['stored', 'not', 'refused', 'stored'],
  )
  assert.ok(bad.isOpen())
  await using right = openPeer(server, bob)
  const good = right.open(name)
  await handshake(good)
  assert.equal(good.doc.getMap('tasks').size, 2)
})

test('[CX23] a stock provider on the same document sees the edits, and we see its', async () => {
  const name = await team.newDocument()
  await using left = openPeer(server, ann)
  const mine = left.open(name)
  using stock = openHocuspocus(server, bob, name)
  await Promise.all([handshake(mine), stock.synced()])
  textOf(mine).insert(0, 'ours ')
  stock.text.insert(0, 'theirs ')
  await stock.stored()
  await eventually(
    () => [textOf(mine).toJSON(), stock.text.toJSON()],
    ([one, other]) => one === other && one?.length === 12,
  )
})

test('[CX24] awareness of a document goes both ways', async () => {
  const name = await team.newDocument()
  await using left = openPeer(server, ann)
  const mine = left.open(name)
  using stock = openHocuspocus(server, bob, name)
  await Promise.all([handshake(mine), stock.synced()])
  stock.provider.setAwarenessField('cursor', 1)
  await eventually(
    () => mine.count('awareness'),
    (seen) => seen > 0,
  )
  // One client (7, clock 1) with a cursor: the form that y-protocols has.
  const state = new TextEncoder().encode('{"cursor":2}')
  mine.attached.sendAwareness(Uint8Array.of(1, 7, 1, state.length, ...state))
  await eventually(
    () => [...(stock.provider.awareness?.getStates().entries() ?? [])],
    (states) => states.some(([id, { cursor }]) => id === 7 && cursor === 2),
  )
})
