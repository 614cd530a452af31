// What the kill test can start, kill and start again on the same data: Syncline on SQLite, Syncline on Postgres, and
// stock Hocuspocus.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDocument, createGroup, type Group, login, type Person, register } from '../helpers/accounts.ts'
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

const READY_MS_MAX = 120_000
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

/** One person who holds every client of the test, and one group for all its documents. */
const createAccount = (url: () => string) => {
  let person: Person
  let group: Group
  let loggedInAt = 0
  return {
    register: async (): Promise<void> => {
      person = await register(url())
      group = await createGroup(url(), person)
      loggedInAt = Date.now()
    },
    token: async (): Promise<string> => {
      if (Date.now() - loggedInAt > LOGIN_EVERY_MS) {
        person = await login(url(), person)
        loggedInAt = Date.now()
      }
      return person.accessToken
    },
    newDocument: async (): Promise<string> => createDocument(url(), person, group),
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
