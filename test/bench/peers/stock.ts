// Stock Hocuspocus as a server under test.
import { documentName, type Peer, scriptPath, startProcess } from './peer.ts'

/** As long as a channel id of ours, so that the frames have the same size. */
export const STOCK_CHANNEL = '00000000-0000-7000-8000-000000000000'

export const stock: Peer = {
  kind: 'stock',
  heapScript: scriptPath('./heap-stock.ts'),
  start: async (directory) => {
    const child = await startProcess(scriptPath('./stock-main.ts'), { DATA_DIR: directory })
    return {
      ...child,
      target: (index) => ({
        host: child.host,
        port: child.port,
        path: '/',
        document: documentName(STOCK_CHANNEL, index),
        token: 'none',
      }),
    }
  },
}
