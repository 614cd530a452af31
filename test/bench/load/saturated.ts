// Saturated writing: every writer keeps `window` edits un-acknowledged, so the server decides the rate. Reports
// acknowledgements per second and the server's CPU time for each.
import { startMeter } from '../meter.ts'
import { quantile } from '../statistics.ts'
import type { LoadClient } from './client.ts'
import { writersFor } from './edits.ts'
import { createFleet, pause } from './fleet.ts'
import type { Metrics, RunContext, Scenario } from './scenario.ts'

interface Shape {
  readonly documents: number
  readonly writersPerDocument: number
  readonly window: number
  /** Edits per writer made ahead; more are made when a fast server needs them. */
  readonly ahead: number
}

const WARM_UP_MS = 1_000
/** Longer than stock's longest store delay (10 s), so that its storing is part of what is measured. */
const MEASURED_MS = 10_500

/** Lets one writer write; returns the acknowledgement delays seen since the last `splice`. */
const write = (client: LoadClient, edit: (k: number) => Uint8Array, window: number, delays: number[]) => {
  const sentAt: number[] = []
  let sent = 0
  let acked = 0
  let stopped = false
  const send = (): void => {
    sentAt[sent % window] = performance.now()
    client.sendUpdate(edit(sent))
    sent += 1
  }
  client.onAck = (at) => {
    delays.push(at - (sentAt[acked % window] as number))
    acked += 1
    if (!stopped) send()
  }
  for (let i = 0; i < window; i++) send()
  return () => {
    stopped = true
  }
}

const run = async (shape: Shape, { peer, directory, quick, profilePath }: RunContext): Promise<Metrics> => {
  const { documents, writersPerDocument, window, ahead } = shape
  const writers = writersFor(`saturated, ${documents} documents`, writersPerDocument, quick ? 200 : ahead)
  await using server = await peer.start(directory)
  using fleet = createFleet()
  const writerOf = (index: number) => writers[index % writersPerDocument]!
  const clients = await fleet.openMany(documents * writersPerDocument, (index) => ({
    target: server.target(Math.floor(index / writersPerDocument)),
    options: { clientId: writerOf(index).clientId },
  }))

  const delays: number[] = []
  const stops = clients.map((client, index) => write(client, writerOf(index).edit, window, delays))
  await fleet.within(pause(quick ? 300 : WARM_UP_MS), 60_000, 'warming up')
  const meter = await startMeter(server, profilePath)
  const framesBefore = clients.reduce((sum, { receivedFrames }) => sum + receivedFrames, 0)
  delays.length = 0
  await fleet.within(pause(quick ? 1_000 : MEASURED_MS), 60_000, 'writing')
  const acked = delays.splice(0)
  const frames = clients.reduce((sum, { receivedFrames }) => sum + receivedFrames, 0) - framesBefore
  const usage = await meter.stop()
  for (const stop of stops) stop()
  if (acked.length === 0) throw new Error('nothing was acknowledged')
  return {
    acksPerSecond: acked.length / usage.seconds,
    cpuMicrosPerAck: (usage.cpuMs * 1_000) / acked.length,
    ackP50Ms: quantile(acked, 0.5),
    ackP99Ms: quantile(acked, 0.99),
    relayFramesPerSecond: frames / usage.seconds,
    ...usage,
  }
}

const saturated = (name: string, shape: Shape): Scenario => ({
  name,
  without: [],
  run: (context) => run(shape, context),
})

export const SATURATED: readonly Scenario[] = [
  saturated('saturated-1x50', { documents: 1, writersPerDocument: 50, window: 4, ahead: 3_000 }),
  saturated('saturated-500x2', { documents: 500, writersPerDocument: 2, window: 1, ahead: 500 }),
]
