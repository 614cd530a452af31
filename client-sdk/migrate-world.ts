// Where a migration writes: into this device's documents and outbox, or, for a dry run, into copies that are thrown away.
import * as Y from 'yjs'
import { applyState } from '../shared/apply-state.ts'
import { AppError } from '../shared/errors.ts'
import type { Kind } from '../shared/kind.ts'
import type { Facts } from '../shared/rules.ts'
import { createChannels, type NewChannel } from './channels.ts'
import type { Clock } from './connection-types.ts'
import { createGroups, type NewGroup } from './groups.ts'
import type { Target } from './migrate-records.ts'
import type { Command, Outbox } from './outbox-types.ts'
import { loadKind, loadOperations } from './kinds.ts'
import type { Person } from './person.ts'
import type { Replica } from './replica.ts'

export interface World extends AsyncDisposable {
  /** Makes a group of this id; false: it is there already. */
  readonly group: (id: string, group: NewGroup) => Promise<boolean>
  readonly channel: (id: string, groupId: string, channel: NewChannel) => Promise<boolean>
  readonly target: (document: string) => Promise<Target>
  /** Everything so far is on the disk, and others had their turn. */
  readonly settle: () => Promise<void>
}

/** Lets what waits for the event loop run. */
export const pause = (clock: Clock, ms = 0): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>()
  clock.after(ms, resolve)
  return promise
}

const create = (person: Person, outbox: Outbox) => ({
  group: async (id: string, group: NewGroup): Promise<boolean> => {
    if (person.groups.get(id)) return false
    await createGroups({ outbox, newId: () => id, readMe: () => null }).create(group)
    return true
  },
  channel: async (id: string, groupId: string, channel: NewChannel): Promise<boolean> => {
    if (person.channels.list(groupId).some((known) => known.id === id)) return false
    await createChannels({ outbox, newId: () => id, readGroup: () => null }).create(groupId, { ...channel, id })
    return true
  },
})

/** Documents of this device, held open until it is disposed of. */
export const openReplicas = (person: Person) => {
  const opened = new Map<string, Replica>()
  return {
    all: () => opened.values(),
    open: async (document: string): Promise<Replica> => {
      const known = opened.get(document)
      if (known) return known
      const replica = await person.workspace.acquire(document)
      opened.set(document, replica)
      return replica
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(Array.from(opened.keys(), (document) => person.workspace.release(document)))
    },
  }
}

export const liveWorld = (person: Person, clock: Clock, mustBeHere: () => void): World => {
  const replicas = openReplicas(person)
  const targets = new Map<string, Target>()
  return {
    ...create(person, person.outbox),
    target: async (document) => {
      const replica = await replicas.open(document)
      if (replica.status.access === 'denied')
        throw new AppError('access/not-found', 'the document is not there any more', { document })
      let target = targets.get(document)
      if (!target) {
        const { kind } = replica
        const operations = await loadOperations(document)
        target = { kind, operations, doc: () => replica.doc, facts: () => person.facts.of(kind, document) }
        targets.set(document, target)
      }
      return target
    },
    settle: async () => {
      await Promise.all(Array.from(replicas.all(), (replica) => replica.saved()))
      await pause(clock)
      mustBeHere()
    },
    [Symbol.asyncDispose]: replicas[Symbol.asyncDispose],
  }
}

/** Checks everything as the live one does. */
export const scratchWorld = (person: Person, clock: Clock): World => {
  const docs = new Map<string, Target>()
  const groups = new Map<string, Facts['groups'] extends ReadonlyMap<string, infer Group> ? Group : never>()
  const refuse = (): Promise<Command> => Promise.resolve({} as Command)
  const made = create(person, { ...person.outbox, add: refuse })
  const factsOf = (kind: Kind, document: string): Facts => {
    const facts = person.facts.of(kind, document)
    return groups.size === 0 ? facts : { ...facts, groups: new Map([...groups, ...facts.groups]) }
  }
  return {
    channel: made.channel,
    group: async (id, group) => {
      if (!(await made.group(id, group))) return false
      const { timezone = 'UTC', checkInFrequency: frequency = 'weekly' } = group
      const now = clock.now()
      groups.set(id, { timezone, frequency, createdAt: now, joinedAt: now })
      return true
    },
    target: async (document) => {
      const known = docs.get(document)
      if (known) return known
      const doc = new Y.Doc()
      for (const { update } of await person.store.load(document)) applyState(doc, update)
      const kind = await loadKind(document)
      kind.keep?.(doc)
      const operations = await loadOperations(document)
      const target = { kind, operations, doc: () => doc, facts: () => factsOf(kind, document) }
      docs.set(document, target)
      return target
    },
    settle: () => pause(clock),
    [Symbol.asyncDispose]: async () => {
      for (const { doc } of docs.values()) doc().destroy()
    },
  }
}
