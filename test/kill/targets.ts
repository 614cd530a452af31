// What the kill test can start, kill and start again on the same data: Syncline on SQLite, Syncline on Postgres, and
// stock Hocuspocus.
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '../helpers/postgres.ts'
import { NODE, ROOT, type RunningProcess, startProcess } from '../helpers/processes.ts'
import type { Random } from '../helpers/random.ts'

export interface Target extends AsyncDisposable {
  readonly name: string
  /** Where a client connects, while it runs. */
  readonly socketUrl: () => string
  readonly start: () => Promise<void>
  /** A name and a token for a document that nobody has opened yet. */
  readonly newDocument: () => Promise<string>
  readonly token: () => Promise<string>
  /** Strikes now, without warning: resolves, with what it hit, when that is dead. */
  readonly strike: (random: Random) => Promise<string>
  /** Starts what the strike killed. */
  readonly recover: () => Promise<void>
  /** Kills the server, whatever a strike would pick, and starts it again. */
  readonly restart: () => Promise<void>
}

const READY_MS_MAX = 30_000
/** Well below the life of an access token. */
const LOGIN_EVERY_MS = 5 * 60_000

/** A server process that can be killed and started again. */
const createProcess = (args: readonly string[], env: Record<string, string>) => {
  let process: RunningProcess | undefined
  let url = ''
  const start = async (): Promise<void> => {
    process = startProcess(NODE, args, { cwd: ROOT, env })
    url = (await process.waitFor(/listening on (http:\S+)\n/, READY_MS_MAX))[1] as string
  }
  const kill = async (): Promise<void> => {
    await process?.kill('SIGKILL')
  }
  return {
    url: () => url,
    start,
    kill,
    restart: async (): Promise<void> => {
      await kill()
      await start()
    },
  }
}

const createAccount = (url: () => string) => {
  const credentials = { username: `kill${Date.now().toString(36)}`, password: randomUUID() }
  let accessToken = ''
  let loggedInAt = 0
  let groupId = ''
  const post = async (path: string, body: object): Promise<Record<string, string>> => {
    const headers = { 'content-type': 'application/json', ...(accessToken && { authorization: `Bearer ${accessToken}` }) }
    const response = await fetch(`${url()}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`)
    return ((await response.json()) as { data: Record<string, string> }).data
  }
  const mustField = (data: Record<string, string>, field: string): string => {
    const value = data[field]
    if (!value) throw new Error(`no ${field} in ${JSON.stringify(data)}`)
    return value
  }
  return {
    register: async (): Promise<void> => {
      accessToken = mustField(await post('/auth/register', credentials), 'accessToken')
      loggedInAt = Date.now()
      groupId = mustField(await post('/groups', { name: 'kill' }), 'id')
    },
    token: async (): Promise<string> => {
      if (Date.now() - loggedInAt > LOGIN_EVERY_MS) {
        const { username: identifier, password } = credentials
        accessToken = mustField(await post('/auth/login', { identifier, password }), 'accessToken')
        loggedInAt = Date.now()
      }
      return accessToken
    },
    newDocument: async (): Promise<string> =>
      mustField(await post(`/groups/${groupId}/channels`, { type: 'DOC', name: 'kill' }), 'documentName'),
  }
}

const openSyncline = async (name: string, env: Record<string, string>) => {
  const directory = await mkdtemp(join(tmpdir(), 'syncline-kill-'))
  const server = createProcess(['server/main.ts'], {
    PORT: '0',
    HOST: '127.0.0.1',
    DATA_DIR: directory,
    LOG_LEVEL: 'error',
    ...env,
  })
  const account = createAccount(server.url)
  return {
    server,
    name,
    socketUrl: () => `${server.url().replace('http', 'ws')}/sync`,
    start: async () => {
      await server.start()
      await account.register()
    },
    newDocument: account.newDocument,
    token: account.token,
    [Symbol.asyncDispose]: async () => {
      await server.kill()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export const openSqliteTarget = async (): Promise<Target> => {
  const { server, ...syncline } = await openSyncline('Syncline on SQLite', {})
  return {
    ...syncline,
    strike: async () => {
      await server.kill()
      return 'server'
    },
    recover: server.start,
    restart: server.restart,
  }
}

/** Strikes the server, the database, or both; the database by SIGKILL to all of it or by an immediate stop. */
export const openPostgresTarget = async (): Promise<Target> => {
  await using owned = new AsyncDisposableStack()
  const postgres = owned.use(await startPostgres())
  const url = await postgres.createDatabase()
  const { server, ...syncline } = owned.use(await openSyncline('Syncline on Postgres', { DATABASE_URL: url }))
  let down: readonly string[] = []
  const kept = owned.move()
  return {
    ...syncline,
    strike: async (random) => {
      down = random.pick([['server'], ['server'], ['database'], ['server', 'database'], ['database', 'server']])
      const stopDatabase = random.pick([postgres.killAll, postgres.stopImmediately])
      await Promise.all(down.map((what) => (what === 'server' ? server.kill() : stopDatabase())))
      return down.join(' and ')
    },
    recover: async () => {
      if (down.includes('database')) await postgres.start()
      if (down.includes('server')) await server.start()
    },
    restart: server.restart,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

export const openStockTarget = async (): Promise<Target> => {
  const directory = await mkdtemp(join(tmpdir(), 'syncline-stock-'))
  const server = createProcess(['test/kill/stock.ts', join(directory, 'stock.db')], {})
  let documents = 0
  return {
    name: 'stock Hocuspocus',
    socketUrl: () => server.url().replace('http', 'ws'),
    start: server.start,
    newDocument: async () => `document-${++documents}`,
    token: async () => 'anyone',
    strike: async () => {
      await server.kill()
      return 'server'
    },
    recover: server.start,
    restart: server.restart,
    [Symbol.asyncDispose]: async () => {
      await server.kill()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
