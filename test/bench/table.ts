// Turns the runs into figures with intervals, and prints them as a table.
import { barText, CONTEXT, type Figure, FIGURES, passes } from './figures.ts'
import type { Metrics } from './load/scenario.ts'
import { bootstrapMedian, median } from './statistics.ts'

export interface Run {
  readonly scenario: string
  readonly peer: string
  readonly pair: number
  readonly metrics: Metrics
}

export interface Result {
  readonly figure: string
  readonly scenario: string
  readonly metric: string
  readonly ours: number
  readonly stock: number
  readonly yWebsocket: number
  readonly ratio: number
  readonly low: number
  readonly high: number
  readonly bar: string
  readonly verdict: 'PASS' | 'FAIL' | 'NONE'
  readonly pairs: number
}

const medianOf = (runs: readonly Run[], scenario: string, peer: string, metric: string): number =>
  median(
    runs
      .filter((run) => run.scenario === scenario && run.peer === peer)
      .map(({ metrics }) => metrics[metric])
      .filter((value) => value !== undefined),
  )

/** The ratio of every pair in which both ran, or ours did where there is nobody else. */
const ratiosOf = (runs: readonly Run[], { scenario, ratio, alone }: Figure): number[] => {
  const byPair = (peer: string): Map<number, Metrics> =>
    new Map(
      runs.filter((run) => run.scenario === scenario && run.peer === peer).map(({ pair, metrics }) => [pair, metrics]),
    )
  const stock = byPair('stock')
  return [...byPair('ours')].flatMap(([pair, metrics]) => {
    const other = alone ? metrics : stock.get(pair)
    return other ? [ratio(metrics, other)] : []
  })
}

export const resultOf = (runs: readonly Run[], figure: Figure, seed: number): Result => {
  const ratios = ratiosOf(runs, figure)
  const ratio = median(ratios)
  const { low, high } = ratios.length > 0 ? bootstrapMedian(ratios, seed) : { low: Number.NaN, high: Number.NaN }
  const { scenario, metric } = figure
  return {
    figure: figure.title,
    scenario,
    metric,
    ours: medianOf(runs, scenario, 'ours', metric),
    stock: medianOf(runs, scenario, 'stock', metric),
    yWebsocket: medianOf(runs, scenario, 'y-websocket', metric),
    ratio,
    low,
    high,
    bar: barText(figure.bar),
    verdict: ratios.length === 0 ? 'NONE' : passes(figure.bar, ratio) ? 'PASS' : 'FAIL',
    pairs: ratios.length,
  }
}

/** Three significant digits; a dash for what was not measured. */
const numberText = (value: number): string => {
  if (Number.isNaN(value)) return '-'
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US')
  return value.toPrecision(3)
}

const layOut = (rows: readonly (readonly string[])[]): string => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export const renderTable = (runs: readonly Run[], seed: number): string => {
  const wasRun = (scenario: string): boolean => runs.some((run) => run.scenario === scenario)
  const figures = FIGURES.filter(({ scenario }) => wasRun(scenario)).map((figure) => {
    const { ours, stock, yWebsocket, ratio, low, high, bar, verdict } = resultOf(runs, figure, seed)
    const interval = `${numberText(low)} – ${numberText(high)}`
    const values = [ours, stock, yWebsocket, ratio].map(numberText)
    return [`${figure.title} [${figure.unit}]`].concat(values, [interval, bar, verdict])
  })
  const context = CONTEXT.filter(([scenario]) => wasRun(scenario)).map(([scenario, metric, unit]) => {
    const [ours, stock, yWebsocket] = ['ours', 'stock', 'y-websocket'].map((peer) =>
      medianOf(runs, scenario, peer, metric),
    ) as [number, number, number]
    const name = unit === '' ? `${scenario} ${metric}` : `${scenario} ${metric} [${unit}]`
    return [name].concat([ours, stock, yWebsocket, ours / stock].map(numberText))
  })
  const figureHead = ['figure (medians)', 'ours', 'stock', 'y-websocket', 'ratio', '95 % of ratio', 'bar', '']
  const contextHead = ['no bar (medians)', 'ours', 'stock', 'y-websocket', 'ratio']
  return `${layOut([figureHead, ...figures])}\n\n${layOut([contextHead, ...context])}\n`
}
