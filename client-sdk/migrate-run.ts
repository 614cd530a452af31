// One run: the steps of all sources in their order, each made, found there already, or left out with its reason.
import type { ChannelType } from '../shared/channels.ts'
import { AppError } from '../shared/errors.ts'
import { isJson, isPlainObject } from '../shared/json.ts'
import { documentName } from '../shared/names.ts'
import { findMaker, makeRecord, mustMaker } from './migrate-records.ts'
import { toError, type NumberedStep, type ReadSource } from './migrate-read.ts'
import type { Made, MigrationError, MigrationOptions, OperationStep, SourceReport, Step } from './migrate-types.ts'
import type { World } from './migrate-world.ts'

/** Steps between two rests. */
const STEPS_MAX = 200
const KEY_LENGTH_MAX = 200
/** Names of documents that are no channel's. */
const OWN_DOCUMENTS: ReadonlyMap<string, string> = new Map([
  ['checkIns', 'checkins'],
  ['me', 'me'],
])

export interface RunOptions {
  readonly world: World
  readonly sources: readonly ReadSource[]
  readonly userId: string
  readonly startedAt: number
  readonly generation: number
  /** Of earlier runs. */
  readonly made: readonly Made[]
  readonly idOf: (key: string) => string
  /** The newest segment of a chat. */
  readonly segmentOf: (channelId: string) => number
  readonly onProgress: MigrationOptions['onProgress']
}

export interface RunResult {
  readonly sources: readonly SourceReport[]
  readonly errors: readonly MigrationError[]
  /** In the order of their making; those of earlier runs first. */
  readonly made: readonly Made[]
}

type StepOf<Name extends string> = Extract<Step, Readonly<Record<Name, unknown>>>[Name &
  keyof Extract<Step, Readonly<Record<Name, unknown>>>]
type Outcome = 'made' | 'present' | 'errors'
const TYPES_OF_KINDS: Readonly<Record<string, ChannelType>> = { tasks: 'TODO', board: 'KANBAN', chat: 'CHAT' }

const nameOf = (kind: string, id: string, part: string): string =>
  documentName(kind, id, part === '' ? undefined : part)

const notMade = (what: string, key: string): AppError =>
  new AppError('record/not-found', `no step before has made the ${what}`, { key })

const mustKey = (key: unknown): string => {
  if (typeof key === 'string' && key.length > 0 && key.length <= KEY_LENGTH_MAX) return key
  throw new AppError('input/invalid', `key: expected 1 to ${KEY_LENGTH_MAX} characters`)
}

const mustInput = (step: OperationStep): void => {
  const parts = [step.input, ...(step.followedBy ?? []).map(({ input = {} }) => input)]
  if (parts.every((input) => isPlainObject(input) && isJson(input))) return
  throw new AppError('input/invalid', 'input: expected an object of plain JSON')
}

