// One document on a device of its own, without a server and without a client around it: for tests of what only reads handles.
import { CORE_KINDS } from '../../../shared/core-kinds.ts'
import type { Kind } from '../../../shared/kind.ts'
import { parseDocumentName } from '../../../shared/names.ts'
import type { Facts } from '../../../shared/rules.ts'
import type { Handle } from '../../../client-sdk/client-types.ts'
import { createHandle } from '../../../client-sdk/handle.ts'
import { createMemoryDisk } from '../../../client-sdk/offline/memory.ts'
import { openReplica, type Replica } from '../../../client-sdk/replica.ts'

const ACTOR = 'person-0001'
const GROUP = { timezone: 'UTC', frequency: 'weekly', createdAt: 0, joinedAt: 0 } as const
/** A Monday in 2026. */
const NOW = Date.UTC(2026, 1, 9, 12)

/** A group that the writer belongs to. */
export const GROUP_ID = 'group-00001'

const facts: Facts = {
  actor: ACTOR,
  role: 'member',
  now: NOW,
  members: new Set([ACTOR]),
  isSealed: false,
  groups: new Map([[GROUP_ID, GROUP]]),
}

const clock = { now: () => NOW, after: () => () => {} }

export interface OpenDocument<Value> {
  readonly handle: Handle<Value>
  readonly replica: Replica
}

/** Opens `kind/id[/part]`, empty. Times stand still; ids count up; closing the handle ends the doc. */
export const openDocument = async <Value>(name: string): Promise<OpenDocument<Value>> => {
  const kind = CORE_KINDS.get(parseDocumentName(name).kind) as Kind
  const store = await createMemoryDisk().open('person')
  let lastId = 0
  const newId = (): string => `record-${String(++lastId).padStart(6, '0')}`
  const draws = { newId, random: () => 0.5, deviceId: 'device-0001' }
  const replica = await openReplica({
    name,
    kind,
    store,
    entries: store.load(name),
    facts: () => facts,
    draws,
    clock,
    onSaved: () => {},
  })
  const handle = createHandle<Value>({
    replica,
    operations: new Map(kind.operations.map((operation) => [operation.name, operation])),
    read: (doc) => kind.read?.(doc) as Value,
    onClose: () => replica.close(),
  })
  return { handle, replica }
}
