// What two lists of strings have in common, in order. The result is a longest common subsequence where the lists are
// short, and a good one where they are long: the work is bounded, because the lists come from anybody.

/** Indexes of equal elements, ascending in both lists. */
export type Match = readonly [inOld: number, inNew: number]

/** Cells of one table. */
const TABLE_MAX = 65_536
const RECURSION_MAX = 16

/** Pairs of `weigh(i, j) > 0` in ascending order with the greatest sum of weights. */
export const bestPairs = (olds: number, news: number, weigh: (i: number, j: number) => number): Match[] => {
  const width = news + 1
  const best = new Float64Array((olds + 1) * width)
  const at = (i: number, j: number): number => best[i * width + j] as number
  const weights = new Float64Array(olds * news)
  for (let i = olds - 1; i >= 0; i--) {
    for (let j = news - 1; j >= 0; j--) {
      const weight = weigh(i, j)
      weights[i * news + j] = weight
      const paired = weight > 0 ? weight + at(i + 1, j + 1) : 0
      best[i * width + j] = Math.max(paired, at(i + 1, j), at(i, j + 1))
    }
  }
  const pairs: Match[] = []
  for (let i = 0, j = 0; i < olds && j < news;) {
    const weight = weights[i * news + j] as number
    if (weight > 0 && at(i, j) === weight + at(i + 1, j + 1)) pairs.push([i++, j++])
    else if (at(i, j) === at(i + 1, j)) i++
    else j++
  }
  return pairs
}

/** Where each string stands in `list[from, to)` if it stands there once, else -1. */
const once = (list: readonly string[], from: number, to: number): Map<string, number> => {
  const places = new Map<string, number>()
  for (let i = from; i < to; i++) places.set(list[i] as string, places.has(list[i] as string) ? -1 : i)
  return places
}

/** The longest ascending part of `pairs`, which ascend in the first index, by the second. */
const ascending = (pairs: readonly Match[]): Match[] => {
  /** Index in `pairs` of the smallest end of an ascending part of each length; and what came before each pair. */
  const ends: number[] = []
  const before: number[] = []
  const second = (index: number): number => (pairs[index] as Match)[1]
  for (let index = 0; index < pairs.length; index++) {
    let [low, high] = [0, ends.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (second(ends[middle] as number) < second(index)) low = middle + 1
      else high = middle
    }
    before.push(low > 0 ? (ends[low - 1] as number) : -1)
    ends[low] = index
  }
  const longest: Match[] = []
  for (let index = ends.at(-1) ?? -1; index >= 0; index = before[index] as number) longest.push(pairs[index] as Match)
  return longest.toReversed()
}

/** Elements that stand in both lists, in order. */
export const matchLists = (olds: readonly string[], news: readonly string[]): Match[] => {
  const matches: Match[] = []
  const visit = (from: Match, to: Match, recursion: number): void => {
    let [i, j] = from
    let [iEnd, jEnd] = to
    while (i < iEnd && j < jEnd && olds[i] === news[j]) matches.push([i++, j++])
    const tail: Match[] = []
    while (i < iEnd && j < jEnd && olds[iEnd - 1] === news[jEnd - 1]) tail.push([--iEnd, --jEnd])
    const size = (iEnd - i) * (jEnd - j)
    if (size > 0 && size <= TABLE_MAX) {
      const [iStart, jStart] = [i, j]
      const pairs = bestPairs(iEnd - i, jEnd - j, (a, b) => (olds[iStart + a] === news[jStart + b] ? 1 : 0))
      for (const [a, b] of pairs) matches.push([iStart + a, jStart + b])
    } else if (size > 0 && recursion < RECURSION_MAX) {
      const inNew = once(news, j, jEnd)
      const anchors = ascending(
        [...once(olds, i, iEnd)].flatMap(([text, a]): Match[] => {
          const b = inNew.get(text) ?? -1
          return a >= 0 && b >= 0 ? [[a, b]] : []
        }),
      )
      for (const [a, b] of anchors) {
        visit([i, j], [a, b], recursion + 1)
        matches.push([a, b])
        ;[i, j] = [a + 1, b + 1]
      }
      if (anchors.length > 0) visit([i, j], [iEnd, jEnd], recursion + 1)
    }
    // Not by spreading: a list may hold more than fit on the stack.
    for (const match of tail.toReversed()) matches.push(match)
  }
  visit([0, 0], [olds.length, news.length], 0)
  return matches
}
