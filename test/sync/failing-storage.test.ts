// The storage fails under clients that write: acknowledgements stop, clients are told, nothing acknowledged is missing
// afterwards, and everything goes on without a restart. A full disk and a refused commit on SQLite, and Postgres going away.
import assert from 'node:assert/strict'
import { CompiledQuery } from 'kysely'
import { test } from 'vitest'
import * as Y from 'yjs'
import { loadDocument } from '../../storage/updates.ts'
import {
  type HocuspocusClient,
  openHocuspocus,
  openYWebsocket,
  readFresh,
  ROOT_NAME,
  type SocketClose,
} from '../compat/clients.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { ask, createTeam, PASSWORD, type Team } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { connectWire } from '../helpers/wire-client.ts'

const TEST_MS_MAX = 60_000
const UNAVAILABLE = { code: 1013, reason: 'storage/unavailable' }
/** More than the pages that a full database may still have free. */
const LINE = 'x'.repeat(20_000)

const command = ({ storage }: OwnServer, sql: string) => storage.db.executeQuery(CompiledQuery.raw(sql))

const onDisk = async ({ storage }: OwnServer, name: string): Promise<string> => {
  const { snapshot, updates } = await loadDocument(storage, name)
  const doc = new Y.Doc()
  for (const update of snapshot ? [snapshot, ...updates] : updates) Y.applyUpdate(doc, update)
  return doc.getText(ROOT_NAME).toJSON()
}

interface Outage {
  readonly strike: () => Promise<void>
  readonly heal: () => Promise<void>
  /** The database still answers questions while it takes no writes. */
  readonly canRead: boolean
}

const isUnavailable = ({ code, reason }: SocketClose): boolean =>
  code === UNAVAILABLE.code && reason === UNAVAILABLE.reason

const hasBeenTold = (client: { readonly socketCloses: readonly SocketClose[] }): Promise<unknown> =>
  eventually(
    () => client.socketCloses,
    (closes) => closes.some(isUnavailable),
    { what: 'close with 1013 storage/unavailable' },
  )

/** A client that opens the document in the middle of the outage, with an edit at hand. */
const openMeanwhile = (server: OwnServer, { people }: Team, name: string): HocuspocusClient => {
  const client = openHocuspocus(server, people[2] as (typeof people)[0], name)
  client.text.insert(0, 'newcomer ')
  return client
}

const checkOutage = async (server: OwnServer, { strike, heal, canRead }: Outage): Promise<void> => {
  const team = await createTeam(server.url, 3)
  const [ann, bob] = team.people as [Team['people'][0], Team['people'][0]]
  const name = await team.newDocument()
  using writer = openHocuspocus(server, ann, name)
  using other = openYWebsocket(server, bob, name)
  writer.text.insert(0, 'acknowledged ')
  await writer.stored()
  await eventually(
    () => other.text.toJSON(),
    (text) => text === 'acknowledged ',
  )

  await strike()
  // What a client is told from now on is counted on the wire, where no provider's bookkeeping stands between.
  const acknowledged = writer.provider.unsyncedChanges
  assert.equal(acknowledged, 0)
  writer.text.insert(0, LINE)
  other.text.insert(0, LINE)
  await Promise.all([hasBeenTold(writer), hasBeenTold(other)])
  assert.ok(writer.provider.hasUnsyncedChanges, 'an edit that could not be stored was acknowledged')

  const body = { username: 'newcomer_1', password: PASSWORD }
  const registered = await ask(server.url, 'POST', '/auth/register', { body })
  assert.deepEqual([registered.status, registered.code], [503, 'storage/unavailable'])
  using newcomer = openMeanwhile(server, team, name)
  await hasBeenTold(newcomer)
  if (canRead) assert.equal(await readFresh(server, ann, name), 'acknowledged ')
  const wire = await connectWire(server.syncUrl)
  const opening = wire.open(name, ann.accessToken)
  if (canRead) await opening
  else await assert.rejects(opening, /1013 storage\/unavailable/)
  wire.close()
  assert.ok(writer.provider.hasUnsyncedChanges)

  await heal()
  await Promise.all([writer.stored(), other.synced(), newcomer.stored()])
  const expected = 'acknowledged '.length + 2 * LINE.length + 'newcomer '.length
  const texts = await eventually(
    async () => [writer.text.toJSON(), other.text.toJSON(), newcomer.text.toJSON(), await onDisk(server, name)],
    (all) => all.every((text) => text === all[0] && text.length === expected),
    { what: 'one text everywhere' },
  )
  assert.ok(texts[0]?.includes('newcomer ') && texts[0].includes('acknowledged '))
  assert.deepEqual([writer.closes, writer.denials, newcomer.closes, newcomer.denials], [[], [], [], []])
  assert.equal((await ask(server.url, 'POST', '/auth/register', { body })).status, 201)
}

test(
  '[FS1] a full disk stops the acknowledgements and tells the clients; with room again everything is stored',
  async () => {
    await using server = await startOwnServer()
    await checkOutage(server, {
      // SQLite takes the present size when asked for less.
      strike: async () => void (await command(server, 'pragma max_page_count = 1')),
      heal: async () => void (await command(server, 'pragma max_page_count = 1000000')),
      canRead: true,
    })
  },
  TEST_MS_MAX,
)

test(
  '[FS2] commits that the database refuses are not acknowledged and not shown; once it takes them all are stored',
  async () => {
    await using server = await startOwnServer()
    const fault = (table: string) =>
      `create trigger fault_${table} before insert on ${table} begin select raise(abort, 'refused'); end`
    await checkOutage(server, {
      strike: async () => {
        for (const table of ['document_update', 'user']) await command(server, fault(table))
      },
      heal: async () => {
        for (const table of ['document_update', 'user']) await command(server, `drop trigger fault_${table}`)
      },
      canRead: true,
    })
  },
  TEST_MS_MAX,
)

test(
  '[FS3] Postgres goes away and comes back: 503 and 1013 meanwhile, never a denial, nothing acknowledged is missing',
  async () => {
    await using postgres = await startPostgres()
    await using server = await startOwnServer({ DATABASE_URL: await postgres.createDatabase() })
    await checkOutage(server, { strike: postgres.stopImmediately, heal: postgres.start, canRead: false })
  },
  TEST_MS_MAX,
)
