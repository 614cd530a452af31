// One writer, a thousand readers of one document. Reports how long an edit takes from being sent to being received, over
// every edit and every reader.
import * as decoding from 'lib0/decoding'
import * as Y from 'yjs'
import { startMeter } from '../meter.ts'
import { quantile } from '../statistics.ts'
import type { LoadClient } from './client.ts'
import { createClientIds, type Writer, writersFor } from './edits.ts'
import { createFleet, pause } from './fleet.ts'
import type { Metrics, RunContext, Scenario } from './scenario.ts'

const READERS = 1_000
const EDITS_PER_SECOND = 20
const WARM_UP_MS = 1_000
const MEASURED_MS = 8_000

/** The edits an update holds, as `[first, after the last]`: one as it was sent, or several that the server merged. */
const editsOf = (update: Uint8Array, singleBytes: number): [number, number] => {
  const decoder = decoding.createDecoder(update)
  for (let i = 0; i < 3; i++) decoding.readVarUint(decoder)
  const first = decoding.readVarUint(decoder)
  if (update.length <= singleBytes) return [first, first + 1]
  return [first, Math.max(...Y.parseUpdateMeta(update).to.values())]
}

interface Deliveries {
  /** When edit `k` was sent. */
  readonly sentAt: number[]
  delays: number[]
}

const readInto = (deliveries: Deliveries, reader: LoadClient, singleBytes: number): void => {
  reader.onUpdate = (update, at) => {
    const [first, after] = editsOf(update, singleBytes)
    for (let k = first; k < after; k++) deliveries.delays.push(at - (deliveries.sentAt[k] as number))
  }
}

/** Sends one edit every 1/20 s until stopped. */
const startTyping = (client: LoadClient, writer: Writer, deliveries: Deliveries): NodeJS.Timeout => {
  const startedAt = performance.now()
  return setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1_000) * EDITS_PER_SECOND)
    while (deliveries.sentAt.length < due) {
      const update = writer.edit(deliveries.sentAt.length)
      deliveries.sentAt.push(performance.now())
      client.sendUpdate(update)
    }
  }, 1)
}

const run = async ({ peer, directory, quick, profilePath }: RunContext): Promise<Metrics> => {
  const readers = quick ? 200 : READERS
  const writer = writersFor('fan-out', 1, 300)[0]!
  const nextClientId = createClientIds(1)
  await using server = await peer.start(directory)
  using fleet = createFleet()
  const author = await fleet.open(server.target(0), { clientId: writer.clientId })
  const clients = await fleet.openMany(readers, () => ({
    target: server.target(0),
    options: { clientId: nextClientId() },
  }))
  const deliveries: Deliveries = { sentAt: [], delays: [] }
  // The first edit differs: it names the array. A few bytes more than the second are still one edit.
  const singleBytes = Math.max(writer.edit(0).length, writer.edit(1).length) + 4
  for (const client of clients) readInto(deliveries, client, singleBytes)
  let ackDelays: number[] = []
  let acked = 0
  author.onAck = (at) => ackDelays.push(at - (deliveries.sentAt[acked++] as number))

  const typing = startTyping(author, writer, deliveries)
  try {
    await fleet.within(pause(quick ? 500 : WARM_UP_MS), 60_000, 'warming up')
    const meter = await startMeter(server, profilePath)
    deliveries.delays = []
    ackDelays = []
    await fleet.within(pause(quick ? 1_000 : MEASURED_MS), 60_000, 'typing')
    const { delays } = deliveries
    deliveries.delays = []
    const usage = await meter.stop()
    return {
      deliveriesPerSecond: delays.length / usage.seconds,
      deliveryP50Ms: quantile(delays, 0.5),
      deliveryP99Ms: quantile(delays, 0.99),
      ackP50Ms: quantile(ackDelays, 0.5),
      ackP99Ms: quantile(ackDelays, 0.99),
      ...usage,
    }
  } finally {
    clearInterval(typing)
  }
}

export const FAN_OUT: Scenario = { name: 'fan-out', without: [], run }
