// Two people typing at once, 26,078 edits: one through Hocuspocus's provider, one through y-websocket's, each with offline
// spells, while the server is killed now and then. Each edit is made in exactly the state the trace says.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import * as Y from 'yjs'
import { openHocuspocus, openYWebsocket, readFresh, ROOT_NAME, type StockClient } from '../compat/clients.ts'
import { startServerProcess } from '../compat/servers.ts'
import { createTeam, type Person } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { chooseSeed, createRandom, type Random } from '../helpers/random.ts'
import { applyPatches, type ConcurrentTrace, createVersion, readTrace, type Version } from './trace.ts'

const TEST_MS_MAX = 900_000
const ARRIVAL_MS_MAX = 120_000
const KILLS = 2
/** How likely an author goes offline before an edit, and for how many edits at most. */
const OFFLINE_CHANCE = 0.002
const SPELL_EDITS_MAX = 200
/** Ascending by author, so that the one concurrent insertion at one place falls as it did in the trace. */
const CLIENT_IDS = [1_000, 2_000] as const

/** Whether `doc` holds everything that `update` adds and deletes. */
const holds = (doc: Y.Doc, update: Uint8Array): boolean => {
  const { structs, ds } = Y.decodeUpdate(update)
  const isThere = structs.every(({ id, length }) => id.clock + length <= Y.getState(doc.store, id.client))
  return (
    isThere &&
    [...ds.clients].every(([client, ranges]) =>
      ranges.every(({ clock, len }) => {
        if (clock + len > Y.getState(doc.store, client)) return false
        for (let at = clock; at < clock + len;) {
          const item = Y.getItem(doc.store, Y.createID(client, at))
          if (!item.deleted) return false
          at = item.id.clock + item.length
        }
        return true
      }),
    )
  )
}

/** Resolves as soon as `doc` holds `update`. */
const arrives = (doc: Y.Doc, update: Uint8Array): Promise<void> => {
  if (holds(doc, update)) return Promise.resolve()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const look = (): void => {
    if (holds(doc, update)) resolve()
  }
  const timer = setTimeout(() => {
    const seen = [...Y.decodeStateVector(Y.encodeStateVector(doc))].join(' ')
    reject(new Error(`an edit did not arrive within ${ARRIVAL_MS_MAX} ms; the state vector is ${seen}`))
  }, ARRIVAL_MS_MAX)
  doc.on('update', look)
  return promise.finally(() => {
    doc.off('update', look)
    clearTimeout(timer)
  })
}

interface Author {
  /** Holds what the trace says this author knew, no more. */
  readonly editing: Y.Doc
  /** Carries everything that the server sends. */
  readonly network: StockClient
  readonly version: Version
  /** Counts down to the end of an offline spell; 0 when online. */
  offlineFor: number
}

const createAuthor = (clientID: number, network: StockClient, version: Version): Author => {
  const editing = new Y.Doc()
  editing.clientID = clientID
  return { editing, network, version, offlineFor: 0 }
}

const goOnline = async (author: Author): Promise<void> => {
  if (author.offlineFor === 0) return
  author.offlineFor = 0
  await author.network.goOnline()
}

const maybeSwitch = async (author: Author, random: Random): Promise<boolean> => {
  if (author.offlineFor > 0) {
    if (author.offlineFor === 1) await goOnline(author)
    else author.offlineFor--
    return false
  }
  if (!random.chance(OFFLINE_CHANCE)) return false
  await author.network.goOffline()
  author.offlineFor = random.int(2, SPELL_EDITS_MAX)
  return true
}

test(
  '[TR2] two people typing at once over both protocols end with the same text, through offline spells and kill -9',
  async () => {
    const random = createRandom(chooseSeed())
    process.stdout.write(`friendsforever: SEED=${random.seed}\n`)
    const { txns, endContent } = await readTrace<ConcurrentTrace>('friendsforever')
    await using server = await startServerProcess()
    const { people, newDocument } = await createTeam(server.url, 3)
    const [first, second, stranger] = people as readonly [Person, Person, Person]
    const name = await newDocument()
    using hocuspocus = openHocuspocus(server, first, name)
    using yWebsocket = openYWebsocket(server, second, name)
    await Promise.all([hocuspocus.synced(), yWebsocket.synced()])
    const authors = [hocuspocus, yWebsocket].map((network, agent) =>
      createAuthor(CLIENT_IDS[agent] as number, network, createVersion(txns)),
    )
    const authorOf = (index: number): Author => authors[txns[index]?.agent as number] as Author

    const kills = new Set(Array.from({ length: KILLS }, () => random.int(1, txns.length - 1)))
    const updates: Uint8Array[] = []
    let spells = 0
    let waits = 0
    for (const [index, { parents, patches }] of txns.entries()) {
      if (kills.has(index)) {
        await server.stop('SIGKILL')
        await server.start()
      }
      const author = authorOf(index)
      if (await maybeSwitch(author, random)) spells++
      for (const needed of author.version.missing(parents)) {
        const update = updates[needed] as Uint8Array
        if (!holds(author.network.doc, update)) {
          waits++
          await Promise.all([goOnline(author), goOnline(authorOf(needed))])
          await arrives(author.network.doc, update)
        }
        Y.applyUpdate(author.editing, update)
        author.version.add(needed)
      }
      assert.ok(author.version.isExactly(parents), `transaction ${index} is made in another state`)
      const made: Uint8Array[] = []
      const keep = (update: Uint8Array): void => void made.push(update)
      author.editing.on('update', keep)
      applyPatches(author.editing.getText(ROOT_NAME), patches)
      author.editing.off('update', keep)
      assert.equal(made.length, 1)
      updates[index] = made[0] as Uint8Array
      author.version.add(index)
      Y.applyUpdate(author.network.doc, made[0] as Uint8Array, 'typed')
    }

    await Promise.all(authors.map(goOnline))
    await hocuspocus.stored()
    await eventually(
      () => authors.map(({ network }) => network.text.toJSON()),
      (texts) => texts.every((text) => text === endContent),
      { what: "the trace's end at both authors" },
    )
    process.stdout.write(`friendsforever: ${waits} waits for the other, ${spells} offline spells, ${KILLS} kills\n`)
    assert.ok(waits > 1_000 && spells > 5, 'the authors hardly met')
    assert.equal(await readFresh(server, stranger, name), endContent)

    await Promise.all(authors.map(({ network }) => network.goOffline()))
    assert.deepEqual(await server.stop('SIGTERM'), { code: 0, signal: null })
    await server.start()
    assert.equal(await readFresh(server, stranger, name), endContent)
  },
  TEST_MS_MAX,
)
