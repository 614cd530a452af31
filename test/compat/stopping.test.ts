// Stopping the server under clients that write: in time, with exit code 0, and with everything on disk that was acknowledged.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { createTeam, type Team } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { assertInTime, TOO_SLOW } from '../hostile/in-time.ts'
import { connectWire } from '../helpers/wire-client.ts'
import { openHocuspocus } from './clients.ts'
import { type NumberedWriter, startWriter, type WriterOptions } from './numbered-writer.ts'
import { type ServerProcess, startServerProcess } from './servers.ts'

const TEST_MS_MAX = 300_000
const STOP_MS_MAX = 10_000
const WRITERS = 8

const startWriters = (
  server: ServerProcess,
  { people }: Team,
  name: string,
  options: WriterOptions,
): Promise<NumberedWriter[]> =>
  Promise.all(people.map(({ accessToken }) => startWriter(server.syncUrl, accessToken, name, options)))

const ackedBy = (writers: readonly NumberedWriter[]): number => writers.reduce((sum, writer) => sum + writer.acked(), 0)

const checkStop = async (server: ServerProcess, team: Team, options: WriterOptions, edits: number): Promise<void> => {
  const name = await team.newDocument()
  const writers = await startWriters(server, team, name, options)
  await eventually(
    () => ackedBy(writers),
    (acked) => acked >= edits,
    { what: `${edits} acknowledgements` },
  )
  const startedAt = Date.now()
  const exit = await server.stop('SIGTERM')
  const ms = Date.now() - startedAt
  // Its own clock is the machine's too, so that one may run again whose machine was slow.
  assertInTime(!server.output().includes('server.stop-timeout') && ms < STOP_MS_MAX, `stopped after ${ms} ms`)
  assert.deepEqual(exit, { code: 0, signal: null }, server.output())
  const closes = await Promise.all(writers.map(({ closed }) => closed))
  // Who is too far behind to hear the goodbye within a second is cut off.
  for (const { code } of closes) assert.ok(code === 1012 || code === 1006, `closed with ${code}`)

  await server.start()
  using reader = openHocuspocus(server, team.people[0], name)
  await reader.synced()
  for (const writer of writers) assert.deepEqual(writer.missingIn(reader.doc), [])
  process.stdout.write(`SIGTERM under ${WRITERS} writers: stopped after ${ms} ms, ${ackedBy(writers)} acknowledged\n`)
}

test(
  '[LC5] SIGTERM under 8 writers ends the server with code 0 within 10 s, and every acknowledged edit is there',
  { timeout: TEST_MS_MAX, retry: { count: 2, condition: new RegExp(TOO_SLOW) } },
  async () => {
    const random = createRandom(chooseSeed())
    process.stdout.write(`stopping: SEED=${random.seed}\n`)
    await using server = await startServerProcess()
    const team = await createTeam(server.url, WRITERS)
    // One edit on its way each: many small commits, and the thread that makes snapshots is busy.
    for (let round = 0; round < 3; round++) {
      await checkStop(server, team, { window: 1 }, random.int(500, 3_000))
    }
    // More than the disk takes: the journal is never empty.
    await checkStop(server, team, { window: 5_000 }, random.int(5_000, 20_000))
    await checkStop(server, team, { window: 50, bytes: 20_000, overwrites: true }, random.int(300, 600))
  },
)

test('[LC6] a second signal ends the server at once', async () => {
  await using server = await startServerProcess({ LOG_LEVEL: 'info' })
  const { people, newDocument } = await createTeam(server.url, 1)
  // A peer that does not read does not answer the close either, so stopping takes its time.
  const wire = await connectWire(server.syncUrl)
  await wire.open(await newDocument(), people[0].accessToken)
  wire.socket.pause()
  // Both signals are there when it goes on, so that it cannot be done with the first before it has the second.
  for (const signal of ['SIGSTOP', 'SIGTERM', 'SIGINT'] as const) server.signal(signal)
  assert.deepEqual(await server.stop('SIGCONT'), { code: 1, signal: null })
  // Neither by the end of the stopping, nor by the time that it may take.
  for (const event of ['server.stopped', 'server.stop-timeout']) assert.ok(!server.output().includes(event), event)
  wire.socket.terminate()
})
