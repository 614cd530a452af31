// Memory per idle document of the y-websocket server, which keeps a document until its process ends.
import { runHeap } from './heap.ts'
import { getDoc } from './y-websocket-server.ts'

await runHeap(
  async () => ({
    pin: async (index) => ({ doc: getDoc(`bench-${index}`), release: async () => {} }),
    stored: async () => {},
  }),
  true,
)
