// When a browser says that the network or the page came back or went: worth a look at once. Elsewhere nothing is said.

const NETWORK_EVENTS = ['online', 'offline', 'pageshow'] as const

/** Calls `run` then. Returns its undo. */
export const onWake = (run: () => void): (() => void) => {
  const owned = new AbortController()
  const { signal } = owned
  if (typeof addEventListener === 'function') {
    for (const type of NETWORK_EVENTS) addEventListener(type, run, { signal })
  }
  if (typeof document !== 'undefined') {
    const onVisibility = (): void => {
      if (document.visibilityState === 'visible') run()
    }
    document.addEventListener('visibilitychange', onVisibility, { signal })
  }
  return () => owned.abort()
}
