// REST and the SDK are two faces of one operation: random histories run through both end in the same document, with the
// same answers and the same refusals.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'vitest'
import * as Y from 'yjs'
import { parametersOf } from '../../server/http/facade-routes.ts'
import { type Facade, FACADES, type OperationFacade } from '../../server/http/facades.ts'
import type { Role } from '../../shared/access.ts'
import { FORMATS, readAs } from '../../shared/document/formats.ts'
import { AppError } from '../../shared/errors.ts'
import { isPlainObject, isSameJson } from '../../shared/json.ts'
import type { Kind } from '../../shared/kind.ts'
import { PROFILE } from '../../shared/me/model.ts'
import { type AnyOperation, type OperationContext, runOperation } from '../../shared/operation.ts'
import { periodAt, previousPeriod } from '../../shared/period.ts'
import { KINDS } from '../../shared/registry.ts'
import type { GroupFacts } from '../../shared/rules.ts'
import { eventually } from '../helpers/eventually.ts'
import { openTestApp, type TestApp } from '../http/test-app.ts'
import { chooseSeed, createRandom, type Random } from '../helpers/random.ts'
import { makeInput, type World } from './inputs.ts'

/** On a machine that does much else; alone it takes some forty seconds. */
const TEST_MS_MAX = 600_000
const SEQUENCES = 500
const OPERATIONS_MAX = 20
const DAY_MS = 24 * 3_600_000

type Person = Awaited<ReturnType<TestApp['person']>> & { readonly role: Role }

type Draws = Pick<OperationContext, 'newId' | 'random'>

/** The ids and numbers that both faces draw, the same for one operation. */
const drawFrom = (seed: number): Draws => {
  const random = createRandom(seed)
  return {
    newId: () =>
      `id-${String(random.int(0, 999_999)).padStart(6, '0')}-${String(random.int(0, 999_999)).padStart(6, '0')}`,
    random: () => random.int(0, 999_999) / 1_000_000,
  }
}

/** What the request under way draws from. */
const requestDraws = new AsyncLocalStorage<Draws>()

/** Lets each request draw from its own; what the server does beside it, such as keeping versions, must not take of that. */
const drawByRequest = ({ source }: TestApp): void => {
  const beside = { ...source }
  source.newId = () => (requestDraws.getStore() ?? beside).newId()
  source.random = () => (requestDraws.getStore() ?? beside).random()
}

interface Place {
  readonly kind: Kind
  /** Below `/documents`. */
  readonly name: string
  readonly id: string
  readonly people: readonly Person[]
  readonly group: string
  readonly facts: Pick<OperationContext, 'members' | 'isSealed' | 'groups'>
}

let lastNumber = 0

/** A new group with three people of different standing, and a document of the kind. */
const openPlace = async (app: TestApp, kind: Kind): Promise<Place> => {
  const number = ++lastNumber
  const people: Person[] = []
  for (const role of ['owner', 'member', 'guest'] as const)
    people.push({ ...(await app.person(`${role}${number}`)), role })
  const [owner, ...others] = people as [Person, ...Person[]]
  const { token } = owner
  const frequency = (['daily', 'weekly', 'biweekly'] as const)[number % 3] as GroupFacts['frequency']
  const body = { name: 'group', checkInFrequency: frequency, timezone: 'Europe/Berlin' }
  const group = await app.must<{ id: string; accessCode: string }>(201, 'POST', '/groups', { token, body })
  for (const { token: joining, id, role } of others) {
    await app.must(200, 'POST', '/groups/join', { token: joining, body: { accessCode: group.accessCode } })
    await app.storage.db.updateTable('membership').set({ role }).where('user_id', '=', id).execute()
  }
  const time = app.clock.time
  const own = { timezone: 'Europe/Berlin', frequency, createdAt: time, joinedAt: time }
  const groups = new Map(kind.name === 'checkins' ? [[group.id, own]] : [])
  const members = new Set<string>(['tasks', 'board'].includes(kind.name) ? people.map(({ id }) => id) : [])
  const common = { kind, people, group: group.id, facts: { members, isSealed: false, groups } }
  if (kind.scope === 'user') {
    // Nobody else opens it, and its owner may do everything in it.
    return { ...common, id: owner.id, name: `${kind.name}/${owner.id}`, people: [owner] }
  }
  const channel = { type: kind.channelType, name: 'channel' }
  const { id } = await app.must<{ id: string }>(201, 'POST', `/groups/${group.id}/channels`, { token, body: channel })
  return { ...common, id, name: kind.part === 'segment' ? `${kind.name}/${id}/0` : `${kind.name}/${id}` }
}

