// The process: reads the environment, starts the server, stops it on a signal. Nothing it starts knows `process.env`.
import { STOP_MS_MAX } from '../shared/limits.ts'
import { type Config, parseConfig } from './config.ts'
import { createLogger } from './log.ts'
import { startServer } from './start.ts'

const readConfig = (): Config => {
  try {
    return parseConfig(process.env)
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    return process.exit(1)
  }
}

/** Room for the process itself to end, so that the whole stop stays within its limit. */
const EXIT_MS = 500

const config = readConfig()
const log = createLogger({ level: config.logLevel })

const stopping = Promise.withResolvers<NodeJS.Signals>()
let signals = 0
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => {
    signals += 1
    if (signals > 1) process.exit(1)
    stopping.resolve(name)
  })
}

try {
  const server = await startServer(config, log)
  process.stdout.write(`Syncline listening on ${server.url}\n`)

  const signal = await stopping.promise
  log.info('server.stopping', { signal })
  setTimeout(() => {
    log.error('server.stop-timeout', { ms: STOP_MS_MAX - EXIT_MS })
    process.exit(1)
  }, STOP_MS_MAX - EXIT_MS).unref()
  await server[Symbol.asyncDispose]()
  log.info('server.stopped')
  process.exit(0)
} catch (error) {
  log.error('server.failed', { error })
  process.exit(1)
}
