// Random inputs of operations, made from their schemas: mostly good, some of every kind of bad.
import { z } from 'zod'
import type { AnyOperation } from '../../shared/operation.ts'
import type { Random } from '../helpers/random.ts'

/** What inputs can name. */
export interface World {
  readonly users: readonly string[]
  readonly groups: readonly string[]
  readonly periods: readonly string[]
  /** Ids of the records that operations have made, by the first part of their names: `task` of `task.add`. */
  readonly ids: Readonly<Record<string, readonly string[]>>
  readonly newId: () => string
}

type Make = (random: Random, world: World, of: string) => unknown

const TEXTS = ['milk', ' oat milk ', 'Grüße', '雪', 'x'.repeat(40), '<b>bold</b>', '**strong**', '{"a":1}']
const BAD_TEXTS = ['', 'a\nb', '   ', 'a\u0000b', 'half \ud800', 'x'.repeat(20_000)]

const known: Make = (random, { ids, newId }, of) => {
  const made = ids[of] ?? []
  return random.chance(0.95) && made.length > 0 ? random.pick(made) : random.pick([newId(), 'short', '', 'a/b/c/d/e/f'])
}

const after: Make = (random, world, of) =>
  random.chance(0.25) || (world.ids[of] ?? []).length === 0 ? null : known(random, world, of)

/** Mostly one of the good, now and then one of the bad. */
const mostly =
  (good: readonly unknown[], bad: readonly unknown[]): Make =>
  (random) =>
    random.pick(random.chance(0.95) ? good : bad)

/** By the name of the field; what has no name here is made from the type that the schema gives it. */
const MAKERS: Readonly<Record<string, Make>> = {
  id: known,
  column: (random, world) => known(random, world, 'column'),
  after,
  replyTo: after,
  groupId: (random, world) => mostly(world.groups, ['group-of-others', 'x'])(random, world, ''),
  period: (random, world) => mostly(world.periods, ['2026-W99', '2026-02-30', 'now'])(random, world, ''),
  assignee: (random, world) => mostly([null, ...world.users], ['stranger-0001', 'x'])(random, world, ''),
  dueDate: mostly([null, '2026-02-11', '2026-02-11T09:00:00Z'], ['2026-02-30', 'soon']),
  labels: mostly([[], ['home'], ['home', 'garden']], [['x'.repeat(51)], [''], 'home']),
  emoji: mostly(['👍', '🎉', '+1', 'heart'], ['a.b', '', '👍👍']),
  markdown: mostly(['# Minutes\n\n- one\n- **two**\n', 'one\n\ntwo', 'one\n\n2', ''], ['a\u0000b']),
  html: mostly(['<h1>Minutes</h1><p>one <b>two</b></p>', '<p>one</p>', '<script>x</script>'], [7]),
  json: mostly(
    [{ type: 'doc', content: [{ type: 'paragraph', content: [{ type: 'text', text: 'one' }] }] }],
    [{ type: 'doc', content: 7 }, 'x'],
  ),
  root: mostly(['default', 'body'], ['', 'x'.repeat(300)]),
  mood: mostly([null, '🙂'], ['x'.repeat(11), '']),
  attachments: (random, { newId }) =>
    random.pick(random.chance(0.95) ? [[], ['media-0000000001']] : [['x'], Array.from({ length: 11 }, newId)]),
}

/** Exactly one format of a text. */
const FORMATS = ['markdown', 'html', 'json']

const JUNK: readonly unknown[] = [null, true, -1, 1.5, 'x', [], {}, [[]], { a: { b: 1 } }]

const ofType = (random: Random, types: readonly unknown[]): unknown => {
  if (types.includes('boolean')) return random.chance(0.5)
  if (types.includes('integer') || types.includes('number'))
    return random.chance(0.97) ? random.int(1, 5) : random.int(-1, 12)
  return random.pick(random.chance(0.97) ? TEXTS : BAD_TEXTS)
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, { readonly type?: unknown; readonly anyOf?: { type?: unknown }[] }>>
  readonly required?: readonly string[]
  readonly anyOf?: readonly ObjectSchema[]
}

const schemas = new Map<AnyOperation, ObjectSchema>()
const schemaOf = (operation: AnyOperation): ObjectSchema => {
  let schema = schemas.get(operation)
  if (!schema) schemas.set(operation, (schema = z.toJSONSchema(operation.input, { io: 'input' }) as ObjectSchema))
  return schema
}

/** An input as JSON brings it. */
export const makeInput = (operation: AnyOperation, random: Random, world: World): unknown => {
  if (random.chance(0.01)) return random.pick(JUNK)
  const of = operation.name.split('.')[0] as string
  const whole = schemaOf(operation)
  const schema = whole.anyOf ? random.pick(whole.anyOf) : whole
  const input: Record<string, unknown> = {}
  const format = random.pick(FORMATS)
  for (const [name, { type, anyOf = [] }] of Object.entries(schema.properties ?? {})) {
    const isRequired = schema.required?.includes(name) === true
    const isFormat = FORMATS.includes(name)
    if (!random.chance(isFormat ? (name === format ? 0.95 : 0.03) : isRequired ? 0.99 : 0.4)) continue
    // The id of something new is one that nobody has, or one that a repeat has.
    const isNew = name === 'id' && !isRequired
    if (random.chance(0.005)) input[name] = random.pick(JUNK)
    else if (isNew && random.chance(0.8)) input[name] = world.newId()
    else {
      const make = MAKERS[name]
      input[name] = make ? make(random, world, of) : ofType(random, [type, ...anyOf.map((one) => one.type)].flat())
    }
  }
  if (random.chance(0.02)) input['color'] = 'red'
  return JSON.parse(JSON.stringify(input))
}