/** What the server itself writes in a document, which is there before the first operation. */
const startOf = async ({ sync }: TestApp, { kind, name }: Place): Promise<Y.Doc> => {
  const doc = new Y.Doc()
  if (kind.name !== 'me') return doc
  const entries = (): Promise<number> => sync.withDocument(name, (live) => live.getMap(PROFILE).size)
  await eventually(entries, (count) => count === 2, { what: 'a profile and a group' })
  Y.applyUpdate(doc, await sync.withDocument(name, Y.encodeStateAsUpdate))
  return doc
}

const makersOf = ({ operations }: Kind): readonly AnyOperation[] => {
  const makers = operations.filter(({ name }) => /\.(add|send|submit)$/.test(name))
  return makers.length > 0 ? makers : operations
}

type Outcome = { readonly result: unknown } | { readonly code: string }

const runLocally = (
  place: Place,
  operation: AnyOperation,
  doc: Y.Doc,
  input: unknown,
  ctx: OperationContext,
): Outcome => {
  try {
    return { result: runOperation(place.kind, operation, doc, input, ctx).result }
  } catch (error) {
    if (error instanceof AppError) return { code: error.code }
    throw error
  }
}

const isOperation = (facade: Facade): facade is OperationFacade => 'operation' in facade

/** The same request through the route of a source system; null where that cannot say it. */
const facadeRequest = (place: Place, operation: AnyOperation, input: unknown, random: Random) => {
  const facades = FACADES.filter(isOperation).filter((one) => one.operation === operation.name)
  const facade = facades.length > 0 ? random.pick(facades) : undefined
  if (!facade || !isPlainObject(input)) return null
  const rest: Record<string, unknown> = { ...input }
  for (const [name, value] of Object.entries(facade.fixed ?? {})) {
    if (!isSameJson(rest[name], value)) return null
    delete rest[name]
  }
  let path = facade.path
  for (const name of parametersOf(path)) {
    let value = name === facade.document ? place.id : rest[name]
    if (facade.split) {
      value = `${String(rest['groupId'])}.${String(rest['period'])}`
      if (!facade.split(value as string)) return null
      delete rest['groupId']
      delete rest['period']
    }
    if (typeof value !== 'string' || value === '' || value.includes('/')) return null
    if (name !== facade.document) delete rest[name]
    path = path.replace(`{${name}}`, encodeURIComponent(value))
  }
  if (facade.method === 'DELETE' && Object.keys(rest).length > 0) return null
  const query = new URLSearchParams({
    ...(facade.document !== 'me' && !facade.path.includes(`{${facade.document}}`) && { [facade.document]: place.id }),
    ...(place.kind.part === 'segment' && { segment: '0' }),
  })
  return { method: facade.method, path: `${path}?${query}`, ...(facade.method !== 'DELETE' && { body: rest }) }
}

/** What the document holds: of records the maps themselves, of rich text every way to read it. */
const storedIn = (doc: Y.Doc, { roots }: Kind): unknown =>
  roots === 'any'
    ? FORMATS.map((format) => readAs(doc, format))
    : Object.fromEntries(roots.map((root) => [root, doc.getMap(root).toJSON()]))

const kinds = [...KINDS.values()].filter(({ operations }) => operations.length > 0)
/** A kind with more operations gets more of the histories. */
const turns = kinds.flatMap((kind) => kind.operations.map(() => kind))
const seed = chooseSeed()

