// Where the clocks of structs went when they were written anew under another client id: runs of them, by the old client.

/** Clocks of one client in a row. `to` is the new clock of the first. */
export interface Run {
  readonly clock: number
  readonly length: number
  readonly to: number
}

export interface IdRuns {
  /** Fast where runs of one client come in the order of their clocks. */
  readonly add: (client: number, run: Run) => void
  /** The new clock, or null. */
  readonly find: (client: number, clock: number) => number | null
  /** The parts of the clocks from `clock` to before `end` that there are. */
  readonly within: (client: number, clock: number, end: number) => readonly Run[]
}

/** How many runs of `runs` begin at or before `clock`. */
const countUpTo = (runs: readonly Run[], clock: number): number => {
  let [low, high] = [0, runs.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((runs[middle] as Run).clock <= clock) low = middle + 1
    else high = middle
  }
  return low
}

export const createIdRuns = (): IdRuns => {
  const runsByClient = new Map<number, Run[]>()
  return {
    add: (client, run) => {
      const runs = runsByClient.get(client) ?? []
      runsByClient.set(client, runs)
      const at = countUpTo(runs, run.clock)
      const before = runs[at - 1]
      const continues = before?.clock === run.clock - (before?.length ?? 0) && before.to + before.length === run.to
      if (continues) runs[at - 1] = { ...before, length: before.length + run.length }
      else runs.splice(at, 0, run)
    },
    find: (client, clock) => {
      const runs = runsByClient.get(client) ?? []
      const run = runs[countUpTo(runs, clock) - 1]
      return run && clock < run.clock + run.length ? run.to + clock - run.clock : null
    },
    within: (client, clock, end) => {
      const runs = runsByClient.get(client) ?? []
      const found: Run[] = []
      for (let at = Math.max(countUpTo(runs, clock) - 1, 0); at < runs.length; at++) {
        const run = runs[at] as Run
        if (run.clock >= end) break
        const from = Math.max(run.clock, clock)
        const until = Math.min(run.clock + run.length, end)
        if (from < until) found.push({ clock: from, length: until - from, to: run.to + from - run.clock })
      }
      return found
    },
  }
}
