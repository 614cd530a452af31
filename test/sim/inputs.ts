// Random inputs for any operation, made from its schema and from the names of its fields. Most are valid; ids are drawn
// from a small pool, so that devices create the same ones and speak of the same ones.
import type * as Y from 'yjs'
import { z } from 'zod'
import type { Kind } from '../../shared/kind.ts'
import type { AnyOperation } from '../../shared/operation.ts'
import { periodAt } from '../../shared/period.ts'
import type { Random } from '../helpers/random.ts'
import type { World } from './world.ts'

interface Schema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly minimum?: number
  readonly maximum?: number
}

interface Source {
  readonly kind: Kind
  readonly doc: Y.Doc
  readonly world: World
  readonly user: string
  readonly operation: AnyOperation
}

const WRONG: readonly unknown[] = [null, -1, '', 'x', 1e300, [], { a: 1 }, true, 'a\u0000b', '\ud800']
const POOL_IDS = 8
const WORDS = ['milk', 'naïve café', 'Ω', '👩‍👩‍👧 family', 'a line of several words', 'x', '0']
const EMOJI = ['👍', '❤️', '🇪🇺', '+1', 'constructor', '__proto__']
const DATES = ['2026-02-11', '2026-10-25T01:30:00Z', '2028-02-29', '2026-12-31']

/** An id that may be new: of the pool, in the form of the kind's records. */
const poolId = ({ kind, user, operation }: Source, random: Random): string => {
  const id = `${operation.name.split('.')[0]}-00000${random.int(0, POOL_IDS - 1)}`.padStart(10, '-')
  return kind.collections.some((collection) => collection.isId(id)) ? id : `${user}.${id}`
}

const knownIds = ({ kind, doc }: Source, name?: string): string[] =>
  kind.collections
    .filter((collection) => name === undefined || collection.name === name)
    .flatMap((collection) => Array.from(doc.getMap(collection.name).keys()))

const anyId = (source: Source, random: Random): string => {
  const noun = `${source.operation.name.split('.')[0]}s`
  const known = knownIds(source, source.kind.collections.some(({ name }) => name === noun) ? noun : undefined)
  return known.length > 0 && random.chance(0.9) ? random.pick(known) : poolId(source, random)
}

const period = ({ world: { now, groups } }: Source, random: Random): string => {
  const shift = random.chance(0.6) ? 0 : random.int(-12, 3) * 24 * 3_600_000
  return random.chance(0.9) ? periodAt(now + shift, random.pick([...groups.values()])) : '2026-W99'
}

/** Fields whose values mean something, by name. */
const BY_NAME: Readonly<Record<string, (source: Source, random: Random) => unknown>> = {
  id: (source, random) =>
    /\.(add|send)$/.test(source.operation.name) ? poolId(source, random) : anyId(source, random),
  after: (source, random) => (random.chance(0.3) ? null : anyId(source, random)),
  replyTo: (source, random) => (random.chance(0.3) ? null : anyId(source, random)),
  column: (source, random) => {
    const known = knownIds(source, 'columns')
    return known.length > 0 ? random.pick(known) : 'column-000000'
  },
  assignee: ({ world }, random) =>
    random.chance(0.03) ? 'user-nobody-0' : random.pick([null, ...world.users.map(({ id }) => id)]),
  dueDate: (_, random) => (random.chance(0.2) ? null : random.pick(DATES)),
  emoji: (_, random) => random.pick(EMOJI),
  groupId: ({ world }, random) => (random.chance(0.05) ? 'group-unknown' : random.pick([...world.groups.keys()])),
  period,
  key: (_, random) => random.pick(['app.theme', 'app.size', 'other/key']),
  value: (_, random) => random.pick([null, 1, 'dark', { a: [1, 'b'] }, true]),
  upTo: ({ world }, random) => world.now + random.int(-100_000, 1_000),
  attachments: (_, random) => Array.from({ length: random.int(0, 2) }, () => 'media-0000000001'),
  mood: (_, random) => random.pick([null, '🙂', 'fine']),
}

const fromSchema = (schema: Schema, random: Random): unknown => {
  if (schema.anyOf) return fromSchema(random.pick(schema.anyOf), random)
  if (schema.type === 'boolean') return random.chance(0.5)
  if (schema.type === 'string') return random.pick(WORDS)
  if (schema.type === 'array')
    return Array.from({ length: random.int(0, 3) }, () => fromSchema(schema.items ?? {}, random))
  if (schema.type === 'integer' || schema.type === 'number')
    return random.int(Math.max(schema.minimum ?? 0, -1_000), Math.min(schema.maximum ?? 100, 1_000))
  return null
}

const schemas = new Map<AnyOperation, Schema>()

const schemaOf = (operation: AnyOperation): Schema => {
  const known = schemas.get(operation)
  if (known) return known
  const made = z.toJSONSchema(operation.input, { io: 'input', unrepresentable: 'any' }) as Schema
  schemas.set(operation, made)
  return made
}

/** An operation to run: what creates something comes more often, and first of all. */
export const pickOperation = (kind: Kind, doc: Y.Doc, random: Random): AnyOperation => {
  const creations = kind.operations.filter(({ name }) => /\.(add|send|submit)$/.test(name))
  const isEmpty = kind.collections.some(({ name }) => doc.getMap(name).size < 2)
  return random.pick(creations.length > 0 && random.chance(isEmpty ? 0.8 : 0.2) ? creations : kind.operations)
}

/** An input for `operation`; about one in twenty is wrong on purpose. */
export const randomInput = (source: Source): Record<string, unknown> => {
  const { random } = source.world
  const { properties = {}, required = [] } = schemaOf(source.operation)
  const input: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(properties)) {
    if (!required.includes(name) && random.chance(0.6)) continue
    const named = BY_NAME[name]
    input[name] = named ? named(source, random) : fromSchema(schema, random)
  }
  if (random.chance(0.05)) input[random.pick([...Object.keys(properties), 'extra'])] = random.pick(WRONG)
  return input
}
