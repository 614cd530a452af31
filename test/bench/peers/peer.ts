// What a server under test is to the benchmark, and how one is started: a child process of its own, on loopback, with
// the probe loaded. Killed by its own pid when the run is over.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Question, Report } from '../probe.ts'
import type { Target } from '../load/client.ts'

export interface Probe {
  readonly reset: () => Promise<void>
  readonly report: () => Promise<Report>
  readonly startProfile: () => Promise<void>
  readonly stopProfile: (path: string) => Promise<void>
}

export interface RunningPeer extends AsyncDisposable {
  readonly pid: number
  readonly probe: Probe
  /** How a client reaches benchmark document number `index`. */
  readonly target: (index: number) => Target
}

export interface Peer {
  readonly kind: 'ours' | 'stock' | 'y-websocket'
  /** Starts on `directory`, which may hold what an earlier start of the same kind stored. */
  readonly start: (directory: string) => Promise<RunningPeer>
  /** The script that measures memory per idle document in its own process; see `peers/heap.ts`. */
  readonly heapScript: string
}

export interface StartedProcess extends AsyncDisposable {
  readonly pid: number
  readonly probe: Probe
  readonly host: string
  readonly port: number
  /** The last it printed, for a failure that only its log explains. */
  readonly output: () => string
}

const START_MS_MAX = 20_000
const STOP_MS_MAX = 12_000

export const scriptPath = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

/** The name of benchmark document `index` below `channel`, as our server wants it; stock takes any. */
export const documentName = (channel: string, index: number): string =>
  `document/${channel}/bench-${String(index).padStart(6, '0')}`

const createProbe = (child: ChildProcess): Probe => {
  const ask = async (question: Question): Promise<Report> => {
    child.send(question)
    const [{ report }] = (await once(child, 'message')) as [{ report: Report }]
    return report
  }
  return {
    reset: async () => void (await ask({ ask: 'reset' })),
    report: () => ask({ ask: 'report' }),
    startProfile: async () => void (await ask({ ask: 'startProfile' })),
    stopProfile: async (path) => void (await ask({ ask: 'stopProfile', path })),
  }
}

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
  await exited
  clearTimeout(timer)
}

/** Starts `node script` and waits for the line that says where it listens. */
export const startProcess = async (script: string, env: Record<string, string>): Promise<StartedProcess> => {
  const child = spawn(process.execPath, ['--import', scriptPath('../probe.ts'), script], {
    // Only these: a setting of the shell that starts the benchmark must not reach one of the servers.
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let output = ''
  const { promise: listening, resolve, reject } = Promise.withResolvers<URL>()
  const onOutput = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-4_000)
    const match = /listening on (http:\/\/\S+)/.exec(output)
    if (match) resolve(new URL(match[1] as string))
  }
  child.stdout?.on('data', onOutput)
  child.stderr?.on('data', onOutput)
  child.on('exit', (code) => reject(new Error(`${script} ended with ${code} before it listened:\n${output}`)))
  const timer = setTimeout(() => reject(new Error(`${script} did not start:\n${output}`)), START_MS_MAX)
  try {
    const url = await listening
    return {
      pid: child.pid as number,
      probe: createProbe(child),
      host: url.hostname,
      port: Number(url.port),
      output: () => output,
      [Symbol.asyncDispose]: () => stop(child),
    }
  } catch (error) {
    await stop(child)
    throw error
  } finally {
    clearTimeout(timer)
  }
}
