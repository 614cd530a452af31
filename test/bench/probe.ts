// Loaded into every server under test with `--import`: answers the runner's questions about the process (event-loop
// delay, memory, a CPU profile of a window) over the IPC channel. The servers know nothing of it.
import { writeFile } from 'node:fs/promises'
import { Session } from 'node:inspector/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

export type Question =
  | { readonly ask: 'reset' | 'report' | 'startProfile' }
  | { readonly ask: 'stopProfile'; readonly path: string }

export interface Report {
  readonly loopP50Ms: number
  readonly loopP99Ms: number
  readonly loopMaxMs: number
  readonly rssMb: number
  readonly heapMb: number
  /** Bytes outside the heap: buffers. */
  readonly externalMb: number
}

const RESOLUTION_MS = 10
const SAMPLING_INTERVAL_US = 200

const startProbe = (): void => {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  const session = new Session()
  const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)

  const report = (): Report => {
    const { rss, heapUsed, external } = process.memoryUsage()
    return {
      loopP50Ms: ms(delay.percentile(50)),
      loopP99Ms: ms(delay.percentile(99)),
      loopMaxMs: ms(delay.max),
      rssMb: rss / 2 ** 20,
      heapMb: heapUsed / 2 ** 20,
      externalMb: external / 2 ** 20,
    }
  }
  const answer = async (question: Question): Promise<Report | undefined> => {
    if (question.ask === 'reset') delay.reset()
    if (question.ask === 'report') return report()
    if (question.ask === 'startProfile') {
      session.connect()
      await session.post('Profiler.enable')
      await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL_US })
      await session.post('Profiler.start')
    }
    if (question.ask === 'stopProfile') {
      const { profile } = await session.post('Profiler.stop')
      await writeFile(question.path, JSON.stringify(profile))
      session.disconnect()
    }
    return undefined
  }
  process.on('message', (question: Question) => {
    void answer(question).then((report) => process.send?.({ report }))
  })
  // A server must not outlive the runner, and the channel must not keep one alive that wants to end.
  process.on('disconnect', () => process.exit(1))
  process.channel?.unref()
}

if (isMainThread && process.send) startProbe()
