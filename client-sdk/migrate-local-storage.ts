// Takes over the data of an app that so far lived in localStorage: by a plan that says in data what each value becomes. A
// second run, a second tab or a crash and a run again make nothing twice, because every id is made from the app's own keys.
import { AppError } from '../shared/errors.ts'
import type { Client } from './client.ts'
import { internalsOf } from './internals.ts'
import { platformLocks } from './exclusive.ts'
import { stableId } from './migrate-ids.ts'
import { mustPlan, readSources } from './migrate-read.ts'
import { findRecord, keepRecord, type MigrationRecord } from './migrate-record.ts'
import { runSteps, type RunResult } from './migrate-run.ts'
import { mustReceipt, removeSources, untilStored } from './migrate-stored.ts'
import type { MigrationOptions, MigrationPlan, MigrationReport, Receipt, SourceStorage } from './migrate-types.ts'
import { undoMigration } from './migrate-undo.ts'
import { liveWorld, scratchWorld } from './migrate-world.ts'
import type { Person } from './person.ts'

/** Another tab that takes longer is not waited for: what both make is the same. */
const TURN_MS_MAX = 10_000

const NOTHING: RunResult = { sources: [], errors: [], made: [] }

const toReceipt = (app: string, now: number, before: Receipt | null, result: RunResult): Receipt => {
  const known = before?.sources ?? []
  const read = new Map(result.sources.map((source) => [source.key, source]))
  return {
    app,
    at: now,
    sources: [...known.filter(({ key }) => !read.has(key)), ...result.sources],
    made: result.made,
    storedAt: null,
    removedAt: before?.removedAt ?? null,
    undoneAt: null,
  }
}

/** What of sources can be news: their texts, and what was left out. */
const newsOf = (sources: Receipt['sources']): string =>
  sources
    .map(({ key, sha256, errors }) => JSON.stringify([key, sha256, errors]))
    .toSorted((one, other) => (one < other ? -1 : 1))
    .join()

/** Whether a run has found all as the one before left it. */
const isNoNews = (before: Receipt, { made, sources }: Receipt): boolean =>
  before.undoneAt === null && before.made.length === made.length && newsOf(before.sources) === newsOf(sources)

/**
 * Takes over what the plan says of localStorage, into groups, channels and documents of the current user; a guest's too, and
 * offline. Repeating it makes only what is new. The old data stays until {@link MigrationReport.removeSource}.
 *
 * Rejects with `input/invalid` for a plan that is none, and where `onInvalid` is `stop`; with `auth/required` when somebody
 * else logs in meanwhile; with `StoreError`. Then a run again goes on where this one stopped.
 *
 * @example
 * const report = await migrateLocalStorage(client, {
 *   app: 'todos',
 *   sources: [{ key: 'todos', into: (todos) => toSteps(todos) }],
 * })
 * await report.stored()
 * await report.removeSource()
 */
