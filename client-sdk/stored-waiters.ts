// Whoever waits until edits are on the server's disk: each waits for the entries that were pending when they asked.
export interface StoredWaiters {
  /** Resolves once none of `seqs` is pending any more. */
  readonly until: (seqs: Iterable<number>) => Promise<void>
  /** Entries have other numbers now. */
  readonly rename: (replaced: ReadonlyMap<number, number>) => void
  readonly settle: (pending: ReadonlySet<number>) => void
}

export const createStoredWaiters = (): StoredWaiters => {
  const waiters = new Set<{ seqs: readonly number[]; readonly resolve: () => void }>()
  return {
    until: (seqs) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      waiters.add({ seqs: [...seqs], resolve })
      return promise
    },
    rename: (replaced) => {
      for (const waiter of waiters) waiter.seqs = waiter.seqs.map((seq) => replaced.get(seq) ?? seq)
    },
    settle: (pending) => {
      for (const waiter of waiters) {
        waiter.seqs = waiter.seqs.filter((seq) => pending.has(seq))
        if (waiter.seqs.length > 0) continue
        waiters.delete(waiter)
        waiter.resolve()
      }
    },
  }
}
