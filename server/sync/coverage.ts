// What a delete set covers.

/**
 * Whether one range of `deletes` (`client, clock, length` triples, sorted per client) covers a struct. To be asked client
 * by client, with rising clocks.
 */
export type Coverage = (client: number, clock: number, length: number) => boolean

export const createCoverage = (deletes: readonly number[]): Coverage => {
  if (deletes.length === 0) return () => false
  const starts = new Map<number, number>()
  for (let i = 0; i < deletes.length; i += 3) {
    const client = deletes[i] as number
    if (!starts.has(client)) starts.set(client, i)
  }
  let asked = -1
  let at = 0
  const endAt = (i: number): number => (deletes[i + 1] as number) + (deletes[i + 2] as number)
  return (client, clock, length) => {
    if (client !== asked) {
      asked = client
      at = starts.get(client) ?? deletes.length
    }
    while (deletes[at] === client && endAt(at) <= clock) at += 3
    return deletes[at] === client && (deletes[at + 1] as number) <= clock && clock + length <= endAt(at)
  }
}
