// Gathers calls while an earlier batch is being written, so that a thousand single rows cost a handful of commits.

/** Makes a function of one item from one of many; answers come back in order, and a failed batch fails its items. */
export const createBatcher = <Item, Answer>(run: (items: readonly Item[]) => Promise<readonly Answer[]>) => {
  let waiting: { item: Item; resolve: (answer: Answer) => void; reject: (error: unknown) => void }[] = []
  let running = false

  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        const answers = await run(batch.map(({ item }) => item))
        batch.forEach(({ resolve }, index) => resolve(answers[index] as Answer))
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    running = false
  }

  return (item: Item): Promise<Answer> =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (running) return
      running = true
      setImmediate(() => void drain())
    })
}
