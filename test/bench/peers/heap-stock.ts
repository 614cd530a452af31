// Memory per idle document of stock Hocuspocus, pinned by direct connections.
import { runHeap } from './heap.ts'
import { documentName } from './peer.ts'
import { STOCK_CHANNEL } from './stock.ts'
import { createStockServer } from './stock-server.ts'

await runHeap(async (directory) => {
  const server = createStockServer(directory)
  await server.listen()
  return {
    pin: async (index) => {
      const direct = await server.hocuspocus.openDirectConnection(documentName(STOCK_CHANNEL, index))
      if (!direct.document) throw new Error('the direct connection has no document')
      return { doc: direct.document, release: () => direct.disconnect() }
    },
    // A direct connection stores when it disconnects.
    stored: async () => {},
  }
})
