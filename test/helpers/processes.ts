// Child processes of a test: start one, wait for a line it prints, kill it by its own pid. None outlives the test run.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface RunningProcess extends AsyncDisposable {
  readonly pid: number
  /** Resolves when the process is gone and all that it printed was read. */
  readonly exited: Promise<Exit>
  /** Everything it printed so far, stdout and stderr in one. */
  readonly output: () => string
  /** Resolves with the match as soon as the output holds it; rejects when the process ends or the time is over. */
  readonly waitFor: (pattern: RegExp, msMax: number) => Promise<RegExpExecArray>
  /** Sends the signal and resolves when the process is gone. */
  readonly kill: (signal: NodeJS.Signals) => Promise<Exit>
}

export interface ProcessOptions {
  readonly env?: Record<string, string>
  readonly cwd?: string
  readonly uid?: number
  readonly gid?: number
}

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** The pinned Node, which runs TypeScript as it is; the machine's own may be older. */
export const NODE = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url))

/**
 * Kills the process `pid` when this one dies without a chance to do it itself, as a test worker does that is stopped: its
 * end closes the pipe that the guard reads. Returns the guard's dismissal.
 */
const guard = (pid: number): (() => void) => {
  const watcher = spawn('sh', ['-c', 'cat > /dev/null; kill -9 "$0"', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watcher.unref()
  let group = watcher.pid
  return () => {
    // Its whole group: the shell's `cat` is a process of its own.
    if (group !== undefined) process.kill(-group, 'SIGKILL')
    group = undefined
  }
}

export const startProcess = (
  command: string,
  args: readonly string[],
  { env = {}, ...options }: ProcessOptions = {},
): RunningProcess => {
  const child = spawn(command, args, { cwd: ROOT, ...options, env: { ...process.env, ...env } })
  const dismissGuard = child.pid === undefined ? () => {} : guard(child.pid)
  let output = ''
  let ended: string | undefined
  const watchers = new Set<() => void>()
  const notify = (): void => {
    for (const watch of watchers) watch()
  }
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      notify()
    })
  }
  const { promise: exited, resolve: resolveExited } = Promise.withResolvers<Exit>()
  const end = (exit: Exit, reason: string): void => {
    dismissGuard()
    ended = reason
    notify()
    resolveExited(exit)
  }
  child.on('error', (error) => end({ code: null, signal: null }, error.message))
  child.on('close', (code, signal) => end({ code, signal }, `ended with ${signal ?? `code ${code}`}`))

  const waitFor = (pattern: RegExp, msMax: number): Promise<RegExpExecArray> => {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>()
    const fail = (reason: string) => reject(new Error(`no ${String(pattern)}: ${command} ${reason}\n${output}`))
    const watch = (): void => {
      const match = pattern.exec(output)
      if (match) resolve(match)
      else if (ended !== undefined) fail(ended)
    }
    const timer = setTimeout(() => fail(`printed nothing like it in ${msMax} ms`), msMax)
    watchers.add(watch)
    watch()
    return promise.finally(() => {
      watchers.delete(watch)
      clearTimeout(timer)
    })
  }
  const kill = (signal: NodeJS.Signals): Promise<Exit> => {
    child.kill(signal)
    return exited
  }
  return {
    pid: child.pid ?? -1,
    exited,
    output: () => output,
    waitFor,
    kill,
    [Symbol.asyncDispose]: async () => {
      await kill('SIGKILL')
    },
  }
}
