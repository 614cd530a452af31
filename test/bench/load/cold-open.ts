// Cold open: the first client of a large document after the server was restarted. Reports the times from the first frame
// to the last byte of the whole state, to the state applied, and to the answer that makes a provider say "synced"; and
// how often the state crossed the wire.
import * as Y from 'yjs'
import { startMeter } from '../meter.ts'
import type { RunningPeer } from '../peers/peer.ts'
import { createFleet, pause } from './fleet.ts'
import type { Metrics, RunContext, Scenario } from './scenario.ts'
import { TEXT_ROOT, type TypedDocument, typedDocument } from './trace.ts'

/** Updates under way while the document is stored. */
const WINDOW = 8
const OPENS_AFTER_THE_FIRST = 2
const SETTLE_MS = 500

const store = async (server: RunningPeer, { clientId, updates }: TypedDocument): Promise<void> => {
  using fleet = createFleet()
  const author = await fleet.open(server.target(0), { clientId })
  const { promise: stored, resolve } = Promise.withResolvers<void>()
  let sent = 0
  let acked = 0
  const send = (): void => {
    const update = updates[sent]
    if (!update) return
    sent += 1
    author.sendUpdate(update)
  }
  author.onAck = () => {
    acked += 1
    if (acked === updates.length) resolve()
    send()
  }
  for (let i = 0; i < WINDOW; i++) send()
  await fleet.within(stored, 60_000, 'storing the document')
}

const openOnce = async (server: RunningPeer, clientId: number, { text, stateBytes }: TypedDocument) => {
  using fleet = createFleet()
  const doc = new Y.Doc()
  const content = doc.getText(TEXT_ROOT)
  let receivedAt = 0
  let appliedAt = 0
  const client = await fleet.within(
    fleet.open(server.target(0), {
      clientId,
      onUpdate: (update, at) => {
        Y.applyUpdate(doc, update)
        // Stock sends the state twice: what counts is when it is there for the first time.
        if (receivedAt > 0 || content.length < text.length) return
        receivedAt = at
        appliedAt = performance.now()
      },
    }),
    60_000,
    'opening the document',
  )
  await fleet.within(pause(SETTLE_MS), 10_000, 'settling')
  if (content.toJSON() !== text) throw new Error('the opened document is not what was stored')
  doc.destroy()
  const { authSent, stateAt } = client.times
  return {
    receivedMs: receivedAt - authSent,
    appliedMs: appliedAt - authSent,
    syncedMs: stateAt - authSent,
    wireRatio: client.receivedBytes / stateBytes,
  }
}

const run = async ({ peer, directory, profilePath }: RunContext): Promise<Metrics> => {
  const typed = await typedDocument()
  {
    await using server = await peer.start(directory)
    await store(server, typed)
    await pause(SETTLE_MS)
  }
  await using server = await peer.start(directory)
  const meter = await startMeter(server, profilePath)
  const first = await openOnce(server, 1, typed)
  const usage = await meter.stop()
  let againMs = 0
  for (let i = 0; i < OPENS_AFTER_THE_FIRST; i++) {
    againMs = (await openOnce(server, 2 + i, typed)).receivedMs
    await pause(SETTLE_MS)
  }
  return { ...first, againMs, ...usage }
}

/** y-websocket keeps nothing on disk. */
export const COLD_OPEN: Scenario = { name: 'cold-open', without: ['y-websocket'], run }
