// What every honest client may expect: it is neither refused nor sent away, and ends with what everybody else has.
import assert from 'node:assert/strict'
import * as Y from 'yjs'
import { eventually } from '../helpers/eventually.ts'
import type { HocuspocusClient, StockClient, YWebsocketClient } from './clients.ts'

const isSame = (clients: readonly StockClient[]): boolean => {
  const [first, ...rest] = clients.map(({ doc }) => Y.snapshot(doc))
  return rest.every((other) => Y.equalSnapshots(other, first as Y.Snapshot))
}

/** All hold the same, the server has it, and nobody was refused or sent away. */
export const expectAccepted = async (...clients: (HocuspocusClient | YWebsocketClient)[]): Promise<void> => {
  for (const client of clients) if ('stored' in client) await client.stored()
  await eventually(
    () => ({ isSame: isSame(clients), clocks: clients.map(({ doc }) => [...Y.snapshot(doc).sv]) }),
    (seen) => seen.isSame,
    { what: 'one state everywhere', msMax: 120_000 },
  )
  for (const client of clients) {
    if (!('stored' in client)) {
      assert.deepEqual(client.socketCloses, [])
      continue
    }
    assert.deepEqual([client.closes, client.denials, client.stateless], [[], [], []])
  }
}
