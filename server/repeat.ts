// Something that is done again and again while the server runs.

/**
 * Runs `run`, which must not reject, every `ms`, never twice at once; `first` is a run that was begun before. Disposing ends
 * it, after a run under way.
 */
export const repeatEvery = (ms: number, run: () => Promise<void>, first = Promise.resolve()): AsyncDisposable => {
  let running = first
  const timer = setInterval(() => {
    running = running.then(run)
  }, ms)
  timer.unref()
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      await running
    },
  }
}
