// After a migration: whether the server has all of it, and only then the end of the old data.
import { AppError } from '../shared/errors.ts'
import { ADOPT } from './area-keys.ts'
import type { MigrationRecord } from './migrate-record.ts'
import { keysOf } from './migrate-read.ts'
import { sha256Hex } from './migrate-ids.ts'
import { findMaker } from './migrate-records.ts'
import { documentsOf } from './migrate-run.ts'
import type { MigrationPlan, Receipt, SourceStorage } from './migrate-types.ts'
import { openReplicas } from './migrate-world.ts'
import type { Person } from './person.ts'
import type { Replica } from './replica.ts'

export type StoredState =
  | { readonly state: 'stored' | 'waiting' }
  | { readonly state: 'refused'; readonly error: AppError }

const WAITING: StoredState = { state: 'waiting' }

/** `ids` of groups and channels. */
const ofCommands = ({ outbox }: Person, ids: ReadonlySet<string>): StoredState | null => {
  const commands = outbox.list().filter(({ id }) => ids.has(id))
  const refused = commands.find(({ state }) => state === 'refused')
  if (refused) {
    const { code = 'internal', message = code, id } = refused
    return { state: 'refused', error: new AppError(code, message, { id }) }
  }
  return commands.length > 0 ? WAITING : null
}

const ofDocument = async (person: Person, { name, status }: Replica): Promise<StoredState | null> => {
  const refused = (await person.workspace.quarantine.list()).find(({ document }) => document === name)
  if (refused) {
    const { code, path } = refused
    return { state: 'refused', error: new AppError(code, 'the server refused some of it', { document: name, path }) }
  }
  if (status.access === 'denied') {
    const error = new AppError('access/not-found', 'the document is not there any more', { document: name })
    return { state: 'refused', error }
  }
  return status.stored && status.synced ? null : WAITING
}

const stateOf = async (person: Person, ids: ReadonlySet<string>, replicas: Iterable<Replica>): Promise<StoredState> => {
  const commands = ofCommands(person, ids)
  if (commands) return commands
  // Work of a guest that is not made again yet.
  if ((await person.store.list(ADOPT)).size > 0) return WAITING
  let isWaiting = false
  for (const replica of replicas) {
    const state = await ofDocument(person, replica)
    if (state?.state === 'refused') return state
    isWaiting ||= state !== null
  }
  return isWaiting ? WAITING : { state: 'stored' }
}

/** Resolves once the state is not `waiting` any more, or `signal` says that nobody asks. */
export const untilStored = async (
  person: Person,
  { made }: Pick<Receipt, 'made'>,
  { mayWait, signal }: { readonly mayWait: boolean; readonly signal?: AbortSignal },
): Promise<StoredState> => {
  await using replicas = openReplicas(person)
  for (const name of documentsOf(made, person.user.id)) await replicas.open(name)
  const ids = new Set(made.filter(({ what }) => !findMaker(what)).map(({ id }) => id))
  let changed = Promise.withResolvers<void>()
  const tell = (): void => changed.resolve()
  signal?.addEventListener('abort', tell)
  const undo = [
    person.outbox.subscribe(tell),
    person.workspace.quarantine.subscribe(tell),
    person.roster.onChange(tell),
    ...Array.from(replicas.all(), (replica) => replica.onStatus(tell)),
  ]
  try {
    for (;;) {
      const state = await stateOf(person, ids, replicas.all())
      if (state.state !== 'waiting' || !mayWait || signal?.aborted) return state
      await changed.promise
      changed = Promise.withResolvers()
    }
  } finally {
    for (const stop of undo) stop()
    signal?.removeEventListener('abort', tell)
  }
}

export const mustReceipt = (record: MigrationRecord | null): Receipt => {
  if (record?.receipt) return record.receipt
  throw new AppError('record/not-found', 'nothing has been taken over here')
}

/** Throws `version/stale` when the old app has written since. */
const mustBeAsRead = (plan: MigrationPlan, storage: SourceStorage, { sources }: Receipt): readonly string[] => {
  const known = new Map(sources.map(({ key, sha256 }) => [key, sha256]))
  const keys = [...new Set(plan.sources.flatMap((source) => keysOf(source, storage)))]
  const newer = keys.filter((key) => sha256Hex(storage.getItem(key) ?? '') !== known.get(key))
  if (newer.length === 0) return keys
  throw new AppError('version/stale', 'the old app has written since: take it over once more', { keys: newer })
}

/** In one go, so that nobody writes between the look and the removal. */
export const removeSources = (
  plan: MigrationPlan,
  storage: SourceStorage,
  receipt: Receipt,
  withErrors: boolean,
): { readonly removed: readonly string[]; readonly kept: readonly string[] } => {
  const faulty = new Set(receipt.sources.filter(({ errors }) => errors > 0).map(({ key }) => key))
  const keys = mustBeAsRead(plan, storage, receipt)
  const removed = keys.filter((key) => withErrors || !faulty.has(key))
  for (const key of removed) storage.removeItem(key)
  return { removed, kept: keys.filter((key) => !removed.includes(key)) }
}
