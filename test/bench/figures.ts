// The figures that have a bar: which number of which scenario, how ours is set against stock's, and what passes.
import type { Metrics } from './load/scenario.ts'

export interface Figure {
  readonly title: string
  readonly scenario: string
  readonly metric: string
  readonly unit: string
  /** Ours over stock for one pair; 1 is equal. */
  readonly ratio: (ours: Metrics, stock: Metrics) => number
  readonly bar: { readonly atLeast: number } | { readonly atMost: number }
  /** Stock has nothing like it: the ratio is ours alone, over what is allowed. */
  readonly alone?: true
}

const valueOf = (metrics: Metrics, name: string): number => {
  const value = metrics[name]
  if (value === undefined) throw new Error(`no metric ${name}`)
  return value
}

const figure = (
  title: string,
  [scenario, metric, unit]: readonly [string, string, string],
  bar: Figure['bar'],
  allowance: (stock: Metrics) => number = () => 0,
): Figure => ({
  title,
  scenario,
  metric,
  unit,
  bar,
  ratio: (ours, stock) => valueOf(ours, metric) / (valueOf(stock, metric) + allowance(stock)),
})

/** A number of ours that may be `most` at most; of what must not happen at all, 0. */
const alone = (title: string, [scenario, metric, unit]: readonly [string, string, string], most: number): Figure => ({
  title,
  scenario,
  metric,
  unit,
  bar: { atMost: most === 0 ? 0 : 1 },
  alone: true,
  ratio: (ours) => valueOf(ours, metric) / (most === 0 ? 1 : most),
})

/** A durable acknowledgement may cost two disk syncs more: one under way, then its own. */
const twoSyncs = (stock: Metrics): number => 2 * valueOf(stock, 'diskSyncMs')

export const FIGURES: readonly Figure[] = [
  figure('acks/s, 1 document × 50 writers, w=4', ['saturated-1x50', 'acksPerSecond', '/s'], { atLeast: 1 }),
  figure('acks/s, 500 documents × 2, w=1', ['saturated-500x2', 'acksPerSecond', '/s'], { atLeast: 1 }),
  figure('server CPU per ack, 1 × 50', ['saturated-1x50', 'cpuMicrosPerAck', 'µs'], { atMost: 1.1 }),
  figure('server CPU per ack, 500 × 2', ['saturated-500x2', 'cpuMicrosPerAck', 'µs'], { atMost: 1.1 }),
  figure('ack p50, 500 edits/s (stock + 2 syncs)', ['open-loop', 'ackP50Ms', 'ms'], { atMost: 1 }, twoSyncs),
  figure('delivery p99, 1 writer, 1,000 readers', ['fan-out', 'deliveryP99Ms', 'ms'], { atMost: 1.1 }),
  figure('heap per idle document, 1 KB', ['heap', 'heapBytes', 'B'], { atMost: 1 }),
  figure('heap per idle document, empty', ['heap', 'heapBytesEmpty', 'B'], { atMost: 1 }),
  figure('cold open, state received', ['cold-open', 'receivedMs', 'ms'], { atMost: 0.9 }),
  figure('cold open, state applied', ['cold-open', 'appliedMs', 'ms'], { atMost: 0.9 }),
  figure('cold open, synced', ['cold-open', 'syncedMs', 'ms'], { atMost: 0.9 }),
  figure('reconnect storm, 1 document × 500', ['storm-1x500', 'doneMs', 'ms'], { atMost: 1 }),
  figure('reconnect storm, 50 documents × 10', ['storm-50x10', 'doneMs', 'ms'], { atMost: 1 }),
  alone('REST p95 of 200 ms allowed, 200 people × 1/s', ['rest', 'p95Ms', 'ms'], 200),
  alone('REST requests that failed', ['rest', 'errors', '/run'], 0),
]

export const barText = (bar: Figure['bar']): string => ('atLeast' in bar ? `≥ ${bar.atLeast}` : `≤ ${bar.atMost}`)

export const passes = (bar: Figure['bar'], ratio: number): boolean =>
  'atLeast' in bar ? ratio >= bar.atLeast : ratio <= bar.atMost

/** Numbers worth reading beside the figures; they have no bar. */
export const CONTEXT: readonly (readonly [scenario: string, metric: string, unit: string])[] = [
  ['saturated-1x50', 'ackP50Ms', 'ms'],
  ['saturated-1x50', 'ackP99Ms', 'ms'],
  ['saturated-1x50', 'relayFramesPerSecond', '/s'],
  ['saturated-1x50', 'loopP99Ms', 'ms'],
  ['saturated-1x50', 'rssMb', 'MB'],
  ['saturated-1x50', 'heapMb', 'MB'],
  ['saturated-1x50', 'externalMb', 'MB'],
  ['saturated-1x50', 'loadCpuShare', ''],
  ['saturated-500x2', 'ackP50Ms', 'ms'],
  ['saturated-500x2', 'ackP99Ms', 'ms'],
  ['saturated-500x2', 'loopP99Ms', 'ms'],
  ['saturated-500x2', 'rssMb', 'MB'],
  ['saturated-500x2', 'heapMb', 'MB'],
  ['saturated-500x2', 'externalMb', 'MB'],
  ['saturated-500x2', 'loadCpuShare', ''],
  ['open-loop', 'ackP99Ms', 'ms'],
  ['open-loop', 'diskSyncMs', 'ms'],
  ['open-loop', 'cpuShare', ''],
  ['open-loop', 'loopP99Ms', 'ms'],
  ['fan-out', 'deliveryP50Ms', 'ms'],
  ['fan-out', 'ackP50Ms', 'ms'],
  ['fan-out', 'cpuShare', ''],
  ['fan-out', 'rssMb', 'MB'],
  ['heap', 'rssBytes', 'B'],
  ['cold-open', 'wireRatio', ''],
  ['cold-open', 'againMs', 'ms'],
  ['storm-1x500', 'ackedMs', 'ms'],
  ['storm-1x500', 'equalMs', 'ms'],
  ['storm-1x500', 'receivedMb', 'MB'],
  ['storm-1x500', 'cpuMs', 'ms'],
  ['storm-50x10', 'ackedMs', 'ms'],
  ['storm-50x10', 'equalMs', 'ms'],
  ['storm-50x10', 'cpuMs', 'ms'],
  ['rest', 'p50Ms', 'ms'],
  ['rest', 'p99Ms', 'ms'],
  ['rest', 'requestsPerSecond', '/s'],
  ['rest', 'cpuShare', ''],
  ['rest', 'loopP99Ms', 'ms'],
]
