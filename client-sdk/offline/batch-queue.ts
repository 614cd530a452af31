// The line of batches before a disk that takes time: while one group is being written the next one gathers, and goes in
// one transaction. So a hundred edits at once cost two disk syncs, and a single one does not wait.
import { copyBatch } from './batches.ts'
import { type Batch, StoreError } from './store.ts'

type Numbers = readonly number[]

interface Waiting {
  readonly batch: Required<Batch>
  readonly resolve: (numbers: Numbers) => void
  readonly reject: (error: unknown) => void
}

export interface BatchQueue {
  readonly write: (batch: Batch) => Promise<Numbers>
  /** Resolves when every batch that was handed over before is written or has failed. */
  readonly settled: () => Promise<void>
}

/** `commit` does all of its batches, in order, or nothing, and answers the numbers of what each appended. */
export const createBatchQueue = (
  commit: (batches: readonly Required<Batch>[]) => Promise<readonly Numbers[]>,
): BatchQueue => {
  let waiting: Waiting[] = []
  let isWriting = false
  let latest: Promise<unknown> = Promise.resolve()

  const commitGroup = async (group: readonly Waiting[]): Promise<void> => {
    try {
      const numbers = await commit(group.map(({ batch }) => batch))
      for (const [index, { resolve }] of group.entries()) resolve(numbers[index] ?? [])
    } catch (error) {
      const isClosed = error instanceof StoreError && error.code === 'store/closed'
      if (group.length === 1 || isClosed) for (const { reject } of group) reject(error)
      // One of them is to blame, such as one that the disk is too full for: the others are not to fail with it.
      else for (const one of group) await commitGroup([one])
    }
  }
  const drain = async (): Promise<void> => {
    isWriting = true
    while (waiting.length > 0) {
      const group = waiting
      waiting = []
      await commitGroup(group)
    }
    isWriting = false
  }

  return {
    write: async (batch) => {
      const { promise, resolve, reject } = Promise.withResolvers<Numbers>()
      waiting.push({ batch: copyBatch(batch), resolve, reject })
      latest = promise.catch(() => {})
      if (!isWriting) void drain()
      return promise
    },
    settled: async () => {
      await latest
    },
  }
}
