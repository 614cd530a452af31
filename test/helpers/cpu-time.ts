// CPU time of this thread, for bounds on work that must hold however busy the machine is.

const usedMs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

/** The milliseconds of CPU that `run` takes, which must not wait for anything. */
export const cpuMsOf = (run: () => void): number => {
  const before = usedMs()
  run()
  return usedMs() - before
}
