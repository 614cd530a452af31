// One at a time under a name: over all tabs where the platform has locks, within this tab elsewhere.

export type Exclusive = <Result>(name: string, run: () => Promise<Result>) => Promise<Result>

/** `locks` null or undefined: the platform has none. */
export const createExclusive = (locks: Pick<LockManager, 'request'> | null | undefined): Exclusive => {
  const last = new Map<string, Promise<unknown>>()
  return async (name, run) => {
    if (locks) return locks.request(name, run)
    const result = (last.get(name) ?? Promise.resolve()).then(run)
    // Whoever comes next waits, and hears of no failure of others.
    const settled = result.catch(() => {})
    last.set(name, settled)
    try {
      return await result
    } finally {
      if (last.get(name) === settled) last.delete(name)
    }
  }
}
