// Reconnect storm: 500 clients that were offline come back at the same moment, each with 20 edits of its own. Reports
// when the last of them was acknowledged and when every client held every edit of its document.
import * as Y from 'yjs'
import { startMeter } from '../meter.ts'
import type { LoadClient } from './client.ts'
import { ROOT, type Writer, writersFor } from './edits.ts'
import { createFleet, pause } from './fleet.ts'
import type { Metrics, RunContext, Scenario } from './scenario.ts'

const OFFLINE_EDITS = 20
const QUIET_MS = 400
const CHECKED_CLIENTS = 3

/** What one client received, kept as it came and looked at only when the storm is over. */
interface Received {
  readonly update: Buffer
  readonly at: number
}

/** Copies updates; one broadcast reaches all clients as the same bytes, and is copied once. */
const createCopier = () => {
  let last = Buffer.alloc(0)
  return (update: Uint8Array): Buffer => {
    if (!last.equals(update)) last = Buffer.from(update)
    return last
  }
}

type Clocks = ReadonlyMap<number, number>

/** When a client that received `log` held all edits of `writers`; undefined: never. */
const completeAt = (
  log: readonly Received[],
  own: number,
  writers: readonly Writer[],
  clocksOf: (update: Buffer) => Clocks,
): number | undefined => {
  const missing = new Set(writers.map(({ clientId }) => clientId))
  missing.delete(own)
  let completed = log[0]?.at
  for (const { update, at } of log) {
    for (const [clientId, clock] of clocksOf(update)) {
      if (clock >= OFFLINE_EDITS && missing.delete(clientId)) completed = at
    }
  }
  return missing.size === 0 ? completed : undefined
}

const createClockReader = () => {
  const known = new Map<Buffer, Clocks>()
  return (update: Buffer): Clocks => {
    let clocks = known.get(update)
    if (!clocks) {
      clocks = Y.parseUpdateMeta(update).to
      known.set(update, clocks)
    }
    return clocks
  }
}

const contentOf = (log: readonly Received[], own: Writer): string => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, own.state())
  for (const { update } of log) Y.applyUpdate(doc, update)
  return JSON.stringify(doc.getArray(ROOT).toJSON())
}

const checkEqual = (logs: readonly Received[][], writers: readonly Writer[]): void => {
  const checked = logs.slice(0, Math.min(CHECKED_CLIENTS, writers.length))
  const contents = new Set(checked.map((log, index) => contentOf(log, writers[index] as Writer)))
  if (contents.size !== 1) throw new Error('clients of one document do not hold equal state')
}

/** Resolves once no client has received anything for a while. */
const untilSilent = async (clients: readonly LoadClient[]): Promise<void> => {
  let before = -1
  for (;;) {
    const frames = clients.reduce((sum, { receivedFrames }) => sum + receivedFrames, 0)
    if (frames === before) return
    before = frames
    await pause(QUIET_MS)
  }
}

const run = async (documents: number, perDocument: number, context: RunContext): Promise<Metrics> => {
  const { peer, directory, profilePath } = context
  const writers = writersFor(`storm, ${documents} documents`, perDocument, OFFLINE_EDITS)
  const offline = writers.map((writer) => ({ update: writer.state(), vector: writer.stateVector() }))
  const copy = createCopier()
  const logs: Received[][] = Array.from({ length: documents * perDocument }, () => [])
  await using server = await peer.start(directory)
  using fleet = createFleet()
  const meter = await startMeter(server, profilePath)
  const startedAt = performance.now()
  const clients = await fleet.openMany(
    logs.length,
    (index) => {
      const place = index % perDocument
      return {
        target: server.target(Math.floor(index / perDocument)),
        options: {
          clientId: writers[place]!.clientId,
          offlineUpdate: offline[place]!.update,
          stateVector: offline[place]!.vector,
          onUpdate: (update, at) => logs[index]!.push({ update: copy(update), at }),
        },
      }
    },
    logs.length,
  )
  await fleet.within(untilSilent(clients), 60_000, 'settling')
  const usage = await meter.stop()

  const clocksOf = createClockReader()
  const completed = logs.map((log, index) => completeAt(log, writers[index % perDocument]!.clientId, writers, clocksOf))
  const incomplete = completed.filter((at) => at === undefined).length
  if (incomplete > 0) throw new Error(`${incomplete} clients never received every edit`)
  checkEqual(logs, writers)
  const ackedMs = Math.max(...clients.map(({ times }) => times.offlineAckedAt)) - startedAt
  const equalMs = Math.max(...completed.map((at) => at as number)) - startedAt
  return {
    doneMs: Math.max(ackedMs, equalMs),
    ackedMs,
    equalMs,
    receivedMb: clients.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0) / 2 ** 20,
    ...usage,
  }
}

const storm = (name: string, documents: number, perDocument: number): Scenario => ({
  name,
  without: [],
  run: (context) => run(documents, context.quick ? Math.ceil(perDocument / 5) : perDocument, context),
})

export const STORMS: readonly Scenario[] = [storm('storm-1x500', 1, 500), storm('storm-50x10', 50, 10)]