export const runSteps = async (options: RunOptions): Promise<RunResult> => {
  const { world, userId, idOf } = options
  const made = new Map(options.made.map((one) => [one.key, one]))
  const groups = new Map<string, string>()
  const channels = new Map<string, { readonly id: string; readonly type: ChannelType }>()
  const seen = new Set<string>()

  const note = (one: Made, isPresent: boolean): Outcome => {
    made.set(one.key, one)
    return isPresent ? 'present' : 'made'
  }

  const runGroup = async ({ key, ...group }: StepOf<'group'>): Promise<Outcome> => {
    const id = idOf(mustKey(key))
    const isKnown = made.has(key) || groups.has(key)
    const isMade = !isKnown && (await world.group(id, group))
    groups.set(key, id)
    return isKnown ? 'present' : note({ key, what: 'group', within: '', part: '', id, mark: '' }, !isMade)
  }

  const runChannel = async (step: StepOf<'channel'>): Promise<Outcome> => {
    const { key, group, ...channel } = step
    const id = idOf(mustKey(key))
    const groupId = groups.get(group)
    if (groupId === undefined) throw notMade('group', group)
    if (OWN_DOCUMENTS.has(key)) throw new AppError('input/invalid', `key: ${key} is no name for a channel`)
    const isKnown = made.has(key) || channels.has(key)
    const isMade = !isKnown && (await world.channel(id, groupId, channel))
    channels.set(key, { id, type: channel.type })
    return isKnown ? 'present' : note({ key, what: 'channel', within: group, part: '', id, mark: '' }, !isMade)
  }

  const placeOf = (document: string, kind: string): { readonly id: string; readonly part: string } => {
    const own = OWN_DOCUMENTS.get(document)
    const channel = channels.get(document)
    if (own === undefined && !channel) throw notMade('channel', document)
    const fits = own === undefined ? TYPES_OF_KINDS[kind] === channel?.type : own === kind
    if (!fits) throw new AppError('operation/unknown', `no such operation in ${document}`)
    if (own !== undefined || !channel) return { id: userId, part: '' }
    return { id: channel.id, part: kind === 'chat' ? String(options.segmentOf(channel.id)) : '' }
  }

  const runOperation = async (step: OperationStep): Promise<Outcome> => {
    const { key, document, name } = step
    mustKey(key)
    if (seen.has(key)) throw new AppError('id/taken', 'two steps have this key', { key })
    const { kind } = mustMaker(name)
    const { id, part } = placeOf(document, kind)
    seen.add(key)
    if (made.has(key)) return 'present'
    mustInput(step)
    const record = makeRecord({
      target: await world.target(nameOf(kind, id, part)),
      step,
      userId,
      id: idOf(key),
      startedAt: options.startedAt,
      isAfterUndo: options.generation > 0,
    })
    return note({ key, what: name, within: document, part, id: record.id, mark: record.mark }, record.isPresent)
  }

  const run = async (step: Step): Promise<Outcome> => {
    if ('group' in step) return runGroup(step.group)
    if ('channel' in step) return runChannel(step.channel)
    if ('operation' in step) return runOperation(step.operation)
    throw new AppError('input/invalid', step.problem.message)
  }

  const steps = options.sources.flatMap((source) => source.steps)
  const counts = new Map(options.sources.map(({ key }) => [key, { made: 0, present: 0, errors: 0 }]))
  const errors = options.sources.flatMap((source) => source.errors)
  for (const { source } of errors) (counts.get(source) as Record<Outcome, number>).errors++

  const runNumbered = async ({ source, index, step }: NumberedStep): Promise<Outcome> => {
    try {
      return await run(step)
    } catch (thrown) {
      // A disk that fails is no fault of the value.
      if (!(thrown instanceof AppError || thrown instanceof TypeError)) throw thrown
      errors.push(toError({ source, index }, step, thrown))
      return 'errors'
    }
  }

  for (const [at, numbered] of steps.entries()) {
    if (at > 0 && at % STEPS_MAX === 0) {
      await world.settle()
      options.onProgress?.({ done: at, total: steps.length })
    }
    ;(counts.get(numbered.source) as Record<Outcome, number>)[await runNumbered(numbered)]++
  }
  await world.settle()
  options.onProgress?.({ done: steps.length, total: steps.length })

  const sources = options.sources.map(({ key, sha256 }) => ({
    key,
    sha256,
    ...(counts.get(key) as Record<Outcome, number>),
  }))
  return { sources, errors, made: [...made.values()] }
}

/** The documents that hold what was made, by name. */
export const documentsOf = (made: readonly Made[], userId: string): string[] => {
  const channels = new Map(made.filter(({ what }) => what === 'channel').map(({ key, id }) => [key, id]))
  const names = made.flatMap(({ what, within, part }) => {
    const kind = findMaker(what)?.kind
    const id = OWN_DOCUMENTS.has(within) ? userId : channels.get(within)
    return kind === undefined || id === undefined ? [] : [nameOf(kind, id, part)]
  })
  return [...new Set(names)]
}
