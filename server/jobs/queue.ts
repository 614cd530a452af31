// A queue of jobs that may be run any number of times: one at a time, each at most once in the queue, and again later
// until it succeeds. It is kept in memory only; who adds to it must know how to find out after a crash.

export interface JobQueue extends AsyncDisposable {
  /** Has the job run soon. `urgent` ones go before all others. Does nothing once the queue is stopped. */
  readonly add: (job: string, urgent?: boolean) => void
}

export interface JobQueueDeps {
  readonly run: (job: string) => Promise<void>
  /** Called for each attempt that failed; the next comes after `retryMs`. */
  readonly onFailed: (job: string, error: unknown, retryMs: number) => void
  /** Runs something later and returns how to call it off. */
  readonly after?: (ms: number, run: () => void) => () => void
}

const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 30_000

const afterTimeout = (ms: number, run: () => void): (() => void) => {
  const timer = setTimeout(run, ms)
  timer.unref()
  return () => clearTimeout(timer)
}

interface Failure {
  readonly attempts: number
  /** Calls the next attempt off. */
  readonly cancel: () => void
}

/** Disposing lets the running job end and forgets all others. */
export const createJobQueue = ({ run, onFailed, after = afterTimeout }: JobQueueDeps): JobQueue => {
  const urgent = new Set<string>()
  const others = new Set<string>()
  const failures = new Map<string, Failure>()
  let working: Promise<void> | undefined
  let stopped = false

  const take = (): string | undefined => {
    if (stopped) return undefined
    const [job] = urgent.size > 0 ? urgent : others
    if (job === undefined) return undefined
    urgent.delete(job)
    others.delete(job)
    return job
  }

  const attempt = async (job: string): Promise<void> => {
    const failed = failures.get(job)
    failed?.cancel()
    try {
      await run(job)
      failures.delete(job)
    } catch (error) {
      const attempts = failed?.attempts ?? 0
      const retryMs = Math.min(RETRY_MS_MIN * 2 ** attempts, RETRY_MS_MAX)
      onFailed(job, error, retryMs)
      if (!stopped) failures.set(job, { attempts: attempts + 1, cancel: after(retryMs, () => add(job)) })
    }
  }

  const work = async (): Promise<void> => {
    // Not in the turn of whoever adds.
    await Promise.resolve()
    for (let job = take(); job !== undefined; job = take()) await attempt(job)
    working = undefined
  }

  const add = (job: string, isUrgent = false): void => {
    if (stopped) return
    ;(isUrgent ? urgent : others).add(job)
    working ??= work()
  }

  return {
    add,
    [Symbol.asyncDispose]: async () => {
      stopped = true
      for (const { cancel } of failures.values()) cancel()
      await working
    },
  }
}
