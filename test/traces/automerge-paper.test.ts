// 259,778 edits of one author, key by key, through a stock provider against the real server, with spells offline; a second
// person watches.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { openHocuspocus, readFresh } from '../compat/clients.ts'
import { startServerProcess } from '../compat/servers.ts'
import { createTeam, type Person } from '../helpers/accounts.ts'
import { eventually, nextTurn } from '../helpers/eventually.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { applyPatches, readTrace, type SequentialTrace } from './trace.ts'

const TEST_MS_MAX = 900_000
const SPELLS = 6
const SPELL_EDITS_MAX = 4_000
/** Edits between two looks at the network: as fast as a machine could type, without starving the sockets. */
const EDITS_PER_TURN = 50
/** Edits on their way at most; more would only fill buffers of this process. */
const UNSYNCED_MAX = 5_000

test(
  '[TR1] a paper of 259,778 edits arrives letter by letter, through offline spells, a restart and a kill',
  async () => {
    const random = createRandom(chooseSeed())
    process.stdout.write(`automerge-paper: SEED=${random.seed}\n`)
    const trace = await readTrace<SequentialTrace>('automerge-paper')
    await using server = await startServerProcess()
    const { people, newDocument } = await createTeam(server.url, 3)
    const [author, watcher, stranger] = people as readonly [Person, Person, Person]
    const name = await newDocument()
    using writing = openHocuspocus(server, author, name)
    using watching = openHocuspocus(server, watcher, name)
    await Promise.all([writing.synced(), watching.synced()])

    const starts = new Set(Array.from({ length: SPELLS }, () => random.int(0, trace.txns.length - SPELL_EDITS_MAX)))
    let backAt = Infinity
    const startedAt = Date.now()
    for (const [index, { patches }] of trace.txns.entries()) {
      if (starts.has(index) && backAt === Infinity) {
        await writing.goOffline()
        backAt = index + random.int(1, SPELL_EDITS_MAX)
      }
      if (index === backAt) {
        await writing.goOnline()
        backAt = Infinity
      }
      applyPatches(writing.text, patches)
      if (index % EDITS_PER_TURN !== 0) continue
      await nextTurn()
      if (backAt === Infinity && writing.provider.unsyncedChanges > UNSYNCED_MAX) {
        await eventually(
          () => writing.provider.unsyncedChanges,
          (count) => count < UNSYNCED_MAX / 2,
        )
      }
    }
    if (backAt !== Infinity) await writing.goOnline()
    await writing.stored()
    assert.deepEqual([writing.closes, writing.denials], [[], []])
    const seconds = (Date.now() - startedAt) / 1_000
    process.stdout.write(`automerge-paper: ${seconds} s, ${Math.round(trace.txns.length / seconds)} edits/s\n`)

    assert.equal(writing.text.toJSON(), trace.endContent)
    await eventually(
      () => watching.text.length,
      (length) => length === trace.endContent.length,
      { what: 'whole text at the watcher' },
    )
    assert.equal(watching.text.toJSON(), trace.endContent)
    assert.equal(await readFresh(server, stranger, name), trace.endContent)

    // What a restart brings back must be the server's own, not what a client uploads again.
    await Promise.all([writing.goOffline(), watching.goOffline()])
    assert.deepEqual(await server.stop('SIGTERM'), { code: 0, signal: null })
    await server.start()
    assert.equal(await readFresh(server, stranger, name), trace.endContent)
    await server.stop('SIGKILL')
    await server.start()
    assert.equal(await readFresh(server, stranger, name), trace.endContent)
  },
  TEST_MS_MAX,
)
