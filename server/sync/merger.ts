// The near end of the merging thread, which is started when it is first needed: one task at a time, in order.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Answer, Results, Task } from './merger-thread.ts'

export interface Merger extends AsyncDisposable {
  /** Rejects with what went wrong in the thread, or when it was stopped. */
  readonly run: <Name extends Task['task']>(task: Extract<Task, { readonly task: Name }>) => Promise<Results[Name]>
}

export const createMerger = (): Merger => {
  const start = () => {
    const worker = new Worker(new URL('./merger-thread.ts', import.meta.url))
    const stopped = once(worker, 'exit').then(() => Promise.reject(new Error('the merging thread has stopped')))
    // A thread that ends is started again for the next task.
    stopped.catch(() => (running = undefined))
    worker.on('error', () => {})
    return { worker, stopped }
  }
  let running: ReturnType<typeof start> | undefined
  let isStopped = false
  let last: Promise<unknown> = Promise.resolve()

  const ask = async (task: Task): Promise<Results[keyof Results]> => {
    if (isStopped) throw new Error('the merging thread has stopped')
    running ??= start()
    const answered = once(running.worker, 'message') as Promise<[Answer]>
    running.worker.postMessage(task)
    const [answer] = await Promise.race([answered, running.stopped])
    if ('error' in answer) throw new Error(answer.error)
    return answer.result
  }

  return {
    run: <Name extends Task['task']>(task: Extract<Task, { readonly task: Name }>) => {
      const asked = last.then(() => ask(task))
      last = asked.catch(() => {})
      return asked as Promise<Results[Name]>
    },
    [Symbol.asyncDispose]: async () => {
      isStopped = true
      await running?.worker.terminate()
    },
  }
}
