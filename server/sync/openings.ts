// A socket's documents open a few at a time: each costs look-ups, and a client can ask for hundreds in one packet.

const AT_ONCE_MAX = 64

export const createOpenings = () => {
  const waiting: (() => void)[] = []
  let running = 0

  const next = (): void => {
    while (running < AT_ONCE_MAX) {
      const open = waiting.shift()
      if (!open) return
      running++
      open()
    }
  }
  return {
    /** Opens at once, or when it is its turn. */
    add: (open: () => void): void => {
      waiting.push(open)
      next()
    },
    /** One has opened, or was denied; its place is free again when `wait` is over. */
    done: async (wait?: Promise<void>): Promise<void> => {
      await wait
      running--
      next()
    },
  }
}