test(
  `[OP11] ${SEQUENCES} random histories are the same by REST and by the SDK (seed ${seed})`,
  { timeout: TEST_MS_MAX },
  async () => {
    const random = createRandom(seed)
    await using app = await openTestApp()
    drawByRequest(app)
    const outcomes = new Map<string, number>()
    let facades = 0

    /** A fresh one: the clock may have jumped over the last one's end. */
    const tokenOf = async ({ id: userId, sessionId }: Person): Promise<string> =>
      (await app.accessTokens.sign({ userId, sessionId })).accessToken
    const startedAt = app.clock.time

    const runSequence = async (place: Place, what: string): Promise<void> => {
      const { kind, people, group } = place
      const facts = { ...place.facts }
      const doc = await startOf(app, place)
      const ids: Record<string, string[]> = {}
      const period =
        place.kind.name === 'checkins' ? periodAt(app.clock.time, facts.groups.get(group) as GroupFacts) : ''
      for (let step = random.int(1, OPERATIONS_MAX); step > 0; step--) {
        const jump = random.chance(0.1) ? random.int(1, 2 * DAY_MS) : random.int(0, 5)
        app.clock.time = Math.min(app.clock.time + jump, startedAt + 6 * DAY_MS)
        if (kind.part === 'segment' && !facts.isSealed && random.chance(0.03)) {
          await app.storage.db.updateTable('channel').set({ segments: 2 }).where('id', '=', place.id).execute()
          facts.isSealed = true
        }
        // What makes something comes more often, or the others have nothing to work on.
        const operation = random.pick(random.chance(0.5) ? makersOf(kind) : kind.operations)
        // Guests may do nothing, so they try less often.
        const person = random.pick(random.chance(0.9) ? people.slice(0, 2) : people)
        const makeId = drawFrom(random.int(0, 2 ** 32 - 1)).newId
        const world: World = {
          users: people.map(({ id }) => id),
          groups: [group],
          periods: period === '' ? [] : [period, period, period, previousPeriod(period)],
          ids,
          newId: kind.name === 'chat' ? () => `${random.chance(0.9) ? person.id : people[0]?.id}.${makeId()}` : makeId,
        }
        const input = makeInput(operation, random, world)
        const drawSeed = random.int(0, 2 ** 32 - 1)
        const role = kind.scope === 'user' ? 'owner' : person.role
        const ctx: OperationContext = {
          ...facts,
          actor: person.id,
          role,
          deviceId: person.sessionId,
          now: app.clock.time,
          ...drawFrom(drawSeed),
        }
        const local = runLocally(place, operation, doc, input, ctx)

        const generic = { method: 'POST', path: `/documents/${place.name}/operations/${operation.name}`, body: input }
        const facade = random.chance(0.4) ? facadeRequest(place, operation, input, random) : null
        if (facade) facades++
        const { method, path, ...asking } = facade ?? generic
        // As text, because a body may also be a bare string.
        const body = 'body' in asking ? { body: JSON.stringify(asking.body) } : {}
        // With an id of its own, so that the request draws none.
        const headers = { 'x-request-id': 'request-1' }
        const token = await tokenOf(person)
        // By themselves versions are kept once a minute, which a slow machine comes to.
        const [answer] = await Promise.all([
          requestDraws.run(drawFrom(drawSeed), () => app.ask(method, path, { token, headers, ...body })),
          random.chance(0.2) && app.versions.sweep(),
        ])
        const remote: Outcome = answer.body.success
          ? { result: facade ? answer.body.data : answer.body.data.result }
          : { code: answer.body.error.code }

        const asked = `${what}: ${method} ${path} ${JSON.stringify(asking).slice(0, 300)}\n${answer.text.slice(0, 300)}`
        assert.deepEqual(remote, local, asked)
        const counted = 'code' in local ? local.code : operation.name
        outcomes.set(counted, (outcomes.get(counted) ?? 0) + 1)
        if ('result' in local && isPlainObject(local.result) && typeof local.result['id'] === 'string')
          (ids[operation.name.split('.')[0] as string] ??= []).push(local.result['id'])
      }
      const stored = await app.sync.withDocument(place.name, (live) => storedIn(live, kind))
      assert.deepEqual(stored, storedIn(doc, kind), what)
      const token = await tokenOf(people[0] as Person)
      const shown = await app.must<object>(200, 'GET', `/documents/${place.name}`, { token })
      const { segment: _, ...read } = shown as { segment?: number }
      assert.deepEqual(read, JSON.parse(JSON.stringify(kind.read?.(doc))), what)
      // The logins of all these people must not run out.
      app.clock.time = startedAt
    }

    for (let index = 0; index < SEQUENCES; index++) {
      const kind = turns[index % turns.length] as Kind
      const place = await openPlace(app, kind)
      await runSequence(place, `seed ${seed}, sequence ${index} on ${place.name}`)
    }

    // Not vacuous: every operation did something, and every refusal that inputs can provoke came up.
    const done = kinds.flatMap(({ operations }) => operations.map(({ name }) => name))
    assert.deepEqual(
      done.filter((name) => (outcomes.get(name) ?? 0) < 5),
      [],
    )
    for (const code of ['input/invalid', 'access/forbidden', 'record/not-found', 'not-a-member', 'segment-sealed'])
      assert.ok((outcomes.get(code) ?? 0) > 0, `${code} never came up`)
    assert.ok(facades > 100, `only ${facades} by facades`)
    const versions = await app.storage.db.selectFrom('document_version').select('id').execute()
    assert.ok(versions.length > 5, `only ${versions.length} versions kept beside`)
  },
)
