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
import { startWriter } from '../compat/numbered-writer.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { type Answer, ask, createTeam, PASSWORD, type Person, type Team } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { connectWire } from '../helpers/wire-client.ts'

const TEST_MS_MAX = 300_000
const UNAVAILABLE = { code: 1013, reason: 'storage/unavailable' }
/** More than the pages that a full database may still have free. */
const LINE_LENGTH = 500_000
const LINE = 'x'.repeat(LINE_LENGTH)

const command = ({ storage }: OwnServer, sql: string) => storage.db.executeQuery(CompiledQuery.raw(sql))

const readDisk = async ({ storage }: OwnServer, name: string): Promise<Y.Doc> => {
  const { snapshot, updates } = await loadDocument(storage, name)
  const doc = new Y.Doc()
  for (const update of snapshot ? [snapshot, ...updates] : updates) Y.applyUpdate(doc, update)
  return doc
}

interface Outage {
  readonly strike: () => Promise<void>
  readonly heal: () => Promise<void>
  /** The database still answers questions while it takes no writes. */
  readonly canRead: boolean
  /** A request of this kind is answered 503 meanwhile. */
  readonly write?: (token: string) => Promise<Answer>
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
  client.text.insert(0, `newcomer ${LINE}`)
  return client
}

const checkOutage = async (server: OwnServer, { strike, heal, canRead, write }: Outage): Promise<void> => {
  const team = await createTeam(server.url, 3)
  const [ann, bob] = team.people as [Person, Person]
  const name = await team.newDocument()
  using writer = openHocuspocus(server, ann, name)
  using other = openYWebsocket(server, bob, name)
  writer.text.insert(0, 'acknowledged ')
  await writer.stored()
  await eventually(
    () => other.text.toJSON(),
    (text) => text === 'acknowledged ',
  )
  // What is acknowledged while it strikes is counted on the wire, where no provider's bookkeeping stands between.
  const numbered = await Promise.all(
    team.people.map(({ accessToken }) => startWriter(server.syncUrl, accessToken, name, { window: 20, bytes: 500 })),
  )
  await eventually(
    () => numbered.map((one) => one.acked()),
    (acked) => acked.every((count) => count > 100),
  )

  await strike()
  writer.text.insert(0, LINE)
  other.text.insert(0, LINE)
  await Promise.all([hasBeenTold(writer), hasBeenTold(other)])
  for (const { closed } of numbered) assert.ok(isUnavailable(await closed))
  assert.ok(writer.provider.hasUnsyncedChanges, 'an edit that could not be stored was acknowledged')
  if (write) {
    const answer = await write(ann.accessToken)
    assert.deepEqual([answer.status, answer.code], [503, 'storage/unavailable'])
  }
  using newcomer = openMeanwhile(server, team, name)
  await hasBeenTold(newcomer)
  if (canRead) assert.equal(await readFresh(server, ann, name), 'acknowledged ')
  const wire = await connectWire(server.syncUrl)
  const opening = wire.open(name, ann.accessToken)
  // Who comes while an edit of somebody else fails is sent away with them; that it opens otherwise was seen just before.
  const failure = await opening.then(() => null, String)
  if (!canRead || failure !== null) assert.match(failure ?? 'it was opened', /1013 storage\/unavailable/)
  wire.close()
  assert.ok(writer.provider.hasUnsyncedChanges)

  await heal()
  await Promise.all([writer.stored(), other.synced(), newcomer.stored()])
  const expected = 'acknowledged '.length + 3 * LINE_LENGTH + 'newcomer '.length
  const texts = await eventually(
    async () => [writer.text, other.text, newcomer.text, (await readDisk(server, name)).getText(ROOT_NAME)].map(String),
    (all) => all.every((text) => text === all[0] && text.length === expected),
    { what: 'one text everywhere' },
  )
  assert.ok(texts[0]?.includes('newcomer ') && texts[0].includes('acknowledged '))
  const disk = await readDisk(server, name)
  for (const one of numbered) assert.deepEqual(one.missingIn(disk), [])
  assert.deepEqual([writer.closes, writer.denials, newcomer.closes, newcomer.denials], [[], [], [], []])
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
      // A short row still finds room in a page that is there; enough of them do not.
      write: (token) => {
        const body = { name: 'group', description: 'x'.repeat(2_000) }
        return eventually(
          () => ask(server.url, 'POST', '/groups', { token, body }),
          ({ status }) => status !== 201,
        )
      },
    })
  },
  TEST_MS_MAX,
)

test(
  '[FS2] commits that the database refuses are not acknowledged and not shown; once it takes them all are stored',
  async () => {
    await using server = await startOwnServer()
    const fault = `create trigger fault before insert on document_update begin select raise(abort, 'refused'); end`
    await checkOutage(server, {
      strike: async () => void (await command(server, fault)),
      heal: async () => void (await command(server, 'drop trigger fault')),
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
    await checkOutage(server, {
      strike: postgres.stopImmediately,
      heal: postgres.start,
      canRead: false,
      write: () => ask(server.url, 'POST', '/auth/register', { body: { username: 'newcomer_1', password: PASSWORD } }),
    })
  },
  TEST_MS_MAX,
)
