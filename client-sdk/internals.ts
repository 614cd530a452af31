// What other parts of the SDK need of a client and apps do not.
import type { Clock } from './connection-types.ts'
import type { Disk, Store } from './offline/store.ts'
import type { Person } from './person.ts'

export interface Internals {
  /** The device's own area. */
  readonly device: Store
  readonly disk: Disk
  /** Whoever uses the device now. */
  readonly person: () => Person
  /** The same, once nobody is on their way in or out. */
  readonly settledPerson: () => Promise<Person>
  readonly clock: Clock
  readonly newId: () => string
}

export const internals = new WeakMap<object, Internals>()

/** Throws for what is no client of this package. */
export const internalsOf = (client: object): Internals => {
  const found = internals.get(client)
  if (!found) throw new TypeError('not a client of @syncline/client')
  return found
}
