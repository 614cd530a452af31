// Memory per idle document of Syncline, pinned by its own means.
import { parseConfig } from '../../../server/config.ts'
import { createLogger } from '../../../server/log.ts'
import { startServer } from '../../../server/start.ts'
import { runHeap } from './heap.ts'
import { documentName } from './peer.ts'
import { STOCK_CHANNEL } from './stock.ts'

await runHeap(async (directory) => {
  const config = parseConfig({ DATA_DIR: directory, PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'warn' })
  const server = await startServer(config, createLogger({ level: config.logLevel }))
  return {
    pin: (index) => server.sync.pin(documentName(STOCK_CHANNEL, index)),
    stored: () => server[Symbol.asyncDispose]() as Promise<void>,
  }
})
