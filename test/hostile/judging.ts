// Asks the verdict about an update and, where it accepts, whether Yjs then does what the verdict promised: applies all
// of it, keeps nothing back, and leaves a document that another replica can be built from.
import assert from 'node:assert/strict'
import * as Y from 'yjs'
import type { ErrorCode } from '../../shared/errors.ts'
import { type Facts, judge, type Verdict } from '../../server/sync/verdict.ts'

export const ME = 'me'
export const OTHER = 'somebody-else'

export const FREE: Facts['kind'] = { roots: 'any' }
export const RECORDS: Facts['kind'] = { roots: ['tasks', 'tasks:edits'] }

/** Facts about `doc` where every id in `mine` is mine and every id in `theirs` another user's. */
export const factsOf = (
  doc: Y.Doc,
  { mine = [], theirs = [], ...rest }: Partial<Facts> & { mine?: readonly number[]; theirs?: readonly number[] } = {},
): Facts => ({
  doc,
  kind: FREE,
  actor: ME,
  role: 'member',
  now: 0,
  members: new Set([ME, OTHER]),
  isSealed: false,
  groups: new Map(),
  readOnly: false,
  claims: new Map([
    ...mine.map((client): [number, string] => [client, ME]),
    ...theirs.map((client): [number, string] => [client, OTHER]),
  ]),
  documentBytes: 0,
  ...rest,
})

/** Whatever id is named, it is mine. */
export const ALL_MINE: ReadonlyMap<number, string> = new (class extends Map<number, string> {
  override get(): string {
    return ME
  }
})()

export const refusalOf = (facts: Facts, update: Uint8Array): ErrorCode | Verdict['verdict'] => {
  const verdict = judge(facts, update)
  return verdict.verdict === 'refuse' ? verdict.code : verdict.verdict
}

export const cloneOf = (doc: Y.Doc): Y.Doc => {
  const copy = new Y.Doc()
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
  return copy
}

export const stateOf = (doc: Y.Doc): Buffer => Buffer.from(Y.encodeStateAsUpdate(doc))

type AnyType = typeof Y.Doc.prototype.share extends Map<string, infer Type> ? Type : never

/** What a reader of `type` can tell: the ids of its list in order, unit by unit, and what each key holds. */
const readingOf = (type: AnyType): unknown => {
  const unitsOf = (item: Y.Item): string[] =>
    Array.from({ length: item.length }, (_, unit) => `${item.id.client}:${item.id.clock + unit}`)
  const inside = (item: Y.Item): unknown =>
    item.content instanceof Y.ContentType ? readingOf(item.content.type) : null
  const list: unknown[] = []
  for (let item = type._start; item !== null; item = item.right) {
    // Format marks are left out: Yjs tidies needless ones away at a time of each replica's own.
    if (!item.deleted && item.countable) list.push(...unitsOf(item), inside(item))
  }
  const held = [...type._map].filter(([, item]) => !item.deleted)
  const keys = held.map(([key, item]) => [key, unitsOf(item).at(-1), inside(item)] as const)
  return [list, keys.toSorted(([one], [other]) => (one < other ? -1 : 1))]
}

/** Equal for two docs that hold the same, however their structs happen to be merged. */
export const readingsOf = (doc: Y.Doc): unknown =>
  [...doc.share]
    .map(([name, type]) => [name, readingOf(type)] as const)
    .filter(([, reading]) => JSON.stringify(reading) !== '[[],[]]')
    .toSorted(([one], [other]) => (one < other ? -1 : 1))

const assertSound = (doc: Y.Doc): void => {
  assert.equal(doc.store.pendingStructs, null, 'left pending structs')
  assert.equal(doc.store.pendingDs, null, 'left pending deletes')
  for (const [client, structs] of doc.store.clients) {
    let clock = 0
    for (const struct of structs) {
      assert.equal(struct.id.clock, clock, `structs of ${client} are not contiguous`)
      clock += struct.length
    }
    assert.ok(Number.isSafeInteger(clock), `clock of ${client} is ${clock}`)
  }
}

/**
 * Applies an accepted update to `doc` as the server would, and checks what must hold then: nothing thrown, nothing
 * pending, and both what goes to disk and the whole state rebuild an equal document elsewhere.
 */
export const applyAccepted = (doc: Y.Doc, update: Uint8Array): void => {
  const before = Y.encodeStateAsUpdate(doc)
  const emitted: Uint8Array[] = []
  const listen = (bytes: Uint8Array): void => void emitted.push(bytes)
  doc.on('update', listen)
  Y.applyUpdate(doc, update)
  doc.off('update', listen)
  assertSound(doc)
  const replayed = new Y.Doc()
  for (const bytes of [before, ...emitted]) Y.applyUpdate(replayed, bytes)
  assertSound(replayed)
  assert.deepEqual(readingsOf(replayed), readingsOf(doc), 'the journal rebuilds another document')
  assert.deepEqual(readingsOf(cloneOf(doc)), readingsOf(doc), 'a new client gets another document')
}
