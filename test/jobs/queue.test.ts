// The queue of jobs: one at a time, urgent first, coalesced, again until it works, and a clean stop.
import { expect, test } from 'vitest'
import { createJobQueue } from '../../server/jobs/queue.ts'
import { eventually, nextTurn } from '../helpers/eventually.ts'

/** A queue whose jobs wait until they are let go, and whose clock is a list. */
const openQueue = () => {
  const started: string[] = []
  const failures: { job: string; retryMs: number }[] = []
  const timers: { ms: number; run: () => void; isOff: boolean }[] = []
  const gates: ((error?: Error) => void)[] = []
  const queue = createJobQueue({
    run: (job) =>
      new Promise((resolve, reject) => {
        started.push(job)
        gates.push((error) => (error ? reject(error) : resolve()))
      }),
    onFailed: (job, _error, retryMs) => failures.push({ job, retryMs }),
    after: (ms, run) => {
      const timer = { ms, run, isOff: false }
      timers.push(timer)
      return () => (timer.isOff = true)
    },
  })
  const finish = async (error?: Error): Promise<void> => {
    const gate = await eventually(
      () => gates.shift(),
      (found) => found !== undefined,
    )
    gate?.(error)
    await nextTurn()
  }
  return { queue, started, failures, timers, finish }
}

const FAILURE = new Error('storage is away')

test('[JB1] one job runs at a time, urgent ones first, and what is added twice runs once', async () => {
  const { queue, started, finish } = openQueue()
  for (const job of ['a', 'b', 'b']) queue.add(job)
  await nextTurn()
  queue.add('c', true)
  queue.add('c', true)
  expect(started).toEqual(['a'])
  for (let i = 0; i < 3; i++) await finish()
  expect(started).toEqual(['a', 'c', 'b'])
})

test('[JB2] a job that is added while it runs runs once more', async () => {
  const { queue, started, finish } = openQueue()
  queue.add('a')
  await nextTurn()
  queue.add('a')
  queue.add('a')
  await finish()
  await finish()
  expect(started).toEqual(['a', 'a'])
})

test('[JB3] a job that fails is tried again, later and later, and holds up no other', async () => {
  const { queue, started, failures, timers, finish } = openQueue()
  queue.add('a')
  queue.add('b')
  for (let attempt = 0; attempt < 12; attempt++) {
    await finish(FAILURE)
    if (attempt === 0) await finish()
    timers.at(-1)?.run()
  }
  await finish()
  expect(started.filter((job) => job === 'b')).toHaveLength(1)
  const waits = failures.map(({ retryMs }) => retryMs)
  expect(waits.slice(0, 3)).toEqual([100, 200, 400])
  expect(waits.at(-1)).toBe(30_000)
  // It worked in the end: the next failure begins at the start.
  queue.add('a')
  await finish(FAILURE)
  expect(failures.at(-1)).toEqual({ job: 'a', retryMs: 100 })
})

test('[JB4] a stop waits for the running job, and runs no other, neither waiting nor tried again', async () => {
  const { queue, started, timers, finish } = openQueue()
  queue.add('a')
  await finish(FAILURE)
  queue.add('b')
  queue.add('c')
  await nextTurn()
  let isStopped = false
  const stopped = (async () => {
    await queue[Symbol.asyncDispose]()
    isStopped = true
  })()
  await nextTurn()
  expect([isStopped, timers.every(({ isOff }) => isOff)]).toEqual([false, true])
  await finish()
  await stopped
  queue.add('d')
  await nextTurn()
  expect(started).toEqual(['a', 'b'])
})
