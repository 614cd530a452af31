// What handles of each kind can do. Its file, the kind's own, is loaded when a document of the kind is opened, and ahead of
// that where this device has shown the kind before: then it is there when the disk is.
import { isLazy, KIND_FILES } from './kinds.ts'
import type { Store } from './offline/store.ts'

/** In the area of the device: the names of the kinds that were opened on it. */
const SHOWN = 'kinds'

type Name = keyof typeof KIND_FILES
type MethodsOf<Kind extends Name> = Awaited<ReturnType<(typeof KIND_FILES)[Kind]>>['methods']

/** Begins to load what was shown on this device before. */
export const createMethods = (device: Store) => {
  const begin = async (): Promise<Set<string>> => {
    const shown = new Set((await device.get(SHOWN)) as unknown as readonly string[] | undefined)
    // What cannot be loaded now is loaded again by whoever needs it, who hears why.
    for (const name of shown) if (isLazy(name)) KIND_FILES[name]().catch(() => {})
    return shown
  }
  const begun = begin()
  const note = async (name: string): Promise<void> => {
    const shown = await begun
    if (shown.has(name)) return
    await device.write({ put: { [SHOWN]: [...shown.add(name)] } })
  }
  return async <Kind extends Name>(name: Kind): Promise<MethodsOf<Kind>> => {
    // It is a little faster the next time, or not.
    note(name).catch(() => {})
    return (await KIND_FILES[name]()).methods
  }
}