export const migrateLocalStorage = async (
  client: Client,
  plan: MigrationPlan,
  options: MigrationOptions = {},
): Promise<MigrationReport> => {
  mustPlan(plan)
  const { app } = plan
  const { device, clock, newId, person: current, settledPerson } = internalsOf(client)
  const storage: SourceStorage = options.storage ?? globalThis.localStorage

  const mustBeHere = (person: Person) => (): void => {
    if (current() !== person) throw new AppError('auth/required', 'somebody else is logged in here')
  }

  /** One at a time over all tabs, for as long as the others can be waited for. */
  const inTurn = async <Result>(run: () => Promise<Result>): Promise<Result> => {
    const locks = await platformLocks()
    if (!locks) return run()
    const waiting = new AbortController()
    const stop = clock.after(TURN_MS_MAX, () => waiting.abort())
    try {
      return await locks.request(`syncline-migration/${app}/${current().user.id}`, { signal: waiting.signal }, () => {
        stop()
        return run()
      })
    } catch (error) {
      if (error === waiting.signal.reason) return run()
      throw error
    }
  }

  const find = (person: Person) => findRecord(device, person.store, app, person.user.id)

  const read = async (person: Person, record: MigrationRecord) => {
    const kept = await device.get('install')
    const install = typeof kept === 'string' ? kept : ''
    const made = new Map((record.receipt?.made ?? []).map(({ key, id }) => [key, id]))
    const ids = { install, app, scope: record.scope, generation: record.generation }
    const idOf = (key: string): string => made.get(key) ?? stableId(ids, key)
    const { id: userId } = person.user
    const context = { userId, id: idOf, messageId: (key: string) => `${userId}.${idOf(key)}`, now: record.startedAt }
    return { idOf, sources: readSources(plan, storage, context) }
  }

  const run = async (person: Person, record: MigrationRecord, isDry: boolean): Promise<RunResult> => {
    const { idOf, sources } = await read(person, record)
    await using world = isDry ? scratchWorld(person, clock) : liveWorld(person, clock, mustBeHere(person))
    return await runSteps({
      world,
      sources,
      idOf,
      userId: person.user.id,
      startedAt: record.startedAt,
      generation: record.generation,
      made: record.receipt?.made ?? [],
      segmentOf: (channelId) => person.facts.segmentsOf(channelId) - 1,
      onProgress: isDry && options.dryRun !== true ? undefined : options.onProgress,
    })
  }

  const newRecord = (person: Person, isTaken: boolean): MigrationRecord => {
    const { id: userId } = person.user
    return { userId, scope: isTaken ? userId : '', generation: 0, startedAt: clock.now(), receipt: null }
  }

  const stopAtErrors = async (person: Person, record: MigrationRecord): Promise<void> => {
    const { errors } = await run(person, record, true)
    if (errors.length > 0) throw new AppError('input/invalid', 'some values cannot be taken over', { errors })
  }

  const migrate = async (): Promise<{
    readonly result: RunResult
    readonly receipt: Receipt | null
    readonly isTaken: boolean
  }> => {
    const person = await settledPerson()
    const { record: known, key, isTakenByAnother } = await find(person)
    if (isTakenByAnother && options.again !== true) return { result: NOTHING, receipt: null, isTaken: true }
    const record = known ?? newRecord(person, isTakenByAnother)
    if (options.dryRun === true)
      return { result: await run(person, record, true), receipt: record.receipt, isTaken: false }
    if (plan.onInvalid === 'stop') await stopAtErrors(person, record)
    // Before anything is made, so that a run after a crash gives the same times.
    if (!known || !key.endsWith(person.user.id)) await keepRecord(device, app, record, key)
    const result = await run(person, record, false)
    const receipt = toReceipt(app, clock.now(), record.receipt, result)
    if (record.receipt && isNoNews(record.receipt, receipt)) return { result, receipt: record.receipt, isTaken: false }
    await keepRecord(device, app, { ...record, receipt })
    return { result, receipt, isTaken: false }
  }

  const { result, receipt: first, isTaken } = await inTurn(migrate)
  let receipt = first

  const mustRecord = async (person: Person): Promise<MigrationRecord & { readonly receipt: Receipt }> => {
    const { record, isTakenByAnother } = await find(person)
    if (!record && isTakenByAnother)
      throw new AppError('auth/required', 'another user of this device has taken it over')
    return { ...(record as MigrationRecord), receipt: mustReceipt(record) }
  }

  const keep = async (
    record: MigrationRecord,
    change: Partial<Receipt>,
    generation = record.generation,
  ): Promise<Receipt> => {
    const next = { ...mustReceipt(record), ...change }
    await keepRecord(device, app, { ...record, generation, receipt: next })
    receipt = next
    return next
  }

  /** Waits where it may, through changes of who is there. */
  const mustBeStored = async (mayWait: boolean): Promise<MigrationRecord & { readonly receipt: Receipt }> => {
    for (;;) {
      const person = await settledPerson()
      const record = await mustRecord(person)
      if (record.receipt.storedAt !== null) return record
      const switched = new AbortController()
      const stop = client.onUser(() => switched.abort())
      const outcome = await untilStored(person, record.receipt, { mayWait, signal: switched.signal }).finally(stop)
      if (outcome.state === 'refused') throw outcome.error
      if (outcome.state === 'stored') return { ...record, receipt: await keep(record, { storedAt: clock.now() }) }
      if (!mayWait) throw new AppError('storage/unavailable', 'the server does not have all of it yet')
    }
  }

  const undo = async (): ReturnType<MigrationReport['undo']> => {
    const person = await settledPerson()
    const record = await mustRecord(person)
    if (record.receipt.removedAt !== null)
      throw new AppError('delete-not-allowed', 'the old data is gone: what was made of it is all there is')
    const { removed, left, made } = await undoMigration(person, record.receipt, { clock, newId })
    await keep(record, { made, undoneAt: clock.now(), storedAt: null }, record.generation + 1)
    return { removed, left }
  }

  return {
    isDryRun: options.dryRun === true,
    isTakenByAnother: isTaken,
    sources: result.sources,
    made: result.sources.reduce((sum, { made }) => sum + made, 0),
    present: result.sources.reduce((sum, { present }) => sum + present, 0),
    errors: result.errors,
    get receipt() {
      return receipt
    },
    stored: async () => void (await mustBeStored(true)),
    removeSource: async ({ withErrors = false } = {}) => {
      const record = await mustBeStored(false)
      const gone = removeSources(plan, storage, record.receipt, withErrors)
      if (gone.removed.length > 0) await keep(record, { removedAt: clock.now() })
      return gone
    },
    undo: () => inTurn(undo),
  }
}
