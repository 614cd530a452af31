// One at a time under a name, over all tabs where that can be had, and the locks of this platform that it takes.

/** The part of a LockManager that is used. */
export type Locks = Pick<LockManager, 'request'>
export type Exclusive = <Result>(name: string, run: () => Promise<Result>) => Promise<Result>

/** Web Locks; leases where a page has none, because it came over plain http. Undefined: nothing here tells tabs apart. */
export const platformLocks = async (): Promise<Locks | undefined> =>
  globalThis.navigator?.locks ??
  (globalThis.indexedDB &&
    globalThis.BroadcastChannel &&
    import('./lease-locks.ts').then((leases) => leases.openLeaseLocks()).catch(() => {}))

/** The platform's own locks where nothing is said; null: none, which is one at a time within this tab. */
export const createExclusive = (
  locks: Locks | null | undefined | Promise<Locks | undefined> = platformLocks(),
): Exclusive => {
  const last = new Map<string, Promise<unknown>>()
  return async (name, run) => {
    const shared = locks && (await locks)
    if (shared) return shared.request(name, run)
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
