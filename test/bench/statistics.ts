// The few statistics the benchmark reports: quantiles, and a seeded bootstrap interval. No I/O.

/** The `q` quantile (0 to 1), interpolated; NaN when there are no values. */
export const quantile = (values: readonly number[] | Float64Array, q: number): number => {
  const sorted = Float64Array.from(values).sort()
  if (sorted.length === 0) return Number.NaN
  const place = (sorted.length - 1) * q
  const low = sorted[Math.floor(place)] as number
  const high = sorted[Math.ceil(place)] as number
  return low + (high - low) * (place - Math.floor(place))
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** Uniform numbers in [0, 1) from a 32-bit seed (mulberry32). */
export const createRandom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const BOOTSTRAP_ROUNDS = 10_000

export interface Interval {
  readonly low: number
  readonly high: number
}

/** The 95 % percentile interval of the median of `values`, by resampling them with replacement. */
export const bootstrapMedian = (values: readonly number[], seed: number): Interval => {
  const random = createRandom(seed)
  const medians = new Float64Array(BOOTSTRAP_ROUNDS)
  for (let round = 0; round < BOOTSTRAP_ROUNDS; round++) {
    medians[round] = median(values.map(() => values[Math.floor(random() * values.length)] as number))
  }
  return { low: quantile(medians, 0.025), high: quantile(medians, 0.975) }
}
