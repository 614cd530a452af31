// Things that are opened once, whoever asks, and closed when the last one who holds them lets go.
export interface Held<Thing> {
  readonly hold: (name: string) => Promise<Thing>
  readonly drop: (name: string) => Promise<void>
  readonly get: (name: string) => Promise<Thing> | undefined
  readonly names: () => Iterable<string>
  /** All that could be opened. */
  readonly all: () => Promise<readonly Thing[]>
}

export const createHeld = <Thing extends { readonly close: () => Promise<void> }>(
  open: (name: string) => Promise<Thing>,
): Held<Thing> => {
  const held = new Map<string, { readonly thing: Promise<Thing>; holders: number }>()
  return {
    hold: (name) => {
      let found = held.get(name)
      if (!found) {
        found = { thing: open(name), holders: 0 }
        held.set(name, found)
        // What could not be opened is tried again by the next who asks.
        found.thing.catch(() => held.delete(name))
      }
      found.holders++
      return found.thing
    },
    drop: async (name) => {
      const found = held.get(name)
      if (!found || --found.holders > 0) return
      held.delete(name)
      await (await found.thing).close()
    },
    get: (name) => held.get(name)?.thing,
    names: () => held.keys(),
    all: async () => {
      const all = await Promise.allSettled(Array.from(held.values(), ({ thing }) => thing))
      return all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    },
  }
}
