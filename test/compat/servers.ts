// The server that foreign clients meet: as a process of its own that can be stopped, killed and started again on the same
// data and the same port, or inside this process where a test must reach its storage.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConfig } from '../../server/config.ts'
import { createLogger } from '../../server/log.ts'
import { type RunningServer, startServer } from '../../server/start.ts'
import { NO_LIMITS } from '../http/test-app.ts'
import { freePort } from '../helpers/ports.ts'
import { type Exit, NODE, type RunningProcess, startProcess } from '../helpers/processes.ts'

export interface Addresses {
  readonly url: string
  /** Where a HocuspocusProvider connects. */
  readonly syncUrl: string
  /** Where a WebsocketProvider connects. */
  readonly yjsUrl: string
}

export interface ServerProcess extends Addresses, AsyncDisposable {
  readonly pid: () => number
  readonly output: () => string
  /** Stops it with this signal; resolves when it is gone. */
  readonly stop: (signal: NodeJS.Signals) => Promise<Exit>
  /** Sends a signal and does not wait. */
  readonly signal: (signal: NodeJS.Signals) => void
  readonly exited: () => Promise<Exit>
  /** Starts it again on the same data and port. */
  readonly start: () => Promise<void>
}

const READY_MS_MAX = 120_000

const addressesOf = (url: string): Addresses => ({
  url,
  syncUrl: `${url.replace('http', 'ws')}/sync`,
  yjsUrl: `${url.replace('http', 'ws')}/yjs`,
})

const createFolder = async (owned: AsyncDisposableStack): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'syncline-clients-'))
  owned.defer(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export const startServerProcess = async (env: Record<string, string> = {}): Promise<ServerProcess> => {
  await using owned = new AsyncDisposableStack()
  const folder = await createFolder(owned)
  let running: RunningProcess
  const port = String(await freePort())
  let url = ''
  const start = async (): Promise<void> => {
    const settings = { PORT: port, HOST: '127.0.0.1', DATA_DIR: folder, LOG_LEVEL: 'warn', ...env }
    running = startProcess(NODE, ['server/main.ts'], { env: settings })
    url = (await running.waitFor(/listening on (http:\S+)\n/, READY_MS_MAX))[1] as string
  }
  owned.defer(async () => {
    await running.kill('SIGKILL')
  })
  await start()
  const kept = owned.move()
  return {
    ...addressesOf(url),
    pid: () => running.pid,
    output: () => running.output(),
    stop: (signal) => running.kill(signal),
    signal: (signal) => void process.kill(running.pid, signal),
    exited: () => running.exited,
    start,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

export interface OwnServer extends Addresses, RunningServer {
  /** The log, one JSON line each. */
  readonly logLines: readonly string[]
  readonly folder: string
}

/** The server inside this process; `env` is read as the process's environment would be. */
export const startOwnServer = async (env: Record<string, string> = {}): Promise<OwnServer> => {
  await using owned = new AsyncDisposableStack()
  const folder = await createFolder(owned)
  const logLines: string[] = []
  const log = createLogger({ level: 'debug', write: (line) => logLines.push(line) })
  const server = owned.use(
    await startServer(parseConfig({ PORT: '0', DATA_DIR: folder, ...env }), log, { limits: NO_LIMITS }),
  )
  const kept = owned.move()
  return {
    ...addressesOf(server.url),
    sync: server.sync,
    storage: server.storage,
    logLines,
    folder,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
