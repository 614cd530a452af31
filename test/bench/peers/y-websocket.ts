// The y-websocket server as a server under test: no accounts, no acknowledgements, nothing on disk.
import { documentName, type Peer, scriptPath, startProcess } from './peer.ts'
import { STOCK_CHANNEL } from './stock.ts'

export const yWebsocket: Peer = {
  kind: 'y-websocket',
  heapScript: scriptPath('./heap-y-websocket.ts'),
  start: async (directory) => {
    const child = await startProcess(scriptPath('./y-websocket-main.ts'), { DATA_DIR: directory })
    return {
      ...child,
      target: (index) => ({
        host: child.host,
        port: child.port,
        path: `/${documentName(STOCK_CHANNEL, index)}`,
        document: null,
        token: '',
      }),
    }
  },
}
