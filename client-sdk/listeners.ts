// A list of listeners, each with its undo. One that throws does not keep the others from hearing.
export interface Listeners<Value> {
  readonly add: (listener: (value: Value) => void) => () => void
  readonly tell: (value: Value) => void
}

export const createListeners = <Value>(): Listeners<Value> => {
  const listeners = new Set<(value: Value) => void>()
  return {
    add: (listener) => {
      // One function added twice is heard twice, and taken back one at a time.
      const own = (value: Value): void => listener(value)
      listeners.add(own)
      return () => void listeners.delete(own)
    },
    tell: (value) => {
      for (const listener of listeners) {
        try {
          listener(value)
        } catch (error) {
          // Reported as uncaught, as platforms do with event listeners.
          queueMicrotask(() => {
            throw error
          })
        }
      }
    },
  }
}
