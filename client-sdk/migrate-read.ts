// Reads the sources: which keys of localStorage there are, their texts, and the steps that the app's plan makes of them. Whatever
// is wrong is an error of its source, and the rest goes on.
import { AppError } from '../shared/errors.ts'
import { isPlainObject } from '../shared/json.ts'
import { sha256Hex } from './migrate-ids.ts'
import type {
  MigrationError,
  MigrationPlan,
  MigrationSource,
  SourceContext,
  SourceStorage,
  Step,
} from './migrate-types.ts'

export interface NumberedStep {
  readonly source: string
  /** Which step of its source, from 0. */
  readonly index: number
  readonly step: Step
}

export interface ReadSource {
  readonly key: string
  readonly sha256: string
  readonly steps: readonly NumberedStep[]
  readonly errors: readonly MigrationError[]
}

const APP = /^[A-Za-z0-9._-]{1,60}$/

export const mustPlan = ({ app, sources }: MigrationPlan): void => {
  if (!APP.test(app)) throw new AppError('input/invalid', 'app: expected 1 to 60 of A-Z a-z 0-9 . _ -')
  if (sources.length === 0) throw new AppError('input/invalid', 'sources: expected at least one')
}

/** The keys that a source has now, in their order. */
export const keysOf = ({ key }: Pick<MigrationSource, 'key'>, storage: SourceStorage): readonly string[] => {
  if (typeof key === 'string') return storage.getItem(key) === null ? [] : [key]
  const pattern = new RegExp(key.source, key.flags.replace(/[gy]/g, ''))
  const keys: string[] = []
  for (let at = 0; at < storage.length; at++) {
    const found = storage.key(at)
    if (found !== null && pattern.test(found)) keys.push(found)
  }
  return keys.toSorted()
}

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))

const keyOfStep = (step: unknown): string | null => {
  const inner = isPlainObject(step) ? Object.values(step)[0] : null
  const key = isPlainObject(inner) ? inner['key'] : null
  return typeof key === 'string' ? key : null
}

/** What is wrong with one step, or with a source. */
export const toError = (at: Omit<NumberedStep, 'step'>, step: unknown, thrown: unknown): MigrationError => ({
  source: at.source,
  index: at.index,
  key: keyOfStep(step),
  code: thrown instanceof AppError ? thrown.code : 'input/invalid',
  message: messageOf(thrown),
})

const readSource = (
  { parse = JSON.parse, into }: MigrationSource,
  source: string,
  text: string,
  context: Omit<SourceContext, 'source'>,
): ReadSource => {
  const errors: MigrationError[] = []
  const steps: NumberedStep[] = []
  const fail = (thrown: unknown): void => void errors.push(toError({ source, index: steps.length }, null, thrown))
  const done = (): ReadSource => ({ key: source, sha256: sha256Hex(text), steps, errors })
  let value: unknown
  try {
    value = parse(text)
  } catch (thrown) {
    const error = thrown instanceof AppError ? thrown : new AppError('input/not-json', messageOf(thrown))
    errors.push(toError({ source, index: -1 }, null, error))
    return done()
  }
  try {
    for (const step of into(value, { ...context, source })) steps.push({ source, index: steps.length, step })
  } catch (thrown) {
    // What came before it counts.
    fail(thrown)
  }
  return done()
}

/** All sources as they are at this moment. */
export const readSources = (
  plan: MigrationPlan,
  storage: SourceStorage,
  context: Omit<SourceContext, 'source'>,
): readonly ReadSource[] =>
  plan.sources.flatMap((source) =>
    keysOf(source, storage).map((key) => readSource(source, key, storage.getItem(key) ?? '', context)),
  )
