// A live document: 50 people type 10 edits per second each, whatever the server does. Reports acknowledgement delays,
// beside what one disk sync costs in the same directory, before and after.
import { syncP50Ms } from '../disk.ts'
import { startMeter } from '../meter.ts'
import { quantile } from '../statistics.ts'
import { writersFor } from './edits.ts'
import { createFleet, pause } from './fleet.ts'
import type { Metrics, RunContext, Scenario } from './scenario.ts'

const WRITERS = 50
const EDITS_PER_SECOND = 500
const WARM_UP_MS = 1_000
const MEASURED_MS = 6_000
const REST_MS = 500

const run = async ({ peer, directory, quick, profilePath }: RunContext): Promise<Metrics> => {
  const writers = writersFor('open loop', WRITERS, 100)
  const syncBeforeMs = await syncP50Ms(directory)
  await using server = await peer.start(directory)
  using fleet = createFleet()
  const clients = await fleet.openMany(WRITERS, (index) => ({
    target: server.target(0),
    options: { clientId: writers[index]!.clientId },
  }))

  let delays: number[] = []
  const sentAt: number[][] = clients.map(() => [])
  for (const [index, client] of clients.entries()) {
    const outstanding = sentAt[index]!
    client.onAck = (at) => delays.push(at - (outstanding.shift() as number))
  }
  const startedAt = performance.now()
  let sent = 0
  const ticker = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1_000) * EDITS_PER_SECOND)
    for (; sent < due; sent++) {
      const index = sent % WRITERS
      const update = writers[index]!.edit(Math.floor(sent / WRITERS))
      sentAt[index]!.push(performance.now())
      clients[index]!.sendUpdate(update)
    }
  }, 1)
  try {
    await fleet.within(pause(quick ? 500 : WARM_UP_MS), 60_000, 'warming up')
    const meter = await startMeter(server, profilePath)
    delays = []
    const sentBefore = sent
    await fleet.within(pause(quick ? 1_000 : MEASURED_MS), 60_000, 'typing')
    const acked = delays
    delays = []
    const usage = await meter.stop()
    // The disk has its phases too, and a run may see one begin; the server is at rest by then.
    clearInterval(ticker)
    await fleet.within(pause(REST_MS), 60_000, 'coming to rest')
    const diskSyncMs = (syncBeforeMs + (await syncP50Ms(directory))) / 2
    return {
      sentPerSecond: (sent - sentBefore) / usage.seconds,
      acksPerSecond: acked.length / usage.seconds,
      ackP50Ms: quantile(acked, 0.5),
      ackP99Ms: quantile(acked, 0.99),
      diskSyncMs,
      ...usage,
    }
  } finally {
    clearInterval(ticker)
  }
}

export const OPEN_LOOP: Scenario = { name: 'open-loop', without: [], run }
